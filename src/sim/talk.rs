//! What devices and people say to the server, and what they make of its answers.

use std::net::IpAddr;

use crate::model::{
    Decision, Effect, Millis, Moment, Reason, Refusal, Seconds,
    attribute::Changes,
    command::{Command, Order},
    dhcp::{AnswerKind, DhcpAnswer},
    image::Role,
    plan::{Action, BootPlan},
    reply::Reply,
    request::Request,
    timeline::{Phase as Told, Report, Step, Transfer},
    units::Bytes,
};

use super::{
    client::{self, INSTALLS, KERNEL_BOOTS, POWER_ON_SELF_TEST, Phase, Session},
    plan::MINUTE,
    queue::Event,
    run::Run,
    server::SERVER,
};

/// How a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The device is what was wanted.
    Served,
    /// It boots its disk, as it should.
    Disk,
    /// It was installed.
    Installed,
    /// The server refused it, with a reason.
    Refused,
    /// Nothing came of it, however often it was switched on.
    GaveUp,
}

/// How often somebody switches a device on again before they leave it.
const PATIENCE: u32 = 5;
/// How long an assignment by the desk holds: for this boot, not for the next one.
const DESK_HOLDS: Seconds = Seconds(1800);
/// When a server does not answer a URL, it is asked again after so long.
const URL_RETRY: u64 = 2000;
/// The length of an NBP, in bytes.
const NBP: Bytes = Bytes(250_000);

impl Run<'_> {
    /// What a device does next. `None` while it is not at its end.
    pub(super) fn step(&mut self, seat: u32, starts: u32, session: &mut Session, now: u64) -> Option<End> {
        match session.phase {
            Phase::Discover | Phase::Request => self.lease(seat, starts, session, now),
            Phase::Load => self.file_came(seat, starts, session, now),
            Phase::Desk => self.desk(seat, starts, session, now),
            // These go over TCP, which carries on over a lost packet, but not over a server that is away.
            _ if self.away => {
                self.again(seat, starts, now + URL_RETRY);
                None
            }
            Phase::Nbp => {
                let transfer = Transfer { bytes: NBP, of: NBP, took: Millis(400) };
                self.observe(session, Step::Nbp { name: "snponly.efi".to_owned(), transfer }, now);
                (session.ipxe, session.unanswered) = (true, 0);
                self.then(seat, starts, session, Phase::Discover, now)
            }
            Phase::Script => self.script(seat, starts, session, now),
            Phase::Ask => {
                self.ask(seat, starts, session, now);
                None
            }
            Phase::Seed => {
                self.observe(session, Step::Seed { name: "user-data".to_owned() }, now);
                if session.installs {
                    self.report(session, Told::Installing, now);
                }
                self.then(seat, starts, session, Phase::Ready, now)
            }
            Phase::Ready => self.ready(seat, starts, session, now),
        }
    }

    /// On to the next phase, after the pause that belongs to it.
    fn then(&mut self, seat: u32, starts: u32, session: &mut Session, phase: Phase, now: u64) -> Option<End> {
        session.phase = phase;
        let installing = if phase == Phase::Ready && session.installs { INSTALLS } else { 0 };
        let pause = self.pause(seat, session) + installing;
        self.again(seat, starts, now + pause);
        None
    }

    /// DISCOVER or REQUEST.
    fn lease(&mut self, seat: u32, starts: u32, session: &mut Session, now: u64) -> Option<End> {
        session.began.get_or_insert(now);
        let discovers = session.phase == Phase::Discover;
        let Some(answer) = self.exchange(seat, session, now) else {
            return self.not_answered(seat, starts, session, now);
        };
        if discovers && !session.ipxe {
            self.pull(seat, now);
        }
        session.unanswered = 0;
        match answer {
            DhcpAnswer { kind: AnswerKind::Nak, .. } => self.then(seat, starts, session, Phase::Discover, now),
            DhcpAnswer { boot: None, .. } => Some(End::Refused),
            DhcpAnswer { yiaddr, .. } if discovers => {
                session.ip = yiaddr;
                self.then(seat, starts, session, Phase::Request, now)
            }
            DhcpAnswer { boot: Some(boot), .. } => {
                session.boot = boot.bootfile.as_deref().and_then(client::attempt_in);
                let next = if session.ipxe { Phase::Script } else { Phase::Nbp };
                self.then(seat, starts, session, next, now)
            }
        }
    }

    /// A packet and its answer over a network that loses some, and carries some twice.
    fn exchange(&mut self, seat: u32, session: &Session, now: u64) -> Option<DhcpAnswer> {
        let request = client::dhcp(&self.plan.seats[seat as usize], session, self.dice.bits() as u32);
        if self.away || self.is_lost() {
            return None;
        }
        if self.options.loss > 0.0 && self.dice.part() < self.options.loss {
            self.tally.doubled += 1;
            let after = 20 + self.dice.wait(400.0);
            let number = self.tally.doubled as u32;
            self.queue.at(now + after, Event::Late(number));
            self.late.insert(number, request.clone());
        }
        let reply = self.serve(&request, now);
        match reply {
            Reply::Dhcp { answer, .. } if !self.is_lost() => Some(answer),
            _ => None,
        }
    }

    fn is_lost(&mut self) -> bool {
        let lost = self.options.loss > 0.0 && self.dice.part() < self.options.loss;
        self.tally.lost += u64::from(lost);
        lost
    }

    /// A packet comes a second time, after others that were sent later; nobody hears the answer.
    pub(super) fn come_again(&mut self, at: u32, now: u64) {
        if let Some(request) = self.late.remove(&at)
            && !self.away
        {
            self.serve(&request, now);
        }
    }

    /// A request is served, and learned from.
    fn serve(&mut self, request: &Request, now: u64) -> Reply {
        self.heard = now;
        let reply = self.server.ask(request, now);
        self.learn();
        reply
    }

    fn not_answered(&mut self, seat: u32, starts: u32, session: &mut Session, now: u64) -> Option<End> {
        match session.patience() {
            Some(wait) => {
                session.unanswered += 1;
                self.again(seat, starts, now + wait);
            }
            None => {
                session.restarts += 1;
                if session.restarts > PATIENCE {
                    return Some(End::GaveUp);
                }
                self.restart(seat, starts, session, now + MINUTE);
            }
        }
        None
    }

    fn restart(&mut self, seat: u32, starts: u32, session: &mut Session, at: u64) {
        session.restart(self.plan.seats[seat as usize].firmware);
        self.again(seat, starts, at + POWER_ON_SELF_TEST);
    }

    /// The device will want its most likely persona in some seconds: what is not at hand begins to come.
    fn pull(&mut self, seat: u32, now: u64) {
        let files = self.oracle.likely(&self.server, self.plan.seats[seat as usize].mac, Moment::from_millis(now));
        for (digest, len) in files {
            if let Some(token) = self.tiers.pull(digest, len, Moment::from_millis(now)) {
                self.send(super::queue::Link::Origin, len, token, now);
            }
        }
    }

    fn script(&mut self, seat: u32, starts: u32, session: &mut Session, now: u64) -> Option<End> {
        let Some(boot) = session.boot else { return Some(End::GaveUp) };
        let hardware = client::hardware(&self.plan.seats[seat as usize]);
        let server = format!("http://{SERVER}");
        let reply = self.serve(&Request::Script { boot, hardware, peer: session.ip.into(), server }, now);
        let Reply::Script(BootPlan { decision, action, .. }) = reply else { return Some(End::GaveUp) };
        match (decision, action) {
            (Decision::Become { persona, reason, armed }, Action::Kernel(kernel)) => {
                session.right = persona.name == *self.wanted(&session.want);
                session.installs = armed.is_some();
                if matches!(reason, Reason::Predicted { .. }) && session.acted.is_none() {
                    session.acted = Some(session.right);
                    self.tally.acted(session.right);
                }
                session.files = kernel.files;
                // As loaders ask for them: the kernel, the initrd, and what that fetches by itself.
                session.files.sort_by_key(|file| file.role);
                self.then(seat, starts, session, Phase::Ask, now)
            }
            (Decision::LocalDisk { reason: Reason::Installed { persona, .. } }, _)
                if persona.name == *self.wanted(&session.want) =>
            {
                Some(End::Disk)
            }
            // Standard provisioning: somebody says what it shall be.
            (Decision::LocalDisk { .. }, _) => {
                session.phase = Phase::Desk;
                self.again(seat, starts, now + self.desk_takes());
                None
            }
            // The server has forgotten the attempt: switched on again, it is a new one.
            (Decision::Refuse { why: Refusal::UnknownBoot }, _) if session.restarts < PATIENCE => {
                session.restarts += 1;
                self.restart(seat, starts, session, now + 30_000);
                None
            }
            _ => Some(End::Refused),
        }
    }

    fn desk_takes(&self) -> u64 {
        u64::from(self.options.desk.0) * 1000
    }

    fn file_came(&mut self, seat: u32, starts: u32, session: &mut Session, now: u64) -> Option<End> {
        let file = session.files.get(session.file)?.clone();
        let took = now.saturating_sub(session.asked);
        let bytes = file.size.unwrap_or_default();
        let transfer = Transfer { bytes, of: bytes, took: Millis(took) };
        let step = Step::Blob { role: file.role, digest: file.digest, tier: session.tier, transfer };
        self.observe(session, step, now);
        session.loading += took;
        session.farthest = session.farthest.max(session.tier);
        session.file += 1;
        match session.files.get(session.file).map(|next| next.role) {
            None => {
                if session.right && !session.installs {
                    self.loaded(session, now);
                }
                self.then(seat, starts, session, Phase::Seed, now)
            }
            Some(next) => {
                let boots = if next == Role::Rootfs { KERNEL_BOOTS } else { 0 };
                self.then(seat, starts, session, Phase::Ask, now + boots)
            }
        }
    }

    fn ready(&mut self, seat: u32, starts: u32, session: &mut Session, now: u64) -> Option<End> {
        self.report(session, if session.installs { Told::Installed } else { Told::Ready }, now);
        match (session.right, session.installs) {
            (true, true) => Some(End::Installed),
            (true, false) => Some(End::Served),
            // The wrong one: somebody notices, and has it put right.
            (false, _) => {
                session.phase = Phase::Desk;
                let notices = self.pause(seat, session);
                self.again(seat, starts, now + notices + self.desk_takes());
                None
            }
        }
    }

    /// The desk assigns what is wanted, and the device is started again.
    fn desk(&mut self, seat: u32, starts: u32, session: &mut Session, now: u64) -> Option<End> {
        if self.away {
            self.again(seat, starts, now + 5 * URL_RETRY);
            return None;
        }
        session.by_hand = true;
        let persona = self.wanted(&session.want).clone();
        let installs = self.server.ground.catalog.persona(&persona).map(|entry| entry.persona.effect());
        let order = Order::AssignPersona {
            persona,
            arm: installs == Some(Effect::Destructive),
            not_before: None,
            expires: Some(Moment::from_millis(now).plus(DESK_HOLDS)),
            why: Some("chosen at the device".to_owned()),
        };
        let mac = self.plan.seats[seat as usize].mac;
        match self.serve(&Request::Command(Command { mac, by: "desk".to_owned(), order }), now) {
            Reply::Done => self.restart(seat, starts, session, now),
            _ => return Some(End::Refused),
        }
        None
    }

    /// What the organisation says of a device.
    pub(super) fn describe(&mut self, at: u32, now: u64) {
        let change = &self.plan.changes[at as usize];
        let says = change.says.iter().filter_map(|(name, value)| Some((name.parse().ok()?, Some(value.parse().ok()?))));
        let changes: Changes = says.collect();
        let mac = self.plan.seats[change.seat as usize].mac;
        let order = Order::Describe { changes };
        self.serve(&Request::Command(Command { mac, by: "directory".to_owned(), order }), now);
    }

    fn report(&mut self, session: &Session, phase: Told, now: u64) {
        let report = Report { phase, hostname: None, kernel: None, cloud_init: None, message: None, checks: vec![] };
        self.observe(session, Step::Report(report), now);
    }

    fn observe(&mut self, session: &Session, step: Step, now: u64) {
        if let Some(boot) = session.boot {
            self.serve(&Request::Observe { boot, step, peer: IpAddr::V4(session.ip) }, now);
        }
    }
}
