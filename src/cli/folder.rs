//! The results folder: whole files only.

use regionsim::experiment::{Part, Shard, Source};
use regionsim::report::{Findings, csv, json, markdown};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// All trials of a run, from which its other files can be made again.
pub const KEPT: &str = "trials.json";

/// Writes the results of a scenario into a folder, which is made if need be; with what was run also
/// [`KEPT`].
///
/// # Errors
/// The first that occurs. Files are written under a temporary name and then renamed, so what
/// stands there is whole.
pub fn write(folder: &Path, findings: &Findings, source: Option<&Source>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if let Some(source) = source {
        let kept = Shard::new(source.clone(), Part::WHOLE, &findings.outcomes);
        put(folder, KEPT, kept.text().as_bytes())?;
    }
    put(folder, "results.json", json::text(findings).as_bytes())?;
    put(folder, "trials.csv", &csv::trials(findings))?;
    put(folder, "incidents.csv", &csv::incidents(findings))?;
    put(folder, "summary.md", markdown::text(findings).as_bytes())
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    let prefix = format!(".{name}.");
    builder.prefix(&prefix);
    // Temporary files are private by default; results are for everybody the user allows.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(folder.join(name)).map_err(|error| error.error)?;
    Ok(())
}

/// Writes these files into a folder, which is made if need be.
///
/// # Errors
/// The first that occurs; each file is whole or not there.
pub fn put_all(folder: &Path, files: &[(&str, Vec<u8>)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, bytes)| put(folder, name, bytes))
}

/// A label as the name of a folder.
pub fn safe(label: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || "-_@#.=,+".contains(c);
    label.chars().map(|c| if keep(c) { c } else { '_' }).collect()
}
