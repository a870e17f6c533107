//! Media that were made to do harm, or were harmed: they cost a message, and no more.

use std::{fs, os::unix::fs::FileExt, path::Path, time::Instant};

use greenroom::{
    images::{
        S3Settings,
        media::{self, Medium},
        survey,
    },
    model::image::Origin,
};

use super::stage::{Stage, noise};

/// Everything that is done with a medium. What it says of itself may be wrong; that it ends is what is asked.
async fn use_it(path: &Path, reads: bool) {
    let Ok(medium) = Medium::open(path) else { return };
    drop(media::recognise(&medium));
    if !reads {
        return;
    }
    for file in ["live/vmlinuz", "casper/initrd", "images/pxeboot/vmlinuz", "a/b/c/d"] {
        let origin: Origin = format!("iso:{}!/{file}", path.display()).parse().unwrap();
        let len = fs::metadata(path).unwrap().len();
        if let Ok((_, size)) = survey(&S3Settings::default(), &origin, |_, _| ()).await {
            // Extents may be named twice, but never lie outside: so there is an end to what one file can be.
            assert!(size.0 <= len * 1000, "{file} of {size} in a medium of {len} bytes");
        }
    }
}

#[tokio::test]
async fn a_medium_that_was_altered_anywhere_is_read_to_an_end() {
    let stage = Stage::new();
    let bytes = noise(1, 4000);
    let files: &[(&str, &[u8])] = &[
        ("live/vmlinuz", &bytes),
        ("live/initrd.img", &bytes),
        ("live/filesystem.squashfs", &bytes),
        ("casper/vmlinuz", &bytes),
        ("casper/initrd", &bytes),
        ("images/pxeboot/vmlinuz", &bytes),
        (".disk/info", b"Debian GNU/Linux 12 \"Bookworm\" - amd64"),
    ];
    for (kind, options) in [("rr.iso", &["-R"][..]), ("joliet.iso", &["-J", "--norock"]), ("plain.iso", &["--norock"])]
    {
        let good = fs::read(stage.iso(kind, "GOOD", options, files)).unwrap();
        let path = stage.path("bad.iso");
        let began = Instant::now();
        let mut seed = 1_u64;
        let mut dice = |of: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % of
        };
        // Descriptors and folders lie at the beginning; that is where a lie does harm.
        let end = good.len().min(100 * 2048);
        for round in 0..700 {
            let mut bad = good.clone();
            for _ in 0..1 + dice(12) {
                let at = 16 * 2048 + dice(end - 16 * 2048);
                bad[at] = [0, 0xff, 0x80, dice(256) as u8][dice(4)];
            }
            if round % 7 == 0 {
                bad.truncate(dice(bad.len()));
            }
            fs::write(&path, &bad).unwrap();
            use_it(&path, round % 20 == 0).await;
        }
        assert!(began.elapsed().as_secs() < 300, "{kind}: something in it takes for ever");
    }
}

#[tokio::test]
async fn a_folder_that_holds_itself_and_one_of_four_gigabytes_are_no_way_in() {
    let stage = Stage::new();
    let iso = stage.iso("good.iso", "GOOD", &["--norock"], &[("a/vmlinuz", b"kernel")]);
    let good = fs::read(&iso).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&iso).unwrap();
    // The record of the folder A: its block becomes that of the root.
    let root = u32::from_le_bytes(good[16 * 2048 + 158..16 * 2048 + 162].try_into().unwrap());
    let at = good.windows(4).position(|window| window == [1, b'A', 0, 0] || window == [1, b'A', 34, 0]).unwrap() - 32;
    file.write_all_at(&root.to_le_bytes(), at as u64 + 2).unwrap();
    let origin: Origin = format!("iso:{}!/{}vmlinuz", iso.display(), "a/".repeat(1000)).parse().unwrap();
    assert!(survey(&S3Settings::default(), &origin, |_, _| ()).await.unwrap_err().contains("it has no file"));
    file.write_all_at(&u32::MAX.to_le_bytes(), at as u64 + 10).unwrap();
    let origin: Origin = format!("iso:{}!/a/vmlinuz", iso.display()).parse().unwrap();
    assert!(survey(&S3Settings::default(), &origin, |_, _| ()).await.unwrap_err().contains("larger than any is"));
}
