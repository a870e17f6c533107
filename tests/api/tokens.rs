//! Tokens: made, shown once, kept as prints, limited.

use std::{fs, path::Path};

use greenroom::serve::api::Rates;
use serde_json::{Value, json};

use crate::door::{Door, answer};

const MAC: &str = "52:54:00:77:00:02";

/// Every byte that lies in a folder.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(bytes_below(&path)),
            false => found.extend(fs::read(&path).unwrap_or_default()),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_kept_nowhere() {
    let door = Door::open().await;
    let token = door.token("helpdesk", "devices:write,assignments:write").await;
    assert!(token.starts_with("greenroom_") && token.len() == 53, "{token}");
    assert_eq!(door.get(&token, "/devices").await.status, 200, "whoever may write may read");
    let kept = bytes_below(door.house.dir.path());
    let secret = token.strip_prefix("greenroom_").unwrap().as_bytes();
    assert!(!kept.windows(secret.len()).any(|window| window == secret), "the token is on the disk");
    assert!(kept.windows(13).any(|window| window == b"token-created"), "the fact is");

    let (_, list) = door.cli(&["token", "list", "--json"]).await;
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list[0]["scopes"], json!(["devices:write", "assignments:write"]));
    assert!(list[0]["used"].is_u64() && list[0]["expires"].is_u64(), "{list}");
    assert!(list[0].get("print").is_none(), "{list}");
    let (good, said) = door.cli(&["token", "create", "--name", "helpdesk", "--scope", "read"]).await;
    assert!(!good && said.contains("there is a token helpdesk already"), "{said}");

    assert!(door.cli(&["token", "revoke", "helpdesk"]).await.0);
    let refused = door.get(&token, "/devices").await;
    assert_eq!((refused.status, refused.problem()), (401, "unauthorized"));
    assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"greenroom\"");
    let (good, said) = door.cli(&["token", "revoke", "helpdesk"]).await;
    assert!(!good && said.contains("there is no token helpdesk"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_when_it_was_said_to() {
    let door = Door::open().await;
    let (_, token) = door.cli(&["token", "create", "--name", "short", "--scope", "read", "--expires", "2s"]).await;
    assert_eq!(door.get(&token, "/health").await.status, 200);
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(door.get(&token, "/health").await.status, 401);
    let (_, list) = door.cli(&["token", "list"]).await;
    assert!(list.contains("has expired"), "{list}");
    let (good, said) = door.cli(&["token", "create", "--name", "short", "--scope", "read", "--expires", "never"]).await;
    assert!(good, "its name is free again: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_scope_opens_what_it_names_and_nothing_else() {
    let door = Door::open().await;
    let read = door.token("reader", "read").await;
    let desk = door.token("desk", "devices:write,assignments:write").await;
    let assign = || Some(json!({"persona": "lab"}));
    let described = door.ask(&desk, "PUT", &format!("/devices/{MAC}"), &[], Some(json!({"attributes": {}}))).await;
    assert_eq!(described.status, 201, "{described:?}");
    for (token, method, path, body, status) in [
        (&read, "GET", "/devices", None, 200),
        (&read, "PUT", "/devices/52:54:00:77:00:02", Some(json!({"attributes": {}})), 403),
        (&read, "PUT", "/devices/52:54:00:77:00:02/assignment", assign(), 403),
        (&read, "PUT", "/devices/52:54:00:77:00:02/arm", None, 403),
        (&read, "PUT", "/users/ann", Some(json!({"attributes": {}})), 403),
        (&read, "POST", "/cache/evictions", Some(json!({"of": "tiny"})), 403),
        (&read, "GET", "/audit", None, 403),
        (&desk, "PUT", "/devices/52:54:00:77:00:02/assignment", assign(), 201),
        (&desk, "PUT", "/devices/52:54:00:77:00:02/assignment", Some(json!({"persona": "lab", "arm": true})), 403),
        (&desk, "POST", "/assignments", Some(json!({"persona": "lab", "arm": true, "devices": [MAC]})), 403),
        (&desk, "PUT", "/devices/52:54:00:77:00:02/arm", None, 403),
        (&desk, "PUT", "/users/ann", Some(json!({"attributes": {}})), 403),
    ] {
        let answer = door.ask(token, method, path, &[], body).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        if status == 403 {
            assert_eq!(answer.problem(), "forbidden");
            assert!(answer.body["detail"].as_str().unwrap().contains("this needs the scope `"), "{answer:?}");
        }
    }
    assert!(door.house.context.engine.world().device_of(MAC.parse().unwrap()).unwrap().armed.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_is_told_to_wait_and_who_knows_goes_on() {
    let door = Door::open_with(Rates { token: 100_000, address: 5000 }).await;
    let token = door.token("reader", "read").await;
    let mut seen = std::collections::BTreeMap::<u16, usize>::new();
    for n in 0..2000 {
        let guess = door.get(&format!("greenroom_{n:043}"), "/devices").await;
        assert!(["unauthorized", "too-many-requests"].contains(&guess.problem()), "{guess:?}");
        if guess.status == 429 {
            assert!(guess.header("retry-after").parse::<u64>().unwrap() >= 1);
        }
        *seen.entry(guess.status).or_default() += 1;
    }
    assert!(seen[&401] >= 1000 && seen[&429] > 100 && seen.len() == 2, "{seen:?}");
    assert_eq!(door.get(&token, "/devices").await.status, 200);
    for header in ["", "Basic YTpi", "Bearer", "Bearer  ", "bearer x y", "Token t"] {
        let strange = answer(door.web.get(door.url("/api/v1/devices")).header("authorization", header)).await;
        assert!([401, 429].contains(&strange.status), "{header}: {strange:?}");
    }
    let cookie = answer(door.web.get(door.url("/api/v1/devices")).header("cookie", format!("token={token}"))).await;
    assert_eq!(cookie.status, 401, "no cookie is a token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_and_an_address_have_their_rates() {
    let door = Door::open_with(Rates { token: 5, address: 1000 }).await;
    let (one, other) = (door.token("one", "read").await, door.token("other", "read").await);
    let mut last = door.get(&one, "/health").await;
    for _ in 0..100 {
        last = door.get(&one, "/health").await;
        if last.status == 429 {
            break;
        }
    }
    assert_eq!((last.status, last.problem()), (429, "too-many-requests"));
    assert_eq!(door.get(&other, "/health").await.status, 200, "another token has its own");
    let door = Door::open_with(Rates { token: 1000, address: 5 }).await;
    let mut statuses = vec![];
    for _ in 0..60 {
        statuses.push(answer(door.web.get(door.url("/api/v1/openapi.json"))).await.status);
    }
    assert!(statuses.contains(&429), "what needs no token has a rate as well");
}
