//! What people and devices see when the file of an image is not to be had.

use std::{fs, process::Stdio};

use greenroom::{
    model::{
        BootId,
        image::Role,
        timeline::{Outcome, Step},
        trouble::TroubleKind,
    },
    usage::timeline,
};

use crate::world::{House, noise};

/// The URL of the kernel in an attempt's script.
fn kernel(script: &str) -> String {
    script.split_whitespace().find(|word| word.contains("/blob/")).unwrap().to_owned()
}

async fn console(house: &House, boot: BootId, name: &str) -> String {
    house.curl(&["-f", &house.url(&format!("/boot/{boot}/{name}"))]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_an_origin_is_told_on_the_console_in_the_timeline_and_in_the_metrics() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let script = house.script(boot).await;
    assert!(script.contains(&house.url(&format!("/boot/{boot}/trouble.ipxe"))), "{script}");
    assert!(console(&house, boot, "trouble.ipxe").await.contains("look at the network between"));
    fs::rename(house.dir.path().join("kernel"), house.dir.path().join("away")).unwrap();
    let said = house.curl(&["-w", "%{http_code}", &kernel(&script)]).await;
    assert_eq!(said, "this file is not to be had now: this server does not have it\n502");
    let told = console(&house, boot, "trouble.ipxe").await;
    assert_eq!(told.lines().nth(2), Some("echo Greenroom: no kernel: this server does not have it"), "{told}");
    let path = house.dir.path().to_str().unwrap();
    assert!(!told.contains(path) && !said.contains(path), "no path is told out there");

    // A mirror comes back before the device gives up: its next try is served, and the attempt goes on.
    fs::rename(house.dir.path().join("away"), house.dir.path().join("kernel")).unwrap();
    house.curl(&["-f", "-o", "got", &kernel(&script)]).await;
    assert!(house.file("got") == noise(300_000, 3));
    assert_eq!(house.boot(boot).outcome, None);

    let role = house
        .wait_for(boot, |step| match step {
            Step::NoBlob { role, why, .. } => Some((*role, why[0].kind)),
            _ => None,
        })
        .await;
    assert_eq!(role, (Role::Kernel, TroubleKind::Missing));
    assert_eq!(house.metric("greenroom_blob_refusals_total{kind=\"missing\"}").await, Some(1));
    assert_eq!(house.metric("greenroom_origin_troubles_total{kind=\"missing\"}").await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_gives_up_has_failed_and_everybody_can_see_why() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    console(&house, boot, "gave-up.ipxe").await;
    assert_eq!(house.boot(boot).outcome, None, "nothing was loaded yet: nobody can end it from afar");
    let script = house.script(boot).await;
    fs::remove_file(house.dir.path().join("kernel")).unwrap();
    for _ in 0..5 {
        house.curl(&["-o", "/dev/null", &kernel(&script)]).await;
    }
    let told = console(&house, boot, "gave-up.ipxe").await;
    assert!(told.contains("echo Greenroom: no kernel: this server does not have it"), "{told}");
    let ended = house.boot(boot);
    assert_eq!(ended.outcome, Some(Outcome::Failed));
    assert!(timeline::reason(&ended).ends_with("; the kernel was not to be had: this server does not have it"));

    let socket = house.dir.path().join("admin.sock");
    let shown = tokio::process::Command::new(env!("CARGO_BIN_EXE_greenroom"))
        .args(["--socket", socket.to_str().unwrap(), "boots", &boot.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    eprintln!("{shown}");
    assert!(shown.contains("not to be had: this server does not have it (x5)"), "{shown}");
    assert!(shown.contains("it did not load; the device goes on to its disk"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_kernel_runs_cannot_be_given_up_from_afar() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let script = house.script(boot).await;
    let seed = script.split_whitespace().find_map(|word| word.strip_prefix("seed=")).unwrap();
    house.curl(&["-f", &format!("{seed}meta-data")]).await;
    house.wait_for(boot, |step| matches!(step, Step::Seed { .. }).then_some(())).await;
    console(&house, boot, "gave-up.ipxe").await;
    assert_eq!(house.boot(boot).outcome, None);
    let head = house.curl(&["-f", "-I", &house.url(&format!("/boot/{boot}/gave-up.ipxe"))]).await.to_lowercase();
    assert!(head.contains("text/plain"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_lies_midway_is_in_the_timeline_of_who_was_reading() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    house.script(boot).await;
    fs::write(house.dir.path().join("rootfs"), noise(3_000_001, 99)).unwrap();
    let url = house.url(&format!("/blob/{}/{boot}/filesystem.squashfs", house.rootfs.1));
    assert!(!house.run("curl", &["-sS", "-f", "-o", "got", &url]).await.status.success());
    let (role, why) = house
        .wait_for(boot, |step| match step {
            Step::NoBlob { role, why, .. } => Some((*role, why.clone())),
            _ => None,
        })
        .await;
    assert_eq!(
        (role, why[0].to_string().as_str()),
        (Role::Rootfs, "this server has other bytes than the manifest says")
    );
}
