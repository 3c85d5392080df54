//! The reference of the scenario file in Markdown, from the declarations. The README holds a
//! copy, and a test compares the two.

use super::schema::{Shape, TABLES, Table};
use super::{matrices, presets};
use crate::measure::catalogue::CATALOGUE;
use crate::measure::metric::LABELS;
use crate::sim::dist::FORMS;
use crate::sim::param::{Arm, Field, Kind};
use crate::world::fault::FaultParams;
use crate::world::operator::ActionParams;
use std::fmt::Write;

/// The whole reference, headings from level three.
pub fn reference() -> String {
    let mut out = String::new();
    out.push_str(
        "Every file begins with `schema_version = 1`. A default without a mark is the value that \
         holds when the key is left out; *required* keys have none.\n",
    );
    for table in &TABLES {
        section(&mut out, table);
    }
    words(&mut out);
    distributions(&mut out);
    matrix_list(&mut out);
    preset_list(&mut out);
    metrics(&mut out);
    out
}

fn section(out: &mut String, table: &Table) {
    let key = table.key;
    let heading = match table.shape {
        Shape::One => format!("`[{key}]`"),
        Shape::Named => format!("`[{key}.NAME]`"),
        Shape::Either => format!("`[{key}]`, `[{key}.NAME]`"),
        Shape::List => format!("`[[{key}]]`"),
    };
    put(out, &format!("\n### {heading}\n\n{}\n", plain(table.doc)));
    fields(out, (table.fields)());
    if table.key == "fault" {
        for arm in FaultParams::ARMS {
            put(out, &format!("\n#### `kind = \"{}\"`\n\n{}\n", arm.word, plain(arm.doc)));
            fields(out, (arm.fields)());
        }
    }
    if table.key == "operator" {
        for arm in ActionParams::ARMS {
            put(out, &format!("\n#### `action = \"{}\"`\n\n{}\n", arm.word, plain(arm.doc)));
            fields(out, (arm.fields)());
        }
    }
    for field in (table.fields)() {
        arms(out, field.name, &(field.kind)());
    }
}

/// What a catalogue of kinds adds to the table it stands in.
fn arms(out: &mut String, key: &str, kind: &Kind) {
    let Kind::Tagged(tag, all) = kind else { return };
    for arm in *all {
        let heading = match tag.is_empty() {
            true => format!("`{key} = {{ {} = {{ … }} }}`", arm.word),
            false => format!("`{key} = {{ {tag} = \"{}\", … }}`", arm.word),
        };
        put(out, &format!("\n#### {heading}\n\n{}\n", plain(arm.doc)));
        fields(out, (arm.fields)());
    }
}

fn fields(out: &mut String, all: &'static [Field]) {
    let mut rows = String::new();
    rows_of(&mut rows, "", all);
    if !rows.is_empty() {
        put(out, "\n| Key | Takes | Default | From | What it is |\n|---|---|---|---|---|\n");
        put(out, &rows);
    }
}

fn rows_of(out: &mut String, above: &str, all: &'static [Field]) {
    for field in all {
        let key = if above.is_empty() {
            field.name.to_string()
        } else {
            format!("{above}.{}", field.name)
        };
        let kind = (field.kind)();
        if let Kind::Table(inner) = kind {
            rows_of(out, &key, inner);
            continue;
        }
        if let Kind::ByName(inner) = kind {
            rows_of(out, &format!("{key}.NAME"), inner);
            continue;
        }
        let (default, source) = match (field.default)() {
            None => ("*required*".to_string(), String::new()),
            Some(default) if default.is_empty() => ("–".to_string(), field.source.to_string()),
            Some(_) if matches!(kind, Kind::Tagged(..)) => {
                ("–".to_string(), field.source.to_string())
            }
            Some(default) => (format!("`{default}`"), field.source.to_string()),
        };
        let cells = [format!("`{key}`"), takes(&kind), default, source, plain(field.doc)];
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        put(out, &format!("| {} |\n", cells.join(" | ")));
        if let Kind::List(inner) = kind
            && let Kind::Table(inner) = *inner
        {
            rows_of(out, &format!("{key}[]"), inner);
        }
    }
}

fn takes(kind: &Kind) -> String {
    let word_list = |words: &mut dyn Iterator<Item = &'static str>| {
        words.map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
    };
    match kind {
        Kind::Bool => "`true`, `false`".to_string(),
        Kind::Int => "whole number".to_string(),
        Kind::Float => "number".to_string(),
        Kind::Span => "duration".to_string(),
        Kind::Share => "share".to_string(),
        Kind::Bytes => "size".to_string(),
        Kind::Bandwidth => "bandwidth".to_string(),
        Kind::Dist => "duration or distribution".to_string(),
        Kind::Choice(words) => word_list(&mut words.iter().copied()),
        Kind::Name => "name".to_string(),
        Kind::Text => "text".to_string(),
        Kind::List(inner) => match **inner {
            Kind::Table(_) => "list of tables".to_string(),
            ref inner => format!("list of: {}", takes(inner)),
        },
        Kind::OneOrMore(inner) => format!("{}, or a list", takes(inner)),
        Kind::Table(_) => "table".to_string(),
        Kind::ByName(_) => "tables by name".to_string(),
        Kind::Tagged(tag, arms) => {
            let words = word_list(&mut arms.iter().map(|arm: &Arm| arm.word));
            match tag.is_empty() {
                true => format!("table with one key of {}", words.replace('"', "")),
                false => format!("table with `{tag}` of {words}"),
            }
        }
        Kind::Other(text) => (*text).to_string(),
    }
}

fn words(out: &mut String) {
    put(
        out,
        "\n### `[expect]`, `[variant.NAME]`\n\n\
         `[expect]` has a metric as key and one limit or a list: `\"rpo.time\" = [\"p99 < \
         16s\"]`. A limit is `aggregate operator value`; aggregates over the trials are `p50` … \
         `p99.9`, `mean`, `median`, `max`, `min` and `share` (of trials in which it is above \
         zero), operators `<`, `<=`, `==`, `>=`, `>`. A metric is restricted by labels in \
         braces: `\"latency.p99{kind=write, region=eu-west}\" = \"p50 < 200ms\"`; which ones \
         it takes is said below.\n\n\
         `[variant.NAME]` has dotted keys as keys: `\"store.orders.replication.mode\" = \"sync\"`. \
         Items of a list go by their `name` or number (`fault.cut.at`, `wan.links.0.rtt`). \
         `remove = [\"lease\"]` takes things away. `--set key=value` does the same from the \
         command line; variants are applied first.\n\n\
         ### Values\n\n\
         | Takes | Example | Units |\n|---|---|---|\n\
         | duration | `\"150ms\"` | ns, us, ms, s, m, h, d |\n\
         | share | `\"0.5%\"` | % |\n\
         | size | `\"2KB\"` | B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB |\n\
         | bandwidth | `\"1Gbps\"` | bps, Kbps, Mbps, Gbps, Tbps |\n",
    );
}

fn distributions(out: &mut String) {
    put(out, "\n### Distributions\n\n| `dist =` | Takes |\n|---|---|\n");
    for form in FORMS {
        put(out, &format!("| `\"{}\"` | {} |\n", form.name, form.takes));
    }
    put(
        out,
        "\nEvery one also takes `cap` (larger values become this one) and `never` (the share of \
         draws that never happen).\n",
    );
}

fn matrix_list(out: &mut String) {
    put(
        out,
        "\n### RTT matrices\n\n| `matrix =` | Regions | What | When | Source |\n|---|---|---|---|---|\n",
    );
    for m in matrices::all() {
        let row = format!(
            "| `\"{}\"` | {} | {} | {} | {} |\n",
            m.name,
            m.regions.len(),
            m.measure,
            m.date,
            m.source
        );
        put(out, &row);
    }
}

fn preset_list(out: &mut String) {
    put(
        out,
        "\n### Presets\n\n\
         `preset = \"NAME\"` in a table stands for the values below; keys beside it go before it. \
         *documented*: the product's documentation or source, or the study, was read; *quoted*: read \
         as others quote it; *recalled*: not looked up; *derived*: follows from documented figures; \
         *our choice*: nobody states it. `preset show NAME` adds versions and what is left out.\n\n\
         | Preset | In | Key | Value | Known | From |\n|---|---|---|---|---|---|\n",
    );
    for preset in presets::all() {
        for fit in &preset.fits {
            for value in &fit.values {
                let (name, spot, key) = (&preset.name, fit.spot, &value.key);
                let (known, from) = (value.known, &value.source);
                let row = format!(
                    "| `{name}` | `{spot}` | `{key}` | `{}` | {known} | {from} |\n",
                    value.value
                );
                put(out, &row);
            }
        }
    }
}

fn metrics(out: &mut String) {
    put(out, "\n### Metrics\n\n| Label | Restricts a metric to |\n|---|---|\n");
    for (label, doc) in LABELS {
        put(out, &format!("| `{label}` | {doc} |\n"));
    }
    put(out, "\n| Metric | Labels | What it is |\n|---|---|---|\n");
    for metric in CATALOGUE {
        let labels = metric.labels.join(", ");
        put(out, &format!("| `{}` | {labels} | {} |\n", metric.name, plain(metric.doc)));
    }
}

fn plain(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn put(out: &mut String, text: &str) {
    // Writing to a text cannot fail.
    let _ = out.write_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_has_its_row_with_default_and_source() {
        let text = reference();
        for row in [
            "| `ttl` | duration | `\"30s\"` | Patroni: ttl |",
            "| `name` | name | *required* |",
            "| `retry.attempts` | whole number | `3` | AWS SDK standard mode |",
            "#### `replication = { mode = \"sync\", … }`",
            "#### `kind = \"partition\"`",
            "| `\"azure-2026\"` | 54 |",
        ] {
            assert!(text.contains(row), "no {row} in:\n{text}");
        }
        for table in TABLES {
            assert!(text.contains(&format!("[{}", table.key)), "{}", table.key);
        }
    }
}
