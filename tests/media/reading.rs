//! Files of media as origins: the bytes that come are those that went in, whatever keeps the names.

use std::{fs, os::unix::fs::FileExt, path::Path};

use futures_util::StreamExt;
use greenroom::{
    images::{Images, OriginSettings, S3Settings, Settings, survey},
    model::{
        Bytes,
        image::{ImageFile, Origin},
    },
    stage::Aim,
};

use super::stage::{Stage, noise, run, sha256};

fn origin(iso: &Path, path: &str) -> Origin {
    format!("iso:{}!/{path}", iso.display()).parse().unwrap()
}

async fn digest_of(iso: &Path, path: &str) -> Result<String, String> {
    survey(&S3Settings::default(), &origin(iso, path), |_, _| ()).await.map(|(digest, _)| digest.to_string())
}

#[tokio::test]
async fn names_are_read_as_each_extension_keeps_them() {
    let stage = Stage::new();
    let long = format!("boot/{}", "a-very-long-name-".repeat(14));
    let bytes = noise(1, 70_001);
    let files: &[(&str, &[u8])] = &[("boot/Kernel-6.1.bin", &bytes), (&long, b"long"), ("boot/größe.img", b"umlaut")];
    for (kind, options) in
        [("rock-ridge", &["-R"][..]), ("joliet", &["-J", "--norock", "-joliet-long"]), ("both", &["-R", "-J"])]
    {
        let name = format!("{kind}.iso");
        // Joliet ends names at 103 characters.
        let files = if kind == "joliet" { [files[0], files[2]].to_vec() } else { files.to_vec() };
        let iso = stage.iso(&name, "NAMES", options, &files);
        for (path, bytes) in files {
            assert_eq!(digest_of(&iso, path).await, Ok(sha256(bytes)), "{kind}: {path}");
        }
    }
    let iso = stage.iso("plain.iso", "NAMES", &["--norock", "-iso-level", "2"], &[("boot/vmlinuz", &bytes)]);
    // The medium has BOOT/VMLINUZ.;1, and people ask as they always do.
    assert_eq!(digest_of(&iso, "boot/vmlinuz").await, Ok(sha256(&bytes)));
    assert!(digest_of(&iso, "boot/other").await.unwrap_err().contains("it has no file /boot/other"));
    assert!(digest_of(&iso, "boot").await.unwrap_err().contains("is a folder"));
}

/// Where the directory record of a name of 1988 begins.
fn record(bytes: &[u8], name: &str) -> usize {
    bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap() - 33
}

#[tokio::test]
async fn a_file_of_several_extents_is_one_file() {
    let (first, second) = (noise(1, 2048 * 300), noise(2, 100_003));
    let stage = Stage::new();
    let iso =
        stage.iso("two.iso", "TWO", &["--norock"], &[("a.bin", &first), ("b.bin", &second), ("c.bin", b"another")]);
    // What xorriso writes for files of more than 4 GiB: the flag "it goes on", and the same name again.
    let bytes = fs::read(&iso).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&iso).unwrap();
    file.write_all_at(&[0x80], record(&bytes, "A.BIN;1") as u64 + 25).unwrap();
    file.write_all_at(b"A", record(&bytes, "B.BIN;1") as u64 + 33).unwrap();
    let whole = [first, second].concat();
    assert_eq!(digest_of(&iso, "a.bin").await, Ok(sha256(&whole)));
    assert_eq!(digest_of(&iso, "c.bin").await, Ok(sha256(b"another")));

    // Through the cache, and from the middle on, as a range of a device that resumes.
    let origins = OriginSettings::new(|| 4);
    let settings = Settings { dir: stage.path("images"), ram: Bytes(1), disk: Bytes(1), aim: Aim::Hits, origins };
    let (images, _) = Images::open(&settings).unwrap();
    let file = ImageFile {
        sha256: sha256(&whole).parse().unwrap(),
        size: Some(Bytes(whole.len() as u64)),
        origins: vec![origin(&iso, "a.bin")],
        name: None,
    };
    for start in [0, 2048 * 300 - 1, 2048 * 300, 700_000] {
        let mut stream = images.blob(&file).await.unwrap().stream(start as u64..u64::MAX);
        let mut got = vec![];
        while let Some(chunk) = stream.next().await {
            got.extend_from_slice(&chunk.unwrap());
        }
        assert!(got == whole[start..], "from {start}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_in_place_is_told_so() {
    let stage = Stage::new();
    let bytes = noise(3, 500_000);
    let iso = stage.iso("cut.iso", "CUT", &["-R"], &[("live/vmlinuz", b"kernel"), ("live/zz.squashfs", &bytes)]);
    let len = fs::metadata(&iso).unwrap().len();
    fs::OpenOptions::new().write(true).open(&iso).unwrap().set_len(len - 400_000).unwrap();
    assert!(digest_of(&iso, "live/zz.squashfs").await.unwrap_err().contains("it is cut off, fetch it again"));
    // A link is no file, whatever it points to.
    stage.write("linked", &[("vmlinuz-6", &bytes)]);
    std::os::unix::fs::symlink("vmlinuz-6", stage.path("linked/vmlinuz")).unwrap();
    let folder = stage.dir.path();
    run(folder, "xorriso", &["-as", "mkisofs", "-quiet", "-R", "-o", "linked.iso", "linked"]);
    assert!(digest_of(&stage.path("linked.iso"), "vmlinuz").await.unwrap_err().contains("it is a link"));
    assert_eq!(digest_of(&stage.path("linked.iso"), "vmlinuz-6").await, Ok(sha256(&bytes)));
    // Packed in place: the bytes on the medium are others than those of the file.
    stage.write("packed", &[("vmlinuz", &vec![7; 300_000])]);
    run(
        folder,
        "xorriso",
        &["-zisofs", "default", "-outdev", "packed.iso", "-map", "packed", "/", "-set_filter_r", "--zisofs", "/", "--"],
    );
    assert!(digest_of(&stage.path("packed.iso"), "vmlinuz").await.unwrap_err().contains("zisofs"));
    stage.write("", &[("text.iso", b"no medium at all")]);
    assert!(stage.refused(&["x", "text.iso"]).contains("it is no ISO 9660 medium"));
}
