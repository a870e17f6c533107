//! Devices that have just come: what they will ask for is pulled up while their firmware is still at it.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use greenroom::{
    model::{
        Moment,
        image::{Role, Tier},
        staged::Because,
    },
    stage::StepKind,
};

use super::{
    past::{found, is_here, mac, persona, predict, run, until},
    world::{House, noise},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_packet_of_a_device_pulls_its_image_up() {
    let house = House::new().await;
    run(&house);
    until("it has looked ahead", || house.context.outlook.get().at > Moment::default()).await;
    let boot = house.begin(1).await;
    let image = house.context.engine.ground().catalog.images().next().unwrap().clone();
    until("all of it is here", || image.files.values().all(|file| is_here(&house, &file.sha256))).await;
    until("it is noted", || house.context.keeper.staged().discover.0 == 3_301_001).await;
    assert_eq!(house.context.images.counters().misses.load(std::sync::atomic::Ordering::Relaxed), 0);
    let files = found(&house, boot).await;
    let roles: BTreeSet<Role> = files.iter().map(|file| file.role).collect();
    assert_eq!(roles.len(), 3);
    for file in &files {
        assert_eq!((file.because, file.lead.is_some()), (Because::Discover, true), "{files:?}");
        assert_ne!(file.tier, Tier::Origin);
    }
    assert_eq!(house.metric("greenroom_staged_files_total{kind=\"discover\"}").await, Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_devices_with_three_personas_pull_three_images_once() {
    let house = House::new().await;
    let mut images = vec![];
    for (n, name) in ["red", "green", "blue"].into_iter().enumerate() {
        let bytes = noise(1_500_000, 40 + n as u32);
        let (origin, digest) = persona(&house, name, &bytes).await;
        images.push((name, bytes, origin, digest));
    }
    predict(&house, (1..=500).map(|n| (mac(n), images[usize::from(n) % 3].0.to_owned(), 0.9)));
    run(&house);
    let house = &house;
    join_all((1..=500).map(|n| async move { house.begin_as(mac(n)).await })).await;
    until("all three are asked for", || images.iter().all(|(_, _, origin, _)| origin.asked() == 1)).await;
    images.iter().for_each(|(_, bytes, origin, _)| origin.give(bytes.len()));
    until("they are here", || images.iter().all(|(_, _, _, digest)| is_here(house, digest))).await;
    until("nothing is pulled up any more", || house.context.keeper.rushing().is_empty()).await;
    assert_eq!(house.context.keeper.done().of(StepKind::Fetch), (3, 4_500_000));
    assert!(images.iter().all(|(_, _, origin, _)| origin.asked() == 1), "once each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guess_that_is_not_likely_waits_until_the_keeper_has_time() {
    let house = House::new().await;
    let bytes = noise(300_000, 50);
    let (origin, digest) = persona(&house, "rare", &bytes).await;
    origin.give(bytes.len());
    predict(&house, [(mac(1), "rare".to_owned(), 0.2)]);
    run(&house);
    until("it has looked ahead", || house.context.outlook.get().at > Moment::default()).await;
    house.begin(1).await;
    until("the guess is here as well", || is_here(&house, &digest)).await;
    // The default, which the rest goes to, is what was pulled up.
    until("all is noted", || house.context.keeper.staged().discover.0 == 3_301_001).await;
    until("the guess is the forecast's", || house.context.keeper.staged().forecast.0 == 300_000).await;
}
