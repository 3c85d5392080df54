//! When faults happen: whether they do, how often, and whether time goes on.

use super::faults::place;
use super::{Check, long, shortest};
use crate::model::cue::Cue;
use crate::scenario::cues::cue;
use crate::scenario::draft::{FaultDraft, place_in};
use crate::scenario::lower::fault_name;
use crate::sim::Span;
use crate::sim::dist::{Dist, DistSpec};
use crate::sim::param::Place;
use crate::world::fault::{Rate, Repeat};
use crate::world::plan::FaultPlan;
use std::collections::BTreeMap;

/// The most times that a fault happens in a trial, on average.
pub const LIMIT_ONSETS: u64 = 100_000;

/// Of a fault, or of an operator, who acts once and for no time.
pub(super) fn when(check: &mut Check<'_>, fault: &FaultDraft) {
    let common = &fault.common;
    let wrote = |key: &str| fault.node.get(key).is_some();
    if let Some(duration) = &common.duration
        && long(duration).is_zero()
        && place_in(&fault.node, "duration").is_some()
    {
        let message = "it lasts no time at all".to_string();
        check.error(&place(fault, "duration"), message, "leave it out for a permanent fault");
    }
    if let Some(stated) = &common.rate {
        rate(check, fault, stated);
        return;
    }
    match (wrote("at"), wrote("after")) {
        (false, false) => {
            let message = "it does not say when it begins".to_string();
            check.error(
                &fault.node.place,
                message,
                "state `at`, the event that it follows (`after`), or a `rate`",
            );
            return;
        }
        (true, false) => from_the_start(check, fault),
        (_, true) => after(check, fault),
    }
    if wrote("nth") && !wrote("after") {
        let help = "`nth` counts the events of `after`";
        check.error(&place(fault, "nth"), "`nth` without `after`".to_string(), help);
    } else if common.nth == 0 {
        let message = "events are counted from 1".to_string();
        check.error(&place(fault, "nth"), message, "1 is the first, 2 the second");
    }
    if let Some(repeat) = &common.repeat {
        again(check, fault, repeat);
    }
}

/// Counted from the start of the run.
fn from_the_start(check: &mut Check<'_>, fault: &FaultDraft) {
    let (warmup, horizon) = (check.plan.warmup, check.plan.horizon);
    let Some(stated) = &fault.common.at else { return };
    let (first, last) = (shortest(stated), long(stated));
    let at = place(fault, "at");
    if horizon.is_zero() || warmup >= horizon {
        return;
    }
    if first >= horizon {
        let message = format!(
            "it never happens: it begins at {first} or later, and the horizon is {horizon}"
        );
        check.error(&at, message, "begin it earlier, or move run.horizon");
        return;
    }
    if last >= horizon {
        let message =
            format!("in some trials it begins after the horizon ({horizon}), and does not happen");
        check.doubt(&at, message, "begin it earlier, move run.horizon, or state a `cap`");
    }
    if first < warmup {
        let message =
            format!("it may begin during the warm-up ({warmup}), whose service is not measured");
        check.doubt(&at, message, "begin it later, or shorten run.warmup");
    }
    let Some(duration) = &fault.common.duration else { return };
    let (least, most) = (shortest(duration), long(duration));
    let certain = least != Span::MAX && !most.is_zero();
    if certain && first.saturating_add(least) > horizon {
        let message =
            format!("it is cut short: what is not permanent clears at the horizon ({horizon})");
        check.doubt(&place(fault, "duration"), message, "shorten it, or move run.horizon");
    }
}

/// Counted from an event.
fn after(check: &mut Check<'_>, fault: &FaultDraft) {
    let (Some(name), plan) = (&fault.common.after, check.plan) else { return };
    let Some(cue) = cue(plan, name, check.errors) else { return };
    if let Some(at) = &fault.common.at
        && shortest(at) >= plan.horizon
    {
        let message = format!("it never happens: the horizon is {}", plan.horizon);
        check.error(&place(fault, "at"), message, "begin it earlier, or move run.horizon");
    }
    let (Cue::Onset(other) | Cue::Cleared(other)) = cue else { return };
    let other = plan.faults.iter().find(|fault| fault.name == other);
    let times = other.map_or(u32::MAX, |other| match &other.common.repeat {
        Some(repeat) => repeat.times.unwrap_or(u32::MAX),
        None if other.common.rate.is_some() => u32::MAX,
        None => 1,
    });
    if let Some(other) = other
        && fault.common.nth > times
    {
        let often = if times == 1 { "once".to_string() } else { format!("{times} times") };
        let message = format!("it never happens: `{}` happens {often}", other.name);
        check.error(&place(fault, "nth"), message, "a fault with `repeat` happens more often");
    }
}

/// Again and again.
fn again(check: &mut Check<'_>, fault: &FaultDraft, repeat: &Repeat) {
    let Some(duration) = &fault.common.duration else {
        let message = "a permanent fault does not happen again".to_string();
        check.error(&place(fault, "repeat"), message, "state its `duration`");
        return;
    };
    let times = place_in(&fault.node, "repeat.times").unwrap_or(&fault.node.place).clone();
    match repeat.times {
        Some(0) => {
            let message = "it happens not even once".to_string();
            check.error(&times, message, "2 is the least, or leave it out");
        }
        Some(1) => {
            let help = "it happens so often in all: 2 is the least";
            check.doubt(&times, "once is no repetition".to_string(), help);
        }
        _ => {}
    }
    let pause = place_in(&fault.node, "repeat.pause").unwrap_or(&fault.node.place).clone();
    let cycle = within(duration, check.plan.horizon) + within(&repeat.pause, check.plan.horizon);
    often(check, &pause, cycle, repeat.times.map_or(u64::MAX, u64::from));
}

/// At a rate.
fn rate(check: &mut Check<'_>, fault: &FaultDraft, rate: &Rate) {
    let horizon = check.plan.horizon;
    for key in ["at", "after", "nth", "repeat"] {
        if let Some(at) = place_in(&fault.node, key) {
            let message = format!("`{key}` beside `rate`, which says when it begins");
            check.error(at, message, "leave one of them out");
        }
    }
    let within_rate = |key: &str| place_in(&fault.node, &format!("rate.{key}"));
    let whole = place_in(&fault.node, "rate").unwrap_or(&fault.node.place);
    for (key, mean) in [("mtbf", rate.mtbf), ("mttr", rate.mttr)] {
        let at = within_rate(key).unwrap_or(whole);
        if rate.backbone.is_some() && mean.is_some() {
            let message = format!("`{key}` beside `backbone`, whose law it is part of");
            check.error(at, message, "leave one of them out");
        } else if mean == Some(Span::ZERO) {
            check.error(at, format!("{key} is a mean, and above zero"), "state how long it takes");
        }
    }
    let duration = fault.common.duration.as_ref();
    let repairs = [duration.is_some(), rate.mttr.is_some(), rate.backbone.is_some()];
    if rate.mtbf.is_none() && rate.backbone.is_none() {
        let help = "state mtbf, such as \"30d\", or a backbone";
        check.error(whole, "it does not say how often".to_string(), help);
    } else if !repairs.contains(&true) {
        let help = "state mttr, or `duration` beside `rate`";
        check.error(whole, "it does not say how soon it is repaired".to_string(), help);
    } else if let (Some(_), true) = (duration, rate.mttr.is_some() || rate.backbone.is_some()) {
        let message = "`duration` beside a `rate` that says how soon it is repaired".to_string();
        check.error(&place(fault, "duration"), message, "leave one of them out");
    } else if let Some(mtbf) = rate.mtbf.filter(|mtbf| !mtbf.is_zero()) {
        let repair = rate.mttr.map(DistSpec::exponential);
        let repair = repair.filter(|repair| repair.check().is_ok());
        let repair = repair.as_ref().or(duration).map_or(0.0, |repair| within(repair, horizon));
        let at = within_rate("mtbf").unwrap_or(whole);
        often(check, at, within(&DistSpec::exponential(mtbf), horizon) + repair, u64::MAX);
        if mtbf.div(100) > horizon {
            let message = format!("in 99 trials of 100 it does not happen before {horizon}");
            check.doubt(at, message, "a longer run.horizon, or a higher rate");
        }
    }
}

/// A fault whose turns follow each other `cycle` apart on average must not stop time, nor happen
/// too often.
fn often(check: &mut Check<'_>, place: &Place, cycle: f64, times: u64) {
    let horizon = check.plan.horizon.as_nanos() as f64;
    let onsets = (horizon / cycle).min(times as f64);
    if horizon > 0.0 && onsets > LIMIT_ONSETS as f64 {
        let message = match cycle > 0.0 {
            true => {
                format!("it happens some {onsets:.0} times a trial; the limit is {LIMIT_ONSETS}")
            }
            false => "neither it nor its pause takes any time: time would stand still".to_string(),
        };
        check.error(place, message, "make it last longer, or its pauses");
    }
}

/// The mean of what a distribution takes of so much time, in nanoseconds: the number of turns in
/// that time is at most twice as many as would fit, however its tail looks.
fn within(spec: &DistSpec, most: Span) -> f64 {
    const STEPS: u64 = 1024;
    let dist = Dist::new(spec);
    let value = |step: u64| dist.quantile_of(u64::MAX / STEPS * step + u64::MAX / STEPS / 2);
    let sum: f64 = (0..STEPS).map(|step| value(step).min(most).as_nanos() as f64).sum();
    sum / STEPS as f64
}

/// Faults that wait for each other never happen.
pub(super) fn circles(check: &mut Check<'_>) {
    let plan = check.plan;
    let faults = plan.faults.iter().enumerate();
    let numbers: BTreeMap<&str, usize> =
        faults.map(|(i, fault)| (fault.name.as_str(), i)).collect();
    let waits = |fault: &FaultPlan| match Cue::parse(&fault.common.after.as_ref()?.text)? {
        Cue::Onset(other) | Cue::Cleared(other) => numbers.get(other).copied(),
        _ => None,
    };
    let others: Vec<Option<usize>> = plan.faults.iter().map(waits).collect();
    for (i, fault) in check.draft.faults.iter().enumerate() {
        let name = fault_name(i, fault);
        let Some(start) = numbers.get(name.as_str()).copied() else { continue };
        let (mut at, mut steps) = (others[start], 0);
        while let Some(next) = at.filter(|next| *next != start && steps < others.len()) {
            (at, steps) = (others[next], steps + 1);
        }
        if at == Some(start) {
            let message = match others[start] == Some(start) {
                true => format!("it never happens: `{name}` waits for itself"),
                false => "it never happens: faults wait for each other in a circle".to_string(),
            };
            check.error(&place(fault, "after"), message, "begin one of them by `at` alone");
        }
    }
}
