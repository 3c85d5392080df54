//! Health checks, whoever makes them: checkers, and load balancers that check for themselves.

use super::{Check as Checking, limits};
use crate::model::detect::prober::MOST_SAMPLES;
use crate::model::detect::{Check, CheckRole, HealthCheckParams, Rhythm, Sampling};
use crate::model::route::{ProxyParams, RoutingParams};
use crate::scenario::draft::{Named, place_in};
use crate::sim::param::{Node, Place};

/// The probes of one table, and by which words the user wrote them.
struct Probes<'a> {
    /// The table's node, and its place.
    node: &'a Node,
    table: &'a Place,
    /// Where the keys lie in it: "" or "via.proxy.".
    prefix: &'static str,
    rhythm: Rhythm,
    /// The words for interval, fast interval, fall and rise.
    words: [&'static str; 4],
    checks: &'a [Check],
}

impl Probes<'_> {
    fn place(&self, key: &str) -> Place {
        place_in(self.node, &format!("{}{key}", self.prefix)).unwrap_or(self.table).clone()
    }
    fn wrote(&self, key: &str) -> bool {
        place_in(self.node, &format!("{}{key}", self.prefix)).is_some()
    }
    fn check(&self, check: &mut Checking<'_>) {
        let [interval, fast, fall, rise] = self.words;
        let rhythm = self.rhythm;
        limits::period(check, &self.place(interval), interval, rhythm.interval);
        if self.wrote(fast) {
            limits::period(check, &self.place(fast), fast, rhythm.fast);
            if rhythm.fast > rhythm.interval {
                let message = format!(
                    "{fast} ({}) is longer than {interval} ({})",
                    rhythm.fast, rhythm.interval
                );
                check.doubt(&self.place(fast), message, "it should be shorter");
            }
        }
        if rhythm.timeout.is_zero() {
            let message = "a timeout of 0s: no probe can succeed".to_string();
            check.error(&self.place("timeout"), message, "longer than a round trip");
        }
        for (key, threshold) in [(fall, rhythm.fall), (rise, rhythm.rise)] {
            if threshold == 0 {
                check.error(&self.place(key), format!("a {key} of 0"), "at least 1");
            }
        }
        if let Some(sampling) = rhythm.sampling {
            self.sampling(check, sampling);
        }
        self.depth(check);
    }
    /// Samples instead of results in a row.
    fn sampling(&self, check: &mut Checking<'_>, sampling: Sampling) {
        let [.., fall, rise] = self.words;
        for key in [fall, rise] {
            if self.wrote(key) {
                let message = format!("{key} has no effect with sampling");
                check.doubt(&self.place(key), message, "leave one of the two out");
            }
        }
        let Sampling { size, successful } = sampling;
        if !(1..=MOST_SAMPLES).contains(&size) {
            let message = format!("a size of {size}");
            let help = format!("from 1 to {MOST_SAMPLES} results");
            check.error(&self.place("sampling.size"), message, &help);
        } else if !(1..=size).contains(&successful) {
            let message = format!("{successful} of {size} results never tell well from unwell");
            check.error(&self.place("sampling.successful"), message, "from 1 to size");
        }
    }
    /// What the probes look at.
    fn depth(&self, check: &mut Checking<'_>) {
        for (i, word) in self.checks.iter().enumerate() {
            if self.checks[..i].contains(word) {
                let message = format!("`{}` is listed twice", word.word());
                check.doubt(&self.place("checks"), message, "once is enough");
            }
        }
        let served = check.plan.stores.iter().any(|store| store.params.server.is_some());
        if self.checks.contains(&Check::App) && !served {
            let message = "`app` looks no deeper than `connect` where no store has a `server`";
            let help = "state the store's server: service_time, concurrency, queue";
            check.doubt(&self.place("checks"), message.to_string(), help);
        }
        for (key, needs) in [("max_lag", Check::Lag), ("max_backlog", Check::Backlog)] {
            if self.wrote(key) && !self.checks.contains(&needs) {
                let word = needs.word();
                let message = format!("{key} has no effect without the check `{word}`");
                let help = format!("add \"{word}\" to checks, or leave it out");
                check.doubt(&self.place(key), message, &help);
            }
        }
    }
}

pub(super) fn of_health_check(check: &mut Checking<'_>, table: &Named<HealthCheckParams>) {
    let params = &table.params;
    let probes = Probes {
        node: &table.node,
        table: &table.place,
        prefix: "",
        rhythm: params.rhythm(),
        words: ["request_interval", "fast_interval", "failure_threshold", "recovery_threshold"],
        checks: &params.checks,
    };
    probes.check(check);
    let name = check.draft.health_checks.iter().position(|other| other.name == table.name);
    let moves = |store: &crate::world::plan::StorePlan| {
        store.health_check == name && store.failover.is_some()
    };
    if params.role == CheckRole::Primary && check.plan.stores.iter().any(moves) {
        let message = "a standby is unhealthy here until it is primary: each promotion is \
                       followed by another failover"
            .to_string();
        let help = "leave the role to routing; a controller's checks take role = \"any\"";
        check.error(&probes.place("role"), message, help);
    }
}

pub(super) fn of_proxy(
    check: &mut Checking<'_>,
    table: &Named<RoutingParams>,
    params: &ProxyParams,
) {
    let probes = Probes {
        node: &table.node,
        table: &table.place,
        prefix: "via.proxy.",
        rhythm: params.rhythm(),
        words: ["inter", "fastinter", "fall", "rise"],
        checks: &params.checks,
    };
    probes.check(check);
    if params.role == CheckRole::Standby {
        let message = "clients are sent to standbys only, which take no writes and no reads";
        let help = "role = \"primary\", or \"any\"";
        check.error(&probes.place("role"), message.to_string(), help);
    }
}
