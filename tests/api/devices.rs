//! Devices and people.

use serde_json::{Value, json};

use crate::door::Door;

fn device(n: u32) -> String {
    format!("/devices/52:54:00:99:{:02x}:{:02x}", n >> 8, n & 255)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_described_read_by_any_port_changed_and_forgotten() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write").await;
    let ask = async |method: &str, path: &str, body: Option<Value>| door.ask(&token, method, path, &[], body).await;
    let boot = door.house.begin(1).await;
    let seen = ask("GET", "/devices/525400770001", None).await;
    assert_eq!((seen.status, &seen.body["device"]), (200, &json!("52:54:00:77:00:01")), "{seen:?}");
    assert_eq!((&seen.body["boot"], &seen.body["firmware"]), (&json!(boot.to_string()), &json!("efi-pxe")), "{seen:?}");
    assert!(seen.body["last_seen"].as_str().is_some_and(|time| time.ends_with('Z')), "{seen:?}");

    let path = device(1);
    assert_eq!(ask("GET", &path, None).await.problem(), "not-found");
    assert_eq!(ask("PATCH", &path, Some(json!({"attributes": {"role": "x"}}))).await.problem(), "not-found");
    let made = ask("PUT", &path, Some(json!({"attributes": {"role": "kiosk", "location": "hall 2"}}))).await;
    assert_eq!((made.status, &made.body["attributes"]["role"]), (201, &json!("kiosk")), "{made:?}");
    let changed = ask("PATCH", &path, Some(json!({"attributes": {"location": null, "floor": "2"}}))).await;
    assert_eq!((changed.status, &changed.body["attributes"]), (200, &json!({"role": "kiosk", "floor": "2"})));
    let replaced = ask("PUT", &path, Some(json!({"attributes": {"user": "ann"}}))).await;
    assert_eq!((replaced.status, &replaced.body["attributes"]), (200, &json!({"user": "ann"})));

    let users = door.token("hr", "users:write").await;
    let said = json!({"attributes": {"role": "developer", "department": "r&d"}});
    assert_eq!(door.ask(&users, "PUT", "/users/ann", &[], Some(said)).await.status, 201);
    let of_ann = ask("GET", &path, None).await;
    assert_eq!(of_ann.body["effective_attributes"]["department"], "r&d", "{of_ann:?}");
    let gone = door.ask(&users, "PATCH", "/users/ann", &[], Some(json!({"active": false}))).await;
    assert_eq!((&gone.body["active"], &gone.body["attributes"]["role"]), (&json!(false), &json!("developer")));
    assert_eq!(door.get(&users, "/users").await.body["items"][0]["user"], "ann");
    assert_eq!(door.ask(&users, "DELETE", "/users/ann", &[], None).await.status, 204);
    assert_eq!(door.get(&users, "/users/ann").await.status, 404);

    assert_eq!(ask("DELETE", &path, None).await.status, 204);
    assert_eq!(ask("DELETE", &path, None).await.problem(), "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_filtered_paged_and_cut_to_the_fields_asked_for() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write").await;
    for n in 0..25 {
        let said = json!({"attributes": {"role": if n % 2 == 0 { "kiosk" } else { "dev" }, "floor": n.to_string()}});
        assert_eq!(door.ask(&token, "PUT", &device(n), &[], Some(said)).await.status, 201);
    }
    let (mut found, mut next, mut pages) = (vec![], String::new(), 0);
    loop {
        let page =
            door.get(&token, &format!("/devices?filter=role%3Dkiosk&limit=5&fields=attributes,macs{next}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        let items = page.body["items"].as_array().unwrap().clone();
        assert!(items.iter().all(|item| item.as_object().unwrap().len() == 3), "{items:?}");
        found.extend(items.iter().map(|item| item["device"].as_str().unwrap().to_owned()));
        pages += 1;
        match page.body["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((found.len(), pages), (13, 3));
    assert!(found.is_sorted(), "{found:?}");
    for (query, parameter, words) in [
        ("filter=role%3D", "filter", "column 6: expected a value after `=`"),
        ("limit=0", "limit", "1 to 1000"),
        ("limit=1e3", "limit", "1 to 1000"),
        ("limti=5", "limti", "did you mean `limit`?"),
        ("fields=atributes", "fields", "`atributes` is no field"),
        ("cursor=%21", "cursor", "this is no cursor"),
        ("cursor=aGVsbG8", "cursor", "this is no cursor of this list"),
    ] {
        let bad = door.get(&token, &format!("/devices?{query}")).await;
        assert_eq!((bad.status, bad.problem()), (400, "malformed"), "{query}");
        let flaw = &bad.body["errors"][0];
        assert_eq!(flaw["parameter"], parameter, "{bad:?}");
        assert!(flaw["detail"].as_str().unwrap().contains(words), "{bad:?}");
    }
    let near = door.get(&token, "/devices?fields=atributes").await;
    assert_eq!(near.body["errors"][0]["suggestion"], "attributes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_not_sent_again_and_what_has_changed_is_not_overwritten() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write,assignments:write").await;
    let path = device(7);
    let said = |role: &str| Some(json!({"attributes": {"role": role}}));
    let made = door.ask(&token, "PUT", &path, &[("if-none-match", "*")], said("a")).await;
    assert_eq!(made.status, 201);
    let again = door.ask(&token, "PUT", &path, &[("if-none-match", "*")], said("b")).await;
    assert_eq!((again.status, again.problem()), (412, "changed"), "it exists");
    let tag = made.header("etag").to_owned();
    let same = door.ask(&token, "GET", &path, &[("if-none-match", &tag)], None).await;
    assert_eq!((same.status, same.text.as_str(), same.header("etag")), (304, "", tag.as_str()));
    let weak = format!("\"x\", W/{tag}");
    assert_eq!(door.ask(&token, "GET", &path, &[("if-none-match", &weak)], None).await.status, 304);

    // Two writers who saw the same: one wins, the other is told.
    let write =
        async |role: &'static str| door.ask(&token, "PUT", &path, &[("if-match", &tag)], said(role)).await.status;
    let (one, other) = tokio::join!(write("b"), write("c"));
    let mut statuses = [one, other];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    // The assignment is of the same device: who saw it before that is told as well.
    let assignment = format!("{path}/assignment");
    let late = door.ask(&token, "PUT", &assignment, &[("if-match", &tag)], Some(json!({"persona": "lab"}))).await;
    assert_eq!(late.problem(), "changed");
    let now = door.get(&token, &path).await.header("etag").to_owned();
    let right = door.ask(&token, "PUT", &assignment, &[("if-match", &now)], Some(json!({"persona": "lab"}))).await;
    assert_eq!(right.status, 201, "{right:?}");
    let tag = right.header("etag").to_owned();
    for wrong in ["\"other\"", "nonsense", "W/\"1-2\"", &now] {
        let refused = door.ask(&token, "DELETE", &assignment, &[("if-match", wrong)], None).await;
        assert_eq!(refused.status, 412, "{wrong}");
    }
    assert_eq!(door.ask(&token, "DELETE", &assignment, &[("if-match", &tag)], None).await.status, 204);
    assert_eq!(
        door.ask(&token, "DELETE", &device(8), &[("if-match", "*")], None).await.status,
        412,
        "it does not exist"
    );

    // A device that speaks is another answer, and nobody's change.
    let boot = door.house.begin(9).await;
    let seen = door.get(&token, "/devices/52:54:00:77:00:09").await.header("etag").to_owned();
    door.house.script(boot).await;
    let later = door.get(&token, "/devices/52:54:00:77:00:09").await.header("etag").to_owned();
    assert_ne!(seen, later);
    let put = door.ask(&token, "PUT", "/devices/52:54:00:77:00:09", &[("if-match", &seen)], said("a")).await;
    assert_eq!(put.status, 200, "{put:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writers_at_once_lose_nothing() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write").await;
    let path = device(3);
    assert_eq!(door.ask(&token, "PUT", &path, &[], Some(json!({"attributes": {}}))).await.status, 201);
    let patch = |n: usize| {
        let (door, token, path) = (&door, &token, &path);
        async move { door.ask(token, "PATCH", path, &[], Some(json!({"attributes": {format!("a{n}"): "x"}}))).await.status }
    };
    let statuses = futures_util::future::join_all((0..40).map(patch)).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    let all = door.get(&token, &path).await;
    assert_eq!(all.body["attributes"].as_object().unwrap().len(), 40);
    let more: serde_json::Map<String, Value> = (0..25).map(|n| (format!("b{n}"), json!("x"))).collect();
    let too_many = door.ask(&token, "PATCH", &path, &[], Some(json!({"attributes": more}))).await;
    assert_eq!((too_many.problem(), &too_many.body["errors"][0]["pointer"]), ("invalid", &json!("/attributes")));
}
