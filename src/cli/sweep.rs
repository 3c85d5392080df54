//! `sweep`: one scenario at many points of a grid.

use super::crew::Crew;
use super::files::{self, Text};
use super::output::{Output, cannot_write, complain, tell};
use super::run::{heading, source};
use super::{Change, Exit, Format, SweepArgs, folder, page};
use regionsim::experiment::grid::{Axis, points};
use regionsim::experiment::{Part, Shard, Source};
use regionsim::measure::MetricKey;
use regionsim::report::Findings;
use regionsim::report::sweep::{Sweep, json_text, label, lines, markdown, rows, text};
use std::fs;
use std::path::{Path, PathBuf};

/// Runs every point that is not there yet, and tells what they came to.
pub fn sweep(args: &SweepArgs) -> Exit {
    let (axes, grid, shown) = match asked(args) {
        Ok(asked) => asked,
        Err(why) => {
            complain(&why);
            return Exit::Usage;
        }
    };
    let file = match files::read(&args.file) {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    // Whoever mistypes a key hears of it before anything has run.
    let base = match files::ready(&file, &args.change, args.trials.quiet) {
        Ok(base) => base,
        Err(exit) => return exit,
    };
    let bad = grid.iter().map(|point| check(&file, args, point)).max().unwrap_or(Exit::Good);
    if bad != Exit::Good {
        return bad;
    }
    let seed = args.trials.seed.unwrap_or(base.scenario.seed);
    let trials = args.trials.number.unwrap_or(base.scenario.trials);
    let name = heading(&base.scenario, seed).label();
    if trials == 0 {
        complain(&format!("{name}: no trials to run"));
        return Exit::Nothing;
    }
    let (label, asked) = (name.clone(), grid.len());
    let mut sweep = Sweep { label, seed, trials, axes, points: Vec::new(), shown, asked };
    let place = args.out.join(format!("sweep-{name}"));
    let exit = Walk { args, file: &file, place: &place, seed, trials }.go(grid, &mut sweep);
    if sweep.points.is_empty() {
        return exit;
    }
    let exit = exit.max(write(&place, &sweep)).max(show(args, &sweep));
    if !args.html {
        return exit;
    }
    let source = source(&file, &args.change, None, seed, trials);
    exit.max(page::of_sweep(&place, &source, &base, &sweep, args.trials.quiet))
}

type Grid = Vec<Vec<(String, String)>>;

fn asked(args: &SweepArgs) -> Result<(Vec<Axis>, Grid, Vec<MetricKey>), String> {
    let mut axes = Vec::new();
    for four in args.range.chunks(4) {
        if let [key, from, to, step] = four {
            axes.push(Axis::range(key, from, to, step)?);
        }
    }
    for two in args.list.chunks(2) {
        if let [key, values] = two {
            axes.push(Axis::list(key, values)?);
        }
    }
    if axes.is_empty() {
        return Err("nothing to vary: state -P KEY FROM TO STEP or -L KEY a,b,c".to_string());
    }
    let shown: Result<Vec<MetricKey>, String> =
        args.metric.iter().map(|metric| MetricKey::parse(metric)).collect();
    let grid = points(&axes)?;
    Ok((axes, grid, shown?))
}

fn change(args: &SweepArgs, point: &[(String, String)]) -> Change {
    let mut set = args.change.set.clone();
    set.extend(point.iter().cloned());
    Change { variant: args.change.variant.clone(), set }
}

fn check(file: &Text, args: &SweepArgs, point: &[(String, String)]) -> Exit {
    match files::ready(file, &change(args, point), true) {
        Ok(_) => Exit::Good,
        Err(exit) => {
            complain(&format!("at {}", label(point)));
            exit
        }
    }
}

/// The way through the grid.
struct Walk<'a> {
    args: &'a SweepArgs,
    file: &'a Text,
    place: &'a Path,
    seed: u64,
    trials: u64,
}

impl Walk<'_> {
    fn go(&self, grid: Grid, sweep: &mut Sweep) -> Exit {
        let mut crew = Crew::new(&self.args.trials);
        let points = grid.len() as u64;
        crew.share_a_bar(&sweep.label, points.saturating_mul(self.trials));
        let mut taken_over = 0;
        for point in grid {
            match self.point(&mut crew, &point, &mut taken_over) {
                Ok(findings) if findings.outcomes.interrupted() => break,
                Ok(findings) => sweep.points.push((point, findings)),
                Err(exit) => return exit,
            }
            if crew.interrupted() {
                break;
            }
        }
        crew.end_the_bar();
        if taken_over > 0 && !self.args.trials.quiet {
            tell(&format!("{taken_over} points were there already (--fresh runs them again)\n"));
        }
        if crew.interrupted() { Exit::Interrupted } else { Exit::Good }
    }

    /// What a point comes to: kept from an earlier sweep, or run now and kept.
    fn point(
        &self,
        crew: &mut Crew,
        point: &[(String, String)],
        taken_over: &mut usize,
    ) -> Result<Findings, Exit> {
        let change = change(self.args, point);
        let ready = files::ready(self.file, &change, true)?;
        let source = source(self.file, &change, None, self.seed, self.trials);
        let kept = self.kept(point);
        let known = if self.args.fresh { None } else { known(&kept, &source) };
        let outcomes = match known {
            Some(outcomes) => {
                *taken_over += 1;
                crew.skip(self.trials);
                outcomes
            }
            None => {
                let outcomes = crew.run(&label(point), &ready, self.seed, 0..self.trials)?;
                if !outcomes.interrupted() {
                    self.keep(&kept, Shard::new(source, Part::WHOLE, &outcomes))?;
                }
                outcomes
            }
        };
        let (scenario, roster) = (&ready.scenario, ready.stage.roster());
        let heading = heading(scenario, self.seed);
        Ok(Findings::new(heading, roster, &scenario.expectations, outcomes))
    }

    fn kept(&self, point: &[(String, String)]) -> PathBuf {
        kept(self.place, point)
    }

    fn keep(&self, path: &Path, shard: Shard) -> Result<(), Exit> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let (place, name) = (self.place.join("points"), name.unwrap_or_default());
        let written = folder::put_all(&place, &[(&name, shard.text().into_bytes())]);
        written.map_err(|error| cannot_write(path, &error))
    }
}

/// Where a sweep keeps a point.
pub fn kept(place: &Path, point: &[(String, String)]) -> PathBuf {
    place.join("points").join(format!("{}.json", folder::safe(&label(point))))
}

/// What an earlier sweep kept of exactly this point.
fn known(path: &Path, source: &Source) -> Option<regionsim::experiment::Outcomes> {
    let shard = Shard::read(&fs::read_to_string(path).ok()?).ok()?;
    (shard.source == *source && shard.is_whole()).then(|| shard.outcomes().ok())?
}

fn write(place: &Path, sweep: &Sweep) -> Exit {
    let files = [
        ("sweep.csv", rows(sweep)),
        ("sweep.json", json_text(sweep).into_bytes()),
        ("sweep.md", markdown(sweep).into_bytes()),
    ];
    match folder::put_all(place, &files) {
        Ok(()) => Exit::Good,
        Err(error) => cannot_write(place, &error),
    }
}

fn show(args: &SweepArgs, sweep: &Sweep) -> Exit {
    let mut out = Output::new();
    match args.format {
        Format::Human if args.trials.quiet => Exit::Good,
        Format::Human => {
            let ascii = args.ascii || out.ascii();
            out.say(&text(sweep, ascii))
        }
        Format::Json => out.say(&json_text(sweep)),
        Format::Jsonl => out.say(&lines(sweep)),
        Format::Csv => out.say(&String::from_utf8_lossy(&rows(sweep))),
        Format::Markdown => out.say(&markdown(sweep)),
    }
}
