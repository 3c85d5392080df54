//! The world as a whole, on plans built by hand.

mod common;

use common::{Tape, mode, plan};
use regionsim::model::fact::{Fact, Outcome};
use regionsim::sim::Span;
use regionsim::sim::param::Node;
use regionsim::world::{Limits, Stage};

fn outcomes(tape: &Tape) -> (usize, usize, usize) {
    let count = |wanted| {
        let hit = |(_, fact): &&(_, Fact)| matches!(fact, Fact::Concluded { outcome, .. } if *outcome == wanted);
        tape.facts.iter().filter(hit).count()
    };
    (count(Outcome::Ok), count(Outcome::Fail), count(Outcome::Unknown))
}

#[test]
fn on_a_quiet_day_every_write_is_acknowledged() {
    for word in ["async", "sync"] {
        let plan = plan(2, Span::from_millis(60), 2, mode(vec![("mode", Node::text(word))]), 50.0);
        let stage = Stage::new(&plan).expect("a valid plan");
        let mut tape = Tape::default();
        let finish = stage.run(7, 0, &mut tape, &Limits::default());
        assert!(!finish.halted);
        let (ok, fail, unknown) = outcomes(&tape);
        assert_eq!((fail, unknown), (0, 0), "{word}");
        // Two populations, 80 s at 50 a second, Poisson: within five standard deviations.
        assert!((7_550..8_450).contains(&ok), "{word}: {ok}");
    }
}
