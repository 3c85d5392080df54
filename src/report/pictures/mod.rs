//! One trial as a picture for somewhere else: slides, trace viewers, documents.
//!
//! A way of drawing is one file and one line in [`WAYS`]. It listens to a run, from which it keeps
//! what it needs, and writes at the end.

mod mermaid;
mod perfetto;
mod svg;

use crate::measure::Incident;
use crate::model::fact::{Claim, Fact, Observer};
use crate::model::id::{NodeId, ProcessId};
use crate::model::msg::Msg;
use crate::model::roster::Roster;
use crate::report::html::Stretch;
use crate::sim::time::SimTime;

/// What is drawn.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What it is called.
    pub title: String,
    /// From when to when.
    pub window: Stretch,
    /// Split-brain incidents.
    pub incidents: Vec<Incident>,
}

/// Listens to a run, and draws it.
pub trait Drawing: Observer {
    /// What was drawn, as text.
    fn text(self: Box<Self>) -> String;
}

/// A way of drawing.
pub struct Way {
    /// What `trace --to` calls it.
    pub word: &'static str,
    /// What comes of it.
    pub about: &'static str,
    /// Begins.
    pub begin: for<'a> fn(&'a Roster, Scene) -> Box<dyn Drawing + 'a>,
}

/// All of them.
pub const WAYS: [Way; 3] = [
    Way { word: "svg", about: "the swim lanes alone, for slides", begin: svg::begin },
    Way { word: "perfetto", about: "Chrome's trace format", begin: perfetto::begin },
    Way { word: "mermaid", about: "a sequence diagram", begin: mermaid::begin },
];

impl Way {
    /// The way of that name.
    pub fn find(word: &str) -> Option<&'static Way> {
        WAYS.iter().find(|way| way.word == word)
    }
}

impl Observer for Box<dyn Drawing + '_> {
    fn on_fact(&mut self, at: SimTime, fact: &Fact) {
        (**self).on_fact(at, fact);
    }
    fn on_claim(&mut self, at: SimTime, by: NodeId, claim: &Claim) {
        (**self).on_claim(at, by, claim);
    }
    fn on_sent(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        (**self).on_sent(at, from, to, msg);
    }
    fn on_heard(&mut self, at: SimTime, from: ProcessId, to: ProcessId, msg: &Msg) {
        (**self).on_heard(at, from, to, msg);
    }
}

/// What a message is, in two words: `control: promote`. Taken from its name, so that whoever adds a
/// message need not come here.
fn words(msg: &Msg) -> (String, String) {
    let debug = format!("{msg:?}");
    let (family, rest) = debug.split_once('(').unwrap_or((&debug, ""));
    // A group may stand before it: `Control(GroupId(0), Promote { … })`.
    let rest = match rest.strip_prefix("GroupId(") {
        Some(rest) => rest.split_once("), ").map_or("", |(_, rest)| rest),
        None => rest,
    };
    let kind: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
    (spaced(family), spaced(&kind))
}

/// `StopTraffic` is `stop traffic`.
fn spaced(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push(' ');
        }
        word.extend(c.to_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{GroupId, OpId};
    use crate::model::msg::{ClientMsg, ControlMsg};
    use crate::report::recorder::Told;
    use crate::report::story_of_tests::{at, cast, everything};

    #[test]
    fn a_message_says_what_it_is() {
        let stop = Msg::Control(GroupId(0), ControlMsg::StopTraffic { episode: 3 });
        assert_eq!(words(&stop), ("control".to_string(), "stop traffic".to_string()));
        let outcome = crate::model::fact::Outcome::Ok;
        let answer = ClientMsg::Answer { op: OpId::default(), attempt: 0, outcome };
        assert_eq!(words(&Msg::Client(answer)), ("client".to_string(), "answer".to_string()));
    }

    /// What every way must stand: everything that can be seen, and nothing.
    #[test]
    fn every_way_draws_everything_and_nothing() {
        let roster = cast();
        let told = everything();
        let window = (told[0].0, told[told.len() - 1].0);
        for way in &WAYS {
            let scene = Scene { title: "a <title>".into(), window, incidents: vec![] };
            let empty = (way.begin)(&roster, scene.clone()).text();
            let mut drawing = (way.begin)(&roster, scene);
            for (at, told) in &told {
                match told {
                    Told::Fact(fact) => drawing.on_fact(*at, fact),
                    Told::Claim(by, claim) => drawing.on_claim(*at, *by, claim),
                }
            }
            let stop = Msg::Control(GroupId(0), ControlMsg::StopTraffic { episode: 3 });
            drawing.on_sent(at(1), ProcessId(0), ProcessId(1), &stop);
            drawing.on_heard(at(2), ProcessId(0), ProcessId(1), &stop);
            let text = drawing.text();
            assert!(text.len() > empty.len() && !empty.is_empty(), "{}", way.word);
            assert!(!text.contains("NaN"), "{}: {text}", way.word);
        }
    }
}
