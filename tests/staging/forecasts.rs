//! A device whose hour it is: its image lies at a slow origin, and is there before it asks, or not in time.

use greenroom::model::{image::Tier, staged::Because};

use super::{
    habit::habit,
    past::{found, greenroom, is_here, mac, now, persona, predict, run, until},
    world::{House, noise},
};

/// A house with a device that boots at this hour every day, and is predicted to want `slow`.
async fn regular() -> House {
    House::build(None, None, vec![], habit(mac(1), "slow", 14, 20, now())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_there_before_the_device_asks_for_it() {
    let house = regular().await;
    let bytes = noise(3_000_000, 21);
    let (origin, digest) = persona(&house, "slow", &bytes).await;
    origin.give(bytes.len());
    predict(&house, [(mac(1), "slow".to_owned(), 0.95)]);
    run(&house);
    // Nobody has sent a packet.
    until("it is staged", || is_here(&house, &digest)).await;
    let boot = house.begin(1).await;
    let files = found(&house, boot).await;
    assert_eq!((files.len(), files[0].because, files[0].digest), (1, Because::Forecast, digest));
    assert!(files[0].tier != Tier::Origin && files[0].lead.is_some(), "{files:?}");
    let url = house.url(&format!("/blob/{digest}/{boot}/kernel"));
    assert_eq!(house.curl(&["-f", "-o", "got", "-w", "%{http_code}", &url]).await, "200");
    assert!(house.file("got") == bytes);
    assert_eq!(origin.asked(), 2, "once how long it is, and once for it");
    let timeline = greenroom(&house, &["boots", &boot.to_string()]).await;
    assert!(timeline.contains("staged") && timeline.contains("before for a forecast"), "{timeline}");
    let listed = greenroom(&house, &["boots"]).await;
    assert!(listed.contains("1 of 1"), "{listed}");
    assert_eq!(house.metric("greenroom_staged_files_total{kind=\"forecast\"}").await, Some(1));
    assert_eq!(house.metric("greenroom_staged_bytes_total{kind=\"forecast\"}").await, Some(3_000_000));
    until("it was of use", || house.context.keeper.staged().useful.0 == 3_000_000).await;
    let status = greenroom(&house, &["stage", "status"]).await;
    assert!(
        status.contains("1 of 1 boots had every file at hand (100 % of files: 1 staged for a forecast)"),
        "{status}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_an_image_is_staged_for_and_why_can_be_asked() {
    let house = regular().await;
    let bytes = noise(600_000, 22);
    let (origin, digest) = persona(&house, "slow", &bytes).await;
    origin.give(bytes.len());
    predict(&house, [(mac(1), "slow".to_owned(), 0.95)]);
    run(&house);
    until("it is staged", || is_here(&house, &digest)).await;
    let status = greenroom(&house, &["stage", "status"]).await;
    let line = status.lines().find(|line| line.starts_with("slow ")).unwrap_or_else(|| panic!("{status}"));
    assert!(line.contains("52:54:00:77:00:01") && line.contains("booted at this hour on 10 of 10"), "{status}");
    assert!(line.contains(", staged"), "{status}");
    let json = greenroom(&house, &["--json", "stage", "status"]).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let image = &json["images"][0];
    assert_eq!((&image["image"], &image["devices"][0]["persona"]), (&"slow".into(), &"slow".into()));
    let probability = image["devices"][0]["probability"].as_f64().unwrap();
    assert!(probability > 0.7 && image["files"]["kernel"]["asks"].as_f64().unwrap() == probability, "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_predicted_and_is_not_there_in_time_is_told_so() {
    let house = regular().await;
    let bytes = noise(3_000_000, 23);
    let (origin, digest) = persona(&house, "slow", &bytes).await;
    origin.give(1_000_000);
    predict(&house, [(mac(1), "slow".to_owned(), 0.95)]);
    run(&house);
    let came = || house.context.images.status(&digest).filling.is_some_and(|came| came.0 > 500_000);
    until("a part of it has come", came).await;
    let boot = house.begin(1).await;
    let files = found(&house, boot).await;
    assert_eq!((files[0].because, files[0].tier, files[0].lead), (Because::Late, Tier::Origin, None));
    assert!(files[0].coming.is_some_and(|came| came.0 > 500_000), "{files:?}");
    let timeline = greenroom(&house, &["boots", &boot.to_string()]).await;
    assert!(timeline.contains("wanted ahead, but only"), "{timeline}");
    origin.give(bytes.len());
    let url = house.url(&format!("/blob/{digest}/{boot}/kernel"));
    assert_eq!(house.curl(&["-f", "-o", "got", "-w", "%{http_code}", &url]).await, "200");
    assert_eq!((house.file("got") == bytes, origin.asked()), (true, 2), "it joins what is under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_becomes_something_else_finds_it_not_staged_and_boots_all_the_same() {
    let house = regular().await;
    let (slow, other) = (noise(300_000, 24), noise(300_000, 25));
    let (first, staged) = persona(&house, "slow", &slow).await;
    let (second, wanted) = persona(&house, "other", &other).await;
    first.give(slow.len());
    predict(&house, [(mac(1), "slow".to_owned(), 0.95)]);
    run(&house);
    until("what was predicted is staged", || is_here(&house, &staged)).await;
    // An operator changes their mind while the device is on its way, and the origin is slow.
    let boot = house.begin(1).await;
    let socket = house.dir.path().join("admin.sock");
    let assign = ["--socket", socket.to_str().unwrap(), "device", "assign", "52:54:00:77:00:01", "other"];
    assert!(house.run(env!("CARGO_BIN_EXE_greenroom"), &assign).await.status.success());
    let files = found(&house, boot).await;
    assert_eq!((files[0].digest, files[0].tier), (wanted, Tier::Origin));
    assert!(!files[0].because.is_hit(), "{files:?}");
    second.give(other.len());
    let url = house.url(&format!("/blob/{wanted}/{boot}/kernel"));
    assert_eq!(house.curl(&["-f", "-o", "got", "-w", "%{http_code}", &url]).await, "200");
    assert!(house.file("got") == other);
}
