//! Many requests on one connection: scripts that hyper writes, and blobs that the kernel sends between them.

use std::time::Duration;

use greenroom::model::timeline::Step;
use tokio::{io::BufReader, net::TcpSocket};

use crate::{
    origin::Origin,
    socket::Socket,
    world::{House, noise},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_script_two_blobs_and_a_script_come_on_one_connection() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let (bytes, digest) = &house.rootfs;
    let mut client = Socket::connect(house.http).await;
    for _ in 0..3 {
        client.get(&format!("/boot/{boot}/start.ipxe"), "").await;
        let (head, script) = client.answer().await;
        assert!(head.status == 200 && script.starts_with(b"#!ipxe"), "{head:?}");
        for path in [format!("/blob/{digest}/{boot}/rootfs"), format!("/blob/{digest}")] {
            client.get(&path, "").await;
            let (head, body) = client.answer().await;
            assert!(head.status == 200 && body == *bytes, "{path}: {head:?}");
            assert_eq!((head.field("connection"), head.field("transfer-encoding")), (None, None));
            assert!(head.field("date").is_some() && head.field("accept-ranges") == Some("bytes"), "{head:?}");
        }
        client.get(&format!("/blob/{}", "0".repeat(64)), "").await;
        assert_eq!(client.answer().await.0.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_were_sent_ahead_are_answered_in_their_order() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let (bytes, digest) = &house.rootfs;
    let mut client = Socket::connect(house.http).await;
    let get = |path: &str, lines: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
    let (start, blob) = (format!("/boot/{boot}/start.ipxe"), format!("/blob/{digest}"));
    let ahead = [
        get(&blob, "Range: bytes=0-9\r\n"),
        get(&start, ""),
        get(&blob, ""),
        get(&blob, "Range: bytes=-7\r\n"),
        get(&start, ""),
        // The last one comes in two parts, the first of them while a blob is sent.
        get(&blob, "Range: bytes=100-199\r\n"),
    ]
    .concat();
    let (first, last) = ahead.split_at(ahead.len() - 40);
    client.send(first).await;
    assert!(client.answer().await.1 == bytes[..10]);
    assert!(client.answer().await.1.starts_with(b"#!ipxe"));
    assert!(client.answer().await.1 == *bytes);
    assert!(client.answer().await.1 == bytes[bytes.len() - 7..]);
    assert!(client.answer().await.1.starts_with(b"#!ipxe"));
    client.send(last).await;
    assert!(client.answer().await.1 == bytes[100..200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_when_the_client_says_so_and_not_before() {
    let house = House::new().await;
    let (bytes, digest) = &house.rootfs;
    let path = format!("/blob/{digest}");
    for (request, lasts) in [
        (format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"), true),
        (format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), false),
        (format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n"), false),
        (format!("GET {path} HTTP/1.0\r\n\r\n"), false),
        (format!("GET {path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), true),
        // Nobody reads this body: it must not be taken for the next request.
        (format!("GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n"), false),
        (format!("GET {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), false),
        (format!("GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), true),
    ] {
        let mut client = Socket::connect(house.http).await;
        client.send(&request).await;
        let (head, body) = client.answer().await;
        assert!(head.status == 200 && body == *bytes, "{request}: {head:?}");
        let says = head.field("connection").map(str::to_ascii_lowercase);
        match lasts {
            true => {
                assert!(says.is_none_or(|says| says == "keep-alive"), "{request}: {head:?}");
                client.get(&path, "Range: bytes=3-5\r\n").await;
                assert!(client.answer().await.1 == bytes[3..6], "{request}");
            }
            false => {
                assert!(says.as_deref() == Some("close") || request.contains("HTTP/1.0"), "{request}: {head:?}");
                assert_eq!(client.rest().await, (vec![], true), "{request}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_has_the_headers_of_get_and_no_body() {
    let house = House::new().await;
    let (_, digest) = &house.rootfs;
    let mut client = Socket::connect(house.http).await;
    let mut heads = vec![];
    for method in ["HEAD", "GET", "HEAD"] {
        client.send(&format!("{method} /blob/{digest} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        let mut head = client.head().await;
        if method == "GET" {
            client.body(head.length()).await;
        }
        head.fields.retain(|(name, _)| name != "date");
        head.fields.sort();
        heads.push(format!("{head:?}"));
    }
    assert!(heads[0] == heads[1] && heads[1] == heads[2], "{heads:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_in_the_middle_is_seen_and_costs_the_others_nothing() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    house.script(boot).await;
    let (bytes, digest) = &house.rootfs;
    let url = house.url(&format!("/blob/{digest}"));
    for _ in 0..8 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut gone = Socket(BufReader::new(socket.connect(house.http).await.unwrap()));
        gone.get(&format!("/blob/{digest}/{boot}/rootfs"), "").await;
        assert_eq!(gone.head().await.status, 200);
        gone.body(1000).await;
    }
    let mut told = vec![];
    while told.len() < 8 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let steps = house.boot(boot).steps;
        let transfers = steps.iter().filter_map(|moved| match &moved.step {
            Step::Blob { transfer, .. } => Some(*transfer),
            _ => None,
        });
        told = transfers.collect();
    }
    for transfer in told {
        assert!(transfer.bytes.0 > 0 && transfer.of.0 == bytes.len() as u64 && !transfer.is_whole(), "{transfer:?}");
    }
    let seen = house.curl(&["-f", "-o", "got", "-w", "%{http_code}", &url]).await;
    assert!(seen == "200" && house.file("got") == *bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_whose_origin_breaks_off_ends_no_answer_well() {
    let house = House::new().await;
    let bytes = noise(3_000_000, 11);
    let origin = Origin::start(bytes.clone()).await;
    let digest = house.add_image("broken", &bytes, &origin.url());
    origin.give(2_000_000);
    let mut client = Socket::connect(house.http).await;
    client.get(&format!("/blob/{digest}"), "").await;
    let head = client.head().await;
    assert_eq!((head.status, head.length()), (200, bytes.len()));
    let part = client.body(1_000_000).await;
    assert!(part == bytes[..1_000_000]);
    origin.break_off();
    let (rest, _) = client.rest().await;
    assert!(part.len() + rest.len() < bytes.len(), "a part is not taken for the whole");
    assert!(rest == bytes[1_000_000..1_000_000 + rest.len()], "what came is right");
    let url = house.url(&format!("/blob/{digest}"));
    let curl = house.run("curl", &["-sS", "-f", "-o", "got", &url]).await;
    assert!(!curl.status.success(), "{curl:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_served_while_the_blob_is_still_coming() {
    let house = House::new().await;
    let bytes = noise(3_000_000, 12);
    let origin = Origin::start(bytes.clone()).await;
    let digest = house.add_image("coming", &bytes, &origin.url());
    origin.give(1_500_000);
    let mut client = Socket::connect(house.http).await;
    let path = format!("/blob/{digest}");
    client.get(&path, "Range: bytes=1000-999999\r\n").await;
    let (head, body) = client.answer().await;
    assert!(head.status == 206 && body == bytes[1000..1_000_000], "{head:?}");
    client.get(&path, "Range: bytes=0-9,500000-500009\r\n").await;
    let (head, body) = client.answer().await;
    assert!(head.status == 206 && !body.is_empty(), "{head:?}");
    // This one has to wait for what comes later; a client that leaves meanwhile is no trouble to it.
    client.get(&path, "Range: bytes=1000000-2999999\r\n").await;
    assert_eq!(client.head().await.status, 206);
    let mut leaving = Socket::connect(house.http).await;
    leaving.get(&path, "Range: bytes=2900000-\r\n").await;
    assert_eq!(leaving.head().await.status, 206);
    drop(leaving);
    tokio::time::sleep(Duration::from_millis(50)).await;
    origin.give(bytes.len());
    assert!(client.body(2_000_000).await == bytes[1_000_000..]);
    assert_eq!(origin.asked(), 1, "one fill for all of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stops_ends_what_it_began_and_begins_nothing_more() {
    let house = House::new().await;
    let (bytes, digest) = &house.rootfs;
    let mut idle = Socket::connect(house.http).await;
    idle.get("/healthz", "").await;
    assert_eq!(idle.answer().await.0.status, 200);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut slow = Socket(BufReader::new(socket.connect(house.http).await.unwrap()));
    slow.get(&format!("/blob/{digest}"), "").await;
    assert_eq!(slow.head().await.status, 200);
    house.stop.cancel();
    assert_eq!(idle.rest().await, (vec![], true), "nobody waits for who asks nothing");
    assert!(!house.serving.is_finished(), "a transfer is under way");
    assert!(slow.body(bytes.len()).await == *bytes);
    assert_eq!(slow.rest().await, (vec![], true));
    tokio::time::timeout(Duration::from_secs(30), house.serving).await.expect("it ends").unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(house.http).await.is_err(), "the port is closed");
}
