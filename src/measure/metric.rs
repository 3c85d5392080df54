//! What is measured: the catalogue of metrics, and the key that names one number of a trial.
//!
//! ```
//! use regionsim::measure::metric::MetricKey;
//! let key = MetricKey::parse(r#"latency.p99{region="eu-west", kind="write"}"#).unwrap();
//! assert_eq!(key.to_string(), r#"latency.p99{region="eu-west", kind="write"}"#);
//! ```

use crate::measure::catalogue::CATALOGUE;
use crate::sim::param::suggest;
use std::fmt;

/// What a metric's plain number counts in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Things.
    Count,
    /// A fraction from 0 to 1.
    Share,
    /// Things per second.
    PerSecond,
    /// Times as much.
    Ratio,
}

/// Which way is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither: it describes what happened.
    Neither,
}

/// One line of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct MetricDoc {
    /// Its name: `rpo.time`.
    pub name: &'static str,
    /// What it counts in.
    pub unit: Unit,
    /// Its definition, in a sentence or two.
    pub doc: &'static str,
    /// The labels it may carry, in the order they are printed.
    pub labels: &'static [&'static str],
    /// True when the largest of n trials grows with n, so that a `max` limit fails in the end.
    pub unbounded: bool,
    /// Which way is good.
    pub better: Better,
    /// True when it rests on what participants say of themselves, not on facts.
    pub self_reported: bool,
}

impl MetricDoc {
    /// The metric of that name; `latency.p99.9` is another name of `latency.p999`.
    pub fn find(name: &str) -> Option<&'static MetricDoc> {
        let name = if name == "latency.p99.9" { "latency.p999" } else { name };
        CATALOGUE.iter().find(|doc| doc.name == name)
    }
}

/// Every label there is, in the order they are printed, with what it restricts to.
pub const LABELS: &[(&str, &str)] = &[
    ("store", "one store; left out while there is only one"),
    ("group", "one coordination service"),
    ("region", "the clients of one region"),
    ("client", "one client population"),
    ("kind", "`read` or `write`; without it, both"),
    ("over", "one stretch of `measure.burn_alerts`, such as `1h`"),
    ("after", "one mark of `measure.visibility_marks`, such as `10ms`"),
    (
        "window",
        "by when the operation was invoked: `before`, `episode` or `after`, or a window of \
         `[measure.window]`; without it, all",
    ),
];

/// The words the label `kind` takes.
pub const KINDS: &[&str] = &["read", "write"];
/// The windows that every scenario has (`all` may be written and means no restriction).
pub const WINDOWS: &[&str] = &["all", "before", "episode", "after"];

/// The name of one number of a trial. Ordered by name, then by labels.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MetricKey {
    /// The metric.
    pub name: &'static str,
    /// Its restrictions, in the order of [`LABELS`].
    pub labels: Vec<(&'static str, String)>,
}

impl MetricKey {
    /// The unrestricted metric. `name` must be one of the catalogue, which tests check.
    pub fn new(name: &'static str) -> MetricKey {
        debug_assert!(MetricDoc::find(name).is_some(), "`{name}` is not in the catalogue");
        MetricKey { name, labels: Vec::new() }
    }
    /// The same, restricted further. The label must be one of [`LABELS`].
    pub fn with(mut self, label: &'static str, value: &str) -> MetricKey {
        let rank = |l: &str| LABELS.iter().position(|(name, _)| *name == l);
        debug_assert!(rank(label).is_some(), "`{label}` is not a label");
        let at = self.labels.partition_point(|(l, _)| rank(l) < rank(label));
        self.labels.insert(at, (label, value.to_string()));
        self
    }
    /// The value of a label.
    pub fn label(&self, label: &str) -> Option<&str> {
        self.labels.iter().find(|(l, _)| *l == label).map(|(_, value)| value.as_str())
    }
    /// The metric's line in the catalogue.
    pub fn doc(&self) -> &'static MetricDoc {
        MetricDoc::find(self.name).expect("keys are made from the catalogue")
    }

    /// Reads `name` or `name{label="value", …}`; the quotes may be left out.
    ///
    /// # Errors
    /// An unknown metric or label, a label the metric does not carry, a repeated label, an
    /// unknown word of `kind`, or broken punctuation; each with what was expected. Names of
    /// stores, regions, populations and windows are the scenario's: they are not checked here.
    pub fn parse(text: &str) -> Result<MetricKey, String> {
        let text = text.trim();
        let (name, rest) = match text.find('{') {
            None => (text, None),
            Some(at) => {
                let inner = text[at + 1..]
                    .strip_suffix('}')
                    .ok_or_else(|| format!("expected `}}` at the end of `{text}`"))?;
                (text[..at].trim_end(), Some(inner))
            }
        };
        let doc = MetricDoc::find(name).ok_or_else(|| {
            let names: Vec<&str> = CATALOGUE.iter().map(|doc| doc.name).collect();
            format!("unknown metric `{name}`; {}", suggest(name, &names))
        })?;
        let mut key = MetricKey { name: doc.name, labels: Vec::new() };
        let mut rest = rest.unwrap_or("").trim();
        while !rest.is_empty() {
            let (label, value, tail) = split_label(rest)?;
            key = key.restricted(doc, label, value)?;
            rest = tail;
        }
        Ok(key)
    }

    fn restricted(self, doc: &MetricDoc, label: &str, value: &str) -> Result<MetricKey, String> {
        let Some(known) = doc.labels.iter().find(|l| **l == label) else {
            let help = suggest(label, doc.labels);
            return Err(format!("`{}` has no label `{label}`; {help}", doc.name));
        };
        if self.label(label).is_some() {
            return Err(format!("label `{label}` is given twice"));
        }
        let words = match *known {
            "kind" => KINDS,
            _ => &[],
        };
        if !words.is_empty() && !words.contains(&value) {
            return Err(format!("unknown {label} `{value}`; {}", suggest(value, words)));
        }
        if value == "all" && *known == "window" {
            return Ok(self);
        }
        Ok(self.with(known, value))
    }
}

/// Splits `label="value", rest`.
fn split_label(text: &str) -> Result<(&str, &str, &str), String> {
    let expected = || format!("expected `label=\"value\"` at `{text}`");
    let (label, rest) = text.split_once('=').ok_or_else(expected)?;
    let rest = rest.trim_start();
    // A value without quotes ends at the next comma: quotes in a quoted key are a nuisance.
    let (value, rest) = match rest.strip_prefix('"') {
        Some(rest) => rest.split_once('"').ok_or_else(expected)?,
        None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
    };
    let (value, rest) = (value.trim(), rest.trim_start());
    if value.is_empty() || value.contains(['"', '=']) {
        return Err(expected());
    }
    let rest = match rest.strip_prefix(',') {
        Some(rest) => rest.trim_start(),
        None if rest.is_empty() => rest,
        None => return Err(format!("expected `,` or `}}` at `{rest}`")),
    };
    Ok((label.trim(), value, rest))
}

impl fmt::Display for MetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        for (i, (label, value)) in self.labels.iter().enumerate() {
            f.write_str(if i == 0 { "{" } else { ", " })?;
            write!(f, "{label}=\"{value}\"")?;
        }
        if self.labels.is_empty() { Ok(()) } else { f.write_str("}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_a_round_trip_in_the_canonical_order() {
        let text = r#"latency.p99{window="episode",kind="write", region="eu-west"}"#;
        let key = MetricKey::parse(text).unwrap();
        let shown = r#"latency.p99{region="eu-west", kind="write", window="episode"}"#;
        assert_eq!(key.to_string(), shown);
        assert_eq!(MetricKey::parse(shown).unwrap(), key);
    }

    #[test]
    fn quotes_around_a_value_may_be_left_out() {
        let plain = MetricKey::parse("latency.p99{ region = eu-west, kind=write }").unwrap();
        assert_eq!(plain.to_string(), r#"latency.p99{region="eu-west", kind="write"}"#);
    }

    #[test]
    fn all_windows_is_no_restriction() {
        let all = MetricKey::parse("latency.p50{window=\"all\"}").unwrap();
        assert_eq!(all, MetricKey::new("latency.p50"));
    }

    #[test]
    fn the_dotted_name_of_a_percentile_is_the_same_metric() {
        let dotted = MetricKey::parse("latency.p99.9{kind=\"read\"}").unwrap();
        assert_eq!(dotted.to_string(), "latency.p999{kind=\"read\"}");
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| MetricKey::parse(text).unwrap_err();
        assert!(error("rpo.tme").contains("did you mean `rpo.time`?"));
        assert!(error("rpo.time{kind=\"write\"}").contains("has no label `kind`"));
        assert!(error("latency.p50{kind=\"scan\"}").contains("unknown kind `scan`"));
        assert!(error("latency.p50{kind=\"write}").contains("expected `label=\"value\"`"));
        assert!(error("latency.p50{kind=}").contains("expected `label=\"value\"`"));
        assert!(error("latency.p50{kind=read\"}").contains("expected `label=\"value\"`"));
        assert!(error("latency.write").contains("expected one of: latency.mean, latency.p50"));
        assert!(error("latency.p50{kind=\"read\"").contains("expected `}`"));
        assert!(error("latency.p50{kind=\"read\" x}").contains("expected `,`"));
        assert!(error("latency.p50{kind=\"read\", kind=\"read\"}").contains("twice"));
    }

    #[test]
    fn names_are_unique_and_labels_known() {
        for (i, doc) in CATALOGUE.iter().enumerate() {
            assert!(CATALOGUE[..i].iter().all(|other| other.name != doc.name), "{}", doc.name);
            assert!(doc.labels.iter().all(|l| LABELS.iter().any(|(known, _)| known == l)));
            assert!(doc.doc.ends_with('.'), "{}", doc.name);
        }
    }
}
