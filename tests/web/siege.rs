//! Somebody takes more than their share, or speaks what is no HTTP: the others' pages stay quick, memory stays bounded, and
//! afterwards everything is as it was.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{
    browser::Browser,
    past,
    stage::{Site, until},
};

const MIB: u64 = 1 << 20;

/// Says this on a connection of its own: what comes back until it is closed, or nothing more comes for two seconds.
fn raw(site: &Site, said: &[u8]) -> String {
    let mut stream = connect(site);
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    // Who is not listened to any more cannot say everything.
    drop(stream.write_all(said));
    let (mut heard, mut buffer) = (vec![], [0; 16 << 10]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => heard.extend(&buffer[..read]),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => break,
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&heard).into_owned()
}

fn connect(site: &Site) -> TcpStream {
    let address = site.url.strip_prefix("http://").unwrap();
    TcpStream::connect(address).unwrap()
}

/// How many answers there are in what came back.
fn answers(heard: &str) -> usize {
    heard.matches("HTTP/1.1 ").count()
}

#[test]
fn what_is_no_http_is_refused_and_harms_nobody() {
    let site = Site::start();
    let us = format!("Host: x\r\n{}\r\nSec-Fetch-Site: same-origin", site.cookie());
    let head = |more: &str| format!("GET / HTTP/1.1\r\n{us}\r\n{more}\r\n").into_bytes();
    let post = |more: &str| format!("POST /predictions/learn HTTP/1.1\r\n{us}\r\n{more}").into_bytes();
    let hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    // Of each: what is said, and how many answers there may be at most. A second one would mean that a request hid in the first.
    let said: Vec<(&str, Vec<u8>, usize)> = vec![
        ("no request at all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 1),
        ("nothing but line ends", b"\r\n\r\n\r\n\r\n".to_vec(), 1),
        ("a version from elsewhere", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n".to_vec(), 1),
        ("a method with markup", b"<script> / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 1),
        ("a header without a colon", head("nonsense\r\n"), 1),
        ("a header with a NUL", head("X: a\0b\r\n"), 1),
        ("a folded header", head("X: a\r\n b: c\r\n"), 1),
        ("a blank before the colon", head("Content-Length : 5\r\n"), 1),
        ("both lengths", post(&format!("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}")), 2),
        ("two lengths", post(&format!("Content-Length: 0\r\nContent-Length: 44\r\n\r\n{hidden}")), 1),
        ("a length with a sign", post(&format!("Content-Length: +0\r\n\r\n{hidden}")), 1),
        ("a length below nothing", post(&format!("Content-Length: -1\r\n\r\n{hidden}")), 1),
        ("a length beyond numbers", post("Content-Length: 99999999999999999999999\r\n\r\n"), 1),
        ("chunked, more or less", post(&format!("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}")), 1),
        ("a chunk of no size", post("Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"), 1),
        ("a chunk beyond numbers", post("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n"), 1),
        ("a head of a megabyte", head(&format!("X: {}\r\n", "a".repeat(1 << 20))), 1),
        ("ten thousand headers", head(&"X: a\r\n".repeat(10_000)), 1),
        (
            "an address of a megabyte",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1 << 20)).into_bytes(),
            1,
        ),
        ("a cookie of sixty kilobytes", head(&format!("Cookie: greenroom-notice={}\r\n", "A".repeat(60_000))), 1),
        ("a cookie of nonsense", head("Cookie: greenroom-notice=%00\u{ff}; =; ;;; greenroom-session=\u{1}\r\n"), 1),
    ];
    for (what, bytes, most) in said {
        let began = Instant::now();
        let heard = raw(&site, &bytes);
        assert!(!heard.starts_with("HTTP/1.1 5"), "{what}: {heard}");
        assert!(answers(&heard) <= most && !heard.contains("/hidden"), "{what}: {heard}");
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: it took {:?}", began.elapsed());
    }
    let (status, _) = site.curl("/", &[]);
    assert_eq!(status, 200);
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[test]
fn no_path_leads_out() {
    let site = Site::start();
    let outside = ["secrets/root-password", "state/seed.key", "greenroom.yaml", "etc/passwd", "admin.sock"];
    let ways = ["..", "%2e%2e", "..%2f..", "%2e%2e%2f%2e%2e", "....//", "..%5c..", "%252e%252e", "..%00", ".%2e"];
    let starts =
        ["", "static", "static/x", "personas", "images", "devices", "boots", "personas/fragments", "images/blob"];
    for (start, way) in starts.iter().flat_map(|start| ways.map(|way| (*start, way))) {
        for file in outside {
            let path = format!("/{start}/{way}/{way}/{way}/{file}");
            let (status, said) = site.curl(&path, &["--path-as-is"]);
            assert!((300..500).contains(&status), "{path}: {status}: {said}");
            assert!(
                !said.contains("open-sesame") && !said.contains("root:x:0") && !said.contains("state_dir"),
                "{path}: {said}"
            );
        }
    }
    for path in [
        "//elsewhere.example/",
        "/\\elsewhere.example",
        "/.json",
        "/x.json.json",
        "/devices/%00",
        "/boots/%ff%fe",
        "/%",
        "/?%",
        "/devices/.json",
    ] {
        let (status, said) = site.curl(path, &["--path-as-is"]);
        assert!((200..500).contains(&status) && !said.contains("ocation: //"), "{path}: {status}: {said}");
    }
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[test]
fn bodies_of_ten_megabytes_are_refused_or_read_and_leave_nothing() {
    let site = Site::start();
    let before = site.memory();
    let kinds = [
        ("a long text", format!("text={}", "a".repeat(10 << 20))),
        ("ten million fields", "a=&".repeat(10 << 18)),
        ("deep YAML", format!("text={}", "[".repeat(10 << 20))),
        ("aliases", format!("text=a:%20%26a%20[{}]", "*a,".repeat(1 << 20))),
    ];
    let file = site.dir.path().join("body");
    for (what, body) in &kinds {
        std::fs::write(&file, body).unwrap();
        for path in [
            "/sign-in",
            "/personas/classroom/edit",
            "/personas/new",
            "/devices/import",
            "/predictions/learn",
            "/accounts",
        ] {
            let data = format!("@{}", file.display());
            let began = Instant::now();
            let (status, said) = site.curl(path, &["--data-binary", &data, "-H", "Sec-Fetch-Site: same-origin"]);
            // Zero: the connection was closed before everything had been said.
            assert!(status < 500, "{what} to {path}: {status}: {said}");
            assert!(began.elapsed() < Duration::from_secs(20), "{what} to {path}: it took {:?}", began.elapsed());
        }
    }
    let grown = site.memory().saturating_sub(before);
    assert!(grown < 150 * MIB, "memory grew by {} MiB", grown / MIB);
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

/// Opens a stream of events: the head of its answer. The connection stays with the caller.
fn follow(site: &Site) -> (TcpStream, String) {
    let mut stream = connect(site);
    let asked = format!("GET /live HTTP/1.1\r\nHost: x\r\n{}\r\nAccept: text/event-stream\r\n\r\n", site.cookie());
    stream.write_all(asked.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut head = [0; 1024];
    let read = stream.read(&mut head).unwrap_or_default();
    (stream, String::from_utf8_lossy(&head[..read]).into_owned())
}

#[test]
fn two_hundred_open_streams_get_clear_answers_and_others_still_get_pages() {
    let site = Site::start();
    site.curl("/", &[]);
    let before = site.memory();
    // None of them reads on.
    let streams: Vec<(TcpStream, String)> = (0..200).map(|_| follow(&site)).collect();
    let open = streams.iter().filter(|(_, head)| head.starts_with("HTTP/1.1 200")).count();
    let refused =
        streams.iter().filter(|(_, head)| head.starts_with("HTTP/1.1 503") && head.contains("retry-after")).count();
    assert!((16..=64).contains(&open) && open + refused == 200, "{open} are open, {refused} were told no");
    // Things happen, and nobody of them listens.
    let lines: String = (0..1500).map(|n| format!("{},canary-{n}\n", past::mac(5000 + n))).collect();
    let file = site.dir.path().join("many.csv");
    for round in 0..6 {
        std::fs::write(&file, format!("mac,role\n{}", lines.replace("canary", &format!("round-{round}")))).unwrap();
        site.ok(&["device", "import", file.to_str().unwrap()]);
    }
    // Somebody at the same address opens pages, in a browser, meanwhile; its own stream is one of those that find no place.
    let mut browser = Browser::start();
    browser.forgive("503");
    let began = Instant::now();
    browser.goto(&site.url);
    browser.wait_for("h1");
    assert!(began.elapsed() < Duration::from_secs(15), "a page took {:?}", began.elapsed());
    browser.wait_until("return document.documentElement.dataset.stream === 'broken'");
    let grown = site.memory().saturating_sub(before);
    assert!(grown < 120 * MIB, "memory grew by {} MiB", grown / MIB);
    // They go away, and the page's stream comes back by itself.
    drop(streams);
    browser.wait_until("return document.documentElement.dataset.stream === 'open'");
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

#[test]
fn slow_clients_hold_nothing_for_long() {
    let site = Site::start();
    // Heads that never end, bodies that never come, answers that nobody reads.
    let mut slow: Vec<TcpStream> = (0..40)
        .map(|n| {
            let mut stream = connect(&site);
            let us = format!("Host: x\r\n{}\r\nSec-Fetch-Site: same-origin", site.cookie());
            let said = match n % 3 {
                0 => "GET / HT".into(),
                1 => format!("POST /predictions/learn HTTP/1.1\r\n{us}\r\nContent-Length: 1000\r\n\r\na"),
                _ => format!("GET / HTTP/1.1\r\n{us}\r\n\r\n"),
            };
            stream.write_all(said.as_bytes()).unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    assert_eq!(site.curl("/", &[]).0, 200);
    assert!(began.elapsed() < Duration::from_secs(20), "a page took {:?}", began.elapsed());
    // Those that do not finish their head are let go of.
    let head = &mut slow[0];
    head.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    let mut rest = vec![];
    head.read_to_end(&mut rest).expect("it is closed");
}

#[test]
fn a_page_follows_again_after_the_server_was_away() {
    let mut site = Site::start();
    let mut browser = Browser::start();
    for words in ["ERR_CONNECTION", "ERR_INCOMPLETE", "ERR_EMPTY", "Failed to load", "Failed to fetch"] {
        browser.forgive(words);
    }
    browser.goto(&site.url);
    browser.wait_until("return document.documentElement.dataset.stream === 'open'");
    site.end();
    browser.wait_until("return document.documentElement.dataset.stream === 'broken'");
    site.begin();
    browser.wait_until("return document.documentElement.dataset.stream === 'open'");
    // And what happens from then on is shown.
    let before = browser.text("#glance");
    let file = site.dir.path().join("new.csv");
    std::fs::write(&file, format!("mac,role\n{},new\n", past::mac(9999))).unwrap();
    site.ok(&["device", "import", file.to_str().unwrap()]);
    until("the page shows it", || (browser.text("#glance") != before).then_some(()));
}
