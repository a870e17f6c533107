//! One strategy, from the first day to the last: the loop that takes what happens next and has everybody concerned do theirs.

use std::collections::HashMap;

use crate::model::{Moment, PersonaName, image::Tier};

use super::{
    Options,
    check::Checked,
    client::{self, Phase, Session},
    oracle::{Oracle, Strategy},
    pipe::Pipe,
    plan::{BEGAN, DAY, MINUTE, Plan, Want},
    queue::{Event, Link, Queue},
    server::{Server, Sink},
    shelf::Shelf,
    talk::End,
    tally::{Boot, Tally},
    tiers::{Bought, Found, Tiers},
};
use crate::{model::request::Request, stage::replay::Dice};

/// What a server sends to all devices together, and a device takes, in bytes per second: 10 and 1 Gbit/s.
const LAN: (u64, u64) = (1_250_000_000, 125_000_000);
/// What a disk gives to all together.
const DISK: u64 = 500_000_000;
/// How often the keeper looks while there is something to do.
const LOOK: u64 = MINUTE;
/// How often silent attempts are looked for.
const TICK: u64 = 5 * MINUTE;
/// How long a daemon that was killed is away.
const AWAY: u64 = 8000;
/// How often it is asked whether a lesson is due.
const TRAINS: u64 = 30 * MINUTE;

/// What came of a run.
pub(super) struct Ran {
    pub(super) strategy: Strategy,
    pub(super) tally: Tally,
    pub(super) bought: Bought,
    pub(super) checked: Checked,
    pub(super) lessons: u32,
    /// What predicts at the end.
    pub(super) model: Option<String>,
}

/// A device's place.
#[derive(Debug, Default)]
pub(super) struct Chair {
    /// How often it was switched on.
    pub(super) starts: u32,
    pub(super) session: Option<Box<Session>>,
}

pub(super) struct Run<'a> {
    pub(super) options: &'a Options,
    pub(super) plan: &'a Plan,
    pub(super) shelf: Shelf,
    pub(super) server: Server<'a>,
    pub(super) tiers: Tiers,
    pub(super) oracle: Oracle<'a>,
    pub(super) tally: Tally,
    pub(super) chairs: Vec<Chair>,
    pub(super) queue: Queue,
    /// The network's dice.
    pub(super) dice: Dice,
    /// Packets that come a second time.
    pub(super) late: HashMap<u32, Request>,
    pub(super) away: bool,
    pipes: [Pipe; 3],
    looks: bool,
    /// When a packet last came: attempts can be open after that.
    pub(super) heard: u64,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        options: &'a Options,
        plan: &'a Plan,
        shelf: &Shelf,
        strategy: Strategy,
        journal: Option<Sink<'a>>,
    ) -> Self {
        Self {
            options,
            plan,
            shelf: shelf.clone(),
            server: Server::new(shelf, options.seed, journal),
            tiers: Tiers::new(options.rooms),
            oracle: Oracle::new(strategy, plan),
            tally: Tally::new(options.days),
            chairs: plan.seats.iter().map(|_| Chair::default()).collect(),
            queue: Queue::default(),
            dice: Dice::of_one(options.seed, 6, 0),
            late: HashMap::new(),
            away: false,
            pipes: [Pipe::new(options.origin, options.origin), Pipe::new(DISK, LAN.1), Pipe::new(LAN.0, LAN.1)],
            looks: false,
            heard: 0,
        }
    }

    /// Runs to the end; `day` hears of each day that is over.
    pub(super) fn run(mut self, day: &(dyn Fn() + Sync)) -> Ran {
        self.begin();
        let mut last = BEGAN;
        while let Some((now, event)) = self.queue.next() {
            last = last.max(now);
            match event {
                Event::Change(at) => self.change(at, now),
                Event::Release(at) => self.release(at, now),
                Event::Want(at) => self.switch_on(at, now),
                Event::Turn(seat, starts) => self.turn(seat, starts, now),
                Event::Late(at) => self.come_again(at, now),
                Event::Moved(link, version) => self.moved(link, version, now),
                Event::Look => self.look(now),
                Event::Tick => self.tick(now),
                Event::Forecast => self.forecast(now),
                Event::Train => {
                    if self.oracle.train(now) {
                        self.renew(now);
                    }
                    self.after(now, TRAINS, Event::Train);
                }
                Event::Kill => self.kill(now),
                Event::Back => self.away = false,
                Event::Midnight => {
                    day();
                    self.after(now, DAY, Event::Midnight);
                }
            }
        }
        let model = self.oracle.model();
        let (bought, strategy, lessons) = (self.tiers.bought, self.oracle.strategy, self.oracle.lessons);
        let (tally, checked) = (self.tally, self.server.finish());
        Ran { strategy, tally, bought, checked, lessons, model }
    }

    fn begin(&mut self) {
        if !self.plan.changes.is_empty() {
            self.queue.at(self.plan.changes[0].at, Event::Change(0));
        }
        if !self.plan.releases.is_empty() {
            self.queue.at(self.plan.releases[0].at, Event::Release(0));
        }
        if !self.plan.wants.is_empty() {
            self.queue.at(self.plan.wants[0].at, Event::Want(0));
        }
        self.queue.at(BEGAN + DAY - 1, Event::Midnight);
        self.queue.at(BEGAN + TICK, Event::Tick);
        if self.oracle.strategy != Strategy::Nothing {
            self.queue.at(BEGAN + TRAINS, Event::Train);
            self.queue.at(BEGAN, Event::Forecast);
        }
        let mut dice = Dice::of_one(self.options.seed, 7, 0);
        for _ in 0..self.options.kills {
            let at = BEGAN + (dice.part() * (self.plan.ends() - BEGAN) as f64) as u64;
            self.queue.at(at, Event::Kill);
        }
    }

    /// Again after a while, until the plan is over.
    fn after(&mut self, now: u64, span: u64, event: Event) {
        if now + span <= self.plan.ends() {
            self.queue.at(now + span, event);
        }
    }

    fn change(&mut self, at: u32, now: u64) {
        if self.away {
            // Whoever keeps the directory says it again.
            self.queue.at(now + AWAY, Event::Change(at));
            return;
        }
        if let Some(next) = self.plan.changes.get(at as usize + 1) {
            self.queue.at(next.at, Event::Change(at + 1));
        }
        self.describe(at, now);
    }

    fn release(&mut self, at: u32, now: u64) {
        let releases = &self.plan.releases;
        self.shelf.release(releases[at as usize].persona, self.options.seed, u64::from(at));
        match releases.get(at as usize + 1) {
            // Those of one night come together.
            Some(next) if next.at == now => return self.release(at + 1, now),
            Some(next) => self.queue.at(next.at, Event::Release(at + 1)),
            None => {}
        }
        self.server.release(&self.shelf);
        self.renew(now);
    }

    fn switch_on(&mut self, at: u32, now: u64) {
        let want = self.plan.wants[at as usize];
        if let Some(next) = self.plan.wants.get(at as usize + 1) {
            self.queue.at(next.at, Event::Want(at + 1));
        }
        self.oracle.wanted(at, want, &self.shelf);
        self.publish();
        let firmware = self.plan.seats[want.seat as usize].firmware;
        let chair = &mut self.chairs[want.seat as usize];
        let waits = chair.session.as_ref().is_some_and(|session| !session.loaded);
        self.tally.cut_short += u64::from(waits);
        chair.starts += 1;
        chair.session = Some(Box::new(Session::new(want, firmware)));
        self.queue.at(now, Event::Turn(want.seat, chair.starts));
    }

    /// A device's turn.
    fn turn(&mut self, seat: u32, starts: u32, now: u64) {
        let chair = &mut self.chairs[seat as usize];
        if chair.starts != starts {
            return;
        }
        let Some(mut session) = chair.session.take() else { return };
        match self.step(seat, starts, &mut session, now) {
            Some(end) => self.ended(end, session.loaded),
            None => self.chairs[seat as usize].session = Some(session),
        }
    }

    fn ended(&mut self, end: End, loaded: bool) {
        match end {
            // What it came for, it has.
            _ if loaded => {}
            End::Disk => self.tally.disk_boots += 1,
            End::Installed => self.tally.installs += 1,
            End::Refused => self.tally.refused += 1,
            End::GaveUp => self.tally.gave_up += 1,
            End::Served => {}
        }
    }

    /// It is the device's turn again in so many milliseconds.
    pub(super) fn again(&mut self, seat: u32, starts: u32, at: u64) {
        self.queue.at(at, Event::Turn(seat, starts));
    }

    /// A device asks for the file that is next.
    pub(super) fn ask(&mut self, seat: u32, starts: u32, session: &mut Session, now: u64) {
        let Some(file) = session.files.get(session.file) else { return };
        let (digest, len) = (file.digest, file.size.map_or(0, |size| size.0));
        let found = self.tiers.ask(digest, len, (seat, starts), Moment::from_millis(now));
        let token = u64::from(starts) << 32 | u64::from(seat);
        session.asked = now;
        session.phase = Phase::Load;
        (session.tier, session.pending) = match found {
            Found::In(tier) => (tier, 1),
            Found::Coming | Found::Fill(_) => (Tier::Origin, 2),
        };
        if let Found::Fill(fill) = found {
            self.send(Link::Origin, len, fill, now);
        }
        self.send(if session.tier == Tier::Disk { Link::Disk } else { Link::Lan }, len, token, now);
        self.stir(now);
    }

    pub(super) fn send(&mut self, link: Link, len: u64, token: u64, now: u64) {
        self.pipes[link as usize].begin(len, token, now);
        self.watch(link);
    }

    /// The next end on a link is an event.
    fn watch(&mut self, link: Link) {
        let pipe = &self.pipes[link as usize];
        if let Some(at) = pipe.next() {
            self.queue.at(at, Event::Moved(link, pipe.version));
        }
    }

    fn moved(&mut self, link: Link, version: u64, now: u64) {
        if self.pipes[link as usize].version != version {
            return;
        }
        for token in self.pipes[link as usize].ended(now) {
            if link == Link::Origin {
                for (seat, starts) in self.tiers.arrived(token, Moment::from_millis(now)) {
                    self.came(seat, starts, now);
                }
                self.look_now(now);
            } else {
                self.came(token as u32, (token >> 32) as u32, now);
            }
        }
        self.watch(link);
    }

    /// Something that a device's file waited for has come.
    fn came(&mut self, seat: u32, starts: u32, now: u64) {
        let chair = &mut self.chairs[seat as usize];
        let Some(session) = chair.session.as_mut().filter(|_| chair.starts == starts) else { return };
        if session.phase == Phase::Load {
            session.pending = session.pending.saturating_sub(1);
            if session.pending == 0 {
                self.queue.at(now, Event::Turn(seat, starts));
            }
        }
    }

    /// The keeper looks within the minute.
    fn stir(&mut self, now: u64) {
        if !self.looks {
            self.looks = true;
            self.queue.at(now + LOOK, Event::Look);
        }
    }

    fn look(&mut self, now: u64) {
        self.looks = false;
        self.look_now(now);
        if self.tiers.stirred {
            self.stir(now);
        }
    }

    fn look_now(&mut self, now: u64) {
        if let Some((token, len)) = self.tiers.keep(Moment::from_millis(now)) {
            self.send(Link::Origin, len, token, now);
        }
    }

    fn tick(&mut self, now: u64) {
        if !self.away {
            self.server.ask(&Request::Tick, now);
            self.learn();
        }
        let patience = 5 * u64::from(super::server::STUCK_AFTER.0) * 1000;
        // After the end it goes on until nothing can be open any more.
        if now <= self.plan.ends().max(self.heard + patience) {
            self.queue.at(now + TICK, Event::Tick);
        }
    }

    fn forecast(&mut self, now: u64) {
        self.renew(now);
        self.after(now, self.oracle.period(), Event::Forecast);
    }

    /// The table and the demand, made anew.
    pub(super) fn renew(&mut self, now: u64) {
        let at = Moment::from_millis(now);
        self.oracle.renew(at);
        self.publish();
        if let Some((forecast, known)) = self.oracle.demand(&self.server, at, &self.shelf) {
            self.tiers.expect(forecast, known);
            self.stir(now);
        }
    }

    /// What the oracle says is what decisions look up.
    fn publish(&mut self) {
        if let Some(table) = self.oracle.published() {
            self.server.ground.forecast = table;
        }
    }

    /// The oracle hears of what the latest request made happen.
    pub(super) fn learn(&mut self) {
        for record in &self.server.latest {
            self.oracle.hear(record);
        }
    }

    /// The daemon is killed: the World comes back from its journal, RAM does not, and nobody is answered meanwhile.
    fn kill(&mut self, now: u64) {
        self.away = true;
        self.queue.at(now + AWAY, Event::Back);
        self.server.revive();
        self.tiers.lose();
        // Whoever was loading asks again when it is back.
        for link in [Link::Origin, Link::Disk, Link::Lan] {
            self.pipes[link as usize].break_off(now);
        }
        for (seat, chair) in self.chairs.iter_mut().enumerate() {
            let Some(session) = chair.session.as_mut().filter(|session| session.phase == Phase::Load) else { continue };
            session.phase = Phase::Ask;
            self.queue.at(now + AWAY + 1000, Event::Turn(seat as u32, chair.starts));
        }
    }

    /// The last byte of what was wanted has come.
    pub(super) fn loaded(&mut self, session: &mut Session, now: u64) {
        session.loaded = true;
        let began = session.began.unwrap_or(now);
        self.tally.boot(&Boot {
            began,
            wait: now.saturating_sub(began),
            loading: session.loading,
            staged: session.farthest < Tier::Origin,
            in_ram: session.farthest == Tier::Ram,
            by_hand: session.by_hand,
            acted: session.acted.is_some(),
        });
    }

    /// What somebody wants, by name.
    pub(super) fn wanted(&self, want: &Want) -> &PersonaName {
        self.shelf.name(want.persona)
    }

    /// Milliseconds between an answer and what a device does next.
    pub(super) fn pause(&self, seat: u32, session: &Session) -> u64 {
        client::pause(session.phase, self.plan.seats[seat as usize].firmware, session.ipxe)
    }
}
