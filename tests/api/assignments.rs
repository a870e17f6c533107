//! Assignments, arming, and requests that are sent again.

use serde_json::{Value, json};

use crate::door::Door;

const MAC: &str = "52:54:00:77:00:21";

#[tokio::test(flavor = "multi_thread")]
async fn a_persona_is_assigned_read_back_decided_and_taken_back() {
    let door = Door::open().await;
    let token = door.token("helpdesk", "assignments:write,arm,audit:read").await;
    let path = format!("/devices/{MAC}/assignment");
    assert_eq!(door.get(&token, &path).await.problem(), "not-found");
    let said = json!({"persona": "lab", "reason": "ticket 4711", "expires": "2099-01-01T00:00:00+01:00"});
    let made = door.ask(&token, "PUT", &path, &[], Some(said)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let read = door.get(&token, &path).await;
    let body = &read.body;
    assert_eq!(
        (&body["persona"], &body["by"], &body["holds"]),
        (&json!("lab"), &json!("token:helpdesk"), &json!(true))
    );
    assert_eq!((&body["reason"], &body["expires"]), (&json!("ticket 4711"), &json!("2098-12-31T23:00:00.000Z")));
    let decision = door.get(&token, &format!("/devices/{MAC}/decision")).await;
    // A server in a sandbox may have no interface but the loopback; then nothing can be decided for anybody.
    if decision.status == 200 {
        let said = decision.body["reason"].as_str().unwrap();
        assert!(decision.body["action"] != "become" || said.contains("assigned by token:helpdesk"), "{decision:?}");
    }
    assert_eq!(door.ask(&token, "PUT", &format!("/devices/{MAC}/arm"), &[], None).await.status, 201);
    assert_eq!(door.get(&token, &format!("/devices/{MAC}/arm")).await.body["by"], "token:helpdesk");
    assert_eq!(door.ask(&token, "DELETE", &format!("/devices/{MAC}/arm"), &[], None).await.status, 204);
    assert_eq!(door.ask(&token, "DELETE", &format!("/devices/{MAC}/arm"), &[], None).await.problem(), "not-found");
    assert_eq!(door.ask(&token, "DELETE", &path, &[], None).await.status, 204);

    let acts = door.get(&token, &format!("/audit?by=token%3Ahelpdesk&device={MAC}")).await;
    let facts: Vec<&str> =
        acts.body["items"].as_array().unwrap().iter().map(|act| act["fact"].as_str().unwrap()).collect();
    assert_eq!(facts, ["persona-unassigned", "device-disarmed", "device-armed", "persona-assigned"]);
    assert_eq!(acts.body["items"][3]["details"]["why"], "ticket 4711");
    let (_, table) = door.cli(&["audit", "--by", "token:helpdesk", "--last", "2"]).await;
    assert!(table.contains(&format!("took back what was assigned to {MAC}")) && table.lines().count() == 3, "{table}");
    let own = door.cli(&["audit", "--json"]).await.1;
    assert!(own.contains("token-created") && !own.contains("\"print\""), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_assigned_is_told_with_its_field() {
    let door = Door::open().await;
    let token = door.token("helpdesk", "assignments:write").await;
    let put = async |said: Value| door.ask(&token, "PUT", &format!("/devices/{MAC}/assignment"), &[], Some(said)).await;
    for (said, kind, pointer, suggestion) in [
        (json!({"persona": "labb"}), "no-persona", "/persona", Some("lab")),
        (json!({"persona": "No Name"}), "invalid", "/persona", None),
        (json!({"persona": "lab", "expires": "2001-01-01T00:00:00Z"}), "invalid", "/expires", None),
        (json!({"persona": "lab", "expires": "tomorrow"}), "invalid", "/expires", None),
        (json!({"persona": "lab", "expires": 5}), "invalid", "/expires", None),
        (json!({"persona": "lab", "reason": "x".repeat(501)}), "invalid", "/reason", None),
        (json!({"persona": "lab", "expirse": null}), "invalid", "/expirse", Some("expires")),
        (json!({}), "invalid", "", None),
        (json!([]), "invalid", "", None),
    ] {
        let refused = put(said.clone()).await;
        assert_eq!((refused.status, refused.problem()), (422, kind), "{said}");
        let flaw = &refused.body["errors"][0];
        assert_eq!(flaw["pointer"], pointer, "{said}: {refused:?}");
        assert_eq!(flaw["suggestion"].as_str(), suggestion, "{said}: {refused:?}");
    }
    assert_eq!(door.house.context.engine.world().devices.size(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_assigned_by_list_or_by_filter_all_or_none() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write,assignments:write").await;
    let mac = |n: u8| format!("52:54:00:88:00:{n:02x}");
    for n in 0..6 {
        let said = json!({"attributes": {"room": if n < 4 { "a" } else { "b" }}});
        door.ask(&token, "PUT", &format!("/devices/{}", mac(n)), &[], Some(said)).await;
    }
    let post = async |said: Value, headers: &[(&str, &str)]| {
        door.ask(&token, "POST", "/assignments", headers, Some(said)).await
    };
    let assigned = async || {
        let page = door.get(&token, "/devices?filter=persona%3Dlab").await;
        page.body["items"].as_array().unwrap().len()
    };
    let tried = post(json!({"persona": "lab", "filter": "room=a", "dry_run": true}), &[]).await;
    assert_eq!((tried.status, &tried.body["count"], &tried.body["dry_run"]), (200, &json!(4), &json!(true)));
    assert_eq!(assigned().await, 0);
    let wrong =
        post(json!({"persona": "lab", "filter": "room=a", "dry_run": true, "expires": "1999-01-01T00:00:00Z"}), &[])
            .await;
    assert_eq!((wrong.problem(), &wrong.body["errors"][0]["pointer"]), ("invalid", &json!("/expires")));

    let key = [("idempotency-key", "move-1")];
    let done = post(json!({"persona": "lab", "filter": "room=a", "reason": "move"}), &key).await;
    assert_eq!((done.status, &done.body["count"]), (200, &json!(4)), "{done:?}");
    // Another device comes to fit, and one is taken back: the same request said again changes neither.
    let late = json!({"attributes": {"room": "a"}});
    door.ask(&token, "PUT", &format!("/devices/{}", mac(9)), &[], Some(late)).await;
    door.ask(&token, "DELETE", &format!("/devices/{}/assignment", mac(0)), &[], None).await;
    let again = post(json!({"persona": "lab", "filter": "room=a", "reason": "move"}), &key).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"), "{again:?}");
    assert_eq!((&again.body["count"], assigned().await), (&json!(3), 3));
    let other = post(json!({"persona": "lab", "filter": "room=b"}), &key).await;
    assert_eq!(
        (other.status, other.problem(), &other.body["errors"][0]["header"]),
        (422, "key-used", &json!("Idempotency-Key"))
    );

    let listed = post(json!({"persona": "lab", "devices": [mac(4), mac(5), mac(4).replace(':', "-")]}), &[]).await;
    assert_eq!(listed.body["count"], 2, "one named twice is one: {listed:?}");
    for (said, pointer) in [
        (json!({"persona": "lab"}), ""),
        (json!({"persona": "lab", "devices": [], "filter": "room=a"}), ""),
        (json!({"persona": "lab", "filter": "room="}), "/filter"),
        (json!({"persona": "lab", "devices": [mac(1), "nobody"]}), "/devices/1"),
        (json!({"persona": "lab", "devices": vec![mac(1); 10_001]}), "/devices"),
    ] {
        let refused = post(said, &[]).await;
        assert_eq!((refused.status, &refused.body["errors"][0]["pointer"]), (422, &json!(pointer)), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_sent_again_is_carried_out_once() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write,assignments:write").await;
    let other = door.token("other", "devices:write,assignments:write").await;
    let path = format!("/devices/{MAC}");
    let key = [("idempotency-key", "k-1")];
    let said = || Some(json!({"attributes": {"role": "a"}}));
    assert_eq!(door.ask(&token, "PUT", &path, &key, said()).await.status, 201);
    assert_eq!(door.ask(&token, "PATCH", &path, &[], Some(json!({"attributes": {"role": "b"}}))).await.status, 200);
    let again = door.ask(&token, "PUT", &path, &key, said()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
    assert_eq!(again.body["attributes"]["role"], "b", "what came after it stays");
    let elsewhere = door.ask(&token, "PUT", "/devices/52:54:00:77:00:22", &key, said()).await;
    assert_eq!(elsewhere.problem(), "key-used", "the same words about another device are another request");
    let foreign = door.ask(&other, "PUT", "/devices/52:54:00:77:00:23", &key, said()).await;
    assert_eq!(foreign.status, 201, "keys of one token mean nothing to another: {foreign:?}");
    let gone = [("idempotency-key", "k-2")];
    assert_eq!(door.ask(&token, "DELETE", &path, &gone, None).await.status, 204);
    assert_eq!(door.ask(&token, "DELETE", &path, &gone, None).await.status, 204, "said again, it is as good as done");
    let bad = door.ask(&token, "DELETE", &path, &[("idempotency-key", "two words")], None).await;
    assert_eq!((bad.status, &bad.body["errors"][0]["header"]), (400, &json!("Idempotency-Key")));
}
