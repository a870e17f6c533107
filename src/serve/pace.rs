//! How fast image files go out: no client faster than its rate, all of them together no faster than the total, and that
//! shared fairly.
//!
//! Each connection asks for an allowance before it sends, and sends what it was allowed. Who is allowed next is decided by
//! start-time fair queueing: each client (an IP address) has a tag that grows with what it was allowed, and the lowest tag
//! of those who wait goes first. So a client with sixteen connections gets what a client with one gets, and what one does
//! not ask for, the others get. A client that has used up its own rate does not take part until it owes nothing.
//!
//! Without any rate nobody asks: `Pacer::enter` gives no turn.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep_until},
};

use crate::model::Bytes;

use super::context::lock;

/// How much of a rate is allowed at once: a 64th of a second's bytes, within these bounds.
const ALLOWANCE: std::ops::RangeInclusive<u64> = 16 << 10..=16 << 20;
const PER_SECOND: u64 = 64;

/// What was not used in time is made up for, up to this: timers ring late.
const SLACK: Duration = Duration::from_millis(20);

/// Keeps the rates of a boot port.
pub struct Pacer {
    /// Of each client, in bytes a second.
    client: Option<Bytes>,
    limited: bool,
    queue: Mutex<Queue>,
    /// Rings when somebody waits who did not before.
    bell: Notify,
}

impl Pacer {
    /// Rates in bytes a second: of each client, and of all together.
    pub fn new(client: Option<Bytes>, total: Option<Bytes>) -> Self {
        let total_bucket = total.map(|rate| Bucket::new(rate.0, Instant::now()));
        let queue = Mutex::new(Queue { total: total_bucket, clients: HashMap::new(), tag: 0 });
        Self { client, limited: total.is_some(), queue, bell: Notify::new() }
    }

    /// A transfer's turn on the line; none when nothing limits it. `own` is a rate of this client alone.
    pub(super) fn enter(self: &Arc<Self>, client: IpAddr, own: Option<Bytes>) -> Option<Turn> {
        let rate = [self.client, own].into_iter().flatten().min();
        if rate.is_none() && !self.limited {
            return None;
        }
        lock(&self.queue).enter(client, rate.map(|rate| rate.0), Instant::now());
        Some(Turn { pacer: self.clone(), client, allowance: 0 })
    }

    /// Gives allowances when they are due, for as long as it is polled.
    pub(super) async fn run(&self) {
        loop {
            let due = lock(&self.queue).allow(Instant::now());
            let rung = self.bell.notified();
            match due {
                Some(due) => {
                    tokio::select! {
                        () = sleep_until(due) => {}
                        () = rung => {}
                    }
                }
                None => rung.await,
            }
        }
    }
}

/// One transfer's place in the queue.
pub(super) struct Turn {
    pacer: Arc<Pacer>,
    client: IpAddr,
    allowance: u64,
}

impl Turn {
    /// How many bytes may be sent now, at least one and at most `most`. Waits until some may be.
    pub(super) async fn allowed(&mut self, most: u64) -> u64 {
        if self.allowance == 0 {
            let (answer, allowed) = oneshot::channel();
            lock(&self.pacer.queue).wait(self.client, most, answer);
            self.pacer.bell.notify_one();
            // The pacer ends with the boot port, and then nothing is left to be shared.
            self.allowance = allowed.await.unwrap_or(most);
        }
        self.allowance.min(most)
    }

    /// So many of them were sent.
    pub(super) fn spend(&mut self, bytes: u64) {
        self.allowance = self.allowance.saturating_sub(bytes);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.pacer.queue).leave(self.client);
    }
}

/// Who waits, and who is owed what. Time is an argument.
struct Queue {
    total: Option<Bucket>,
    clients: HashMap<IpAddr, Client>,
    /// The tag of who was allowed last: nobody who comes later is owed more than those who wait.
    tag: u64,
}

#[derive(Default)]
struct Client {
    own: Option<Bucket>,
    tag: u64,
    waiting: VecDeque<(u64, oneshot::Sender<u64>)>,
    turns: usize,
}

impl Queue {
    fn enter(&mut self, ip: IpAddr, rate: Option<u64>, now: Instant) {
        let tag = self.tag;
        // Who came back with a new connection would otherwise begin anew each time.
        let owes = |client: &Client| client.tag > tag || client.own.as_ref().is_some_and(|own| own.free > now);
        if !self.clients.contains_key(&ip) {
            self.clients.retain(|_, client| client.turns > 0 || owes(client));
        }
        let client = self.clients.entry(ip).or_default();
        client.own = match (client.own.take(), rate) {
            // The lowest of the rates of one client's transfers holds for all of them.
            (Some(own), Some(rate)) if client.turns > 0 => Some(Bucket { rate: own.rate.min(rate), ..own }),
            (Some(own), Some(rate)) => Some(Bucket { rate, ..own }),
            (own, None) => own.filter(|_| client.turns > 0),
            (None, Some(rate)) => Some(Bucket::new(rate, now)),
        };
        client.turns += 1;
    }

    fn leave(&mut self, ip: IpAddr) {
        if let Some(client) = self.clients.get_mut(&ip) {
            client.turns -= 1;
        }
        if self.clients.values().all(|client| client.turns == 0) {
            self.clients.values_mut().for_each(|client| client.tag = 0);
            self.tag = 0;
        }
    }

    fn wait(&mut self, ip: IpAddr, most: u64, answer: oneshot::Sender<u64>) {
        if let Some(client) = self.clients.get_mut(&ip) {
            client.waiting.push_back((most, answer));
        }
    }

    /// Allows all that is due; when to look again, unless somebody comes to wait before.
    fn allow(&mut self, now: Instant) -> Option<Instant> {
        loop {
            let waiting = self.clients.values_mut().filter(|client| !client.waiting.is_empty());
            let (ready, later): (Vec<_>, Vec<_>) =
                waiting.partition(|client| client.own.as_ref().is_none_or(|own| own.free <= now));
            let Some(next) = ready.into_iter().min_by_key(|client| client.tag) else {
                return later.iter().filter_map(|client| Some(client.own.as_ref()?.free)).min();
            };
            if let Some(total) = self.total.as_ref().filter(|total| total.free > now) {
                return Some(total.free);
            }
            let Some((most, answer)) = next.waiting.pop_front() else { continue };
            let buckets = [self.total.as_mut(), next.own.as_mut()];
            let at_once = buckets.iter().flatten().map(|bucket| bucket.at_once()).min();
            let allowed = at_once.unwrap_or(most).min(most);
            // Whoever waited may be gone; it is owed nothing then.
            if answer.send(allowed).is_ok() {
                self.tag = next.tag.max(self.tag);
                next.tag = self.tag + allowed;
                buckets.into_iter().flatten().for_each(|bucket| bucket.take(allowed, now));
            }
        }
    }
}

/// A rate, and from when on its user owes nothing.
struct Bucket {
    rate: u64,
    free: Instant,
}

impl Bucket {
    fn new(rate: u64, now: Instant) -> Self {
        Self { rate, free: now }
    }

    fn at_once(&self) -> u64 {
        (self.rate / PER_SECOND).clamp(*ALLOWANCE.start(), *ALLOWANCE.end())
    }

    fn take(&mut self, bytes: u64, now: Instant) {
        let since = now.checked_sub(SLACK).map_or(self.free, |earliest| self.free.max(earliest));
        self.free = since + Duration::from_secs_f64(bytes as f64 / self.rate as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs connections that always want more for ten seconds of a clock that rings every two milliseconds; what each
    /// client got, in KiB a second. A client is its connections and its own rate.
    fn shares(total: Option<u64>, clients: &[(usize, Option<u64>)]) -> Vec<u64> {
        let began = Instant::now();
        let total = total.map(|rate| Bucket::new(rate, began));
        let mut queue = Queue { total, clients: HashMap::new(), tag: 0 };
        let ip = |n: usize| IpAddr::from([10, 0, 0, n as u8]);
        let mut got = vec![0; clients.len()];
        let mut pending: Vec<(usize, oneshot::Receiver<u64>)> = vec![];
        for (n, (connections, rate)) in clients.iter().enumerate() {
            for _ in 0..*connections {
                queue.enter(ip(n), *rate, began);
                let (answer, allowed) = oneshot::channel();
                queue.wait(ip(n), 1 << 30, answer);
                pending.push((n, allowed));
            }
        }
        for millis in (0..10_000).step_by(2) {
            queue.allow(began + Duration::from_millis(millis));
            for (n, allowed) in &mut pending {
                if let Ok(bytes) = allowed.try_recv() {
                    got[*n] += bytes;
                    let (answer, next) = oneshot::channel();
                    queue.wait(ip(*n), 1 << 30, answer);
                    *allowed = next;
                }
            }
        }
        got.iter().map(|bytes| bytes / 10 / 1024).collect()
    }

    fn near(got: &[u64], wanted: &[u64]) {
        assert_eq!(got.len(), wanted.len());
        let near = got.iter().zip(wanted).all(|(got, wanted)| got.abs_diff(*wanted) <= wanted / 20);
        assert!(near, "{got:?} is not {wanted:?}");
    }

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_client_gets_its_rate_however_many_connections_it_opens() {
        near(&shares(None, &[(1, Some(5 * MIB)), (16, Some(5 * MIB)), (3, Some(300 * MIB))]), &[5120, 5120, 307_200]);
    }

    #[test]
    fn the_total_is_shared_by_clients_not_by_connections() {
        near(&shares(Some(20 * MIB), &[(1, None), (16, None)]), &[10_240, 10_240]);
        near(&shares(Some(2048 * MIB), &[(1, None), (16, None)]), &[1_048_576, 1_048_576]);
    }

    #[test]
    fn what_one_client_leaves_the_others_get() {
        near(&shares(Some(20 * MIB), &[(4, Some(2 * MIB)), (1, None), (16, None)]), &[2048, 9216, 9216]);
        near(&shares(Some(20 * MIB), &[(1, Some(2 * MIB))]), &[2048]);
    }

    #[test]
    fn who_comes_back_with_a_new_connection_gets_no_more() {
        let began = Instant::now();
        let total = Some(Bucket::new(10 * MIB, began));
        let mut queue = Queue { total, clients: HashMap::new(), tag: 0 };
        let [steady, coming] = [1, 2].map(|n| IpAddr::from([10, 0, 0, n]));
        let mut got = [0, 0];
        queue.enter(steady, None, began);
        let (answer, mut first) = oneshot::channel();
        queue.wait(steady, 1 << 30, answer);
        queue.enter(coming, None, began);
        let (answer, mut second) = oneshot::channel();
        queue.wait(coming, 1 << 30, answer);
        for millis in 0..10_000 {
            let now = began + Duration::from_millis(millis);
            queue.allow(now);
            if let Ok(bytes) = first.try_recv() {
                got[0] += bytes;
                let (answer, next) = oneshot::channel();
                queue.wait(steady, 1 << 30, answer);
                first = next;
            }
            if let Ok(bytes) = second.try_recv() {
                got[1] += bytes;
                queue.leave(coming);
                queue.enter(coming, None, now);
                let (answer, next) = oneshot::channel();
                queue.wait(coming, 1 << 30, answer);
                second = next;
            }
        }
        near(&got.map(|bytes| bytes / 10 / 1024), &[5120, 5120]);
        queue.leave(steady);
        queue.leave(coming);
        assert!(queue.clients.len() <= 2 && queue.tag == 0, "who is gone is forgotten");
    }
}
