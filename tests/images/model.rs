//! Images that share much in a cache that is too small for them, whatever is asked in whatever order: each read is right,
//! nothing that the cache says it has is asked for again, and it takes the room that it says.

use std::{fs, path::Path, time::Duration};

use greenroom::{
    images::Images,
    model::image::{ImageFile, Tier},
};
use proptest::prelude::*;

use super::{
    MIB, count, fetch, file, noise,
    share::{on_disk, open, shared},
    warm,
};

/// The room on disk: three or four of the images, by what they share.
pub(crate) const ROOM: usize = 12 * MIB;

/// Eight images of about 4 MiB, each a row of stretches of which there are but ten; with their origins in `dir`.
pub(crate) fn images(dir: &Path) -> Vec<(ImageFile, bytes::Bytes)> {
    let stretches: Vec<bytes::Bytes> = (0..10).map(|n| noise(100 + n, 900_000 + 41_000 * n as usize)).collect();
    let rows = [
        [0, 1, 2, 3],
        [0, 1, 2, 4],
        [5, 1, 2, 3],
        [6, 7, 8, 9],
        [9, 8, 7, 6],
        [0, 0, 0, 0],
        [3, 5, 7, 9],
        [4, 4, 6, 1],
    ];
    let image = |(n, row): (usize, &[usize; 4])| {
        let mut bytes = vec![n as u8; 1000 * n];
        row.iter().for_each(|stretch| bytes.extend_from_slice(&stretches[*stretch]));
        let path = dir.join(format!("origin{n}"));
        if !path.exists() {
            fs::write(&path, &bytes).unwrap();
        }
        (file(&bytes, &[&format!("file:{}", path.display())]), bytes.into())
    };
    rows.iter().enumerate().map(image).collect()
}

#[derive(Debug, Clone)]
enum Step {
    Read(usize),
    Warm(usize),
    Share,
    Verify(usize),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..8usize).prop_map(Step::Read),
        4 => (0..8usize).prop_map(Step::Warm),
        2 => Just(Step::Share),
        1 => (0..8usize).prop_map(Step::Verify),
        1 => Just(Step::Reopen),
    ]
}

/// Waits for the fills whose readers are done already: their blobs get their names after that.
async fn at_rest(cache: &Images) {
    for _ in 0..1000 {
        if cache.coming().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a fill goes on for ever");
}

async fn run(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let known = images(dir.path());
    let blobs = dir.path().join("images/blobs");
    let (mut cache, _) = open(dir.path(), ROOM).await;
    for step in steps {
        let has = |n: usize| cache.status(&known[n].0.sha256).tier == Tier::Disk;
        match step {
            Step::Read(n) => {
                let (had, before) = (has(n), count(&cache.counters().origin_bytes));
                assert!(fetch(&cache, &known[n].0).await.unwrap() == known[n].1, "{n}");
                assert!(!had || count(&cache.counters().origin_bytes) == before, "{n} was there");
            }
            // It may not fit beside what is being read right now; no more may come of that.
            Step::Warm(n) => drop(warm(&cache, &known[n].0).await),
            Step::Share => {
                at_rest(&cache).await;
                shared(&cache).await;
                let (held, real) = (cache.held().1.0, on_disk(&blobs));
                // Each hole may miss two blocks.
                assert!(real < held + MIB as u64, "{held} held, {real} on the disk");
            }
            Step::Verify(n) => {
                at_rest(&cache).await;
                let had = has(n);
                assert_eq!(cache.verify(known[n].0.sha256).await, Ok(had));
            }
            Step::Reopen => {
                drop(cache);
                let warning;
                (cache, warning) = open(dir.path(), ROOM).await;
                assert_eq!(warning, None);
            }
        }
        assert!(cache.held().1.0 <= ROOM as u64, "{step:?}");
        assert_eq!(count(&cache.counters().rot), 0, "{step:?}: the index and the files agree");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_cache_is_right(steps in proptest::collection::vec(step(), 1..30)) {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(steps));
    }
}
