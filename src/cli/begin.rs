//! Help to begin: a scenario to start from, the schema of its file, completions, the
//! manual page.

use super::output::{Output, cannot_write, complain, tell};
use super::{Cli, Exit};
use clap::CommandFactory;
use clap_complete::Shell;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// A scenario that says something with as little as possible; the README shows the same.
const FIRST: &str = include_str!("first.toml");

/// Prints it, or writes it into a file that does not exist yet.
pub fn new(file: Option<&Path>) -> Exit {
    let Some(file) = file else { return Output::new().say(FIRST) };
    let written = File::create_new(file).and_then(|mut file| file.write_all(FIRST.as_bytes()));
    match written {
        Ok(()) => {
            let name = file.display();
            tell(&format!("written; next: regionsim explain {name}, regionsim run {name}\n"));
            Exit::Good
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            complain(&format!("{} exists already", file.display()));
            Exit::Usage
        }
        Err(error) => cannot_write(file, &error),
    }
}

/// Prints the JSON schema of scenario files.
pub fn schema() -> Exit {
    let schema = regionsim::scenario::json_schema::json_schema();
    Output::new().say(&regionsim::report::json::pretty(&schema))
}

/// Prints completions.
pub fn completions(shell: Shell) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "regionsim", &mut text);
    Output::new().say(&String::from_utf8_lossy(&text))
}

/// Prints the manual page of the program and of each command.
pub fn man() -> Exit {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let commands = std::iter::once(&command).chain(command.get_subcommands());
    for one in commands.filter(|one| one.get_name() != "help") {
        if let Err(error) = clap_mangen::Man::new(one.clone()).render(&mut text) {
            complain(&format!("cannot make the manual page: {error}"));
            return Exit::Bug;
        }
    }
    Output::new().say(&String::from_utf8_lossy(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_scenario_is_that_of_the_readme_and_nothing_is_said_against_it() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&format!("```toml\n{FIRST}```")));
        let (scenario, said) = regionsim::scenario::load(FIRST);
        assert!(scenario.is_some() && said.is_empty(), "{said:?}");
    }
}
