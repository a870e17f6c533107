//! Ranges and conditions, beside nginx over the same file, and by clients that resume.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    port::free_port,
    socket::{Head, Socket},
    world::House,
};

/// nginx with one folder, on a port of its own.
struct Nginx {
    child: Child,
    address: SocketAddr,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM, so that its worker goes as well.
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        drop(self.child.wait());
    }
}

impl Nginx {
    async fn start(dir: &Path, root: &Path) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let at = dir.display();
        let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/{kind}; "))
            .concat();
        let user = if nix::unistd::geteuid().is_root() { "user root;" } else { "" };
        let config = format!(
            "{user} daemon off; worker_processes 1; pid {at}/pid; error_log {at}/error;\n\
             events {{}}\n\
             http {{ access_log off; sendfile on; default_type application/octet-stream; {folders}\n\
             server {{ listen {address}; root {}; }} }}\n",
            root.display()
        );
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("nginx.conf"), config).unwrap();
        let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
        let mut command = Command::new(program);
        command.arg("-p").arg(dir).arg("-c").arg(dir.join("nginx.conf")).arg("-e").arg(dir.join("error"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let nginx = Self { child, address };
        for _ in 0..500 {
            if std::net::TcpStream::connect(address).is_ok() {
                return nginx;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nginx does not start: {}", fs::read_to_string(dir.join("error")).unwrap_or_default());
    }
}

/// What a client would notice of an answer: status, the headers that matter, the bytes. Boundaries, which differ each time,
/// are called `B`.
async fn seen(server: SocketAddr, method: &str, path: &str, lines: &str) -> (String, Vec<u8>) {
    let mut client = Socket::connect(server).await;
    client.send(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n")).await;
    let head: Head = client.head().await;
    let (body, whole) = client.rest().await;
    assert!(whole, "{lines}: {head:?}");
    let length = head.field("content-length").map(|length| length.parse::<usize>().unwrap());
    if method == "GET" && [200, 206].contains(&head.status) {
        assert_eq!(length, Some(body.len()), "{lines}: {head:?}");
    }
    let boundary = head.field("content-type").and_then(|kind| kind.split_once("multipart/byteranges; boundary="));
    let Some((_, boundary)) = boundary else {
        let range = head.field("content-range").unwrap_or("");
        let length = length.filter(|_| [200, 206].contains(&head.status));
        let ranges = head.field("accept-ranges").filter(|_| head.status == 200).unwrap_or("");
        // What pages of errors say is no matter.
        let body = if [200, 206].contains(&head.status) { body } else { vec![] };
        return (format!("{} {range} {length:?} {ranges}", head.status), body);
    };
    (format!("{} multipart {:?}", head.status, head.field("content-range")), without(&body, boundary))
}

fn without(body: &[u8], boundary: &str) -> Vec<u8> {
    let (mut left, mut found) = (body, vec![]);
    while let Some(at) = left.windows(boundary.len()).position(|window| window == boundary.as_bytes()) {
        found.extend_from_slice(&left[..at]);
        found.push(b'B');
        left = &left[at + boundary.len()..];
    }
    found.extend_from_slice(left);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_are_answered_as_nginx_answers_them() {
    let house = House::new().await;
    let (bytes, digest) = &house.rootfs;
    // A name that both take for bytes of no known kind.
    let root = house.dir.path().join("www");
    fs::create_dir(&root).unwrap();
    fs::copy(house.dir.path().join("rootfs"), root.join("file")).unwrap();
    let nginx = Nginx::start(&house.dir.path().join("nginx"), &root).await;
    let ours = format!("/blob/{digest}");
    let len = bytes.len();
    let same = [
        "bytes=0-0",
        "bytes=0-",
        "bytes=-1",
        "bytes=-0",
        "bytes=100-199",
        "bytes=3000000-",
        "bytes=3000001-",
        "bytes=2999999-4000000",
        "bytes=-4000000",
        "bytes=5000000-6000000",
        "bytes=0-9,20-29",
        "bytes=20-29,0-9",
        "bytes=0-9, 20-29 ,-5",
        "bytes=0-9,9000000-,50-59",
        "bytes=9000000-,9000001-",
        "bytes=0-9,9000000-",
        "lines=0-9",
        "bytes=0-2999999,0-2999999",
    ];
    for range in same {
        let lines = format!("Range: {range}\r\n");
        let (theirs, their_body) = seen(nginx.address, "GET", "/file", &lines).await;
        let (said, body) = seen(house.http, "GET", &ours, &lines).await;
        assert_eq!(said, theirs, "{range}");
        assert!(body == their_body, "{range}: other bytes");
    }
    // Where we differ on purpose: the range, what nginx says, what we say and why.
    for (range, theirs, said) in [
        // RFC 9110 section 14.2: a range that cannot be understood may be passed over. The whole is of more use than 416.
        ("bytes=9-0", format!("416 bytes */{len} None "), format!("200  Some({len}) bytes")),
        ("bytes=a-b", format!("416 bytes */{len} None "), format!("200  Some({len}) bytes")),
        // Section 15.3.7.2: ranges that overlap or touch may be served as one.
        ("bytes=0-9,5-14", "206 multipart None".into(), format!("206 bytes 0-14/{len} Some(15) ")),
        ("bytes=0-9,10-19", "206 multipart None".into(), format!("206 bytes 0-19/{len} Some(20) ")),
    ] {
        let lines = format!("Range: {range}\r\n");
        assert_eq!(seen(nginx.address, "GET", "/file", &lines).await.0, theirs, "nginx, {range}");
        assert_eq!(seen(house.http, "GET", &ours, &lines).await.0, said, "{range}");
    }
    // Section 14.2: only GET has ranges. nginx gives HEAD the head of the range.
    let head = seen(house.http, "HEAD", &ours, "Range: bytes=0-9\r\n").await;
    assert_eq!(head, (format!("200  Some({len}) bytes"), vec![]));
    let many: Vec<String> = (0..65).map(|n| format!("{}-{}", n * 10, n * 10)).collect();
    let many = format!("Range: bytes={}\r\n", many.join(","));
    assert_eq!(seen(house.http, "GET", &ours, &many).await.0, format!("200  Some({len}) bytes"), "absurdly many");
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_answered_as_nginx_answers_them() {
    let house = House::new().await;
    let (_, digest) = &house.rootfs;
    let root = house.dir.path().join("www");
    fs::create_dir(&root).unwrap();
    fs::copy(house.dir.path().join("rootfs"), root.join("file")).unwrap();
    let nginx = Nginx::start(&house.dir.path().join("nginx"), &root).await;
    let ours = format!("/blob/{digest}");
    let mut client = Socket::connect(nginx.address).await;
    client.send("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let their_etag = client.head().await.field("etag").unwrap().to_owned();
    let our_etag = format!("\"{digest}\"");
    for (method, condition, range) in [
        ("GET", "If-None-Match: TAG", ""),
        ("GET", "If-None-Match: W/TAG", ""),
        ("GET", "If-None-Match: \"a\", TAG", ""),
        ("GET", "If-None-Match: *", ""),
        ("GET", "If-None-Match: \"a\"", ""),
        ("HEAD", "If-None-Match: TAG", ""),
        ("GET", "If-None-Match: TAG", "Range: bytes=0-9"),
        ("GET", "If-Match: TAG", "Range: bytes=0-9"),
        ("GET", "If-Match: \"a\"", "Range: bytes=0-9"),
        ("GET", "If-Match: *", ""),
        ("GET", "If-Range: TAG", "Range: bytes=0-9"),
        ("GET", "If-Range: W/TAG", "Range: bytes=0-9"),
        ("GET", "If-Range: \"a\"", "Range: bytes=0-9,20-29"),
        ("GET", "If-Range: TAG", "Range: bytes=0-9,20-29"),
        ("GET", "If-Range: TAG", ""),
    ] {
        let lines = |etag: &str| {
            let range = if range.is_empty() { String::new() } else { format!("{range}\r\n") };
            format!("{}\r\n{range}", condition.replace("TAG", etag))
        };
        let theirs = seen(nginx.address, method, "/file", &lines(&their_etag)).await;
        let said = seen(house.http, method, &ours, &lines(&our_etag)).await;
        assert!(
            said.0 == theirs.0 && said.1.len() == theirs.1.len(),
            "{method} {condition} {range}: {} {}",
            said.0,
            theirs.0
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_and_wget_resume_what_broke_off() {
    let house = House::new().await;
    let (bytes, digest) = &house.rootfs;
    let url = house.url(&format!("/blob/{digest}"));
    let part = house.dir.path().join("part");
    for (program, arguments) in [
        ("curl", &["-sS", "-f", "-C", "-", "-o", "part", &url][..]),
        ("wget", &["-q", "-c", "-O", "part", &url]),
        ("curl", &["-sS", "-f", "-r", "0-", "-o", "part", &url]),
        ("wget", &["-q", "-O", "part", &url]),
    ] {
        fs::write(&part, &bytes[..1_234_567]).unwrap();
        let output = house.run(program, arguments).await;
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
        assert!(house.file("part") == *bytes, "{program} {arguments:?}: other bytes");
    }
}
