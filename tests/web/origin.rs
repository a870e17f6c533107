//! Other sites in the same browser: they have it send nothing that counts, they put no page of ours in a frame, and nothing of
//! what is shown stays where others find it.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use super::{browser::Browser, past, stage::Site};

/// Somebody else's server: answers everything with this page. Ends with the process.
fn elsewhere(page: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), page) = (stream, page.clone()) else { continue };
            // Browsers open connections that they have no use for yet.
            std::thread::spawn(move || {
                let mut head = [0; 4096];
                drop(stream.read(&mut head));
                let length = page.len();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close";
                drop(stream.write_all(format!("{head}\r\ncontent-length: {length}\r\n\r\n{page}").as_bytes()));
            });
        }
    });
    port
}

/// What changes something, as forms of ours send it.
fn acts() -> Vec<(String, &'static str)> {
    let mac = past::mac(3);
    vec![
        (format!("/devices/{mac}/forget"), "sure=yes"),
        (format!("/devices/{mac}/assign"), "persona=kiosk-live"),
        (format!("/devices/{mac}/arm"), ""),
        ("/predictions/learn".into(), ""),
        ("/images/debian-live/evict".into(), ""),
        ("/personas/classroom/delete".into(), "message=gone"),
        ("/sign-out".into(), ""),
    ]
}

#[test]
fn another_site_changes_nothing() {
    let site = Site::start();
    let before = facts(&site);
    let head = site.git(&["rev-parse", "HEAD"]);
    let mut browser = Browser::start();
    for words in ["403", "localhost", "ERR_BLOCKED", "CORS"] {
        browser.forgive(words);
    }
    browser.goto(&site.url);
    for (path, fields) in acts() {
        let target = format!("{}{path}", site.url);
        let inputs: String = fields
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| format!("<input name=\"{name}\" value=\"{value}\">"))
            .collect();
        let page = format!(
            "<!doctype html><title>prize</title><form method=post action=\"{target}\">{inputs}<button>Win</button></form>\
             <script>window.sent = Promise.all([\
             fetch('{target}', {{method: 'POST', mode: 'no-cors', credentials: 'include', \
             headers: {{'content-type': 'application/x-www-form-urlencoded'}}, body: '{fields}'}}).catch(() => 0),\
             fetch('{target}', {{method: 'POST', mode: 'no-cors', credentials: 'include', headers: {{'content-type': 'text/plain'}}, \
             body: '{fields}'}}).catch(() => 0)])</script>"
        );
        let port = elsewhere(page);
        // Another site (`localhost`), and another port of the same host, which browsers call the same site.
        for host in ["localhost", "127.0.0.1"] {
            browser.goto(&format!("http://{host}:{port}/"));
            browser.exec("return window.sent.then(() => true)");
            browser.click("button");
            browser.wait_for_text("does not come from a page of this server");
        }
    }
    assert_eq!(facts(&site), before, "nothing was written");
    assert_eq!(site.git(&["rev-parse", "HEAD"]), head);
    assert!(site.git(&["status", "--porcelain", "classroom.yaml"]).is_empty());
    for headers in [
        &["-H", "Origin: null"][..],
        &["-H", "Origin: http://elsewhere.example"],
        &["-H", "Sec-Fetch-Site: cross-site"],
        &[],
    ] {
        let (status, said) = site.curl("/predictions/learn", &[&["-X", "POST", "-d", "x=1"], headers].concat());
        assert_eq!(status, 403, "{headers:?}: {said}");
    }
}

/// The facts that somebody is responsible for: devices may go on by themselves.
fn facts(site: &Site) -> String {
    site.ok(&["audit"])
}

#[test]
fn nobody_puts_our_pages_in_a_frame() {
    let site = Site::empty();
    let page = format!("<!doctype html><title>around</title><p>See</p><iframe src=\"{}/\"></iframe>", site.url);
    let port = elsewhere(page);
    let mut browser = Browser::start();
    for words in ["frame", "localhost", "chrome-error"] {
        browser.forgive(words);
    }
    browser.goto(&format!("http://localhost:{port}/"));
    browser.wait_for_text("See");
    let errors = browser.refused();
    assert!(errors.iter().any(|line| line.contains("frame-ancestors")), "the browser says why: {errors:?}");
}

#[test]
fn nothing_shown_is_kept_and_what_may_be_kept_is_kept_for_ever() {
    let site = Site::start();
    let (pages, _) = super::pages::explore(&site);
    let mut assets = std::collections::BTreeSet::new();
    for page in pages {
        let twin = if page.path == "/" { "/overview.json".into() } else { page.path.replacen('?', ".json?", 1) };
        for path in [page.path.clone(), if twin.contains(".json") { twin } else { format!("{twin}.json") }] {
            let (_, said) = site.curl(&path, &[]);
            let (head, body) = said.split_once("\r\n\r\n").unwrap_or((&said, ""));
            let head = head.to_lowercase();
            assert!(head.contains("cache-control: no-store"), "{path}: {head}");
            assert!(head.contains("frame-ancestors 'none'") && head.contains("default-src 'none'"), "{path}: {head}");
            assert!(head.contains("referrer-policy: same-origin"), "{path}: {head}");
            let quoted = body.split('"').filter(|text| text.starts_with("/static/"));
            assets.extend(quoted.map(str::to_owned));
        }
    }
    assert!(assets.len() >= 3, "{assets:?}");
    for path in assets {
        let (status, said) = site.curl(&path, &[]);
        let head = said.split_once("\r\n\r\n").unwrap_or_default().0.to_lowercase();
        assert!(status == 200 && head.contains("max-age=31536000, immutable"), "{path}: {head}");
    }
}
