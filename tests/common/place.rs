//! A folder of its own for each test of the program, and the program run in it.

#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder that is gone when the test is over.
pub struct Place(tempfile::TempDir);

impl Default for Place {
    fn default() -> Place {
        Place::new()
    }
}

impl Place {
    /// An empty one.
    pub fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }
    /// One with a file in it.
    pub fn with(name: &str, text: &str) -> Place {
        let place = Place::new();
        place.file(name, text);
        place
    }
    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }
    /// Writes a file, and the folders it lies in.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
    /// What a file holds.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
    /// The program, in this folder, as a pipe sees it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_regionsim"));
        command.current_dir(self.folder()).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "GITHUB_STEP_SUMMARY"] {
            command.env_remove(name);
        }
        command
    }
    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.run_as(args, &[])
    }
    /// The same with these variables.
    pub fn run_as(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        self.command().args(args).envs(variables.iter().copied()).output().unwrap()
    }
}

/// The exit code.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// What was said to standard output.
pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What was said to standard error.
pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
