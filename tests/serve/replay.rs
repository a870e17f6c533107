//! `greenroom replay`: what a boot was served, byte by byte, when everything has changed since.

use std::{fs, sync::Arc};

use greenroom::{
    model::{BootId, site::Mirrors},
    serve::Replay,
    world::Ground,
};

use crate::world::House;

const SEED: [&str; 4] = ["meta-data", "user-data", "vendor-data", "network-config"];

/// The real command line, at the house's door.
async fn greenroom(house: &House, words: &[&str]) -> std::process::Output {
    let socket = house.dir.path().join("admin.sock").display().to_string();
    house.run(env!("CARGO_BIN_EXE_greenroom"), &[words, &["--socket", &socket]].concat()).await
}

/// Boots as this device, and reads script and seed into files whose names begin with `to`.
async fn boots(house: &House, last: u8, to: &str, serial: &str) -> BootId {
    let boot = house.begin(last).await;
    let script = house.url(&format!("/boot/{boot}/script.ipxe?product=Bench&serial={serial}"));
    house.curl(&["-f", "-o", &format!("{to}-script.ipxe"), &script]).await;
    let script = String::from_utf8(house.file(&format!("{to}-script.ipxe"))).unwrap();
    let seed = script.split_whitespace().find_map(|word| word.strip_prefix("seed=")).unwrap().to_owned();
    for name in SEED {
        house.curl(&["-f", "-o", &format!("{to}-{name}"), &format!("{seed}{name}")]).await;
    }
    boot
}

/// The persona of the test, which shows its serial number and its mirror, and is told apart by `word`.
fn persona(word: &str) -> String {
    format!(
        "apiVersion: greenroom/v1\ndescription: {word}\neffect: ephemeral\nos: {{image: tiny}}\n\
         network: {{hostname: '{word}-{{{{serial}}}}'}}\napps: {{packages: {{apt: [tree]}}}}\n"
    )
}

fn edit(house: &House, text: &str) {
    fs::write(house.dir.path().join("library/lab.yaml"), text).unwrap();
    assert!(house.context.refresh_library(false));
}

fn mirror(house: &House, debian: &str) {
    let ground = house.context.engine.ground();
    let mirrors = Mirrors { debian: Some(debian.into()), ..Mirrors::default() };
    let site = greenroom::model::site::Site { mirrors, ..greenroom::model::site::Site::clone(&ground.site) };
    let site = Arc::new(site);
    house.context.engine.change_ground(|ground| Ground { site: site.clone(), ..ground });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_what_was_served_to_the_byte_after_persona_mirrors_and_hardware_have_changed() {
    let house = House::new().await;
    edit(&house, &persona("first"));
    mirror(&house, "http://mirror.one/debian");
    let boot = boots(&house, 1, "then", "SN1").await;

    edit(&house, &persona("second"));
    mirror(&house, "http://mirror.two/debian");
    let later = boots(&house, 1, "now", "SN2").await;
    for name in ["script.ipxe"].iter().chain(&SEED) {
        let output = greenroom(&house, &["replay", &boot.to_string(), "--file", name]).await;
        assert!(output.status.success(), "{name}: {output:?}");
        assert!(
            output.stdout == house.file(&format!("then-{name}")),
            "{name}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    let user_data = |to: &str| String::from_utf8(house.file(&format!("{to}-user-data"))).unwrap();
    assert!(
        user_data("then").contains("http://mirror.one/debian") && user_data("now").contains("http://mirror.two/debian")
    );
    let meta = String::from_utf8(house.file("then-meta-data")).unwrap();
    assert!(meta.contains("first-sn1"), "the test tells the two apart: {meta}");

    let output = greenroom(&house, &["replay", &later.to_string(), "--json"]).await;
    let replay: Replay = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((replay.files.len(), replay.notes.len()), (5, 0), "{replay:?}");
    // What is read late is of the attempt's own setting too.
    let script = String::from_utf8(house.file("then-script.ipxe")).unwrap();
    let seed = script.split_whitespace().find_map(|word| word.strip_prefix("seed=")).unwrap();
    assert_eq!(house.curl(&["-f", &format!("{seed}user-data")]).await, user_data("then"));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_masked_and_the_replay_says_so() {
    let house = House::new().await;
    let secrets = house.dir.path().join("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join("ann-password"), "$6$very$secret\n").unwrap();
    let text = persona("first").replace("effect: ephemeral", "effect: destructive");
    let installs = "os: {image: tiny, install: {disk: /dev/vda, lvm: true}}";
    let encrypted = "security: {encryption: {passphrase_secret: ann-password, tpm2: {}}, users: [{name: ann}]}\n";
    edit(&house, &(text.replace("os: {image: tiny}", installs) + encrypted));
    let boot = house.begin(1).await;
    let armed = greenroom(&house, &["device", "arm", "52:54:00:77:00:01"]).await;
    assert!(armed.status.success(), "{armed:?}");
    let script = house.script(boot).await;
    let seed = script.split_whitespace().find_map(|word| word.strip_prefix("seed=")).unwrap();
    assert!(house.curl(&["-f", &format!("{seed}passphrase")]).await.contains("$6$very$secret"));
    let output = greenroom(&house, &["replay", &boot.to_string()]).await;
    let (out, notes) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("(secret ann-password)") && out.contains("name: ann") && !out.contains("$very$"), "{out}");
    assert!(notes.contains("secrets are noted nowhere") && notes.contains("ann-password"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_replayed_is_said() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    for (words, said) in [
        (&["replay", &boot.to_string()][..], "it never asked for its script"),
        (&["replay", "0000000000"], "no boot 0000000000 is known"),
    ] {
        let output = greenroom(&house, words).await;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && told.contains(said), "{told}");
    }
    house.script(boot).await;
    let output = greenroom(&house, &["replay", &boot.to_string(), "--file", "preseed.cfg"]).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("was served no preseed.cfg: it was served script.ipxe, meta-data"), "{told}");
}
