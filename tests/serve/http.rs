//! The boot port.

use std::{fs, time::Duration};

use greenroom::model::{image::Tier, timeline::Step};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::world::{House, noise};

/// An answer's status and one of its headers, as curl saw them.
const SEEN: &str = "%{http_code} %header{content-length} %header{content-range} %header{etag} %header{location}";

#[tokio::test(flavor = "multi_thread")]
async fn blobs_come_whole_and_in_ranges_as_rfc_9110_says() {
    let house = House::new().await;
    let (bytes, digest) = &house.rootfs;
    let url = house.url(&format!("/blob/{digest}"));
    let etag = format!("\"{digest}\"");
    let len = bytes.len();
    for (asked, seen, body) in [
        (&[][..], format!("200 {len}  {etag} "), &bytes[..]),
        (&["-r", "0-0"], format!("206 1 bytes 0-0/{len} {etag} "), &bytes[..1]),
        (
            &["-r", "1000000-"],
            format!("206 {} bytes 1000000-{}/{len} {etag} ", len - 1_000_000, len - 1),
            &bytes[1_000_000..],
        ),
        (&["-r", "-5"], format!("206 5 bytes {}-{}/{len} {etag} ", len - 5, len - 1), &bytes[len - 5..]),
        (&["-r", "0-9,5-29"], format!("206 30 bytes 0-29/{len} {etag} "), &bytes[..30]),
        (&["-r", "3000001-"], format!("416 0 bytes */{len} {etag} "), &[]),
        (&["-r", "0-9", "-H", &format!("If-Range: {etag}")], format!("206 10 bytes 0-9/{len} {etag} "), &bytes[..10]),
        (&["-r", "0-9", "-H", "If-Range: \"other\""], format!("200 {len}  {etag} "), &bytes[..]),
    ] {
        let arguments = [&["-o", "got", "-w", SEEN, &url][..], asked].concat();
        fs::write(house.dir.path().join("got"), "").unwrap();
        assert_eq!(house.curl(&arguments).await, seen, "{asked:?}");
        assert!(house.file("got") == body, "{asked:?}: other bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_tells_the_length_and_sends_nothing() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let (bytes, digest) = &house.rootfs;
    for (path, length) in [
        (format!("/blob/{digest}"), bytes.len()),
        (format!("/blob/{digest}/{boot}/filesystem.squashfs"), bytes.len()),
        (format!("/boot/{boot}/snponly.efi"), 512 * 300),
    ] {
        let head = house.curl(&["-f", "-I", &house.url(&path)]).await.to_lowercase();
        assert!(head.contains(&format!("content-length: {length}\r\n")), "{path}: {head}");
    }
    let efi = house.curl(&["-f", "-I", &house.url(&format!("/boot/{boot}/snponly.efi"))]).await.to_lowercase();
    assert!(efi.contains("content-type: application/efi"), "{efi}");
    let start = house.curl(&["-f", "-I", &house.url(&format!("/boot/{boot}/start.ipxe"))]).await.to_lowercase();
    assert!(start.contains("content-length: "), "{start}");
    let script = house.curl(&["-f", "-I", &house.url(&format!("/boot/{boot}/script.ipxe"))]).await.to_lowercase();
    assert!(script.contains("text/plain") && !script.contains("content-length"), "not known yet: {script}");
    // A step that comes after them is in the World, and they are not.
    house.script(boot).await;
    let steps = house.boot(boot).steps;
    let script = steps.iter().filter(|moved| matches!(moved.step, Step::Script { .. })).count();
    assert!(script == 1 && !steps.iter().any(|moved| matches!(moved.step, Step::Nbp { .. })), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn row_32_needless_slashes_are_passed_over_without_a_redirect() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let digest = &house.rootfs.1;
    for path in
        [format!("//boot//{boot}///start.ipxe"), format!("/blob//{digest}"), format!("//boot/{boot}//snponly.efi")]
    {
        let seen = house.curl(&["-o", "got", "-w", "%{http_code}%header{location}", &house.url(&path)]).await;
        assert_eq!(seen, "200", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_carries_many_requests() {
    let house = House::new().await;
    let url = house.url(&format!("/blob/{}", house.rootfs.1));
    let seen = house.curl(&["-w", "%{num_connects} ", "-o", "a", &url, "-o", "b", &url, "-o", "c", &url]).await;
    assert_eq!(seen, "1 0 0 ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_not_found_and_nothing_can_be_changed() {
    let house = House::new().await;
    let other = "0".repeat(64);
    for (arguments, status) in [
        (&["/blob/0"][..], "404"),
        (&[&format!("/blob/{other}")], "404"),
        (&["--path-as-is", "/blob/../../etc/passwd"], "404"),
        (&["/boot/0000000000/none.efi"], "404"),
        (&["/devices"], "404"),
        (&["-X", "POST", "/commands"], "404"),
        (&["-X", "DELETE", &format!("/blob/{other}")], "405"),
        (&["-X", "PUT", "/"], "405"),
    ] {
        let (path, options) = arguments.split_last().unwrap();
        let url = house.url(path);
        let arguments = [&["-o", "/dev/null", "-w", "%{http_code}"], options, &[url.as_str()][..]].concat();
        assert_eq!(house.curl(&arguments).await, status, "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_runs_from_its_script_to_its_report() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let start = house.curl(&["-f", &house.url(&format!("/boot/{boot}/start.ipxe"))]).await;
    assert!(
        start.contains(&house.url(&format!("/boot/{boot}/script.ipxe"))),
        "URLs say how the client reached us: {start}"
    );
    let script = house.script(boot).await;
    let word = |prefix: &str| script.split_whitespace().find_map(|word| word.strip_prefix(prefix)).unwrap().to_owned();
    let (seed, report) = (word("seed="), word("post="));

    let kernel = script.split_whitespace().find(|word| word.contains("/blob/")).unwrap().to_owned();
    house.curl(&["-f", "-o", "kernel.got", &kernel]).await;
    assert!(house.file("kernel.got") == noise(300_000, 3));
    let (tier, transfer) = house
        .wait_for(boot, |step| match step {
            Step::Blob { tier, transfer, .. } => Some((*tier, *transfer)),
            _ => None,
        })
        .await;
    assert_eq!((tier, transfer.bytes.0, transfer.is_whole()), (Tier::Origin, 300_000, true));

    let user_data = house.curl(&["-f", &format!("{seed}user-data")]).await;
    assert!(user_data.starts_with("#cloud-config") && user_data.contains("$6$salt$hash"), "{user_data}");
    let told = house
        .run("busybox", &["wget", "-q", "-O", "-", "--post-data", "{\"phase\":\"ready\",\"hostname\":\"h\"}", &report])
        .await;
    assert_eq!(String::from_utf8_lossy(&told.stdout), "noted\n", "{told:?}");
    assert!(house.boot(boot).outcome.is_some(), "what was noted is in the World at once");

    // The same paths with another token, or another attempt's, are not there.
    let other = house.begin(2).await;
    let token = seed.split('/').nth(5).unwrap();
    for path in [
        format!("/seed/{boot}/{}/user-data", "0".repeat(32)),
        format!("/seed/{boot}/{}/user-data", &token[..31]),
        format!("/seed/{other}/{token}/user-data"),
        format!("/seed/{boot}/{token}/shadow"),
    ] {
        let seen = house.curl(&["-o", "/dev/null", "-w", "%{http_code}", &house.url(&path)]).await;
        assert_eq!(seen, "404", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_are_none_are_refused_in_plain_words() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let script = house.script(boot).await;
    let report = script.split_whitespace().find_map(|word| word.strip_prefix("post=")).unwrap();
    let long = format!("{{\"phase\":\"failed\",\"message\":\"{}\"}}", "x".repeat(20_000));
    let checks = (0..150).map(|n| format!("{{\"name\":\"c{n}\",\"ok\":true}}")).collect::<Vec<_>>().join(",");
    let many = format!("{{\"phase\":\"installing\",\"message\":\"{}\\u001b\",\"checks\":[{checks}]}}", "y".repeat(900));
    for (body, status) in
        [("", "400"), ("phase=ready", "400"), ("{\"phase\":\"sleeping\"}", "400"), (&long, "413"), (&many, "200")]
    {
        fs::write(house.dir.path().join("body"), body).unwrap();
        let seen = house.curl(&["-o", "said", "-w", "%{http_code}", "--data-binary", "@body", report]).await;
        assert_eq!(seen, status, "{}", String::from_utf8_lossy(&house.file("said")));
    }
    let kept =
        house.wait_for(boot, |step| if let Step::Report(report) = step { Some(report.clone()) } else { None }).await;
    assert_eq!((kept.checks.len(), kept.message.unwrap()), (100, "y".repeat(300)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_is_told_apart_from_one_that_was_served() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    house.script(boot).await;
    let digest = &house.rootfs.1;
    // A small window, so that the kernels do not hold the whole file on the way.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut client = socket.connect(house.http).await.unwrap();
    let ask = format!("GET /blob/{digest}/{boot}/rootfs HTTP/1.1\r\nHost: x\r\n\r\n");
    client.write_all(ask.as_bytes()).await.unwrap();
    client.read_exact(&mut [0; 1000]).await.unwrap();
    // With unread bytes in its buffer, closing sends a reset, as a machine does that was restarted.
    drop(client);
    let transfer = house
        .wait_for(boot, |step| match step {
            Step::Blob { transfer, .. } => Some(*transfer),
            _ => None,
        })
        .await;
    assert!(transfer.bytes.0 > 0 && !transfer.is_whole(), "{transfer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_whose_origin_lies_never_ends_well() {
    let house = House::new().await;
    fs::write(house.dir.path().join("rootfs"), noise(3_000_001, 99)).unwrap();
    let url = house.url(&format!("/blob/{}", house.rootfs.1));
    let output = house.run("curl", &["-sS", "-f", "-o", "got", &url]).await;
    assert!(!output.status.success(), "{output:?}");
    fs::remove_file(house.dir.path().join("rootfs")).unwrap();
    let said = house.curl(&["-w", "%{http_code}", &url]).await;
    assert!(said.ends_with("502") && !said.contains(house.dir.path().to_str().unwrap()), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_gets_an_answer_or_an_end() {
    let house = House::new().await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000));
    let header = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(1_000_000));
    for junk in
        ["\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET http://[ HTTP/1.1\r\n\r\n", &long, &header]
    {
        let mut client = TcpStream::connect(house.http).await.unwrap();
        // The server may hang up in the middle of it.
        drop(client.write_all(junk.as_bytes()).await);
        drop(client.shutdown().await);
        let mut answer = vec![];
        let end = tokio::time::timeout(Duration::from_secs(30), client.read_to_end(&mut answer)).await;
        assert!(end.is_ok(), "{:.40}: it waits for ever", junk);
        let status = String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or("none").to_owned();
        assert!(["none", "400", "404", "414", "431", "505"].contains(&&*status), "{:.40}: {status}", junk);
    }
    assert!(house.curl(&["-f", &house.url("/healthz")]).await.contains("\"ok\":true"), "it serves on");
}
