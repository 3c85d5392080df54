//! Standard output and standard error: results to the one, everything else to the other.

use super::Exit;
use anstream::{AutoStream, ColorChoice};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Standard output. A reader who goes away (`| head`) ends the printing and nothing else.
pub struct Output {
    out: AutoStream<io::Stdout>,
    colour: bool,
    deaf: bool,
}

impl Output {
    /// Colours only where a terminal wants them and `NO_COLOR` does not forbid it.
    pub fn new() -> Output {
        let out = io::stdout();
        let colour = AutoStream::choice(&out) != ColorChoice::Never;
        Output { out: AutoStream::auto(out), colour, deaf: false }
    }
    /// Does the terminal ask for plain ASCII? By `TERM=dumb`, or a locale without any other signs.
    pub fn ascii(&self) -> bool {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
        let plain = locale.is_some_and(|locale| ["C", "POSIX"].contains(&locale.as_str()));
        io::stdout().is_terminal() && (plain || variable("TERM").is_some_and(|term| term == "dumb"))
    }
    /// May there be colours?
    pub fn colour(&self) -> bool {
        self.colour
    }
    /// Prints; an error of the stream other than its end is an error of ours to report.
    pub fn say(&mut self, text: &str) -> Exit {
        if self.deaf {
            return Exit::Good;
        }
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Ok(()) => Exit::Good,
            Err(error) => {
                self.deaf = true;
                io_exit(&error)
            }
        }
    }
}

/// What an error of standard output means for the exit code.
pub fn io_exit(error: &io::Error) -> Exit {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Good;
    }
    complain(&format!("cannot write to standard output: {error}"));
    Exit::Io
}

/// Says something went wrong. That standard error may be closed is nobody's concern.
pub fn complain(text: &str) {
    tell(&format!("error: {text}\n"));
}

/// Says what could not be written, and what that means for the exit code.
pub fn cannot_write(place: &Path, error: &io::Error) -> Exit {
    complain(&format!("cannot write {}: {error}", place.display()));
    Exit::Io
}

/// Text for standard error, as it is.
pub fn tell(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// May diagnostics be coloured?
pub fn error_colour() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Is somebody watching standard error?
pub fn watched() -> bool {
    io::stderr().is_terminal()
}
