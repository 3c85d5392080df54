//! `report`: the page about results, made afterwards from what stands in their folder.

use super::designs::{LADDER, found};
use super::files::Ready;
use super::output::complain;
use super::{Exit, ReportArgs, folder, page, shard, sweep};
use regionsim::experiment::grid::Axis;
use regionsim::experiment::{Shard, Source};
use regionsim::measure::MetricKey;
use regionsim::report::Findings;
use regionsim::report::comparison::Comparison;
use regionsim::report::sweep::Sweep;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes a page into each folder.
pub fn report(args: &ReportArgs) -> Exit {
    let one = |folder: &PathBuf| one(folder, args.quiet).unwrap_or_else(|exit| exit);
    args.folders.iter().map(one).max().unwrap_or(Exit::Good)
}

/// What kind of results stand in a folder decides the page. A file in it stands for its folder.
fn one(place: &Path, quiet: bool) -> Result<Exit, Exit> {
    let folder = if place.is_file() { place.parent().unwrap_or(Path::new("")) } else { place };
    let (comparison, sweep) = (folder.join("comparison.json"), folder.join("sweep.json"));
    if comparison.is_file() {
        return of_designs(folder, &json(&comparison)?, quiet);
    }
    if sweep.is_file() {
        return of_sweep(folder, &json(&sweep)?, quiet);
    }
    let kept = folder.join(folder::KEPT);
    if kept.is_file() {
        let (source, ready, findings) = trials(&kept)?;
        return Ok(page::of_run(folder, &source, &ready, &findings, quiet));
    }
    complain(&format!(
        "{}: no results here; expected comparison.json, sweep.json or {}",
        folder.display(),
        folder::KEPT
    ));
    Err(Exit::Io)
}

fn read(path: &Path) -> Result<String, Exit> {
    fs::read_to_string(path).map_err(|error| {
        complain(&format!("cannot read {}: {error}", path.display()));
        Exit::Io
    })
}

fn bad(path: &Path, why: &str) -> Exit {
    complain(&format!("{}: {why}", path.display()));
    Exit::Io
}

fn json(path: &Path) -> Result<Value, Exit> {
    serde_json::from_str(&read(path)?).map_err(|error| bad(path, &format!("no JSON: {error}")))
}

/// The trials that a run kept, and the scenario they are of.
fn trials(path: &Path) -> Result<(Source, Ready, Findings), Exit> {
    let shard = Shard::read(&read(path)?).map_err(|why| bad(path, &why))?;
    let outcomes = shard.outcomes().map_err(|why| bad(path, &why))?;
    let ready = shard::ready(&shard.source)?;
    let findings = found(&ready, shard.source.seed, outcomes);
    Ok((shard.source, ready, findings))
}

fn texts<'a>(value: &'a Value, path: &Path) -> Result<Vec<&'a str>, Exit> {
    let list = value.as_array().ok_or_else(|| bad(path, "a list is missing"))?;
    let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    texts.ok_or_else(|| bad(path, "a list of names holds something else"))
}

fn of_designs(folder: &Path, value: &Value, quiet: bool) -> Result<Exit, Exit> {
    let path = folder.join("comparison.json");
    let designs = value["designs"].as_array().ok_or_else(|| bad(&path, "it has no designs"))?;
    let (mut compared, mut sources) = (Vec::new(), Vec::new());
    for design in designs {
        let word = |key: &str| design[key].as_str().unwrap_or_default().to_string();
        let label = word("label");
        let kept = folder.join(folder::safe(&label)).join(folder::KEPT);
        let (source, ready, findings) = trials(&kept)?;
        compared.push((label, word("about"), findings));
        sources.push((source, ready));
    }
    let title = value["title"].as_str().unwrap_or("comparison").to_string();
    let ladder = value["kind"] == LADDER;
    let comparison = Comparison::new(title, compared);
    Ok(page::of_designs(folder, ladder, &sources, &comparison, quiet))
}

fn of_sweep(folder: &Path, value: &Value, quiet: bool) -> Result<Exit, Exit> {
    let path = folder.join("sweep.json");
    let list = |key: &str| value[key].as_array().cloned().unwrap_or_default();
    let mut axes = Vec::new();
    for axis in list("axes") {
        let key = axis["key"].as_str().unwrap_or_default().to_string();
        let values = texts(&axis["values"], &path)?.into_iter().map(String::from).collect();
        axes.push(Axis { key, values });
    }
    let shown: Result<Vec<MetricKey>, String> =
        texts(&value["shown"], &path)?.into_iter().map(MetricKey::parse).collect();
    let shown = shown.map_err(|why| bad(&path, &why))?;
    let (mut points, mut first) = (Vec::new(), None);
    for point in list("points") {
        let at = point["at"].as_object().ok_or_else(|| bad(&path, "a point is nowhere"))?;
        let at = at.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default()));
        let at: Vec<(String, String)> = at.map(|(key, value)| (key, value.to_string())).collect();
        let (source, _, findings) = trials(&sweep::kept(folder, &at))?;
        first.get_or_insert((source, at.len()));
        points.push((at, findings));
    }
    let Some((mut source, varied)) = first else { return Err(bad(&path, "it has no points")) };
    // What is varied was applied last.
    source.set.truncate(source.set.len().saturating_sub(varied));
    let ready = shard::ready(&source)?;
    let label = value["scenario"].as_str().unwrap_or_default().to_string();
    let (seed, trials) = (source.seed, source.asked);
    let asked = value["asked"].as_u64().unwrap_or(0) as usize;
    let sweep = Sweep { label, seed, trials, axes, points, shown, asked };
    Ok(page::of_sweep(folder, &source, &ready, &sweep, quiet))
}
