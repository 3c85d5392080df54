//! Stories of state machines: text files in which what a machine did stands under what it was told.

#![allow(dead_code)]

use std::path::Path;

/// What hears the commands of a story in blocks.
pub trait Told: Default {
    /// Carries out one line.
    fn command(&mut self, line: &str);
    /// What was done about the commands since it was last asked.
    fn said(&mut self) -> Vec<String>;
}

/// Plays a story in blocks: the same text, with what really happened after each `----`. A block
/// that has no such line is played in silence.
pub fn play<S: Told>(text: &str) -> String {
    let mut script = S::default();
    let mut out = Vec::new();
    for block in text.trim_end_matches('\n').split("\n\n") {
        let commands = block.split("\n----").next().unwrap().trim_matches('\n');
        let mut lines = vec![commands.to_string()];
        for line in commands.lines().filter(|line| !line.starts_with('#')) {
            script.command(line);
        }
        let said = script.said();
        if block.contains("\n----") {
            lines.push("----".to_string());
            lines.extend(said);
        }
        out.push(lines.join("\n"));
    }
    out.join("\n\n") + "\n"
}

/// Plays every story in `tests/machines/FOLDER`, of which there are at least so many, and holds
/// each against what is written; `UPDATE=1` writes what happened instead.
pub fn every_story_in(folder: &str, at_least: usize, play: impl Fn(&str) -> String) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machines").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(place)
        .expect("the folder of stories")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    paths.sort();
    assert!(paths.len() >= at_least, "stories are missing: {} of {at_least}", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a story");
        let played = play(&text);
        if played == text {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &played).expect("writable");
        } else {
            wrong.push(format!("{}\n{played}", path.file_name().unwrap_or_default().display()));
        }
    }
    assert!(wrong.is_empty(), "it went like this (UPDATE=1 writes it):\n{}", wrong.join("\n"));
}
