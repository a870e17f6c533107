//! Markup in everything that a machine or a person can say: none of it runs, and it is shown as the text that it is.

use serde_json::json;

use super::{
    browser::Browser,
    pages::explore,
    past::{self, CANARY, SPITEFUL, USER},
    stage::Site,
};

/// Percent-encoded whole.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Tells the boot port what a device tells it: its hardware with the script, how it fares with a report.
fn speak(site: &Site) {
    let boots = site.ok(&["boots", "--mac", &past::mac(SPITEFUL).to_string(), "--limit", "1", "--json"]);
    let boots: serde_json::Value = serde_json::from_str(&boots).unwrap();
    let boot =
        boots.as_array().map_or(&boots, |all| &all[0])["id"].as_str().unwrap_or_else(|| panic!("{boots}")).to_owned();
    let said = encoded(CANARY);
    let get = |url: &str| {
        let output = std::process::Command::new("curl").args(["-sS", "--max-time", "30", url]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let fields: Vec<String> =
        ["manufacturer", "product", "serial", "asset"].map(|name| format!("{name}={said}")).into();
    let script = get(&format!("{}/boot/{boot}/script.ipxe?{}", site.boot, fields.join("&")));
    let seed = script.split("/seed/").nth(1).unwrap_or_else(|| panic!("no seed in {script}"));
    let place: Vec<&str> = seed.split('/').take(2).collect();
    let check = json!({"name": CANARY, "ok": false, "saw": CANARY});
    let report = json!({"phase": "failed", "hostname": CANARY, "kernel": CANARY, "cloud_init": CANARY, "message": CANARY, "checks": [check]});
    let url = format!("{}/seed/{}/report", site.boot, place.join("/"));
    let output = std::process::Command::new("curl")
        .args(["-sS", "-f", "--max-time", "30", "--json", &report.to_string(), &url])
        .output()
        .unwrap();
    assert!(output.status.success(), "{url}: {output:?}");
}

/// What must not be on any page: an element that somebody said, or a trace of a script that did.
const TRACES: &str = "
return [window.__ran ?? null, document.querySelectorAll('.canary, svg[onload], img[src=x], [onerror], [onload]').length,
        document.documentElement.outerHTML.includes('class=canary>')]";

#[test]
fn nothing_that_machines_or_people_say_runs_and_all_of_it_is_shown() {
    let site = Site::with("", past::spite);
    speak(&site);
    let (pages, _) = explore(&site);
    let mut browser = Browser::start();
    browser.forgive("404");
    let mut showing = 0;
    for page in pages {
        browser.goto(&format!("{}{}", site.url, page.path));
        let traces = browser.exec(TRACES);
        assert_eq!(traces[0], json!(null), "{}: a script ran", page.path);
        assert_eq!(
            traces[1],
            json!(0),
            "{}: markup became elements: {}",
            page.path,
            browser.exec("return document.body.innerHTML")
        );
        showing +=
            usize::from(browser.exec("return document.body.innerText.includes('window.__ran=1')") == json!(true));
    }
    eprintln!("{showing} pages show what was said, as text");
}

#[test]
fn what_is_asked_for_is_not_answered_with() {
    let site = Site::with("", past::spite);
    let (pages, _) = explore(&site);
    let fields = [
        "q", "where", "filter", "page", "sort", "order", "next", "by", "from", "until", "state", "name", "commit",
        "tab", "error", "code",
    ];
    let asked: Vec<String> = fields.iter().map(|name| format!("{name}={}", encoded(CANARY))).collect();
    for page in pages.iter().filter(|page| page.first) {
        let bare = page.path.split('?').next().unwrap();
        let known = fields.iter().map(|name| format!("{bare}?{name}={}", encoded(CANARY)));
        let more = [
            format!("{bare}?{}", asked.join("&")),
            format!("{bare}/{}", encoded(CANARY)),
            format!("{bare}?next={}", encoded("//elsewhere.example/")),
            format!("{bare}?q={}", encoded("\r\nSet-Cookie: taken=1\r\n\r\n<script>")),
            format!("{bare}.json?q={}", encoded(CANARY)),
        ];
        for path in known.chain(more) {
            let (status, said) = site.curl(&path, &[]);
            let (head, body) = said.split_once("\r\n\r\n").unwrap_or((&said, ""));
            assert!((200..500).contains(&status), "{path}: {status}: {said}");
            let head = head.to_lowercase();
            assert!(!head.contains("taken=1"), "{path}: {head}");
            assert!(!head.contains("location: //") && !head.contains("elsewhere.example/\r"), "{path}: {head}");
            let html = head.contains("content-type: text/html");
            assert!(!html || !body.contains("<script>window") && !body.contains("class=canary>"), "{path}: {body}");
            assert!(
                head.contains("x-content-type-options: nosniff"),
                "{path}: JSON must not be taken for a page: {head}"
            );
        }
    }
    let (_, said) = site.curl(&format!("/{}", encoded(USER)), &[]);
    assert!(!said.contains("<script>window"), "{said}");
}
