//! Porcupine's operations, as JSON: a `porcupine.Operation` a line, as Go's encoding/json reads it.
//!
//! Definition: `Operation { ClientId, Input, Call, Output, Return }`; "the interval [Call, Return] is
//! interpreted as a closed interval"; times in nanoseconds. Porcupine knows no outcomes: what
//! definitely did not happen is left out; a write of which nobody knows may take effect at any time, so
//! it returns after all others; a read of which nobody knows says nothing, and is left out.

use super::{History, Workload};
use crate::model::fact::Outcome;
use serde_json::json;

pub const WORKLOADS: &[Workload] = &[Workload::Register];

/// The history; partition it by `Input.Key`.
pub fn text(history: &History, _: Workload) -> String {
    let mut out = String::new();
    let never = history.over.as_nanos().saturating_add(1);
    for op in &history.operations {
        let outcome = op.end.map_or(Outcome::Unknown, |end| end.outcome);
        let (returned, value) = match (outcome, op.writes()) {
            (Outcome::Fail, _) | (Outcome::Unknown, false) => continue,
            (Outcome::Unknown, true) => (never, None),
            (Outcome::Ok, writes) => {
                let end = op.end.map_or(never, |end| end.at.as_nanos());
                let read = op.read.as_ref().and_then(|read| read.last().copied());
                (end, if writes { None } else { Some(read.unwrap_or(0)) })
            }
        };
        let word = if op.writes() { "write" } else { "read" };
        let output = value.map_or(json!({}), |value| json!({ "Value": value }));
        let line = json!({
            "ClientId": op.process,
            "Input": { "Op": word, "Key": op.key, "Value": op.value },
            "Call": op.begin.as_nanos(),
            "Output": output,
            "Return": returned,
        });
        out.push_str(&format!("{line}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::export::tests::small;

    #[test]
    fn what_failed_is_left_out_and_what_is_in_doubt_never_returns() {
        let text = text(&small(), Workload::Register);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!(
            lines[1],
            "{\"ClientId\":0,\"Input\":{\"Op\":\"read\",\"Key\":5,\"Value\":0},\"Call\":4000000,\
             \"Output\":{\"Value\":1},\"Return\":6000000}"
        );
        assert!(lines[3].contains("\"Call\":9000000,\"Output\":{},\"Return\":20000001"), "{text}");
    }
}
