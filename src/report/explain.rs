//! A scenario as it was understood: values with their origin, round trips, the calendar.

use crate::model::roster::Roster;
use crate::report::html::roles;
use crate::scenario::explain::{Explanation, PairRow, Row};
use crate::sim::Span;
use crate::world::FaultTimes;
use comfy_table::{CellAlignment, Table, presets};

/// The explanation of the scenario in the file `path`, with the calendar of some trials.
pub fn text(
    explanation: &Explanation,
    path: &str,
    roster: &Roster,
    seed: u64,
    foreseen: &[bool],
    calendars: &[Calendar],
) -> String {
    let mut out = values(&explanation.rows, path);
    out.push_str(&places(roster));
    out.push_str(&round_trips(explanation, path));
    out.push_str(&faults(explanation));
    out.push_str(&calendar(roster, seed, foreseen, calendars));
    out
}

fn values(rows: &[Row], path: &str) -> String {
    let mut out = String::new();
    let mut from = 0;
    while from < rows.len() {
        let table = &rows[from].table;
        let many = rows[from..].iter().take_while(|row| row.table == *table).count();
        out.push_str(&format!("[{table}]\n"));
        let rows = &rows[from..from + many];
        let width = |text: &dyn Fn(&Row) -> usize, most: usize| {
            rows.iter().map(text).filter(|n| *n <= most).max().unwrap_or(0)
        };
        let keys = width(&|row| row.key.chars().count(), usize::MAX);
        // A long value pushes out its own origin, not those of all others.
        let values = width(&|row| shown(row).chars().count(), 50);
        for row in rows {
            let (key, value, source) = (&row.key, shown(row), row.source.show(path));
            out.push_str(&format!("  {key:keys$} = {value:values$}  # {source}\n"));
        }
        out.push('\n');
        from += many;
    }
    out
}

fn shown(row: &Row) -> &str {
    if row.value.is_empty() { "-" } else { &row.value }
}

/// The topology as a matrix: a row per region, a column per role, and who plays it there.
fn places(roster: &Roster) -> String {
    let regions: Vec<_> = (0..roster.regions.len()).map(|region| roles(roster, region)).collect();
    let mut columns: Vec<&str> = regions.iter().flat_map(|roles| roles.keys().copied()).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut table = plain();
    table.set_header(std::iter::once("").chain(columns.iter().copied()));
    for (name, roles) in roster.regions.iter().zip(&regions) {
        let cell = |role: &&str| roles.get(role).map_or("-".to_string(), |names| names.join(", "));
        table.add_row(std::iter::once(name.clone()).chain(columns.iter().map(cell)));
    }
    format!("Who stands where\n{}\n", lines(&table))
}

/// The round trips as a table of senders and receivers.
fn round_trips(explanation: &Explanation, path: &str) -> String {
    let pairs = &explanation.pairs;
    if pairs.is_empty() {
        return String::new();
    }
    let mut out = String::from("Round-trip times, from the row's region to the column's\n");
    let mut names: Vec<&str> = Vec::new();
    for pair in pairs {
        for name in [pair.from.as_str(), pair.to.as_str()] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let mut table = plain();
    table.set_header(std::iter::once("").chain(names.iter().copied()));
    for from in &names {
        let cell = |to: &&str| {
            let pair = pairs.iter().find(|pair| pair.from == *from && pair.to == *to);
            pair.map_or("-".to_string(), |pair| rounded(pair.rtt))
        };
        table.add_row(std::iter::once(from.to_string()).chain(names.iter().map(cell)));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    out.push_str(&lines(&table));
    if let Some(matrix) = &explanation.matrix {
        out.push_str(&format!("  matrix: {matrix}\n"));
    }
    out.push_str(&origins(pairs, path));
    out.push('\n');
    out
}

/// Where the round trips come from, an origin a line.
fn origins(pairs: &[PairRow], path: &str) -> String {
    let mut seen: Vec<(String, String, usize)> = Vec::new();
    for pair in pairs {
        let (source, rest) = (pair.source.show(path), &pair.rest);
        match seen.iter_mut().find(|(s, r, _)| *s == source && r == rest) {
            Some((_, _, count)) => *count += 1,
            None => seen.push((source, rest.clone(), 1)),
        }
    }
    let line = |(source, rest, count): &(String, String, usize)| {
        format!("  {count} of {} directed pairs: {source}; {rest}\n", pairs.len())
    };
    seen.iter().map(line).collect()
}

/// Milliseconds to the hundredth: what a table has room for.
fn rounded(span: Span) -> String {
    let hundredths = span.as_nanos().saturating_add(5_000) / 10_000;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    format!("{}ms", text.trim_end_matches('0').trim_end_matches('.'))
}

fn faults(explanation: &Explanation) -> String {
    if explanation.calendar.is_empty() {
        return "No faults.\n".to_string();
    }
    let mut table = plain();
    // What an operator does lasts no time.
    let operators = explanation.calendar.iter().any(|row| row.duration.is_empty());
    let who = if operators { "fault or operator" } else { "fault" };
    table.set_header([who, "begins", "lasts", "does"]);
    for row in &explanation.calendar {
        table.add_row([&row.name, &row.at, &row.duration, &row.what]);
    }
    format!("Faults\n{}\n", lines(&table))
}

/// What the calendar tells of one trial: its number, and when its faults begin and end.
pub type Calendar = (u64, Vec<FaultTimes>);

/// When each fault begins and ends in each of the trials. What only a run can tell is so marked.
fn calendar(roster: &Roster, seed: u64, foreseen: &[bool], calendars: &[Calendar]) -> String {
    if roster.faults.is_empty() || calendars.is_empty() {
        return String::new();
    }
    let mut table = plain();
    let names = roster.faults.iter().map(|fault| fault.name.clone());
    table.set_header(std::iter::once("trial".to_string()).chain(names));
    for (trial, times) in calendars {
        let cells = (0..roster.faults.len()).map(|fault| match foreseen.get(fault) {
            Some(false) => "as it goes".to_string(),
            _ => cell(fault, times),
        });
        table.add_row(std::iter::once(trial.to_string()).chain(cells));
    }
    format!("Calendar with seed {seed}\n{}", lines(&table))
}

/// The first turn of a fault, and how many there are beside it.
fn cell(fault: usize, times: &[FaultTimes]) -> String {
    let mut turns = times.iter().filter(|times| times.fault.index() == fault);
    let Some(first) = turns.next() else { return "-".to_string() };
    let shown = match first.clear {
        Some(clear) => format!("{}–{clear}", first.onset),
        None => format!("{}– (permanent)", first.onset),
    };
    match turns.count() {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn lines(table: &Table) -> String {
    table.lines().map(|line| format!(" {}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::FaultId;
    use crate::report::story_of_tests::{at, cast};
    use crate::scenario::explain::{CalendarRow, Source};

    #[test]
    fn an_explanation_reads_like_this() {
        let pair = |from: &str, to: &str, rtt| PairRow {
            from: from.into(),
            to: to.into(),
            rtt: Span::from_micros(rtt),
            rest: "loss 0%".into(),
            source: Source::File(7),
        };
        let row = |key: &str, value: &str, source| Row {
            table: "lease".into(),
            key: key.into(),
            value: value.into(),
            source,
        };
        let explanation = Explanation {
            rows: vec![
                row("ttl", "\"15s\"", Source::File(12)),
                row("guard", "\"500ms\"", Source::Default("our choice".into())),
            ],
            matrix: None,
            pairs: vec![pair("us-east", "us-west", 62_000), pair("us-west", "us-east", 62_345)],
            calendar: vec![CalendarRow {
                name: "cut".into(),
                at: "10m".into(),
                duration: "43s".into(),
                what: "partition".into(),
            }],
        };
        let times = FaultTimes { fault: FaultId(0), onset: at(600_000), clear: Some(at(643_000)) };
        let again = FaultTimes { fault: FaultId(0), onset: at(700_000), clear: Some(at(710_000)) };
        let shown = text(&explanation, "x.toml", &cast(), 42, &[true], &[(0, vec![times, again])]);
        let squeezed: Vec<String> = shown
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|line| !line.is_empty())
            .collect();
        let expected = [
            "[lease]",
            "ttl = \"15s\" # x.toml:12",
            "guard = \"500ms\" # default (our choice)",
            "Who stands where",
            "checker clients database",
            "us-east - east-web db-us-east",
            "us-west checker-us-west - db-us-west",
            "Round-trip times, from the row's region to the column's",
            "us-east us-west",
            "us-east - 62ms",
            "us-west 62.35ms -",
            "2 of 2 directed pairs: x.toml:7; loss 0%",
            "Faults",
            "fault begins lasts does",
            "cut 10m 43s partition",
            "Calendar with seed 42",
            "trial cut",
            "0 10:00.000–10:43.000 and 1 more",
        ];
        assert_eq!(squeezed, expected, "\n{shown}");
    }
}
