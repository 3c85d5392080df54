//! Failback: whether and how the primary returns.

use super::failovers::no_effect;
use super::{Check, limits};
use crate::model::control::controller::home::Style;
use crate::model::control::{DecidedBy, Failback, FailoverParams, RejoinAs};
use crate::scenario::draft::{Named, place_in};
use crate::sim::param::Place;

fn returns(table: &Named<FailoverParams>) -> bool {
    matches!(table.params.failback, Failback::Automatic | Failback::Scheduled)
}

/// The return is the one controller's work.
pub(super) fn only_a_controller(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let params = &table.params;
    if returns(table) && params.decided_by != DecidedBy::Controller {
        let (word, by) = (params.failback.word(), params.decided_by.word());
        let message = format!("failback = \"{word}\" with decided_by = \"{by}\"");
        let help = "only a controller brings the primary back: leave it out";
        check.error(table.place_of("failback"), message, help);
    }
}

/// When and how the primary returns.
pub(super) fn failback(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let params = &table.params;
    if !returns(table) {
        let why = "without failback = \"automatic\" or \"scheduled\"";
        return no_effect(check, table, "returning", why);
    }
    if params.rejoin.becomes == RejoinAs::Zombie {
        let message = "the primary never returns: a zombie follows nobody".to_string();
        check.doubt(table.place_of("failback"), message, "another rejoin.becomes");
    }
    let returning = &params.returning;
    if returning.style == Style::Hasty {
        for key in ["stable", "max_lag", "verify", "watch"] {
            let key = format!("returning.{key}");
            no_effect(check, table, &key, "with style = \"hasty\"");
        }
    }
    if returning.switch_timeout.is_zero() {
        let message = "a switch_timeout of 0s: every return is given up at once".to_string();
        check.error(&place(table, "switch_timeout"), message, "longer than a few round trips");
    }
    if returning.switch_attempts == 0 {
        let message = "no attempt at a switch: the primary never returns".to_string();
        check.error(&place(table, "switch_attempts"), message, "at least 1");
    }
    window(check, table);
}

fn place(table: &Named<FailoverParams>, key: &str) -> Place {
    let written = place_in(&table.node, &format!("returning.{key}"));
    written.unwrap_or(table.place_of("returning")).clone()
}

fn window(check: &mut Check<'_>, table: &Named<FailoverParams>) {
    let window = &table.params.returning.window;
    if table.params.failback == Failback::Automatic {
        return no_effect(check, table, "returning.window", "with failback = \"automatic\"");
    }
    limits::period(check, &place(table, "window.every"), "every", window.every);
    if window.lasts.is_zero() {
        let message = "a window that is never open: the primary never returns".to_string();
        check.error(&place(table, "window.lasts"), message, "state how long it lasts");
    } else if window.opens >= check.plan.horizon.saturating_add(check.plan.settle) {
        let message = "the window opens after the end of the run".to_string();
        check.doubt(&place(table, "window.opens"), message, "earlier, or a longer run");
    } else if window.lasts >= window.every {
        let message = "a window that is always open".to_string();
        check.doubt(&place(table, "window.lasts"), message, "failback = \"automatic\" says so");
    }
}
