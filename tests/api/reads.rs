//! What is only read: boots, personas, predictions; and the cache.

use std::sync::Arc;

use greenroom::{
    model::{DeviceId, Moment, Prediction, Probability, prediction::Candidate},
    predict::{Origin, Table},
    world::Ground,
};
use serde_json::json;

use crate::door::Door;

/// Has the forecast say something of a device.
pub fn predict(door: &Door, mac: &str) {
    let origin = Origin { name: "model-7".into(), trained: Moment::from_millis(1_800_000_000_000) };
    let mut table = Table::new(origin, Moment::from_millis(4_000_000_000_000));
    let candidate =
        |name: &str, p| Candidate { persona: name.parse().unwrap(), probability: Probability::new(p).unwrap() };
    let ranked = vec![candidate("lab", 0.75), candidate("desk", 0.125)];
    table.put(DeviceId::new(mac.parse().unwrap()), Prediction::new(ranked));
    let table = Arc::new(table);
    door.house.context.engine.change_ground(|ground| Ground { forecast: table.clone(), ..ground });
}

#[tokio::test(flavor = "multi_thread")]
async fn boots_are_listed_and_told_step_by_step() {
    let door = Door::open().await;
    let token = door.token("reader", "read").await;
    let first = door.house.begin(1).await;
    door.house.script(first).await;
    let second = door.house.begin(2).await;
    let page = door.get(&token, "/boots?limit=1").await;
    assert_eq!((page.status, &page.body["items"][0]["boot"]), (200, &json!(second.to_string())));
    let next = page.body["next"].as_str().unwrap();
    let page = door.get(&token, &format!("/boots?limit=1&cursor={next}")).await;
    assert_eq!((&page.body["items"][0]["boot"], page.body.get("next")), (&json!(first.to_string()), None));
    let of_one = door.get(&token, "/boots?device=52-54-00-77-00-01").await;
    assert_eq!(of_one.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(door.get(&token, "/boots?device=52-54-00-77-00-99").await.body["items"], json!([]));
    let boot = door.get(&token, &format!("/boots/{first}")).await;
    let steps: Vec<&str> =
        boot.body["timeline"].as_array().unwrap().iter().map(|step| step["what"].as_str().unwrap()).collect();
    assert_eq!(steps, ["discover", "offer", "script", "staged"], "{boot:?}");
    assert_eq!(boot.body["persona"], "lab", "{boot:?}");

    let persona = door.get(&token, "/personas/lab").await;
    assert_eq!((&persona.body["effect"], &persona.body["versions"][0]["boots"]), (&json!("ephemeral"), &json!(1)));
    assert_eq!(door.get(&token, "/personas").await.body["items"][0]["persona"], "lab");
    let near = door.get(&token, "/personas/labb").await;
    assert_eq!((near.problem(), &near.body["errors"][0]["suggestion"]), ("not-found", &json!("lab")));
    assert_eq!(door.get(&token, "/rules").await.body, json!({"items": []}));
    assert_eq!(door.get(&token, "/rules/none").await.problem(), "not-found");
    let health = door.get(&token, "/health").await;
    assert_eq!((&health.body["ok"], health.body["facts"].as_u64() > Some(3)), (&json!(true), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_predicted_is_shown_with_what_predicted_it() {
    let door = Door::open().await;
    let token = door.token("reader", "read").await;
    let mac = "52:54:00:77:00:01";
    let path = format!("/devices/{mac}/prediction");
    assert_eq!(door.get(&token, &path).await.problem(), "not-found", "the device is not known");
    door.house.begin(1).await;
    assert_eq!(door.get(&token, &path).await.problem(), "not-found", "nothing was learnt");
    assert_eq!(door.get(&token, "/predictions").await.body, json!({"items": []}));
    predict(&door, mac);
    let one = door.get(&token, &path).await;
    let candidates = json!([{"persona": "lab", "probability": 0.75}, {"persona": "desk", "probability": 0.125}]);
    assert_eq!((&one.body["candidates"], &one.body["model"]), (&candidates, &json!("model-7")), "{one:?}");
    assert_eq!((&one.body["trained"], &one.body["acts_from"]), (&json!("2027-01-15T08:00:00.000Z"), &json!(0.8)));
    assert_eq!(door.get(&token, "/predictions").await.body["items"], json!([one.body]));
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_pinned_and_evicted() {
    let door = Door::open().await;
    let token = door.token("cache", "cache:write").await;
    let put = async |image: &str, tier: &str| {
        door.ask(&token, "PUT", &format!("/cache/pins/{image}"), &[], Some(json!({"tier": tier}))).await
    };
    assert_eq!(put("tiny", "disk").await.status, 201);
    assert_eq!(put("tiny", "ram").await.status, 200);
    assert_eq!(door.get(&token, "/cache/pins").await.body, json!({"items": [{"image": "tiny", "tier": "ram"}]}));
    let near = put("tinny", "ram").await;
    assert_eq!((near.status, &near.body["errors"][0]["suggestion"]), (404, &json!("tiny")), "{near:?}");
    assert_eq!(put("tiny", "origin").await.problem(), "invalid");
    let cache = door.get(&token, "/cache").await;
    assert_eq!((&cache.body["tiers"][0]["tier"], &cache.body["tiers"][0]["size"]), (&json!("ram"), &json!(64 << 20)));
    assert_eq!(door.ask(&token, "DELETE", "/cache/pins/tiny", &[], None).await.status, 204);
    assert_eq!(door.ask(&token, "DELETE", "/cache/pins/tiny", &[], None).await.problem(), "not-found");
    let evict = async |of: &str| door.ask(&token, "POST", "/cache/evictions", &[], Some(json!({"of": of}))).await;
    let none = evict("tiny").await;
    assert_eq!((none.status, none.body["blobs"].as_array().unwrap().len()), (200, 3), "{none:?}");
    assert!(none.body["blobs"][0]["kept"].is_string(), "it was not in the cache: {none:?}");
    assert_eq!(evict("nothing").await.problem(), "not-found");
}
