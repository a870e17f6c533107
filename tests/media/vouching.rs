//! Lists of checksums, signed by real keys of gpg and minisign.

use std::{fs, path::Path};

use super::stage::{Stage, run, sha256};

const KERNEL: &[u8] = b"a kernel of the release";

/// A stage with a kernel, an initrd, and a list of both.
fn release() -> Stage {
    let stage = Stage::new();
    let list = format!("{}  ./linux\n{}  ./initrd.gz\n", sha256(KERNEL), sha256(b"an initrd"));
    stage.write("", &[("linux", KERNEL), ("initrd.gz", b"an initrd"), ("SHA256SUMS", list.as_bytes())]);
    stage
}

/// A key of gpg's in a home of its own; `keys.gpg` and `keys.asc` hold its public half.
fn gpg(stage: &Stage, home: &str) -> Vec<String> {
    let home = stage.path(home);
    fs::create_dir(&home).unwrap();
    run(&home, "chmod", &["700", "."]);
    let fixed = ["--homedir", home.to_str().unwrap(), "--batch", "--quiet", "--yes", "--passphrase", ""];
    let fixed: Vec<String> = fixed.iter().map(|word| (*word).to_owned()).collect();
    sign(&home, &fixed, &["--quick-gen-key", "Release <release@example.org>", "ed25519", "sign", "never"]);
    sign(&home, &fixed, &["--output", "keys.gpg", "--export"]);
    sign(&home, &fixed, &["--armor", "--output", "keys.asc", "--export"]);
    fixed
}

fn sign(folder: &Path, fixed: &[String], words: &[&str]) {
    let fixed: Vec<&str> = fixed.iter().map(String::as_str).collect();
    run(folder, "gpg", &[&fixed[..], words].concat());
}

/// gpg's agent goes with its home.
fn done(stage: &Stage, homes: &[&str]) {
    for home in homes {
        run(stage.dir.path(), "gpgconf", &["--homedir", stage.path(home).to_str().unwrap(), "--kill", "all"]);
    }
}

const FILES: &[&str] = &["x", "--kernel", "linux", "--initrd", "initrd.gz"];

#[test]
fn a_list_that_a_key_of_the_ring_signed_vouches_for_its_files() {
    let stage = release();
    let (ours, theirs) = (gpg(&stage, "ours"), gpg(&stage, "theirs"));
    let folder = stage.dir.path();
    sign(folder, &ours, &["--output", "SHA256SUMS.gpg", "--detach-sign", "SHA256SUMS"]);
    sign(folder, &ours, &["--output", "SHA256SUMS.asc", "--clear-sign", "SHA256SUMS"]);
    let detached = ["--checksums", "SHA256SUMS", "--signature", "SHA256SUMS.gpg", "--keyring"];
    for ring in ["ours/keys.gpg", "ours/keys.asc"] {
        let image = stage.added(&[FILES, &detached, &[ring]].concat());
        assert_eq!(image["files"]["kernel"]["sha256"], sha256(KERNEL), "{ring}");
        stage.added(&[FILES, &["--checksums", "SHA256SUMS.asc", "--keyring", ring]].concat());
    }
    fs::remove_dir_all(stage.path("library/images")).unwrap();

    let wrong_key = stage.refused(&[FILES, &detached, &["theirs/keys.gpg"]].concat());
    assert!(wrong_key.contains("which is not in theirs/keys.gpg"), "{wrong_key}");
    let nobody = stage.refused(&[FILES, &detached[..4]].concat());
    assert!(nobody.contains("--keyring FILE"), "{nobody}");
    let unsigned = stage.refused(&[FILES, &["--checksums", "SHA256SUMS", "--keyring", "ours/keys.gpg"]].concat());
    assert!(unsigned.contains("name the file that does with --signature"), "{unsigned}");
    // Only what was signed counts: a line before the signed text is nobody's word.
    let signed = fs::read_to_string(stage.path("SHA256SUMS.asc")).unwrap();
    let added = format!("{signed}{}  other\n", sha256(b"other"));
    stage.write("", &[("added.asc", added.as_bytes()), ("other", b"other")]);
    let outside = ["x", "--kernel", "other", "--checksums", "added.asc", "--keyring", "ours/keys.gpg"];
    assert!(stage.refused(&outside).contains("does not list other"));
    // One altered digit.
    let altered = fs::read_to_string(stage.path("SHA256SUMS")).unwrap().replacen(&sha256(KERNEL), &sha256(b"other"), 1);
    let altered_signed = signed.replacen(&sha256(KERNEL), &sha256(b"other"), 1);
    stage.write("", &[("SHA256SUMS", altered.as_bytes()), ("altered.asc", altered_signed.as_bytes())]);
    for list in [
        &[&detached[..], &["ours/keys.gpg"]].concat()[..],
        &["--checksums", "altered.asc", "--keyring", "ours/keys.gpg"],
    ] {
        let said = stage.refused(&[FILES, list].concat());
        assert!(said.contains("the list was altered"), "{said}");
    }
    drop(theirs);
    done(&stage, &["ours", "theirs"]);
}

#[test]
fn minisign_does_as_well() {
    let stage = release();
    let folder = stage.dir.path();
    for key in ["ours", "theirs"] {
        run(folder, "minisign", &["-G", "-W", "-p", &format!("{key}.pub"), "-s", &format!("{key}.key")]);
    }
    run(folder, "minisign", &["-S", "-s", "ours.key", "-m", "SHA256SUMS"]);
    let list = [FILES, &["--checksums", "SHA256SUMS", "--minisign-key"]].concat();
    let image = stage.added(&[&list[..], &["ours.pub"]].concat());
    assert_eq!(image["files"]["kernel"]["sha256"], sha256(KERNEL));
    let line = fs::read_to_string(stage.path("ours.pub")).unwrap().lines().nth(1).unwrap().to_owned();
    stage.added(&[&list[..], &[&line]].concat());
    run(folder, "minisign", &["-S", "-l", "-s", "ours.key", "-m", "SHA256SUMS", "-x", "old.minisig"]);
    stage.added(&[&list[..], &["ours.pub", "--signature", "old.minisig"]].concat());
    fs::remove_dir_all(stage.path("library/images")).unwrap();

    let said = stage.refused(&[&list[..], &["theirs.pub"]].concat());
    assert!(said.contains("the signature is not good"), "{said}");
    assert!(stage.refused(&[&list[..], &["RWnonsense"]].concat()).contains("that is no minisign key"));
    let list_file = stage.path("SHA256SUMS");
    let text = fs::read_to_string(&list_file).unwrap();
    fs::write(&list_file, text.replacen('a', "b", 1)).unwrap();
    let said = stage.refused(&[&list[..], &["ours.pub"]].concat());
    assert!(said.contains("the list was altered"), "{said}");
}

#[test]
fn a_file_that_is_not_in_the_list_or_not_as_it_says_is_refused() {
    let stage = release();
    stage.write("", &[("vmlinuz", b"unlisted")]);
    let said = stage.refused(&["x", "--kernel", "vmlinuz", "--checksums", "SHA256SUMS"]);
    assert!(said.contains("does not list vmlinuz"), "{said}");
    stage.write("", &[("linux", b"another kernel")]);
    let said = stage.refused(&[FILES, &["--checksums", "SHA256SUMS"]].concat());
    assert!(said.contains("linux is not what the list says") && said.contains(&sha256(b"another kernel")), "{said}");
    let said = stage.refused(&[FILES, &["--checksums", "initrd.gz"]].concat());
    assert!(said.contains("is no list of SHA-256 digests"), "{said}");
    let said = stage.refused(&["x", "oci:127.0.0.1:1/a:b", "--checksums", "SHA256SUMS"]);
    assert!(said.contains("known by digests already"), "{said}");
}

#[test]
fn a_list_vouches_for_a_medium_as_a_whole() {
    let stage = Stage::new();
    let files: &[(&str, &[u8])] =
        &[("live/vmlinuz", KERNEL), ("live/initrd.img", b"initrd"), ("live/filesystem.squashfs", b"rootfs")];
    let iso = stage.iso("live.iso", "LIVE", &["-R"], files);
    run(stage.dir.path(), "sh", &["-c", "sha256sum live.iso > SHA256SUMS"]);
    let image = stage.added(&["x", "live.iso", "--checksums", "SHA256SUMS"]);
    assert_eq!(image["files"]["kernel"]["sha256"], sha256(KERNEL));
    fs::remove_dir_all(stage.path("library/images")).unwrap();
    let mut bytes = fs::read(&iso).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&iso, bytes).unwrap();
    let said = stage.refused(&["x", "live.iso", "--checksums", "SHA256SUMS"]);
    assert!(said.contains("live.iso is not what the list says"), "{said}");
}
