//! The catalogue: every number a trial can yield, with its definition in a sentence or two.
//! The full definitions stand at the head of [`crate::measure`].

use crate::measure::metric::{Better, MetricDoc, Unit};
use Better::{Higher, Lower, Neither};
use Unit::{Count, PerSecond, Ratio, Seconds, Share};

mod coordination;
mod keyed;
mod loss;
mod recovery;
mod service;

const STORE: &[&str] = &["store"];
const CLIENT: &[&str] = &["store", "region", "client"];
const KIND: &[&str] = &["store", "region", "kind"];
const OPERATIONS: &[&str] = &["store", "region", "client", "kind", "window"];
const ONE_KIND: &[&str] = &["store", "region", "client", "window"];
const AFTER: &[&str] = &["store", "region", "client", "after"];
const OVER: &[&str] = &["store", "over"];
const REGION: &[&str] = &["store", "region"];
const GROUP: &[&str] = &["group"];

const fn metric(
    name: &'static str,
    unit: Unit,
    better: Better,
    labels: &'static [&'static str],
    doc: &'static str,
) -> MetricDoc {
    let unbounded = !matches!(unit, Share);
    MetricDoc { name, unit, doc, labels, unbounded, better, self_reported: false }
}

/// A count or length that a right design holds at zero, so that `max == 0` is a fair limit.
const fn bounded(doc: MetricDoc) -> MetricDoc {
    MetricDoc { unbounded: false, ..doc }
}

const fn phase(name: &'static str, doc: &'static str) -> MetricDoc {
    MetricDoc { self_reported: true, ..metric(name, Seconds, Lower, STORE, doc) }
}

const PARTS: [&[MetricDoc]; 5] =
    [recovery::ROWS, loss::ROWS, keyed::ROWS, service::ROWS, coordination::ROWS];

const COUNT: usize = {
    let (mut sum, mut part) = (0, 0);
    while part < PARTS.len() {
        sum += PARTS[part].len();
        part += 1;
    }
    sum
};

static ALL: [MetricDoc; COUNT] = {
    let mut all = [recovery::ROWS[0]; COUNT];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            all[at] = PARTS[part][row];
            (at, row) = (at + 1, row + 1);
        }
        part += 1;
    }
    all
};

/// Every metric, in the order reports show them.
pub static CATALOGUE: &[MetricDoc] = &ALL;
