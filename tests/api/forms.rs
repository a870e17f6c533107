//! Whatever is sent, the answer is of the form that was promised, and the daemon goes on.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::door::{Door, answer};

const PATH: &str = "/devices/52:54:00:77:00:31";

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_whose_type_has_a_page() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write").await;
    let put = |path: &str| door.web.put(door.url(&format!("/api/v1{path}"))).bearer_auth(&token);
    let get = |path: &str| door.web.get(door.url(&format!("/api/v1{path}"))).bearer_auth(&token);
    let json = |body: String| put(PATH).header("content-type", "application/json").body(body);
    for (what, request, status) in [
        ("no such path", get("/nothing"), 404),
        ("no such path below", get("/devices/52:54:00:77:00:31/x/y"), 404),
        ("no such method", door.web.delete(door.url("/api/v1/devices")).bearer_auth(&token), 405),
        ("no such form", get("/devices").header("accept", "text/csv"), 406),
        ("too large", json("x".repeat(3 << 20)), 413),
        ("too large, without a length", put(PATH).header("content-type", "application/json").body(streamed()), 413),
        ("no type", put(PATH).body("{}"), 415),
        ("another type", put(PATH).header("content-type", "application/xml").body("{}"), 415),
        ("merge patch is for PATCH", put(PATH).header("content-type", "application/merge-patch+json").body("{}"), 415),
        ("no JSON", json("{".into()), 400),
        ("nothing", json(String::new()), 400),
        ("too deep", json("[".repeat(200_000)), 422),
        ("deep in a field", json(format!("{{\"attributes\": {}1{}}}", "[".repeat(50_000), "]".repeat(50_000))), 422),
        ("no text", json("{\"attributes\": {\"a\": \"\\ud800\"}}".into()), 400),
        ("a number", json("{\"attributes\": {\"a\": 1e999}}".into()), 400),
        ("a bad name", json("{\"attributes\": {\"A B\": \"x\"}}".into()), 422),
        ("a control character", json("{\"attributes\": {\"a\": \"x\\u0000\"}}".into()), 422),
        ("no port", get("/devices/zz"), 400),
        ("a multicast port", get("/devices/01:00:5e:00:00:01"), 400),
        ("no UTF-8", get("/users/%ff%fe"), 400),
        ("no boot", get("/boots/0000000000"), 404),
    ] {
        let refused = answer(request).await;
        assert_eq!(refused.status, status, "{what}: {refused:?}");
        let kind = refused.problem().to_owned();
        let page = answer(door.web.get(door.url(&format!("/api/v1/problems/{kind}")))).await;
        assert_eq!(page.status, 200, "{kind}");
        assert!(page.text.contains(refused.body["title"].as_str().unwrap()), "{kind}");
        if status == 405 {
            assert!(refused.header("allow").contains("GET"), "{refused:?}");
        }
        for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")] {
            assert_eq!(refused.header(name), value, "{what}");
        }
    }
    assert_eq!(door.get(&token, "/health").await.status, 200);
}

fn streamed() -> reqwest::Body {
    let chunks = (0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 << 10]));
    reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_no_client_sends_are_answered_or_end_the_connection() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write").await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET /api/v1/devices/\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /api/v1/devices HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\xfe\r\n\r\n",
        b"GET /api/v1/../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n",
        b"PUT /api/v1/devices/525400770031 HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"\r\n\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut said = vec![];
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut said)).await;
        let _broken_off = read.expect("the connection ends");
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    assert_eq!(door.get(&token, "/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_in_is_given_up_and_holds_nobody_up() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write").await;
    let began = Instant::now();
    let slow = async {
        let mut stream = TcpStream::connect(door.address).await.unwrap();
        let head = format!(
            "PUT /api/v1{PATH} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             content-length: 1000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut said = [0; 4096];
        loop {
            tokio::select! {
                read = stream.read(&mut said) => break String::from_utf8_lossy(&said[..read.unwrap()]).into_owned(),
                () = tokio::time::sleep(Duration::from_millis(200)) => stream.write_all(b" ").await.unwrap_or_default(),
            }
        }
    };
    let others = async {
        for _ in 0..20 {
            assert_eq!(door.get(&token, "/devices").await.status, 200);
        }
    };
    let (said, ()) = tokio::join!(slow, others);
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("too-slow"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(60), "it was given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_a_get_without_its_body() {
    let door = Door::open().await;
    let token = door.token("desk", "devices:write").await;
    door.ask(&token, "PUT", PATH, &[], Some(json!({"attributes": {}}))).await;
    let (get, head) = (door.get(&token, PATH).await, door.ask(&token, "HEAD", PATH, &[], None).await);
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(
        (head.header("etag"), head.header("content-length")),
        (get.header("etag"), get.text.len().to_string().as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_does_not_take_every_place() {
    let door = Door::open().await;
    let mut held = vec![];
    for _ in 0..200 {
        held.push(TcpStream::connect(door.address).await.unwrap());
    }
    let mut turned_away = 0;
    for stream in &mut held {
        let mut byte = [0];
        if let Ok(read) = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut byte)).await {
            assert_eq!(read.unwrap_or(0), 0);
            turned_away += 1;
        }
    }
    assert_eq!(turned_away, 200 - 128);
    drop(held);
    let token = door.token("desk", "read").await;
    assert_eq!(door.get(&token, "/health").await.status, 200, "places are given back");
}
