//! What an event says: its JSON, which others depend on; that its signature is one; and that it holds no secret.

use std::{fs, io::Write, process::Stdio};

use greenroom::{
    model::{
        Fact, Moment, Record,
        command::Order,
        timeline::{Phase, Report, Step},
    },
    usage::event::{self, About},
    world::World,
};
use serde_json::{Value, json};

use crate::{
    receiver::{Receiver, say},
    site::{OLD_SECRET, SECRET, Sender, assign, mac, order, quick, webhook},
    world::House,
};

/// The folder of `make setup`'s Python programs.
const READERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/validators/bin/python");

/// Reads one post a line, and prints for each what the Standard Webhooks' library makes of it.
const VERIFY: &str = "
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
for line in sys.stdin:
    secret, headers, body = json.loads(line)
    try:
        print('good', Webhook(secret).verify(body, headers)['type'])
    except WebhookVerificationError as error:
        print('bad', error)
";

/// What the public library says of these posts.
fn verified(posts: &[Value]) -> Vec<String> {
    let mut python = std::process::Command::new(READERS);
    let python = python.args(["-c", VERIFY]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut python = python.expect("`make setup` made it");
    let lines: String = posts.iter().map(|post| format!("{post}\n")).collect();
    python.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// One device's day: everything that is an event, as facts.
fn day() -> Vec<Fact> {
    let facts = json!([
        {"fact": "persona-assigned", "device": "52:54:00:88:00:01", "persona": "kiosk", "by": "ann", "why": "ticket 7",
         "not_before": 1_700_000_000_000u64, "expires": 1_800_000_000_000u64},
        {"fact": "device-described", "device": "52:54:00:88:00:01", "by": "ann", "changes": {"role": "kiosk", "user": null}},
        {"fact": "device-armed", "device": "52:54:00:88:00:01", "by": "ben"},
        {"fact": "device-disarmed", "device": "52:54:00:88:00:01", "by": "ben"},
        {"fact": "proposal-declined", "device": "52:54:00:88:00:01", "persona": "node", "by": "ann"},
        {"fact": "boot-started", "boot": "0000000001", "device": "52:54:00:88:00:01", "firmware": "efi-pxe", "arch": "x64"},
        {"fact": "boot-moved", "boot": "0000000001", "step": {"step": "script", "decision": {"do": "become",
         "persona": {"name": "kiosk", "version": "bbd889e969bbd889e969bbd889e969bbd889e969"}, "reason": {"because": "default"}}}},
        {"fact": "boot-moved", "boot": "0000000001", "step": {"step": "seed", "name": "user-data"}},
        {"fact": "boot-moved", "boot": "0000000001", "step": {"step": "stuck", "silent": 900_000}},
        {"fact": "boot-moved", "boot": "0000000001", "step": {"step": "report", "phase": "ready", "hostname": "k1"}},
        {"fact": "boot-moved", "boot": "0000000001", "step": {"step": "report", "phase": "ready", "hostname": "k1"}},
        {"fact": "boot-started", "boot": "0000000002", "device": "52:54:00:88:00:01", "firmware": "efi-pxe", "arch": "x64"},
        {"fact": "boot-moved", "boot": "0000000002", "step": {"step": "refused", "why": {"why": "no-nbp", "arch": "x64"}}},
        {"fact": "boot-moved", "boot": "0000000002", "step": {"step": "refused", "why": {"why": "no-nbp", "arch": "x64"}}},
        {"fact": "persona-unassigned", "device": "52:54:00:88:00:01", "by": "ann"},
        {"fact": "device-forgotten", "device": "52:54:00:88:00:01", "by": "ann"},
    ]);
    serde_json::from_value(facts).unwrap()
}

#[test]
fn an_event_s_json_stays_as_it_is() {
    let mut world = World::default();
    let mut told = String::new();
    for (n, fact) in day().into_iter().enumerate() {
        let record = Record { seq: n as u64 + 1, at: Moment::from_millis(1_700_000_000_000 + n as u64 * 60_000), fact };
        world.apply(&record);
        let boot = event::boot_of(&record.fact).and_then(|boot| world.boots.get(&boot));
        let Some(news) = event::news(&record, boot) else { continue };
        let device = news.device.unwrap();
        let about = About::of(device, world.devices.get(&device));
        let event = event::event(&record, boot, Some(about), Some("http://10.77.0.1")).unwrap();
        told += &format!("{}: {}\n", news.kind, serde_json::to_string_pretty(&event).unwrap());
    }
    insta::assert_snapshot!(told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_boot_is_told_signed_as_public_libraries_verify_and_its_token_is_not() {
    let house = House::new().await;
    let receiver = Receiver::new(|_| say(200)).await;
    let sender = Sender::start(&house, webhook(&receiver.url()), quick());
    let boot = house.begin(1).await;
    let device = house.boot(boot).device.mac();
    let changes = serde_json::from_value(json!({"role": "bench", "location": "b/2"})).unwrap();
    order(&house.context.engine, device, Order::Describe { changes }).await;
    order(&house.context.engine, device, assign("ticket 12")).await;
    let script = house.script(boot).await;
    let post = script.split_whitespace().find_map(|word| word.strip_prefix("post=")).unwrap().to_owned();
    let seed = script.split_whitespace().find_map(|word| word.strip_prefix("seed=")).unwrap().to_owned();
    let token = seed.split('/').nth(5).unwrap().to_owned();
    let report = json!({"phase": "failed", "message": format!("curl: (22) {seed}user-data answers 500")});
    house.curl(&["-f", "-d", &report.to_string(), &post]).await;
    house.wait_for(boot, |step| matches!(step, Step::Report(Report { phase: Phase::Failed, .. })).then_some(())).await;

    let told = receiver.wait_for(3).await;
    let types: Vec<Value> = told.iter().map(|told| told.json()["type"].clone()).collect();
    assert_eq!(types, ["device.described", "device.assigned", "boot.finished"]);
    let end = &told[2].json()["data"];
    assert_eq!((&end["boot"]["outcome"], &end["persona"]["name"]), (&json!("failed"), &json!("lab")));
    assert_eq!(end["device"]["attributes"], json!({"role": "bench", "location": "b/2"}));
    assert!(end["reason"].as_str().unwrap().contains("assigned by ann"), "{end}");
    assert!(end["message"].as_str().unwrap().contains("answers 500"), "{end}");
    // What the device said holds its seed's URL; what is told does not, though it says where.
    assert!(
        token.len() == 32 && !told[2].body.contains(&token) && told[2].body.contains("(token)"),
        "{}",
        told[2].body
    );
    // The timeline can be looked at.
    let url = end["boot"]["url"].as_str().unwrap();
    let page = house.curl(&[url]).await;
    assert!(page.contains(&format!("data-id=\"{boot}\"")) && page.contains("All boots"), "{url}: {page}");

    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers = |n: usize| names.map(|name| (name.to_owned(), json!(told[n].header(name))));
    let headers = |n: usize| Value::Object(headers(n).into_iter().collect());
    let other = SECRET.replace("AAEC", "AAED");
    let mut posts: Vec<Value> = (0..3).map(|n| json!([SECRET, headers(n), told[n].body])).collect();
    posts.push(json!([OLD_SECRET, headers(0), told[0].body]));
    posts.push(json!([other, headers(0), told[0].body]));
    posts.push(json!([SECRET, headers(0), told[1].body]));
    let said = verified(&posts);
    assert_eq!(
        said[..4],
        ["good device.described", "good device.assigned", "good boot.finished", "good device.described"]
    );
    assert!(said[4..].iter().all(|said| said == "bad No matching signature found"), "{said:?}");
    assert_eq!(told[0].header("content-type"), "application/json");
    sender.stop().await;
    let remembered = fs::read_to_string(house.dir.path().join("webhooks/desk.json")).unwrap();
    assert!(!remembered.contains("s3cret") && !remembered.contains("whsec_"), "{remembered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_told_of_what_it_asked_for() {
    let house = House::new().await;
    let receiver = Receiver::new(|_| say(200)).await;
    let events = vec![event::EventKind::DeviceDescribed];
    let webhook = greenroom::serve::webhook::Webhook { events, ..webhook(&receiver.url()) };
    let sender = Sender::start(&house, webhook, quick());
    order(&house.context.engine, mac(1), assign("x")).await;
    let changes = serde_json::from_value(json!({"role": "bench"})).unwrap();
    order(&house.context.engine, mac(1), Order::Describe { changes }).await;
    let told = receiver.wait_for(1).await;
    assert_eq!(told[0].json()["type"], "device.described");
    sender.wait("nothing waits", |view| view.read == 2 && view.waiting == 0).await;
    assert_eq!(receiver.told().len(), 1);
    sender.stop().await;
}
