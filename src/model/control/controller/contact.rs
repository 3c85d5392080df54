//! What the controller knows of each replica: whether its agent answers, and what it said.

use super::Seat;
use crate::model::ctx::Ctx;
use crate::model::fact::Claim;
use crate::model::id::{Position, Term};
use crate::model::msg::Role;
use crate::sim::time::LocalTime;

/// So many questions in a row without an answer, and contact is lost.
const LOST_AFTER: u32 = 3;

/// What an agent answered.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Report {
    /// Of which question.
    pub seq: u32,
    /// What its database is.
    pub role: Role,
    /// The newest term its database knows.
    pub term: Term,
    /// The end of its durable history.
    pub durable: Position,
    /// False when its database does not answer it.
    pub running: bool,
}

/// One replica, seen from the controller.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Who it is.
    pub seat: Seat,
    /// Its latest answer.
    pub report: Option<Report>,
    /// True while its agent answers.
    pub contact: bool,
    /// When it was last told to follow the present primary.
    pub told_to_follow: Option<LocalTime>,
    /// The connection to its agent broke: the last order may never have arrived.
    pub broken: bool,
    unanswered: u32,
    asked: Option<u32>,
}

impl Replica {
    /// Believed to be in contact until it fails to answer.
    pub fn new(seat: Seat) -> Replica {
        let (report, told_to_follow, asked) = (None, None, None);
        let (contact, broken) = (true, false);
        Replica { seat, report, contact, told_to_follow, broken, unanswered: 0, asked }
    }
    /// A regular question goes out: counts the previous one, if it was not answered.
    pub fn asking(&mut self, seq: u32, ctx: &mut Ctx<'_>) {
        if self.asked.replace(seq).is_some() {
            self.unanswered += 1;
        }
        if self.unanswered >= LOST_AFTER && self.contact {
            self.contact = false;
            ctx.claim(Claim::Contact(self.seat.node, false));
        }
    }
    /// An answer came: true when contact is regained with it. An answer that was overtaken by
    /// a later one is dropped.
    pub fn answered(&mut self, report: Report, ctx: &mut Ctx<'_>) -> bool {
        if self.report.is_some_and(|known| known.seq > report.seq) {
            return false;
        }
        self.report = Some(report);
        (self.unanswered, self.asked) = (0, None);
        let regained = !self.contact;
        if regained {
            self.contact = true;
            ctx.claim(Claim::Contact(self.seat.node, true));
        }
        regained
    }
    /// The controller's process was killed: an answer under way is lost.
    pub fn forget_question(&mut self) {
        self.asked = None;
    }
    /// True when its agent answers and its database runs, as far as is known.
    pub fn reachable(&self) -> bool {
        self.contact && self.report.is_some_and(|r| r.running)
    }
}
