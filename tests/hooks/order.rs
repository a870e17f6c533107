//! Nothing is lost, and nothing of one device is out of order: whatever the receiver does, however often the sender starts.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    receiver::{Answer, Receiver, Told, say},
    site::{Sender, assign, mac, order, quick, webhook},
    world::House,
};

/// A generator of the test's own: a failure prints the seed that brings it back.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A receiver that takes two of three, and else does anything.
fn moody(seed: u64) -> impl FnMut(&Told) -> Answer + Send {
    let mut dice = Dice(seed);
    move |_| match dice.below(18) {
        0 => say(500),
        1 => say(429),
        2 => Answer::Reset,
        3 => say(503),
        4 => Answer::Hang,
        5 => say(408),
        _ => say(204),
    }
}

/// Held against the journal: every event is there, and those of a device came in their order.
fn check(told: &[Told], orders: u64, seed: u64) {
    let mut by_device: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for told in told {
        by_device.entry(told.device()).or_default().push(told.seq());
    }
    for (device, seqs) in &by_device {
        assert!(
            seqs.windows(2).all(|two| two[0] < two[1]),
            "seed {seed}: {device} was told of in this order: {seqs:?}"
        );
    }
    let seqs: BTreeSet<u64> = by_device.into_values().flatten().collect();
    assert_eq!(seqs, (1..=orders).collect(), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_device_come_in_order_whatever_the_receiver_does() {
    for seed in 1..=3 {
        let house = House::new().await;
        let receiver = Receiver::new(moody(seed)).await;
        let sender = Sender::start(&house, webhook(&receiver.url()), quick());
        for n in 0..120u16 {
            order(&house.context.engine, mac(n % 7), assign(&format!("the order {n}"))).await;
        }
        check(&receiver.wait_for(120).await, 120, seed);
        let view = sender.wait("nothing waits", |view| view.waiting == 0).await;
        assert_eq!((view.delivered, view.given_up, view.failing), (120, 0, None), "seed {seed}");
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_stops_again_and_again_loses_nothing() {
    for seed in 11..=12 {
        let house = House::new().await;
        let receiver = Receiver::new(moody(seed)).await;
        let mut dice = Dice(seed);
        let mut sender = Sender::start(&house, webhook(&receiver.url()), quick());
        for n in 0..120u16 {
            order(&house.context.engine, mac(n % 5), assign(&format!("the order {n}"))).await;
            if dice.below(12) == 0 {
                sender.stop().await;
                // What happens while nobody sends is told as well.
                order(&house.context.engine, mac(99), assign("meanwhile")).await;
                sender = Sender::start(&house, webhook(&receiver.url()), quick());
            }
        }
        let orders = *house.context.engine.kept().borrow();
        assert!(orders > 120, "it was stopped in between");
        check(&receiver.wait_for(orders as usize).await, orders, seed);
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_before_a_stop_is_not_told_again() {
    let house = House::new().await;
    // One device fails for good; the others' events lie behind it in the journal.
    let receiver = Receiver::new(|told| say(if told.device().ends_with(":00") { 500 } else { 200 })).await;
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    for n in 0..10 {
        order(&house.context.engine, mac(n), assign("x")).await;
    }
    receiver.wait_for(9).await;
    sender.wait("nine are known to be delivered", |view| view.delivered == 9).await;
    sender.stop().await;
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    receiver.change(|_| say(200));
    receiver.wait_for(10).await;
    sender.stop().await;
    let taken = receiver.told().iter().filter(|told| told.taken).count();
    assert_eq!(taken, 10, "the nine were told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_receiver_costs_a_thousand_numbers_and_hears_everything_in_the_end() {
    let house = House::new().await;
    let gone = Receiver::new(|_| say(200)).await;
    let (address, url) = (gone.address, gone.url());
    drop(gone);
    let sender = Sender::start(&house, webhook(&url), quick());
    for n in 0..1500u16 {
        order(&house.context.engine, mac(n % 100), assign("x")).await;
    }
    let view = sender.wait("it is full", |view| view.waiting == 1024 && view.failing.is_some()).await;
    assert!(view.read < 1500, "the rest waits in the journal: {view:?}");
    let receiver = Receiver::at(address, |_| say(200)).await;
    check(&receiver.wait_for(1500).await, 1500, 0);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_begins_with_what_happens_next() {
    let house = House::new().await;
    order(&house.context.engine, mac(1), assign("long ago")).await;
    let receiver = Receiver::new(|_| say(200)).await;
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    order(&house.context.engine, mac(1), assign("now")).await;
    receiver.wait_for(1).await;
    sender.stop().await;
    // It was taken out of the configuration for a while.
    Sender::start(
        &house,
        greenroom::serve::webhook::Webhook { name: "other".into(), ..webhook(&receiver.url()) },
        quick(),
    )
    .stop()
    .await;
    order(&house.context.engine, mac(1), assign("unheard")).await;
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    order(&house.context.engine, mac(1), assign("again")).await;
    let told = receiver.wait_for(2).await;
    let whys: Vec<String> = told.iter().map(|told| told.json()["data"]["why"].as_str().unwrap().to_owned()).collect();
    assert_eq!(whys, ["now", "again"]);
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_on_the_disk_is_told() {
    let house = House::new().await;
    let engine = &house.context.engine;
    let mut kept = engine.kept();
    for n in 0..5 {
        order(engine, mac(n), assign("a promise")).await;
        assert!(*kept.borrow_and_update() > u64::from(n), "what is promised is on the disk when the reply comes");
    }
    // The first steps of a boot are no promises: they follow within a second or so, and are told then. A sync can come after
    // one of them, but not after each.
    let mut behind = 0;
    for n in 0..30 {
        house.begin(n).await;
        behind += u32::from(*kept.borrow_and_update() < engine.world().seq);
    }
    assert!(behind > 0, "what a crash could take back is said to be on the disk");
    let all = engine.world().seq;
    tokio::time::timeout(std::time::Duration::from_secs(60), kept.wait_for(|kept| *kept >= all))
        .await
        .unwrap()
        .unwrap();
    let on_disk: Vec<u64> = house.context.journal.records_from(1).unwrap().map(|record| record.unwrap().seq).collect();
    assert!(on_disk.len() as u64 >= all);
}
