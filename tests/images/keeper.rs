//! The keeper, beside devices and without them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use greenroom::{
    images::{
        Hold, Images, Keeper, Kept, OriginSettings, Settings,
        keeper::{Carried, Turn},
    },
    model::{
        Bytes, Digest,
        image::{ImageFile, Tier},
    },
    stage::Aim,
    stage::StepKind,
};

use super::{
    MIB, cache_of, count, fetch, file, noise, origin_server::OriginServer, port::free_port, read, share, unsized_file,
    warm,
};

/// How long anything may take before a test gives up on it.
const LIMIT: Duration = Duration::from_secs(60);

/// A blob of so many MiB and its server.
async fn blob(seed: u64, mib: usize) -> (ImageFile, bytes::Bytes, OriginServer) {
    let bytes = noise(seed, mib * MIB);
    let server = OriginServer::good(bytes.clone()).await;
    (file(&bytes, &[&server.url]), bytes, server)
}

/// A keeper in no hurry to slow down.
fn keeper(images: &Images) -> Keeper {
    Keeper::new(images.clone(), Bytes(1 << 40))
}

fn tell(keeper: &Keeper, files: &[&ImageFile], pins: &[(&ImageFile, Tier)]) {
    let pins: BTreeMap<Digest, Tier> = pins.iter().map(|(file, tier)| (file.sha256, *tier)).collect();
    keeper.tell(files.iter().copied().cloned(), pins);
}

/// Turns until there is nothing to do; what was done, in order.
async fn settle(keeper: &Keeper) -> Vec<Turn> {
    let turns = async {
        let mut turns = vec![];
        loop {
            match keeper.turn().await {
                Turn::Idle => return turns,
                Turn::Held(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                turn => turns.push(turn),
            }
        }
    };
    tokio::time::timeout(LIMIT, turns).await.expect("it comes to rest")
}

/// Waits until something holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let look = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, look).await.unwrap_or_else(|_| panic!("not so: {what}"));
}

fn tier(images: &Images, file: &ImageFile) -> Tier {
    images.status(&file.sha256).tier
}

fn kinds(turns: &[Turn]) -> Vec<StepKind> {
    let kind = |turn: &Turn| match turn {
        Turn::Took(step) => Some(step.kind),
        _ => None,
    };
    turns.iter().filter_map(kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pinned_is_fetched_before_anybody_asks_and_stays_until_it_is_pinned_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 0, 9 * MIB);
    let keeper = keeper(&images);
    let (a, b, c) = (blob(1, 4).await, blob(2, 4).await, blob(3, 4).await);
    let all = [&a.0, &b.0, &c.0];
    tell(&keeper, &all, &[(&a.0, Tier::Disk)]);
    assert_eq!(kinds(&settle(&keeper).await), [StepKind::Fetch]);
    assert_eq!((tier(&images, &a.0), a.2.asked().len(), b.2.asked().len()), (Tier::Disk, 1, 0));
    assert_eq!((count(&images.counters().misses), keeper.done().of(StepKind::Fetch)), (0, (1, 4 << 20)));
    // Whatever else is asked for.
    for _ in 0..3 {
        for other in [&b, &c] {
            assert!(fetch(&images, &other.0).await.unwrap() == other.1);
            warm(&images, &other.0).await.unwrap();
        }
    }
    settle(&keeper).await;
    assert_eq!((tier(&images, &a.0), a.2.asked().len()), (Tier::Disk, 1));
    tell(&keeper, &all, &[]);
    warm(&images, &b.0).await.unwrap();
    warm(&images, &c.0).await.unwrap();
    assert_eq!((tier(&images, &a.0), tier(&images, &b.0), tier(&images, &c.0)), (Tier::Origin, Tier::Disk, Tier::Disk));
}

/// On one thread, so that what asks leave behind has been done when they are over.
#[tokio::test]
async fn a_hot_blob_climbs_into_ram_and_a_cold_one_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 9 * MIB, 64 * MIB);
    let keeper = keeper(&images);
    let (a, b, hot) = (blob(1, 4).await, blob(2, 4).await, blob(3, 4).await);
    tell(&keeper, &[&a.0, &b.0, &hot.0], &[]);
    warm(&images, &a.0).await.unwrap();
    warm(&images, &b.0).await.unwrap();
    let readers = (images.blob(&a.0).await.unwrap(), images.blob(&b.0).await.unwrap());
    // While both are read out of RAM, the third finds no room there however often it is asked for.
    for _ in 0..9 {
        fetch(&images, &hot.0).await.unwrap();
    }
    until("its fill is over", || images.coming().is_empty()).await;
    assert_eq!((tier(&images, &hot.0), kinds(&settle(&keeper).await)), (Tier::Disk, vec![]));
    drop(readers);
    assert_eq!(kinds(&settle(&keeper).await), [StepKind::Demote, StepKind::Promote]);
    assert_eq!(tier(&images, &hot.0), Tier::Ram);
    let others = [tier(&images, &a.0), tier(&images, &b.0)];
    assert!(others.contains(&Tier::Ram) && others.contains(&Tier::Disk), "{others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_read_fetched_or_pinned_is_not_evicted_though_it_is_ordered() {
    for ram in [0, 64 * MIB] {
        let dir = tempfile::tempdir().unwrap();
        let images = cache_of(dir.path(), ram, 64 * MIB);
        let keeper = keeper(&images);
        let a = blob(1, 4).await;
        tell(&keeper, &[&a.0], &[]);
        assert_eq!(keeper.evict(&a.0.sha256, false), Err(Kept::Absent));
        warm(&images, &a.0).await.unwrap();
        let before = tier(&images, &a.0);
        let mut slow = images.blob(&a.0).await.unwrap().reader(0..u64::MAX);
        let piece = slow.next(1000).await.unwrap().unwrap();
        let mut got = slow.bytes(piece).await.unwrap().to_vec();
        assert_eq!(keeper.evict(&a.0.sha256, false), Err(Kept::Read));
        assert_eq!(tier(&images, &a.0), before);
        while let Some(piece) = slow.next(1 << 20).await.unwrap() {
            got.extend_from_slice(&slow.bytes(piece).await.unwrap());
        }
        assert!(got == a.1);
        drop(slow);
        tell(&keeper, &[&a.0], &[(&a.0, Tier::Disk)]);
        assert_eq!(keeper.evict(&a.0.sha256, false), Err(Kept::Pinned(Tier::Disk)));
        tell(&keeper, &[&a.0], &[]);
        let taken = if ram == 0 { 4 } else { 8 };
        // An ask leaves a task behind that looks whether it may climb: it reads for a moment, too.
        until("it goes", || keeper.evict(&a.0.sha256, false) == Ok(Bytes(taken << 20))).await;
        assert_eq!((tier(&images, &a.0), images.held()), (Tier::Origin, Default::default()));
        // It does not come back by itself, and at once when somebody asks.
        assert_eq!(kinds(&settle(&keeper).await), []);
        assert!(fetch(&images, &a.0).await.unwrap() == a.1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evicted_from_ram_a_blob_stays_on_disk_and_a_pin_to_ram_brings_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 64 * MIB, 64 * MIB);
    let keeper = keeper(&images);
    let a = blob(1, 4).await;
    tell(&keeper, &[&a.0], &[]);
    warm(&images, &a.0).await.unwrap();
    assert_eq!(keeper.evict(&a.0.sha256, true), Ok(Bytes(4 << 20)));
    assert_eq!((kinds(&settle(&keeper).await), tier(&images, &a.0)), (vec![], Tier::Disk));
    assert_eq!(keeper.plan().waiting[0].why, "an operator evicted it");
    tell(&keeper, &[&a.0], &[(&a.0, Tier::Ram)]);
    assert_eq!((kinds(&settle(&keeper).await), tier(&images, &a.0)), (vec![StepKind::Promote], Tier::Ram));
    assert_eq!(a.2.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keeper_fetches_nothing_while_devices_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 64 * MIB, 64 * MIB);
    let keeper = keeper(&images);
    let (served, wanted) = (blob(1, 16).await, blob(2, 4).await);
    warm(&images, &served.0).await.unwrap();
    let devices: Vec<_> = (0..2)
        .map(|_| {
            let (images, file) = (images.clone(), served.0.clone());
            tokio::spawn(async move {
                loop {
                    read(images.blob(&file).await.unwrap()).await.1.unwrap();
                }
            })
        })
        .collect();
    until("they are noticed", || images.hold() == Some(Hold::Serving)).await;
    tell(&keeper, &[&served.0, &wanted.0], &[(&wanted.0, Tier::Disk)]);
    for _ in 0..20 {
        assert_eq!(keeper.turn().await, Turn::Held(Hold::Serving));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let plan = keeper.plan();
    assert_eq!((plan.hold, plan.steps.len(), wanted.2.asked().len()), (Some(Hold::Serving), 1, 0));
    devices.iter().for_each(tokio::task::JoinHandle::abort);
    settle(&keeper).await;
    assert_eq!((wanted.2.asked().len(), images.status(&wanted.0.sha256).len), (1, Some(Bytes(4 << 20))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_joins_a_slow_fetch_of_the_keeper_does_not_wait_for_its_pace() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 0, 64 * MIB);
    // At this pace it would take four hours.
    let keeper = Arc::new(Keeper::new(images.clone(), Bytes(1024)));
    let a = blob(1, 16).await;
    tell(&keeper, &[&a.0], &[(&a.0, Tier::Disk)]);
    let turning = tokio::spawn({
        let keeper = keeper.clone();
        async move { keeper.turn().await }
    });
    until("it is fetched", || !a.2.asked().is_empty()).await;
    assert!(!images.coming()[0].waited);
    let got = tokio::time::timeout(LIMIT, fetch(&images, &a.0)).await.expect("at full speed").unwrap();
    assert!(got == a.1);
    let turn = tokio::time::timeout(LIMIT, turning).await.expect("it is over for the keeper as well").unwrap();
    assert!(matches!(turn, Turn::Took(step) if step.kind == StepKind::Fetch), "{turn:?}");
    assert_eq!(a.2.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_is_away_is_told_and_holds_up_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 0, 64 * MIB);
    let keeper = keeper(&images);
    let here = blob(2, 4).await;
    let closed = free_port();
    let lost = noise(1, MIB);
    let url = format!("http://127.0.0.1:{closed}/image");
    for away in [file(&lost, &[&url]), unsized_file(&lost, &[&url])] {
        tell(&keeper, &[&away, &here.0], &[(&away, Tier::Disk), (&here.0, Tier::Disk)]);
        settle(&keeper).await;
        assert_eq!((tier(&images, &away), tier(&images, &here.0)), (Tier::Origin, Tier::Disk));
        let missing = keeper.missing();
        assert!(missing.len() == 1 && missing[0].why.contains(&closed.to_string()), "{missing:?}");
        assert!(missing[0].digest == away.sha256 && missing[0].again_in.0 > 0, "{missing:?}");
        // An operator need not wait until it is tried again; it is still away.
        let mut ended = vec![];
        keeper
            .carry_out(|carried| {
                if let Carried::Ended(step, result) = carried {
                    ended.push((step.kind, result.is_ok()));
                }
            })
            .await;
        let tried = if away.size.is_some() { vec![(StepKind::Fetch, false)] } else { vec![] };
        assert_eq!(ended, tried);
        // Nobody misses what nobody wants.
        tell(&keeper, &[&away, &here.0], &[(&here.0, Tier::Disk)]);
        settle(&keeper).await;
        assert_eq!(keeper.missing(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_that_no_manifest_says_is_asked_for_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 0, 9 * MIB);
    let keeper = keeper(&images);
    let (a, b) = (blob(1, 4).await, blob(2, 10).await);
    let (a_file, b_file) = (unsized_file(&a.1, &[&a.2.url]), unsized_file(&b.1, &[&b.2.url]));
    tell(&keeper, &[&a_file, &b_file], &[(&a_file, Tier::Disk), (&b_file, Tier::Disk)]);
    let turns = settle(&keeper).await;
    assert_eq!(kinds(&turns), [StepKind::Fetch], "the other one is larger than the disk: {turns:?}");
    assert_eq!((tier(&images, &a_file), tier(&images, &b_file)), (Tier::Disk, Tier::Origin));
    let account = keeper.account(&b_file.sha256).unwrap();
    assert_eq!((account.len, b.2.asked().len()), (Some(Bytes(10 << 20)), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_be_wanted_while_a_plan_is_carried_out_is_measured_before_it_is_fetched() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 0, 9 * MIB);
    let keeper = keeper(&images);
    let (a, b) = (blob(1, 4).await, blob(2, 10).await);
    let (a_file, b_file) = (unsized_file(&a.1, &[&a.2.url]), unsized_file(&b.1, &[&b.2.url]));
    tell(&keeper, &[&a_file, &b_file], &[(&a_file, Tier::Disk)]);
    let mut begun = vec![];
    let carried = keeper.carry_out(|carried| {
        if let Carried::Begins(step) = carried {
            begun.push(step.digest);
            // Somebody pins the other one at this moment. It is larger than the disk, which nobody has asked it yet.
            tell(&keeper, &[&a_file, &b_file], &[(&a_file, Tier::Disk), (&b_file, Tier::Disk)]);
        }
    });
    tokio::time::timeout(LIMIT, carried).await.expect("it ends");
    assert_eq!((begun, tier(&images, &a_file)), (vec![a_file.sha256], Tier::Disk));
    assert_eq!(keeper.account(&b_file.sha256).unwrap().len, Some(Bytes(10 << 20)));
    assert_eq!(b.2.asked().len(), 1, "how long it is, and nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_ram_has_is_written_to_disk_before_it_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 9 * MIB, 13 * MIB);
    let keeper = keeper(&images);
    let (big, only, b, c) = (blob(1, 10).await, blob(2, 4).await, blob(3, 4).await, blob(4, 4).await);
    let all = [&big.0, &only.0, &b.0, &c.0];
    warm(&images, &big.0).await.unwrap();
    let reader = images.blob(&big.0).await.unwrap();
    fetch(&images, &only.0).await.unwrap();
    until("it is in RAM", || tier(&images, &only.0) == Tier::Ram).await;
    drop(reader);
    assert!(keeper.evict(&big.0.sha256, false).is_ok());
    assert_eq!(images.held().1, Bytes(0), "RAM alone has it");
    tell(&keeper, &all, &[(&b.0, Tier::Ram), (&c.0, Tier::Disk)]);
    settle(&keeper).await;
    tell(&keeper, &all, &[(&b.0, Tier::Ram), (&c.0, Tier::Ram)]);
    assert_eq!(kinds(&settle(&keeper).await), [StepKind::Demote, StepKind::Promote]);
    let tiers: Vec<Tier> = all.iter().map(|file| tier(&images, file)).collect();
    assert_eq!(tiers, [Tier::Origin, Tier::Disk, Tier::Ram, Tier::Ram]);
    assert!(fetch(&images, &only.0).await.unwrap() == only.1);
    assert_eq!(only.2.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_nobody_has_hashed_since_the_start_is_looked_at_before_a_device_asks() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (blob(1, 1).await, blob(2, 1).await);
    {
        let images = cache_of(dir.path(), 0, 64 * MIB);
        warm(&images, &good.0).await.unwrap();
        warm(&images, &bad.0).await.unwrap();
    }
    std::fs::remove_dir_all(dir.path().join("images/index")).unwrap();
    let name = bad.0.sha256.to_string();
    let path = dir.path().join("images/blobs").join(&name[..2]).join(&name);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[77] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    // The lock goes with the last task that still holds the old cache.
    let origins = OriginSettings::new(|| 4);
    let settings =
        Settings { dir: dir.path().join("images"), ram: Bytes(0), disk: Bytes(64 << 20), aim: Aim::Hits, origins };
    until("it opens again", || Images::open(&settings).is_ok()).await;
    let images = Images::open(&settings).unwrap().0;
    let keeper = keeper(&images);
    tell(&keeper, &[&good.0, &bad.0], &[]);
    let mut turns = settle(&keeper).await;
    turns.sort_by_key(|turn| matches!(turn, Turn::Scrubbed(_, false)));
    assert_eq!(turns, [Turn::Scrubbed(good.0.sha256, true), Turn::Scrubbed(bad.0.sha256, false)]);
    assert_eq!((tier(&images, &bad.0), count(&images.counters().rot)), (Tier::Origin, 1));
    assert_eq!(keeper.done().scrubbed(), 2 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_images_share_leaves_room_for_more_and_nothing_goes_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let images = cache_of(dir.path(), 0, 36 * MIB);
    let keeper = keeper(&images);
    let (one, two) = share::versions(16);
    let servers = (OriginServer::good(one.clone()).await, OriginServer::good(two.clone()).await);
    let (one, two) = (file(&one, &[&servers.0.url]), file(&two, &[&servers.1.url]));
    let other = blob(9, 12).await;
    warm(&images, &one).await.unwrap();
    warm(&images, &two).await.unwrap();
    share::shared(&images).await;
    // 44 MiB in all, on a disk of 36.
    tell(&keeper, &[&one, &two, &other.0], &[(&other.0, Tier::Disk)]);
    assert_eq!(kinds(&settle(&keeper).await), [StepKind::Fetch]);
    let tiers: Vec<Tier> = [&one, &two, &other.0].iter().map(|file| tier(&images, file)).collect();
    assert_eq!(tiers, [Tier::Disk; 3]);
}
