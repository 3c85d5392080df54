//! What a node can serve: so many requests at a time, each for its service time; others queue.
//!
//! A request is looked at when it comes: a database that does not admit writes refuses it there
//! and then. One that is admitted takes a place or queues, and is carried out at the end of its
//! service, if the database may still answer by then. A health check that asks for the application
//! is served as a read is. It holds its place for its service time
//! alone, not while it waits for the disk or for standbys; replication and the apply of a standby
//! take no place.
//!
//! - A full queue refuses at once, definitely: nothing was done.
//! - Who queues is served whether or not its client still waits, as real servers do. That is wasted
//!   work, and what keeps an overload alive once it has begun.
//! - A crash loses what queues and what is being served. A primary that steps down refuses what
//!   queues; what is being served is refused at the end of its service.
//! - How long an operation is served is drawn by operation and attempt: the same operation is the
//!   same work in every design, and at every replica.

use super::*;
use crate::sim::dist::DistSpec;
use crate::sim::draws::Draws;

crate::params! {
    /// What each node of a store can serve; without it requests are served at once, and any number
    /// at a time.
    pub struct ServerParams {
        /// How long a request takes one of the node's places.
        service_time: DistSpec, required;
        /// The same for reads.
        read_time: Option<DistSpec> = None, "the service time";
        /// How many requests are served at a time.
        concurrency: u32 = 8, "our choice: a thread for each of eight cores";
        /// How many wait for a place; the next one is refused at once.
        queue: u32 = 1_000, "our choice";
    }
}

/// What is served, and with it what happens at the end of its service.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// A client's request is carried out.
    Request {
        /// Whose.
        from: ProcessId,
        /// Which.
        request: ClientMsg,
    },
    /// A health check is answered.
    Probe {
        /// Whose.
        from: ProcessId,
        /// Which.
        seq: u32,
        /// True when it asks for a test row then.
        write: bool,
    },
}

/// The places of a node and their queue.
#[derive(Clone, Debug)]
pub struct Server {
    write_time: Dist,
    read_time: Dist,
    draws: Draws,
    /// By place: what is served there. What is free has nothing.
    places: Vec<Option<Work>>,
    /// Free places; the last one is taken first.
    free: Vec<u32>,
    queue: VecDeque<Work>,
    limit: usize,
}

impl Server {
    /// A server of which all places are free. All replicas of a store have the same `draws`.
    pub fn new(params: &ServerParams, draws: Draws) -> Server {
        let write_time = Dist::new(&params.service_time);
        let read_time = params.read_time.as_ref().map_or(write_time.clone(), Dist::new);
        let mut server = Server {
            write_time,
            read_time,
            draws,
            places: vec![None; params.concurrency as usize],
            free: Vec::new(),
            queue: VecDeque::new(),
            limit: params.queue as usize,
        };
        server.clear();
        server
    }
    /// Nothing is served and nothing queues.
    pub(super) fn clear(&mut self) {
        self.places.fill(None);
        self.free = (0..self.places.len() as u32).rev().collect();
        self.queue.clear();
    }
    /// How many queue.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }
    /// True when nothing is served: then nothing queues either.
    pub(super) fn is_idle(&self) -> bool {
        self.free.len() == self.places.len()
    }
    /// Serves it now, or lets it queue; false when the queue is full.
    fn take(&mut self, work: Work, ctx: &mut Ctx<'_>) -> bool {
        if let Some(place) = self.free.pop() {
            self.serve(place, work, ctx);
            return true;
        }
        let room = self.queue.len() < self.limit;
        if room {
            self.queue.push_back(work);
        }
        room
    }
    fn serve(&mut self, place: u32, work: Work, ctx: &mut Ctx<'_>) {
        self.places[place as usize] = Some(work);
        // Never disarmed: after a crash the world holds back what an earlier life armed.
        let timer = Timer::nth(SERVED, place);
        ctx.effect(Effect::Wake { timer, after: self.time_of(&work) });
    }
    /// How long a piece of work takes its place.
    fn time_of(&self, work: &Work) -> Span {
        match work {
            Work::Request { request: ClientMsg::Request { op, kind, attempt, .. }, .. } => {
                let bits = self.draws.at(op.word() << 8 | u64::from(*attempt));
                match kind {
                    OpKind::Write => self.write_time.quantile_of(bits),
                    OpKind::Read => self.read_time.quantile_of(bits),
                }
            }
            Work::Request { .. } => Span::ZERO,
            // No client has this number: a probe takes nobody's draw.
            Work::Probe { seq, .. } => {
                self.read_time.quantile_of(self.draws.at(u64::MAX << 32 | u64::from(*seq)))
            }
        }
    }
    /// A service is over: what was served. The first in the queue takes the place.
    fn served(&mut self, place: u32, ctx: &mut Ctx<'_>) -> Option<Work> {
        let done = self.places.get_mut(place as usize)?.take()?;
        match self.queue.pop_front() {
            Some(next) => self.serve(place, next, ctx),
            None => self.free.push(place),
        }
        Some(done)
    }
}

impl Replica {
    /// The same replica with so many places for requests.
    pub fn with_server(mut self, server: Server) -> Replica {
        self.server = Some(Box::new(server));
        self
    }
    /// Takes work, serves it when its turn comes, or turns it away.
    #[cold]
    pub(super) fn enqueue(&mut self, work: Work, ctx: &mut Ctx<'_>) {
        if !self.server.as_mut().is_none_or(|server| server.take(work, ctx)) {
            self.turn_away(work, ctx);
        }
    }
    /// A service is over: what was to be done then is done, if it still may be.
    #[cold]
    pub(super) fn on_served(&mut self, place: u32, ctx: &mut Ctx<'_>) {
        let Some(server) = &mut self.server else { return };
        match server.served(place, ctx) {
            Some(Work::Request { from, request: request @ ClientMsg::Request { kind, .. } })
                if self.may_answer(ctx.now()) && !self.takes_no(kind) =>
            {
                self.carry_out(from, &request, ctx);
            }
            Some(Work::Probe { from, seq, write }) => self.end_probe(from, seq, true, write, ctx),
            Some(work) => self.turn_away(work, ctx),
            None => {}
        }
    }
    /// Nothing was done, and nothing will be.
    fn turn_away(&self, work: Work, ctx: &mut Ctx<'_>) {
        match work {
            Work::Request { from, request: ClientMsg::Request { op, attempt, .. } } => {
                self.fail(from, op, attempt, ctx);
            }
            Work::Request { .. } => {}
            Work::Probe { from, seq, .. } => probes::tell(from, seq, false, ctx),
        }
    }
    /// Turns away all that queues.
    #[cold]
    pub(super) fn turn_all_away(&mut self, ctx: &mut Ctx<'_>) {
        let Some(server) = &mut self.server else { return };
        for work in std::mem::take(&mut server.queue) {
            self.turn_away(work, ctx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{ClientId, NodeId};
    use crate::model::log::Book;
    use crate::sim::rng::{Label, Streams};
    use crate::sim::time::WallTime;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn request(seq: u64) -> Work {
        let op = OpId::new(ClientId(0), seq);
        let (group, kind, attempt) = (GroupId(0), OpKind::Read, 0);
        let request = ClientMsg::Request {
            op,
            group,
            kind,
            attempt,
            idempotent: false,
            answer_bytes: 0,
            key: 0,
        };
        Work::Request { from: ProcessId(9), request }
    }
    fn number(work: Work) -> u64 {
        match work {
            Work::Request { request: ClientMsg::Request { op, .. }, .. } => op.seq(),
            _ => unreachable!("only requests are served"),
        }
    }

    /// When each request ends, or nothing where it is refused.
    fn ends(server: &mut Server, arrivals: &[u64]) -> Vec<Option<u64>> {
        let book = Book::new(0);
        let mut ends = vec![None; arrivals.len()];
        let mut timers: BTreeMap<(u64, u64), u32> = BTreeMap::new();
        let (mut armed, mut next) = (0, 0);
        loop {
            let due = timers.keys().next().copied();
            let arrives = arrivals.get(next).copied();
            // What arrives comes before what is over, as in the world.
            let arrival = arrives.filter(|at| due.is_none_or(|(due, _)| *at <= due));
            let Some(now) = arrival.or(due.map(|(due, _)| due)) else { return ends };
            let local = LocalTime::from_nanos(now);
            let mut effects = Vec::new();
            let mut ctx =
                Ctx::new(ProcessId(0), NodeId(0), local, WallTime::ZERO, &book, &mut effects);
            if arrival.is_some() {
                server.take(request(next as u64), &mut ctx);
                next += 1;
            } else {
                let (_, place) = timers.pop_first().expect("a service is over");
                let done = server.served(place, &mut ctx).expect("it was taken");
                ends[number(done) as usize] = Some(now);
            }
            for effect in effects {
                let Effect::Wake { timer: Timer { kind: SERVED, arg }, after } = effect else {
                    panic!("a server only arms its timers: {effect:?}");
                };
                armed += 1;
                timers.insert((now + after.as_nanos(), armed), arg);
            }
        }
    }

    /// Each request by itself: it begins when it has come and the first of all places is free, and
    /// is refused where as many as may wait have come and not begun.
    fn by_hand(
        takes: impl Fn(u64) -> u64,
        arrivals: &[u64],
        places: usize,
        queue: usize,
    ) -> Vec<Option<u64>> {
        let mut free = vec![0u64; places];
        let mut begins: Vec<u64> = Vec::new();
        let mut one = |(seq, at): (usize, &u64)| {
            let earliest = free.iter().position(|f| f == free.iter().min().expect("a place"));
            let place = &mut free[earliest.expect("a place")];
            // A place that falls free at the very moment is taken after what arrives.
            let waits = *place >= *at && *place > 0;
            if waits && begins.iter().filter(|begin| **begin >= *at).count() >= queue {
                return None;
            }
            let begin = (*at).max(*place);
            if waits {
                begins.push(begin);
            }
            *place = begin + takes(seq as u64);
            Some(*place)
        };
        arrivals.iter().enumerate().map(&mut one).collect()
    }

    proptest! {
        #[test]
        fn each_is_served_in_turn_for_its_own_time_or_refused(
            gaps in prop::collection::vec(1u64..2_000_000, 1..200),
            places in 1u32..5, queue in 0u32..6, seed in any::<u64>(),
        ) {
            let params = ServerParams {
                service_time: DistSpec::exponential(Span::from_millis(2)),
                read_time: None,
                concurrency: places,
                queue,
            };
            let draws = Streams::new(seed, 0).draws(Label::new("service"));
            let arrivals: Vec<u64> = gaps.iter().scan(1, |at, gap| { *at += gap; Some(*at) }).collect();
            let mut server = Server::new(&params, draws);
            let takes = |seq: u64| {
                Dist::new(&params.service_time).quantile_of(draws.at(seq << 8)).as_nanos()
            };
            let found = ends(&mut server, &arrivals);
            prop_assert_eq!(found, by_hand(takes, &arrivals, places as usize, queue as usize));
            prop_assert!(server.is_idle() && server.queue.is_empty());
        }
    }
}
