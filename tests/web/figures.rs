//! Overview, images, predictions and audit: the numbers are those of the lists, what is done shows everywhere, charts can be read
//! by those who do not see them.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{
    browser::Browser,
    stage::{Site, until},
};

/// The number of a figure of the overview.
fn figure(overview: &Value, group: &str, name: &str) -> u64 {
    let all = overview[group].as_array().unwrap();
    let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} in {all:?}"));
    one["count"].as_u64().unwrap()
}

/// What the command line says, as JSON.
fn said(site: &Site, words: &[&str]) -> Value {
    let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&site.ok(&words)).unwrap()
}

#[test]
fn the_numbers_of_the_overview_are_those_of_what_they_count() {
    let site = Site::start();
    let overview = site.json("/overview.json");
    let since = overview["since"].as_u64().unwrap();
    let boots = said(&site, &["boots", "--limit", "5000"]);
    let boots = boots.as_array().unwrap();
    let of_day = |outcome: &str| {
        let fits = |boot: &&Value| boot["outcome"] == outcome && boot["began"].as_u64().unwrap() >= since;
        boots.iter().filter(fits).count() as u64
    };
    let mut all = 0;
    for (name, outcome) in [
        ("ready", "ready"),
        ("installed", "installed"),
        ("local disk", "local-disk"),
        ("stuck", "stuck"),
        ("failed", "failed"),
        ("refused", "refused"),
    ] {
        assert_eq!(figure(&overview, "boots", name), of_day(outcome), "{name}");
        all += of_day(outcome);
    }
    assert!(all > 0, "the site's last day has boots");
    let under_way = boots.iter().filter(|boot| boot["outcome"].is_null()).count() as u64;
    assert_eq!(figure(&overview, "boots", "booting now"), under_way);
    // The bars are the same boots, and those that were begun anew.
    let rows = overview["hours"]["rows"].as_array().unwrap();
    let bars: u64 = rows.iter().flat_map(|row| row.as_array().unwrap()[1..].to_vec()).map(|cell| number(&cell)).sum();
    let began = boots.iter().filter(|boot| boot["began"].as_u64().unwrap() >= since).count() as u64;
    assert_eq!(bars, began);
    for (name, words) in [
        ("devices", &["device", "list"][..]),
        ("seen", &["device", "list", "--where", "seen<1d"]),
        ("armed", &["device", "list", "--where", "armed"]),
    ] {
        // A day ago moves on while one counts: what did not change meanwhile is held against the list.
        let (shown, listed) = until("the same number twice", || {
            let count = || figure(&site.json("/overview.json"), "fleet", name);
            let (before, listed) = (count(), said(&site, words).as_array().unwrap().len() as u64);
            (before == count()).then_some((before, listed))
        });
        assert_eq!(shown, listed, "{name}");
    }
    // The first lesson may end meanwhile.
    let (shown, page, listed) = until("the same proposals twice", || {
        let count = || figure(&site.json("/overview.json"), "fleet", "proposals");
        let (before, page) = (count(), site.json("/predictions/proposals.json")["waiting"].as_u64().unwrap());
        let listed = said(&site, &["proposals"]).as_array().unwrap().len() as u64;
        (before == count()).then_some((before, page, listed))
    });
    assert_eq!((shown, shown), (page, listed));
    // The library of the site has a broken persona, which is said with what to do.
    let care = overview["care"].to_string();
    assert!(care.contains("broken persona") && care.contains("/personas?state=broken"), "{care}");
}

fn number(cell: &Value) -> u64 {
    cell.as_str().unwrap().parse().unwrap()
}

#[test]
fn an_empty_site_is_told_what_to_do_first() {
    let site = Site::empty();
    let browser = Browser::start();
    browser.goto(&site.url);
    let shown = browser.text("#glance");
    for words in ["First steps", "Serve an interface", "greenroom image add", "Write a persona", "Boot a device"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!browser.has(".steps li.done"), "nothing is done yet");
    browser.shot("overview-empty-desktop-light");
    for (path, words) in [
        ("/images", "The library has no image yet."),
        ("/predictions", "Nothing was learned yet."),
        ("/predictions/proposals", "Nothing waits for an answer."),
        ("/audit?by=nobody", "Nobody has done anything like that."),
    ] {
        browser.goto(&format!("{}{path}", site.url));
        assert!(browser.says(words), "{path}");
    }
    // What is done is ticked off, while one looks.
    browser.goto(&site.url);
    site.ok(&["device", "set", "52:54:00:00:00:01", "role=kiosk"]);
    browser.wait_for(".steps li.done");
}

#[test]
fn an_image_is_pinned_fetched_and_evicted_by_its_page() {
    let site = Site::start();
    let browser = Browser::start();
    let pins = || said(&site, &["cache", "status"])["pins"].clone();
    let held = || {
        let images = said(&site, &["image", "list"]);
        let image = images.as_array().unwrap().iter().find(|image| image["name"] == "memtest86").unwrap().clone();
        image["status"][0][1]["tier"] != "origin"
    };
    browser.goto(&format!("{}/images/memtest86", site.url));
    browser.choose("Pin to the disk");
    browser.wait_for_text("memtest86 is pinned to disk");
    assert_eq!(pins()["memtest86"], "disk");
    until("it is fetched", || held().then_some(()));
    browser.wait_for_text("It is pinned: take the pin back first.");
    browser.choose("Take the pin back");
    browser.wait_for_text("memtest86 is not pinned any more");
    assert!(pins()["memtest86"].is_null());
    browser.choose("Evict");
    assert!(browser.accept().contains("waits for its origin"));
    browser.wait_for_text("came free");
    assert!(!held());
    // It is known who did it.
    browser.goto(&format!("{}/audit?fact=image-evicted", site.url));
    browser.wait_for_text("evicted memtest86/kernel from the cache");
    let acts = said(&site, &["audit", "--last", "5"]);
    let whats: Vec<&str> = acts.as_array().unwrap().iter().map(|act| act["fact"].as_str().unwrap()).collect();
    assert!(whats.starts_with(&["image-evicted", "image-unpinned", "image-pinned"]), "{whats:?}");
    // Nobody asked for it since: it comes back because somebody says so.
    browser.goto(&format!("{}/images/memtest86", site.url));
    browser.choose("Fetch now");
    browser.wait_for_text("being fetched");
    until("it is fetched", || held().then_some(()));
    browser.goto(&format!("{}/images/lost-image", site.url));
    browser.shot("image-desktop-light");
}

/// A laboratory whose devices were all given what wipes their disks, and three more of it: what these will want may be proposed,
/// and nothing else.
fn laboratory(site: &Site) -> Vec<String> {
    let mac = |n: u32| format!("52:54:00:fe:00:{n:02x}");
    (0..20).for_each(|n| drop(site.ok(&["device", "set", &mac(n), "role=laboratory", "location=cellar"])));
    site.ok(&["device", "assign", "server-debian", "--where", "role=laboratory", "--yes"]);
    let new: Vec<String> = (20..23).map(mac).collect();
    new.iter().for_each(|mac| drop(site.ok(&["device", "set", mac, "role=laboratory", "location=cellar"])));
    new
}

#[test]
fn a_proposal_is_accepted_with_its_consequence_and_known_everywhere() {
    let site = Site::start();
    let macs = laboratory(&site);
    let browser = Browser::start();
    browser.goto(&format!("{}/predictions", site.url));
    browser.choose("Learn now");
    browser.wait_for_text("A lesson begins.");
    let waiting = until("something is proposed", || {
        let rows = site.json("/predictions/proposals.json")["rows"].clone();
        let ours: Vec<Value> = rows
            .as_array()?
            .iter()
            .filter(|row| macs.iter().any(|mac| row["device"] == mac.as_str()))
            .cloned()
            .collect();
        (!ours.is_empty()).then_some(ours)
    });
    let (device, persona) = (waiting[0]["device"].as_str().unwrap(), waiting[0]["persona"].as_str().unwrap());
    browser.goto(&format!("{}/predictions/proposals", site.url));
    browser.click(&format!("input[value^='{device} ']"));
    browser.choose("Accept those ticked…");
    browser.wait_for_text(&format!("{device} is assigned {persona}. That wipes its disk"));
    browser.shot("proposal-desktop-light");
    browser.choose("Accept");
    browser.wait_for_text(&format!("{persona} for {device} is accepted."));
    let known = said(&site, &["device", "show", device]);
    assert_eq!(known["assigned"]["persona"], persona, "{known}");
    assert!(known["armed"].is_null(), "nobody said that it may be wiped");
    browser.goto(&format!("{}/audit?device={device}&fact=persona-assigned", site.url));
    browser.wait_for_text(&format!("assigned {persona} to {device}, because proposal of "));
    // What was answered is not proposed any more; an answer to what changed meanwhile does nothing.
    let proposals = site.json("/predictions/proposals.json").to_string();
    assert!(!proposals.contains(device), "{proposals}");
    let stale = format!("answer=accept&proposal={device}+{persona}+1");
    let (status, _) =
        site.curl("/predictions/proposals/answer", &["-d", &stale, "-H", &format!("Origin: {}", site.url)]);
    assert_eq!(status, 303);
    let status = said(&site, &["predict", "status"]);
    assert_eq!(status["quality"]["accepted"], 1, "{status}");
}

#[test]
fn acts_are_found_by_who_what_and_when_and_leave_as_files() {
    let site = Site::start();
    for (mac, why) in [("52:54:00:00:00:02", "ticket 4711"), ("52:54:00:00:00:03", "=1+1, said \"somebody\"")] {
        site.ok(&["device", "assign", mac, "kiosk-live", "--why", why]);
    }
    let found = |query: &str| {
        let rows = site.json(&format!("/audit.json?{query}"))["rows"].clone();
        rows.as_array().unwrap().clone()
    };
    let ours = found("by=tester&fact=persona-assigned");
    assert_eq!(ours.len(), 2);
    assert_eq!(ours[1]["said"], "assigned kiosk-live to 52:54:00:00:00:02, because ticket 4711");
    assert_eq!(found("by=tester&device=52:54:00:00:00:02").len(), 1);
    assert_eq!(found("by=tester&until=2020-01-01").len(), 0);
    assert_eq!(found("by=tester&since=2020-01-01&fact=persona-assigned").len(), 2);
    let (status, said) = site.curl("/audit?since=yesterday", &[]);
    assert_eq!(status, 422);
    assert!(said.contains("is no day and no time"), "{said}");
    // Page by page, nothing is lost and nothing comes twice.
    let mut seqs: Vec<u64> = vec![];
    let mut before = String::new();
    loop {
        let page = site.json(&format!("/audit.json?{before}"));
        seqs.extend(page["rows"].as_array().unwrap().iter().map(|row| row["seq"].as_u64().unwrap()));
        match page["next"].as_u64() {
            Some(next) => before = format!("before={next}"),
            None => break,
        }
    }
    assert!(seqs.len() > 100 && seqs.is_sorted_by(|one, other| one > other), "{} acts", seqs.len());
    // The files have the same, for programs and for a reader of CSV that is not ours.
    let (_, lines) = site.curl("/audit/export.jsonl", &[]);
    let lines = lines.split_once("\r\n\r\n").unwrap().1;
    let exported: Vec<u64> =
        lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()?["seq"].as_u64()).collect();
    assert_eq!(exported, seqs);
    let (_, csv) = site.curl("/audit/export.csv?by=tester", &[]);
    let script = "import csv,sys; rows=list(csv.DictReader(sys.stdin)); print(len(rows), rows[0]['what'], sep='|')";
    let read = piped("python3", &["-c", script], csv.split_once("\r\n\r\n").unwrap().1);
    let expected = "assigned kiosk-live to 52:54:00:00:00:03, because =1+1, said \"somebody\"";
    assert!(read.trim_end().ends_with(expected), "{read}");
    let mut browser = Browser::start();
    browser.goto(&format!("{}/audit", site.url));
    browser.type_in("input[name=by]", "tester");
    browser.choose("Show");
    browser.wait_for_text("because ticket 4711");
    browser.shot("audit-desktop-light");
    browser.phone();
    browser.scheme(true);
    browser.reload();
    browser.shot("audit-phone-dark");
    assert_eq!(browser.exec("return document.documentElement.scrollWidth <= 390"), true);
}

/// What a program makes of a text.
fn piped(program: &str, words: &[&str], text: &str) -> String {
    let mut command = Command::new(program);
    let child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn charts_are_xml_and_say_in_words_what_they_show() {
    let site = Site::start();
    until("a lesson is over", || {
        site.json("/predictions.json")["lessons"].as_array().map(Vec::len).filter(|lessons| *lessons > 0)
    });
    let mut drawn = 0;
    let mut browser = Browser::start();
    for path in ["/", "/images", "/predictions"] {
        let (status, page) = site.curl(path, &[]);
        assert_eq!(status, 200, "{path}");
        for svg in page.split("<svg class=\"chart\" xmlns").skip(1) {
            let svg = svg.split_once("</svg>").unwrap().0;
            piped("xmllint", &["--noout", "-"], &format!("<svg xmlns{svg}</svg>"));
            assert!(svg.contains("<title id=") && svg.contains("<desc id="), "{svg}");
            drawn += 1;
        }
        browser.goto(&format!("{}{path}", site.url));
        for (size, scheme) in [("desktop", "light"), ("desktop", "dark"), ("phone", "light"), ("phone", "dark")] {
            browser.window(if size == "phone" { 390 } else { 1280 }, 900);
            browser.scheme(scheme == "dark");
            let name = if path == "/" { "overview" } else { &path[1..] };
            browser.shot(&format!("{name}-{size}-{scheme}"));
            let wide = "return document.documentElement.scrollWidth <= innerWidth";
            assert_eq!(browser.exec(wide), true, "{path} is scrolled sideways on a {size}");
        }
        // As many tables as pictures: the same numbers for those who do not see them.
        let counts = browser.exec(
            "return [document.querySelectorAll('figure.drawing svg').length, \
             document.querySelectorAll('figure.drawing details table').length]",
        );
        assert_eq!(counts[0], counts[1], "{path}");
    }
    assert!(drawn >= 6, "{drawn} charts");
}
