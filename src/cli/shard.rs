//! `--shard`, and `merge`: a part of the trials as a file, and all parts together again.

use super::ci::Ci;
use super::files::{self, Ready, Text};
use super::output::{cannot_write, complain, tell};
use super::run::heading;
use super::shown::Shown;
use super::{Change, Exit, MergeArgs, folder};
use regionsim::experiment::{Part, Shard, Source, merge as join};
use regionsim::report::Findings;
use std::fs;
use std::path::Path;

/// The most parts of a run.
const LIMIT_PARTS: u64 = 100_000;

/// Reads `3/8`, `auto` or `auto/8`: the part of an array of jobs that this job is.
///
/// # Errors
/// What was expected.
pub fn part(text: &str) -> Result<Part, String> {
    part_among(text, &|name| std::env::var(name).ok())
}

/// The same among these variables.
fn part_among(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Part, String> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (index, of) = match text.split_once('/') {
        Some((index, of)) => {
            (index, Some(number(of).ok_or("expected PART/PARTS, such as 3/8, or auto")?))
        }
        None => (text, None),
    };
    let (index, of) = if index.trim() == "auto" {
        let (index, known) = of_job(variable)?;
        let of = of.or(known).ok_or(
            "the number of parts is not in the environment: write auto/N, or set JOB_COMPLETIONS",
        )?;
        (index, of)
    } else {
        let of = of.ok_or("expected PART/PARTS, such as 3/8, or auto")?;
        (number(index).ok_or("expected PART/PARTS, such as 3/8, or auto")?, of)
    };
    if index == 0 || index > of || of > LIMIT_PARTS {
        return Err(format!("there is no part {index} of {of}; parts count from 1"));
    }
    Ok(Part { index, of })
}

/// Which job of an array this is, from 1, and of how many where that is known. Slurm tells
/// `SLURM_ARRAY_TASK_ID`, `_MIN`, `_STEP` and `_COUNT`; a Kubernetes indexed job tells
/// `JOB_COMPLETION_INDEX` from 0, and its manifest may add `JOB_COMPLETIONS`.
fn of_job(variable: &dyn Fn(&str) -> Option<String>) -> Result<(u64, Option<u64>), String> {
    let number = |name: &str| variable(name).and_then(|text| text.trim().parse::<u64>().ok());
    if let Some(id) = number("SLURM_ARRAY_TASK_ID") {
        let first = number("SLURM_ARRAY_TASK_MIN").unwrap_or(0);
        let step = number("SLURM_ARRAY_TASK_STEP").unwrap_or(1).max(1);
        let index = id.saturating_sub(first) / step + 1;
        return Ok((index, number("SLURM_ARRAY_TASK_COUNT")));
    }
    if let Some(index) = number("JOB_COMPLETION_INDEX") {
        return Ok((index.saturating_add(1), number("JOB_COMPLETIONS")));
    }
    Err("neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set".to_string())
}

/// Writes a shard into the results folder of its scenario.
pub fn keep(place: &Path, label: &str, shard: &Shard) -> Exit {
    let Part { index, of } = shard.part;
    let name = format!("shard-{index}-of-{of}.json");
    if let Err(error) = folder::put_all(place, &[(&name, shard.text().into_bytes())]) {
        return cannot_write(place, &error);
    }
    tell(&format!("{label}: part {} kept in {}\n", shard.part, place.join(&name).display()));
    if shard.is_whole() { Exit::Good } else { Exit::Interrupted }
}

/// Joins shards, and shows and writes what one run would have.
pub fn merge(args: &MergeArgs) -> Exit {
    let mut shards = Vec::new();
    let mut exit = Exit::Good;
    for path in &args.shards {
        let name = path.display().to_string();
        match fs::read_to_string(path) {
            Err(error) => {
                complain(&format!("cannot read {name}: {error}"));
                exit = exit.max(Exit::Io);
            }
            Ok(text) => match Shard::read(&text) {
                Ok(shard) => shards.push((name, shard)),
                Err(why) => {
                    complain(&format!("{name}: {why}"));
                    exit = exit.max(Exit::BadScenario);
                }
            },
        }
    }
    if exit != Exit::Good {
        return exit;
    }
    let (source, outcomes) = match join(shards) {
        Ok(whole) => whole,
        Err(wrong) => {
            wrong.iter().for_each(|why| complain(why));
            return Exit::BadScenario;
        }
    };
    let ready = match ready(&source) {
        Ok(ready) => ready,
        Err(exit) => return exit,
    };
    let mut shown = Shown::new(&args.out, args.format, args.quiet, false);
    let (scenario, roster) = (&ready.scenario, ready.stage.roster());
    let heading = heading(scenario, source.seed);
    let findings = Findings::new(heading, roster, &scenario.expectations, outcomes);
    let judge = source.expect.as_ref().unwrap_or(&source.text);
    let judge = Text { name: "<shard>".to_string(), text: judge.clone() };
    let mut ci = Ci::new(&args.ci);
    ci.judge(&findings, &source, &judge, &mut shown);
    shown.note(ci.end());
    shown.end()
}

/// The scenario that a shard carries.
pub fn ready(source: &Source) -> Result<Ready, Exit> {
    let text = |text: &str| Text { name: "<shard>".to_string(), text: text.to_string() };
    let change = Change { variant: source.variant.clone(), set: source.set.clone() };
    let mut ready = files::ready(&text(&source.text), &change, true)?;
    if let Some(expect) = &source.expect {
        files::judged_by(&mut ready.scenario, &text(expect), true)?;
    }
    Ok(ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(text: &str, variables: &[(&str, &str)]) -> Result<Part, String> {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
        };
        part_among(text, &find)
    }

    #[test]
    fn a_part_is_stated_or_that_of_the_job() {
        assert_eq!(among("3/8", &[]), Ok(Part { index: 3, of: 8 }));
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "14"),
            ("SLURM_ARRAY_TASK_MIN", "10"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "8"),
        ];
        assert_eq!(among("auto", &slurm), Ok(Part { index: 3, of: 8 }));
        let indexed = [("JOB_COMPLETION_INDEX", "0"), ("JOB_COMPLETIONS", "4")];
        assert_eq!(among("auto", &indexed), Ok(Part { index: 1, of: 4 }));
        assert_eq!(among("auto/5", &indexed[..1]), Ok(Part { index: 1, of: 5 }));
    }

    #[test]
    fn what_is_no_part_is_said() {
        for text in ["0/3", "4/3", "1/0", "x/3", "3", "1/x", "auto", "auto/3", "1/100001"] {
            assert!(among(text, &[]).is_err(), "{text}");
        }
        let alone = [("JOB_COMPLETION_INDEX", "2")];
        assert!(among("auto", &alone).unwrap_err().contains("auto/N"));
    }
}
