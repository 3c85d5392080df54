//! Jepsen's histories, as EDN: a map a line.
//!
//! Definitions: an operation is a map of `:type` (`:invoke`, then `:ok` it happened, `:fail` it did
//! not, `:info` nobody knows), `:process`, `:f`, `:value`, `:time` in nanoseconds and `:index`
//! (jepsen.history). A set is checked by `jepsen.checker/set`: "Given a set of :add operations
//! followed by a final :read, verifies that every successfully added element is present in the read,
//! and that the read contains only elements for which an add was attempted." Registers are tuples of
//! key and value (jepsen.independent); lists are transactions of one operation (Elle).

use super::{History, Operation, Workload};
use crate::model::fact::Outcome;

pub const WORKLOADS: &[Workload] = &[Workload::Set, Workload::Register, Workload::ListAppend];

/// The history. Of a set only the adds are told, and the final read of what survived.
pub fn text(history: &History, workload: Workload) -> String {
    let mut out = String::new();
    let mut index = 0u64;
    let mut line = |time: u64, process: u64, kind: &str, f: &str, value: &str| {
        out.push_str(&format!(
            "{{:index {index}, :time {time}, :process {process}, :type :{kind}, :f :{f}, :value {value}}}\n"
        ));
        index += 1;
    };
    for (at, number, ends) in &history.events {
        let op = &history.operations[*number];
        let (f, value) = match workload {
            Workload::Set if !op.writes() => continue,
            Workload::Set => ("add", op.value.to_string()),
            Workload::Register if op.writes() => ("write", format!("[{} {}]", op.key, op.value)),
            Workload::Register => ("read", format!("[{} {}]", op.key, last(op, *ends))),
            Workload::ListAppend if op.writes() => {
                ("txn", format!("[[:append {} {}]]", op.key, op.value))
            }
            Workload::ListAppend => ("txn", format!("[[:r {} {}]]", op.key, list(op, *ends))),
        };
        line(at.as_nanos(), op.process, if *ends { kind(op) } else { "invoke" }, f, &value);
    }
    if let (Workload::Set, Some(survivor)) = (workload, &history.survivor) {
        let reader = history.operations.iter().map(|op| op.process + 1).max().unwrap_or(0);
        let mut values = survivor.clone();
        values.sort_unstable();
        values.dedup();
        let values: Vec<String> = values.iter().map(u64::to_string).collect();
        let time = history.over.as_nanos();
        line(time, reader, "invoke", "read", "nil");
        line(time, reader, "ok", "read", &format!("#{{{}}}", values.join(" ")));
    }
    out
}

/// How an operation ended.
pub fn kind(op: &Operation) -> &'static str {
    match op.end.map(|end| end.outcome) {
        Some(Outcome::Ok) => "ok",
        Some(Outcome::Fail) => "fail",
        Some(Outcome::Unknown) | None => "info",
    }
}

/// What was read: the last value, or that there was none.
fn last(op: &Operation, ends: bool) -> String {
    let read = op.read.as_ref().filter(|_| ends).and_then(|read| read.last());
    read.map_or("nil".to_string(), u64::to_string)
}

fn list(op: &Operation, ends: bool) -> String {
    let read = op.read.as_ref().filter(|_| ends);
    read.map_or("nil".to_string(), |read| {
        let values: Vec<String> = read.iter().map(u64::to_string).collect();
        format!("[{}]", values.join(" "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::export::tests::small;

    #[test]
    fn a_set_reads_like_this() {
        let expected = "\
{:index 0, :time 1000000, :process 0, :type :invoke, :f :add, :value 1}
{:index 1, :time 3000000, :process 0, :type :ok, :f :add, :value 1}
{:index 2, :time 5000000, :process 1, :type :invoke, :f :add, :value 2}
{:index 3, :time 8000000, :process 1, :type :ok, :f :add, :value 2}
{:index 4, :time 9000000, :process 0, :type :invoke, :f :add, :value 3}
{:index 5, :time 10000000, :process 0, :type :info, :f :add, :value 3}
{:index 6, :time 11000000, :process 1, :type :invoke, :f :add, :value 4}
{:index 7, :time 12000000, :process 1, :type :fail, :f :add, :value 4}
{:index 8, :time 20000000, :process 2, :type :invoke, :f :read, :value nil}
{:index 9, :time 20000000, :process 2, :type :ok, :f :read, :value #{1}}
";
        assert_eq!(text(&small(), Workload::Set), expected);
    }

    #[test]
    fn registers_and_lists_say_what_was_read() {
        let registers = text(&small(), Workload::Register);
        assert!(registers.contains(":type :invoke, :f :read, :value [5 nil]}"), "{registers}");
        assert!(registers.contains(":type :ok, :f :read, :value [5 1]}"), "{registers}");
        let lists = text(&small(), Workload::ListAppend);
        assert!(lists.contains(":type :ok, :f :txn, :value [[:r 5 [1]]]}"), "{lists}");
    }
}
