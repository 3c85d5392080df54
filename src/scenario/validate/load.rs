//! How the rates of open loops vary: curves and spikes that can be, and their sizes.

use super::loops::{item, place};
use super::{Check, limits};
use crate::model::client::ClientParams;
use crate::model::client::curve::{Curve, LoadParams};
use crate::scenario::draft::Named;
use crate::sim::Span;

/// The largest factor.
const LIMIT_FACTOR: f64 = 10_000.0;
/// The most stretches of a curve in a trial, repetitions counted.
const LIMIT_STRETCHES: u64 = 1_000_000;

/// What the loads of a population make of a rate: the largest factor, and the mean one of the
/// whole run. A load that cannot be changes nothing.
pub(super) fn factors(params: &ClientParams, whole: Span) -> (f64, f64) {
    match &params.load {
        Some(load) if sound(load, whole) => Curve::over(load, whole),
        _ => (1.0, 1.0),
    }
}

fn right(factor: f64) -> bool {
    (0.0..=LIMIT_FACTOR).contains(&factor)
}

fn stretches(load: &LoadParams, whole: Span) -> u64 {
    let laps = load.period.map_or(0, |period| whole.as_nanos() / period.as_nanos().max(1));
    let points = load.curve.len() as u64 + 1;
    points.saturating_mul(laps + 1).saturating_add(2 * load.spikes.len() as u64)
}

/// True when it has no error.
fn sound(load: &LoadParams, whole: Span) -> bool {
    let points = load.curve.iter().all(|point| right(point.factor));
    let rising = load.curve.windows(2).all(|pair| pair[0].at <= pair[1].at);
    let within = load.curve.iter().all(|p| load.period.is_none_or(|period| p.at <= period));
    let spikes = load.spikes.iter().all(|spike| spike.from < spike.to && right(spike.factor));
    points && rising && within && spikes && stretches(load, whole) <= LIMIT_STRETCHES
}

/// Checks the load of a population.
pub(super) fn load(check: &mut Check<'_>, table: &Named<ClientParams>) {
    let Some(load) = &table.params.load else { return };
    if table.params.writes.is_none() && table.params.reads.is_none() {
        let message = format!("load has no effect: `{}` has no open loop", table.name);
        check.doubt(&place(table, "load"), message, "state writes or reads");
    } else if load.curve.is_empty() && load.spikes.is_empty() {
        let message = "a load without a curve or spikes changes nothing".to_string();
        check.doubt(&place(table, "load"), message, "state one of them, or leave it out");
    }
    curve(check, table, load);
    spikes(check, table, load);
    let whole = whole(check);
    if sound(load, whole) && !whole.is_zero() && Curve::over(load, whole).1 <= 0.0 {
        let message = "a factor of 0 in all of the run: nothing ever begins".to_string();
        check.error(&place(table, "load"), message, "it must be above 0 at some time");
    }
}

fn whole(check: &Check<'_>) -> Span {
    check.plan.horizon.saturating_add(check.plan.settle)
}

fn factor(check: &mut Check<'_>, table: &Named<ClientParams>, list: &str, n: usize, factor: f64) {
    if !right(factor) {
        let help = format!("from 0 to the limit of {LIMIT_FACTOR}");
        check.error(&item(table, list, n, "factor"), format!("a factor of {factor}"), &help);
    }
}

fn curve(check: &mut Check<'_>, table: &Named<ClientParams>, load: &LoadParams) {
    let list = "load.curve";
    for (n, point) in load.curve.iter().enumerate() {
        factor(check, table, list, n, point.factor);
        if n > 0 && point.at < load.curve[n - 1].at {
            let before = load.curve[n - 1].at;
            let message = format!("at {} comes after a point at {before}", point.at);
            let help = "list points in the order of their times";
            check.error(&item(table, list, n, "at"), message, help);
        }
        if let Some(period) = load.period.filter(|period| point.at > *period) {
            let message = format!("a point at {} of a curve that repeats after {period}", point.at);
            let help = "make the period longer, or leave the point out";
            check.error(&item(table, list, n, "at"), message, help);
        }
    }
    if load.curve.len() == 1 && load.curve[0].factor >= 0.0 {
        let message = "a curve of one point is a constant factor".to_string();
        check.doubt(&place(table, list), message, "add a point, or state another rate");
    }
    let Some(period) = load.period else { return };
    if load.curve.is_empty() {
        let message = "period has no effect: there is no curve to repeat".to_string();
        let help = "spikes are not repeated: state a curve, or leave it out";
        check.doubt(&place(table, "load.period"), message, help);
        return;
    }
    limits::period(check, &place(table, "load.period"), "period", period);
    let (whole, count) = (whole(check), stretches(load, whole(check)));
    if period >= limits::LIMIT_PERIOD && whole <= limits::LIMIT_RUN && count > LIMIT_STRETCHES {
        let points = load.curve.len();
        let message = format!("a curve of {points} points every {period} for {whole}");
        let help = format!(
            "the limit is {LIMIT_STRETCHES} stretches in a trial: fewer points, or a longer period"
        );
        check.error(&place(table, "load.period"), message, &help);
    }
}

fn spikes(check: &mut Check<'_>, table: &Named<ClientParams>, load: &LoadParams) {
    let (list, end) = ("load.spikes", whole(check));
    for (n, spike) in load.spikes.iter().enumerate() {
        factor(check, table, list, n, spike.factor);
        if spike.to <= spike.from {
            let message = format!("a spike from {} to {}: never", spike.from, spike.to);
            check.error(&item(table, list, n, "to"), message, "it must end after it begins");
        } else if spike.from >= end && !end.is_zero() {
            let message =
                format!("a spike from {}: the run ends at {end}, settling included", spike.from);
            let help = "move it, or make the run longer";
            check.doubt(&item(table, list, n, "from"), message, help);
        } else if spike.factor == 1.0 {
            let message = "a spike by a factor of 1 is none".to_string();
            check.doubt(&item(table, list, n, "factor"), message, "above 1; below for a lull");
        }
    }
}
