//! The times of a fault in words, for `explain`.

use crate::sim::param::Param;
use crate::world::fault::FaultCommon;

/// When a fault begins, in words.
pub fn begins(common: &FaultCommon) -> String {
    if let Some(rate) = &common.rate {
        let law =
            rate.backbone.map(|backbone| format!("by the law of a backbone's {}", backbone.word()));
        let mean = || format!("every {} on average", rate.mtbf.unwrap_or_default());
        return law.unwrap_or_else(mean);
    }
    let at = common.at.as_ref().map_or("at once".to_string(), Param::show);
    match &common.after {
        None => at,
        Some(after) if common.nth > 1 => format!("{at} after {} number {}", after.text, common.nth),
        Some(after) => format!("{at} after {}", after.text),
    }
}

/// How long a fault lasts, and whether it happens again.
pub fn lasts(common: &FaultCommon) -> String {
    let lasts = common.duration.as_ref().map_or("permanent".to_string(), Param::show);
    if let Some(rate) = &common.rate {
        let mean = rate.mttr.map_or("as drawn".to_string(), |mttr| format!("{mttr} on average"));
        return if common.duration.is_some() { lasts } else { mean };
    }
    match &common.repeat {
        None => lasts,
        Some(repeat) => {
            let often = repeat.times.map_or(String::new(), |times| format!(", {times} times"));
            format!("{lasts}, again after {}{often}", repeat.pause.show())
        }
    }
}
