//! The command `regionsim`. Everything it can do is in the library of the same name; here it
//! meets files, terminals and signals.

mod cli;

use clap::Parser;
use std::panic::catch_unwind;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // A panic that no trial is to blame for has been printed by now; it is a bug of ours.
    catch_unwind(move || cli.run()).unwrap_or(cli::Exit::Bug).into()
}
