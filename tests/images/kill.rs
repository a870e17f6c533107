//! A cache that is killed while it fills, shares and evicts: what it says it has after that is right, and nothing has to be
//! fetched again for it.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use greenroom::model::image::Tier;

use super::{
    MIB, count, fetch, file,
    model::{ROOM, images},
    share::{on_disk, open, shared},
    warm,
};

const ROUNDS: u64 = 25;

/// Where the victim has its cache.
const FOLDER: &str = "GREENROOM_TEST_KILLED_IMAGES";

/// The victim: fills, shares and evicts until it is killed. Does nothing when run as an ordinary test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_images() {
    let Some(dir) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let (known, (cache, _)) = (images(&dir), open(&dir, ROOM).await);
    let mut dice = std::process::id() as usize;
    loop {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (file, bytes) = &known[(dice >> 33) % known.len()];
        match (dice >> 40) % 4 {
            0 => assert!(fetch(&cache, file).await.unwrap() == *bytes),
            1 => drop(cache.dedup().await),
            _ => drop(warm(&cache, file).await),
        }
        std::io::stdout().write_all(b"STEP\n").unwrap();
    }
}

/// What a start finds after a kill; how many images it has. That it warns of nothing is a promise: whatever was under way, an
/// eviction as well, no file is left of which nobody knows where the rest lies.
async fn check(dir: &Path, round: u64) -> usize {
    let known = images(dir);
    let (cache, warning) = open(dir, ROOM).await;
    assert_eq!(warning, None, "round {round}");
    let mut served = 0;
    for (found, bytes) in &known {
        if cache.status(&found.sha256).tier == Tier::Disk {
            served += 1;
            let orphan = file(bytes, &[]);
            assert!(fetch(&cache, &orphan).await.unwrap() == *bytes, "round {round}");
        }
    }
    assert_eq!(count(&cache.counters().rot), 0, "round {round}: the map was on the disk before its holes");
    shared(&cache).await;
    let (held, real) = (cache.held().1.0, on_disk(&dir.join("images/blobs")));
    assert!(real < held + MIB as u64, "round {round}: {held} held, {real} on the disk");
    served
}

#[test]
fn a_cache_that_is_killed_has_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    images(dir.path());
    let mut found = 0;
    for round in 0..ROUNDS {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::killed_images", "--nocapture", "--test-threads", "1"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // After one to four steps, somewhere in the next one.
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines().map_while(Result::ok);
        let steps = lines.by_ref().filter(|line| line.ends_with("STEP")).take(1 + round as usize % 4);
        assert!(steps.count() > 0, "the victim works");
        std::thread::sleep(Duration::from_millis(round * 173 % 400));
        victim.kill().unwrap();
        victim.wait().unwrap();
        // Read from up to now, so that it did not end by itself.
        drop(lines);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        found += runtime.block_on(check(dir.path(), round));
    }
    assert!(found as u64 >= ROUNDS, "the victims were under load: {found} images were there");
}
