//! The loop of one webhook: read on in the journal, send what is due, heed the answers, write down how far it has come.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    journal::JournalError,
    model::{DeviceId, Millis, Moment, Record},
    serve::{Context, context::lock},
    usage::event,
};

use super::{
    Line,
    body::{NoBody, body},
    place::{Gone, Waiting},
    post::{Try, Verdict, post},
    queue::{LONGEST_LINE, Queue},
    view::Failing,
};

/// How many facts are read at once.
const BATCH: usize = 1000;
/// How many events are on their way at once. While the receiver fails, it is one.
const ABREAST: usize = 8;
/// Failures of so many different devices in a row, and the receiver is down.
const DOWN: usize = 3;
/// How often an event fails before `/healthz` says so: a receiver that restarts is no trouble.
const TROUBLE: u32 = 3;
/// How often the place is written down at the most: what was delivered within it is delivered again after a crash.
const WRITE: Duration = Duration::from_millis(250);
/// How long is waited after the journal or the disk failed.
const REST: Duration = Duration::from_secs(5);
/// How long what is on its way may take when the daemon stops.
const LANDING: Duration = Duration::from_secs(3);

/// What came back.
struct Landed {
    waiting: Waiting,
    tried: Result<Try, NoBody>,
}

/// What ends the tries of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// A few: the receiver says that the event is wrong.
    OfTries,
    /// A day: it may yet be heard.
    OfTime,
}

pub(super) struct Courier {
    line: Arc<Line>,
    context: Context,
    queue: Queue,
    flights: JoinSet<Landed>,
    /// The journal is read up to here.
    read: u64,
    /// Whether it goes on.
    has_more: bool,
    /// Nothing is sent before, as the receiver is down or asks for it.
    closed_until: Option<Instant>,
    /// The devices whose events failed since one was delivered, up to [`DOWN`].
    in_a_row: Vec<DeviceId>,
    /// How often the receiver was found down since.
    downs: u32,
    /// What the last failure was, and whether the log knows of it.
    said: Option<String>,
    /// Since when the place has been other than the file says.
    unwritten: Option<Instant>,
    /// Whether the file could not be written.
    unwritable: bool,
}

impl Courier {
    pub(super) fn new(line: Arc<Line>, context: Context) -> Self {
        let (read, queue) = {
            let place = lock(&line.place);
            (place.read, Queue::of(&place.waiting, Instant::now(), (context.clock)()))
        };
        Self {
            line,
            context,
            queue,
            flights: JoinSet::new(),
            read,
            has_more: true,
            closed_until: None,
            in_a_row: vec![],
            downs: 0,
            said: None,
            unwritten: None,
            unwritable: false,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        let gone = lock(&self.line.place).gone.as_ref().map(|gone| gone.at);
        if let Some(at) = gone {
            self.tell_gone(at);
            return;
        }
        let mut kept: watch::Receiver<u64> = self.context.engine.kept();
        loop {
            let newest = *kept.borrow_and_update();
            if let Err(error) = self.read_on(newest).await {
                if matches!(error, JournalError::Closed { .. }) {
                    break;
                }
                tracing::error!(webhook = %self.line.webhook.name, "the journal cannot be read: {error}");
                self.closed_until = Some(Instant::now() + REST);
                self.has_more = false;
            }
            self.launch();
            self.show();
            self.write(false).await;
            let wake = self.wake();
            tokio::select! {
                () = stop.cancelled() => break,
                changed = kept.changed(), if self.queue.has_room() => if changed.is_err() { break },
                Some(landed) = self.flights.join_next() => {
                    // A flight that panicked never lands: the whole courier is begun anew.
                    self.land(landed.expect("no flight panics or is aborted"));
                }
                () = until(wake) => {}
            }
            if lock(&self.line.place).gone.is_some() {
                self.write(true).await;
                return;
            }
        }
        let landing = tokio::time::sleep(LANDING);
        tokio::pin!(landing);
        loop {
            tokio::select! {
                landed = self.flights.join_next() => match landed {
                    Some(Ok(landed)) => self.land(landed),
                    _ => break,
                },
                () = &mut landing => break,
            }
        }
        self.write(true).await;
    }

    /// Reads the next facts, as far as there is room for what waits.
    async fn read_on(&mut self, newest: u64) -> Result<(), JournalError> {
        self.has_more = false;
        if self.read >= newest || !self.queue.has_room() {
            return Ok(());
        }
        let (journal, from) = (self.context.journal.clone(), self.read + 1);
        let records = tokio::task::spawn_blocking(move || -> Result<Vec<Record>, JournalError> {
            let until = |record: &Result<Record, JournalError>| record.as_ref().map_or(true, |r| r.seq <= newest);
            journal.records_from(from)?.take(BATCH).take_while(until).collect()
        });
        let records = records.await.unwrap_or_else(|bug| std::panic::resume_unwind(bug.into_panic()))?;
        if let Some(missed) = records.first().map(|first| first.seq - from).filter(|missed| *missed > 0) {
            let name = &self.line.webhook.name;
            tracing::warn!(webhook = %name, missed, "facts were dropped from the journal before they could be told");
            self.read += missed;
        }
        let (world, today, now) = (self.context.engine.world(), (self.context.clock)(), Instant::now());
        for record in &records {
            if !self.queue.has_room() {
                break;
            }
            self.read = record.seq;
            let boot = event::boot_of(&record.fact).and_then(|id| world.boots.get(&id));
            let Some(news) = event::news(record, boot) else { continue };
            if !self.line.webhook.events.contains(&news.kind) {
                continue;
            }
            match news.device {
                None => self.give_up(record.seq, "its attempt is so old that its device is not known any more"),
                Some(device) => {
                    if let Some(oldest) = self.queue.push(record.seq, device, now, today) {
                        self.give_up(oldest.seq, &format!("more than {LONGEST_LINE} events of {device} wait"));
                    }
                }
            }
        }
        self.has_more = self.read < newest && self.queue.has_room();
        self.changed();
        Ok(())
    }

    /// Sends what is due.
    fn launch(&mut self) {
        let now = Instant::now();
        if self.closed_until.is_some_and(|until| now < until) {
            return;
        }
        self.closed_until = None;
        while self.flights.len() < self.abreast()
            && let Some(waiting) = self.queue.take_off(now)
        {
            let (line, context) = (self.line.clone(), self.context.clone());
            self.flights.spawn(async move {
                let tried = match body(&context, &waiting).await {
                    Ok(body) => {
                        let id = line.id(waiting.seq);
                        Ok(post(&line, &context.secrets_dir, (context.clock)(), &id, body).await)
                    }
                    Err(no_body) => Err(no_body),
                };
                Landed { waiting, tried }
            });
        }
    }

    fn abreast(&self) -> usize {
        if self.in_a_row.len() < DOWN { ABREAST } else { 1 }
    }

    /// When there is something to do, if nothing else happens.
    fn wake(&self) -> Option<Instant> {
        let now = Instant::now();
        let more = self.has_more.then_some(now);
        let due = self.queue.next_due().filter(|_| self.flights.len() < self.abreast());
        let due = due.map(|due| self.closed_until.map_or(due, |until| until.max(due)));
        // After the journal failed, it is tried again though nothing waits.
        let again = self.closed_until.filter(|_| self.flights.is_empty());
        let write = self.unwritten.map(|since| since + WRITE);
        [more, due, again, write].into_iter().flatten().min()
    }

    /// Heeds an answer.
    fn land(&mut self, landed: Landed) {
        let Landed { waiting, tried } = landed;
        let (device, seq) = (waiting.device, waiting.seq);
        self.changed();
        match tried {
            Ok(Try { verdict: Verdict::Delivered, .. }) => {
                self.queue.settle(device);
                self.in_a_row.clear();
                self.downs = 0;
                let mut place = lock(&self.line.place);
                place.delivered += 1;
                place.last_delivered = Some((self.context.clock)());
            }
            Ok(Try { verdict: Verdict::Gone, .. }) => self.gone(),
            Ok(Try { verdict: Verdict::Refused { why }, .. }) => self.failed(device, why, None, Patience::OfTries),
            Ok(Try { verdict: Verdict::Failed { why, again }, .. }) => {
                self.failed(device, why, again, Patience::OfTime);
            }
            Err(NoBody::Dropped) => {
                self.queue.settle(device);
                self.give_up(seq, "the journal does not hold it any more");
            }
            Err(NoBody::Unreadable(error)) => {
                self.failed(device, error.to_string(), None, Patience::OfTime);
            }
        }
    }

    /// A try failed: there will be another one, unless this was the last.
    fn failed(&mut self, device: DeviceId, why: String, again: Option<Duration>, patience: Patience) {
        let (now, today, pace) = (Instant::now(), (self.context.clock)(), self.line.pace);
        let dice = (self.line.dice)();
        lock(&self.line.view).failures += 1;
        let asked = again.map(|again| again.min(pace.longest_rest));
        let pause = |tries| span(pace.between.pause(tries, dice)).max(asked.unwrap_or_default());
        let Some((waiting, age)) = self.queue.put_back(device, now, today, pause) else { return };
        let was_last = match patience {
            Patience::OfTries => waiting.tries >= pace.refused,
            Patience::OfTime => age >= pace.day,
        };
        if was_last {
            self.queue.settle(device);
            self.give_up(waiting.seq, &why);
        }
        let rest = self.is_down(device, patience, now).then(|| {
            self.downs = self.downs.saturating_add(1);
            span(pace.down.pause(self.downs, dice))
        });
        self.closed_until = self.closed_until.max(rest.max(asked).map(|rest| now + rest));
        if self.said.is_none() {
            tracing::warn!(webhook = %self.line.webhook.name, fact = waiting.seq, %device, "a webhook fails: {why}");
        }
        self.said = Some(why);
    }

    /// Whether this failure says that the receiver is down. One that finds something wrong with an event is not; and those
    /// that were on their way together say it once.
    fn is_down(&mut self, device: DeviceId, patience: Patience, now: Instant) -> bool {
        if patience == Patience::OfTries {
            return false;
        }
        if !self.in_a_row.contains(&device) && self.in_a_row.len() < DOWN {
            self.in_a_row.push(device);
        }
        self.in_a_row.len() == DOWN && self.closed_until.is_none_or(|until| until <= now)
    }

    fn give_up(&mut self, seq: u64, why: &str) {
        tracing::warn!(webhook = %self.line.webhook.name, fact = seq, "an event is given up: {why}");
        lock(&self.line.place).given_up += 1;
    }

    /// The receiver wants to hear nothing any more. What waits is given up.
    fn gone(&mut self) {
        let at = (self.context.clock)();
        self.flights.abort_all();
        {
            let mut place = lock(&self.line.place);
            place.given_up += self.queue.len() as u64;
            place.gone = Some(Gone { at, print: self.line.webhook.print() });
        }
        self.queue = Queue::default();
        let name = &self.line.webhook.name;
        tracing::warn!(webhook = %name, "the receiver is gone (410): nothing is sent until its configuration changes");
        self.tell_gone(at);
    }

    fn tell_gone(&self, at: Moment) {
        let words = format!(
            "its receiver said on {at} that it is gone (410): nothing is sent until its configuration changes; change it, or \
             remove it"
        );
        self.context.trouble(&self.line.trouble_name(), words);
        let mut view = lock(&self.line.view);
        view.take(&lock(&self.line.place), self.read, 0, None);
    }

    /// What `/healthz` calls the file.
    fn place_name(&self) -> String {
        format!("place of {}", self.line.trouble_name())
    }

    fn changed(&mut self) {
        self.unwritten.get_or_insert_with(Instant::now);
    }

    /// Says how it fares, to commands, `/healthz` and the log.
    fn show(&mut self) {
        let failing = self.queue.failing();
        let health = self.line.trouble_name();
        let failing = match (failing, &self.said) {
            (Some((since, tries)), Some(why)) => {
                let waits = self.queue.len();
                let words = format!("it has been failing since {since}, {waits} events wait: {why}");
                match tries >= TROUBLE {
                    true => self.context.trouble(&health, words),
                    false => self.context.well(&health),
                }
                Some(Failing { since, tries, why: why.clone() })
            }
            _ => {
                if self.said.take().is_some() {
                    tracing::info!(webhook = %self.line.webhook.name, "the webhook does not fail any more");
                }
                self.context.well(&health);
                None
            }
        };
        lock(&self.line.view).take(&lock(&self.line.place), self.read, self.queue.len(), failing);
    }

    /// Writes the place down, when it is time.
    async fn write(&mut self, now: bool) {
        let Some(since) = self.unwritten else { return };
        if !now && since.elapsed() < WRITE {
            return;
        }
        let place = {
            let mut place = lock(&self.line.place);
            place.read = self.read;
            place.waiting = self.queue.waiting();
            place.clone()
        };
        let file = self.line.file.clone();
        let written = tokio::task::spawn_blocking(move || file.write(&place)).await;
        self.unwritten = match written.unwrap_or_else(|bug| std::panic::resume_unwind(bug.into_panic())) {
            Ok(()) => {
                if std::mem::take(&mut self.unwritable) {
                    self.context.well(&self.place_name());
                }
                None
            }
            Err(error) => {
                let why = format!("it cannot be written down ({error}): a restart would repeat events");
                self.context.trouble(&self.place_name(), why);
                self.unwritable = true;
                Some(Instant::now() + REST)
            }
        };
    }
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}

fn span(pause: Millis) -> Duration {
    Duration::from_millis(pause.0)
}
