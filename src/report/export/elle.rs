//! Elle's histories, as JSON: a map a line.
//!
//! Definitions: a transaction is a list of micro-operations, `["append", k, v]` and `["r", k, [v…]]`
//! for `elle.list-append`, `["w", k, v]` and `["r", k, v]` for `elle.rw-register`; every value is
//! written to a key at most once; `type` is `invoke`, `ok`, `fail` or `info` as in Jepsen (Kingsbury
//! and Alvaro, VLDB 2020; the elle repository). elle-cli reads one JSON list: put the lines into one.

use super::{History, Workload, jepsen};
use serde_json::{Value, json};

pub const WORKLOADS: &[Workload] = &[Workload::ListAppend, Workload::Register];

/// The history.
pub fn text(history: &History, workload: Workload) -> String {
    let mut out = String::new();
    for (index, (at, number, ends)) in history.events.iter().enumerate() {
        let op = &history.operations[*number];
        let read = op.read.as_ref().filter(|_| *ends);
        let step = match (op.writes(), workload) {
            (true, Workload::Register) => json!(["w", op.key, op.value]),
            (true, _) => json!(["append", op.key, op.value]),
            (false, Workload::Register) => json!(["r", op.key, read.and_then(|read| read.last())]),
            (false, _) => json!(["r", op.key, read.map_or(Value::Null, |read| json!(read))]),
        };
        let kind = if *ends { jepsen::kind(op) } else { "invoke" };
        let line = json!({
            "index": index, "time": at.as_nanos(), "process": op.process, "type": kind, "f": "txn",
            "value": [step],
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
    fn lists_and_registers_read_like_this() {
        let lists = text(&small(), Workload::ListAppend);
        let first = "{\"index\":0,\"time\":1000000,\"process\":0,\"type\":\"invoke\",\"f\":\"txn\",\
                     \"value\":[[\"append\",5,1]]}\n";
        assert!(lists.starts_with(first), "{lists}");
        assert!(
            lists.contains("\"type\":\"ok\",\"f\":\"txn\",\"value\":[[\"r\",5,[1]]]"),
            "{lists}"
        );
        let registers = text(&small(), Workload::Register);
        assert!(registers.contains("\"value\":[[\"r\",5,null]]"), "{registers}");
        assert!(registers.contains("\"value\":[[\"r\",5,1]]"), "{registers}");
    }
}
