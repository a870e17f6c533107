//! The admin's door.

use std::{os::unix::fs::PermissionsExt, time::Duration};

use greenroom::serve::admin;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::world::{House, hex, noise};

/// curl over the socket: the status and the JSON that came back.
pub(crate) async fn ask(house: &House, arguments: &[&str]) -> (u16, Value) {
    let (path, options) = arguments.split_last().unwrap();
    let (socket, url) = (house.dir.path().join("admin.sock"), format!("http://greenroom{path}"));
    let fixed = ["--unix-socket", socket.to_str().unwrap(), "-w", "\n%{http_code}"];
    let said = house.curl(&[&fixed[..], options, &[&url]].concat()).await;
    let (body, status) = said.rsplit_once('\n').unwrap();
    let value = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {body}"))
    };
    (status.parse().unwrap(), value)
}

pub(crate) async fn post(house: &House, path: &str, body: &Value) -> (u16, Value) {
    ask(house, &["-H", "content-type: application/json", "-d", &body.to_string(), path]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_may_open_the_door() {
    let house = House::new().await;
    let path = house.dir.path().join("admin.sock");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(admin::bind(&path).is_err(), "a door that somebody answers is not taken over");
    let left_behind = house.dir.path().join("old.sock");
    drop(std::os::unix::net::UnixListener::bind(&left_behind).unwrap());
    assert!(admin::bind(&left_behind).is_ok(), "one that a crash left behind is replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_assigned_a_persona_and_explained() {
    let house = House::new().await;
    let mac = "52:54:00:77:00:01";
    assert_eq!(ask(&house, &["/devices"]).await, (200, json!([])));
    let boot = house.begin(1).await;
    let (status, device) = ask(&house, &[&format!("/devices/{mac}")]).await;
    assert_eq!((status, &device["latest"]["id"]), (200, &json!(boot.to_string())));
    let (status, boots) = ask(&house, &["/boots?limit=1"]).await;
    assert_eq!((status, &boots[0]["id"]), (200, &json!(boot.to_string())));
    assert_eq!(ask(&house, &[&format!("/boots/{boot}")]).await.0, 200);
    // What the answer says depends on this machine's interfaces; that nothing is touched does not.
    let before = house.context.engine.world().seq;
    let (status, told) = post(&house, "/explain", &json!({"mac": mac, "arch": null, "firmware": null})).await;
    assert!([200, 409].contains(&status), "{told}");
    assert_eq!(house.context.engine.world().seq, before, "explaining touches nothing");

    let order =
        |persona: &str| json!({"mac": mac, "by": "test", "order": {"order": "assign-persona", "persona": persona}});
    assert_eq!(post(&house, "/commands", &order("lab")).await, (204, Value::Null));
    let (_, device) = ask(&house, &[&format!("/devices/{mac}")]).await;
    assert_eq!(device["assigned"]["persona"], "lab", "{device}");
    let (status, told) = post(&house, "/commands", &order("lob")).await;
    assert_eq!(status, 422);
    assert!(
        told["error"].as_str().is_some_and(|words| words.starts_with("persona lob is not in the library")),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_followed_as_they_happen() {
    let house = House::new().await;
    let socket = house.dir.path().join("admin.sock").display().to_string();
    let mut command = tokio::process::Command::new("curl");
    command.args(["-sSN", "--unix-socket", &socket, "http://greenroom/follow"]).kill_on_drop(true);
    let mut curl = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(curl.stdout.take().unwrap()).lines();
    let follow = async {
        // Facts are told from when the request was heard: devices go on coming until one is seen.
        for last in 1.. {
            house.begin(last).await;
            let wait = tokio::time::timeout(Duration::from_millis(200), lines.next_line());
            if let Ok(line) = wait.await {
                return serde_json::from_str::<Value>(&line.unwrap().unwrap()).unwrap();
            }
        }
        unreachable!("the range has no end")
    };
    let first = tokio::time::timeout(Duration::from_secs(30), follow).await.unwrap();
    assert!(first["seq"].is_u64() && first.get("fact").is_some(), "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_is_json_with_words() {
    let house = House::new().await;
    for (arguments, status) in [
        (&["/nowhere"][..], 404),
        (&["/devices/52:54:00:00:00:09"], 404),
        (&["/devices/not-a-mac"], 400),
        (&["/boots/zzz"], 400),
        (&["/boots?limit=many"], 400),
        (&["-X", "DELETE", "/devices"], 405),
        (&["-X", "POST", "/images/none/warm"], 404),
        (&["-H", "content-type: application/json", "-d", "{", "/commands"], 400),
        (&["-H", "content-type: application/json", "-d", "{}", "/commands"], 422),
        (&["-d", "x", "/commands"], 415),
    ] {
        let (got, body) = ask(&house, arguments).await;
        assert_eq!(got, status, "{arguments:?}: {body}");
        assert!(body["error"].as_str().is_some_and(|words| !words.is_empty()), "{arguments:?}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_warmed_and_verified_line_by_line() {
    let house = House::new().await;
    let lines =
        |said: String| said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    let socket = house.dir.path().join("admin.sock").display().to_string();
    let run = async |path: &str| {
        house.curl(&["-f", "--unix-socket", &socket, "-X", "POST", &format!("http://greenroom{path}")]).await
    };
    for path in ["/images/tiny/warm", "/images/tiny/verify"] {
        let said = lines(run(path).await);
        let done: Vec<_> = said.iter().filter(|line| line["progress"] == "finished").collect();
        assert!(done.len() == 3 && done.iter().all(|line| line["ok"] == true), "{path}: {said:?}");
    }
    let (_, images) = ask(&house, &["/images"]).await;
    assert_eq!(images[0]["status"].as_array().map(Vec::len), Some(3), "{images}");
    assert!(!images.to_string().contains("\"tier\":\"origin\""), "{images}");
}

/// Writes a manifest by hand; nobody watches this library. The digest of its kernel.
fn write_manifest(house: &House, name: &str, seed: u32) -> String {
    let (bytes, dir) = (noise(100_000, seed), house.dir.path());
    let (digest, path) = (hex(&bytes), dir.join(format!("{name}-{seed}")));
    std::fs::write(&path, bytes).unwrap();
    let files = format!("{{kernel: {{sha256: {digest}, origins: ['file:{}']}}}}", path.display());
    let manifest = format!("name: {name}\narch: x64\nfiles: {files}\n");
    std::fs::write(dir.join(format!("library/images/{name}.yaml")), manifest).unwrap();
    digest
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_known_to_whoever_names_it_right_after_it_was_written() {
    let house = House::new().await;
    let pin = |image: &str, tier: &str| json!({"image": image, "tier": tier, "by": "ann"});
    write_manifest(&house, "pinned", 21);
    assert_eq!(post(&house, "/pins", &pin("pinned", "disk")).await, (204, Value::Null));
    let (status, told) = post(&house, "/pins", &pin("pinnd", "disk")).await;
    assert!(status == 422 && told.to_string().contains("did you mean pinned?"), "{told}");

    let socket = house.dir.path().join("admin.sock").display().to_string();
    let warm = async || {
        let said = house.curl(&["--unix-socket", &socket, "-X", "POST", "http://greenroom/images/warmed/warm"]).await;
        serde_json::from_str::<Value>(said.lines().last().unwrap()).unwrap()
    };
    for seed in [22, 23] {
        // The second time it names other bytes.
        let digest = write_manifest(&house, "warmed", seed);
        let told = warm().await;
        assert_eq!((&told["ok"], &told["digest"]), (&json!(true), &json!(digest)), "{told}");
    }

    let digest = write_manifest(&house, "evicted", 24);
    let (status, told) = post(&house, "/cache/evict", &json!({"of": "evicted", "only_ram": false, "by": "ann"})).await;
    assert_eq!((status, &told[0]["digest"]), (200, &json!(digest)), "{told}");
    let digest = write_manifest(&house, "explained", 25);
    let (status, told) = post(&house, "/cache/explain", &json!({"of": "explained/kernel"})).await;
    assert_eq!((status, &told[0]["digest"]), (200, &json!(digest)), "{told}");
}
