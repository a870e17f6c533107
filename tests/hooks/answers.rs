//! What receivers answer, and what comes of it. In each test one device's events fare badly: the others go on.

use std::{fs, time::Duration};

use greenroom::serve::webhook::Pace;

use crate::{
    receiver::{Answer, Receiver, Told, say},
    site::{Sender, assign, mac, order, quick, trouble, webhook},
    world::House,
};

/// The events of device 0 are answered so, all others are taken.
fn badly(answer: Answer) -> impl FnMut(&Told) -> Answer + Send {
    move |told| match told.device().ends_with(":00:00") {
        true => answer.clone(),
        false => say(200),
    }
}

async fn give(house: &House, devices: std::ops::Range<u16>, why: &str) {
    for n in devices {
        order(&house.context.engine, mac(n), assign(why)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_device_s_trouble_holds_up_that_device_alone() {
    for answer in [say(500), say(429), say(302), Answer::Hang, Answer::Reset] {
        let house = House::new().await;
        let receiver = Receiver::new(badly(answer.clone())).await;
        let sender = Sender::start(&house, webhook(&receiver.url()), quick());
        give(&house, 0..4, "first").await;
        give(&house, 0..4, "second").await;
        let taken = receiver.wait_for(6).await;
        assert!(taken.iter().all(|told| !told.device().ends_with(":00:00")), "{answer:?}");
        sender.wait("it was tried again", |view| view.failing.as_ref().is_some_and(|f| f.tries >= 3)).await;
        let words = trouble(&house).unwrap_or_default();
        assert!(words.contains("failing since") && words.contains("2 events wait"), "{answer:?}: {words}");
        let tried: Vec<u64> = receiver.told().iter().filter(|told| !told.taken).map(Told::seq).collect();
        assert!(tried.iter().all(|seq| *seq == 1), "{answer:?}: its second event waits for the first: {tried:?}");
        receiver.change(|_| say(200));
        let taken = receiver.wait_for(8).await;
        assert_eq!(taken[6..].iter().map(Told::seq).collect::<Vec<_>>(), [1, 5], "{answer:?}");
        sender.wait("all is well", |view| view.failing.is_none() && view.waiting == 0).await;
        assert_eq!(trouble(&house), None);
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_talkative_receiver_has_taken_the_event_and_nobody_listens_on() {
    for answer in [Answer::Say(200, String::new(), vec![b'x'; 10 << 20]), Answer::Half] {
        let house = House::new().await;
        let receiver = Receiver::new(badly(answer)).await;
        let sender = Sender::start(&house, webhook(&receiver.url()), quick());
        give(&house, 0..3, "first").await;
        give(&house, 0..3, "second").await;
        receiver.wait_for(6).await;
        let view = sender.wait("all were delivered", |view| view.delivered == 6).await;
        assert_eq!((view.failures, view.given_up), (0, 0));
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_receiver_says_is_wrong_is_given_up_after_five_tries_and_the_line_goes_on() {
    for status in [400, 401, 404, 422] {
        let house = House::new().await;
        let receiver = Receiver::new(move |told| say(if told.seq() == 1 { status } else { 200 })).await;
        let sender = Sender::start(&house, webhook(&receiver.url()), quick());
        give(&house, 0..1, "wrong").await;
        give(&house, 0..1, "right").await;
        assert_eq!(receiver.wait_for(1).await[0].seq(), 2);
        assert_eq!(receiver.told().len(), 6, "five tries of one, one of the other");
        let view = sender.wait("it knows", |view| view.delivered == 1).await;
        assert_eq!((view.given_up, view.failures), (1, 5));
        sender.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_heard_for_too_long_is_given_up() {
    let house = House::new().await;
    let receiver = Receiver::new(badly(say(503))).await;
    let pace = Pace { day: Duration::from_millis(60), ..quick() };
    let sender = Sender::start(&house, webhook(&receiver.url()), pace);
    give(&house, 0..2, "x").await;
    let view = sender.wait("it is given up", |view| view.given_up == 1 && view.delivered == 1).await;
    assert_eq!((view.waiting, view.failing), (0, None));
    let ids: std::collections::BTreeSet<String> =
        receiver.told().iter().filter(|told| !told.taken).map(|told| told.header("webhook-id")).collect();
    assert_eq!(ids.len(), 1, "every try of one event has the same id");
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_hears_nothing_more_until_the_configuration_changes() {
    let house = House::new().await;
    let receiver = Receiver::new(|_| say(410)).await;
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    give(&house, 0..3, "unheard").await;
    sender.wait("it knows", |view| view.gone.is_some()).await;
    assert!(trouble(&house).unwrap().contains("410"));
    let asks = receiver.told().len();
    sender.stop().await;
    // Neither time nor a restart bring it back.
    receiver.change(|_| say(200));
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    give(&house, 3..6, "unheard").await;
    sender.wait("it still knows", |view| view.gone.is_some()).await;
    sender.stop().await;
    assert_eq!(receiver.told().len(), asks);
    house.context.well("webhook desk");
    let sender = Sender::start(&house, webhook(&receiver.url().replace("greenroom", "new")), quick());
    give(&house, 7..8, "heard").await;
    let taken = receiver.wait_for(1).await;
    assert_eq!((taken[0].json()["data"]["why"].as_str(), taken[0].path.as_str()), (Some("heard"), "/new?key=s3cret"));
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_to_be_left_alone_is() {
    let house = House::new().await;
    let mut first = true;
    let receiver = Receiver::new(move |_| match std::mem::take(&mut first) {
        true => Answer::Say(429, "Retry-After: 2\r\n".into(), vec![]),
        false => say(200),
    })
    .await;
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    give(&house, 0..1, "x").await;
    receiver.wait_for(1).await;
    let told = receiver.told();
    assert_eq!(told.len(), 2);
    // It may well be later: that no pause is cut short is all that is said.
    assert!(told[1].at - told[0].at >= Duration::from_millis(1900), "it asked for two seconds");
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed() {
    let house = House::new().await;
    let other = Receiver::new(|_| say(200)).await;
    let to = format!("Location: {}\r\n", other.url());
    let receiver = Receiver::new(move |_| Answer::Say(301, to.clone(), vec![])).await;
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    give(&house, 0..1, "x").await;
    let view = sender.wait("it was tried", |view| view.failing.as_ref().is_some_and(|f| f.tries >= 3)).await;
    assert!(view.failing.unwrap().why.contains("redirects are not followed"));
    assert!(other.told().is_empty());
    sender.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_missing_or_no_key_is_said_and_a_good_one_needs_no_restart() {
    let house = House::new().await;
    let receiver = Receiver::new(|_| say(200)).await;
    let key = house.dir.path().join("secrets/desk-key");
    fs::create_dir_all(key.parent().unwrap()).unwrap();
    fs::write(&key, "hunter2hunter2").unwrap();
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    give(&house, 0..1, "x").await;
    let why = |view: &greenroom::serve::webhook::WebhookView| view.failing.as_ref().map(|failing| failing.why.clone());
    let view = sender.wait("it says so", |view| why(view).is_some()).await;
    let said = why(&view).unwrap();
    assert!(said.contains("whsec_$(openssl rand -base64 32)") && !said.contains("hunter2"), "{said}");
    fs::remove_file(&key).unwrap();
    sender.wait("it is missing", |view| why(view).is_some_and(|why| why.contains("cannot be read"))).await;
    fs::write(&key, crate::site::SECRET).unwrap();
    receiver.wait_for(1).await;
    assert_eq!(receiver.told().len(), 1, "nothing was sent unsigned");
    sender.stop().await;
}
