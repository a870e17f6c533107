//! Devices and people, as somebody at a service desk meets them.

use std::time::Instant;

use super::{
    browser::Browser,
    past::{mac, who},
    stage::{Site, until},
};

/// What a browser says of itself when a form of ours is sent.
const OURS: [&str; 2] = ["-H", "Sec-Fetch-Site: same-origin"];

fn count(site: &Site, q: &str) -> u64 {
    let q: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
    site.json(&format!("/devices.json?q={q}"))["count"].as_u64().unwrap()
}

#[test]
fn the_list_is_searched_sorted_and_paged() {
    let site = Site::start();
    let mut browser = Browser::start();
    browser.goto(&format!("{}/devices", site.url));
    assert_eq!(browser.title(), "Devices · Greenroom");
    assert_eq!(browser.text("#range"), "1 to 50 of 300");
    browser.shot("devices-list");
    browser.choose("last");
    browser.wait_for_text("251 to 300 of 300");
    assert_eq!(browser.texts("td.name a").len(), 50);

    // What needs somebody comes first.
    browser.choose("State");
    browser.wait_for_text("page 1 of 6");
    let states = browser.texts("td.states");
    assert!(states[0] == "stuck" && states[8] == "failed", "{states:?}");
    assert_eq!(browser.texts("th[aria-sort]"), ["State"]);
    // The latest first; those never seen last.
    browser.choose("Last seen");
    browser.wait_until("return location.search.includes('sort=seen')");
    assert!(!browser.texts("td.nowrap")[0].contains("never"));
    browser.choose("last");
    browser.wait_for_text("251 to 300 of 300");
    assert!(browser.texts("td.nowrap").iter().all(|seen| seen == "never"), "50 were never seen");

    // Words, and what they were taken for.
    browser.type_in("#q", "foyer");
    browser.choose("Find");
    browser.wait_for_text("text~*foyer*");
    assert_eq!(browser.text("#range"), "1 to 30 of 30");
    browser.type_in("#q", "role=compute and rack=R5");
    browser.choose("Find");
    browser.wait_for_text("1 to 20 of 20");

    // A mistake is shown where it is.
    browser.type_in("#q", "role=kiosk and seen<soon");
    browser.choose("Find");
    browser.wait_for("#mistake");
    assert_eq!(browser.text("#mistake mark"), "soon");
    assert!(browser.text("#mistake").contains("no time span"));
    browser.shot("devices-mistake");
    browser.type_in("#q", "rolle=kiosk");
    browser.choose("Find");
    browser.wait_for_text("No device has an attribute rolle");

    // A link narrows the list down, and once more shows all of it.
    browser.choose("All devices");
    let never = format!("never seen {}", who::EXPECTED.len());
    browser.choose(&never);
    browser.wait_for_text("1 to 50 of 50");
    assert_eq!(browser.texts(".chips a[aria-current]"), std::slice::from_ref(&never));
    browser.choose(&never);
    browser.wait_for_text("1 to 50 of 300");

    browser.phone();
    browser.scheme(true);
    browser.reload();
    browser.shot("devices-list-phone-dark");
    assert_eq!(browser.exec("return document.documentElement.scrollWidth"), 390);
}

#[test]
fn an_assignment_says_what_it_does_and_is_seen_elsewhere_at_once() {
    let site = Site::start();
    let mut browser = Browser::start();
    let device = mac(who::SERVERS.start);
    let page = format!("{}/devices/{device}", site.url);
    browser.goto(&page);
    assert!(browser.text("#outlook").contains("boots its disk, which holds server-debian"));
    browser.shot("device-installed");
    let looking = browser.tabs()[0].clone();

    browser.tab();
    browser.goto(&page);
    browser.choose("Assign…");
    browser.exec("document.querySelector('#persona').value = 'kiosk-live'");
    browser.type_in("#why", "the foyer needs one");
    browser.choose("Show what would change");
    browser.wait_for_text("t runs kiosk-live from memory, and its disk stays as it is");
    browser.wait_for_text("stays on it");
    browser.shot("device-assign");
    browser.click("#confirm");
    browser.wait_for_text(&format!("{device} is assigned"));
    browser.wait_for_text("the foyer needs one");

    // The first tab shows it by itself.
    browser.turn_to(&looking);
    browser.wait_for_text("t runs kiosk-live from memory");
    assert!(browser.text("#device").contains("the foyer needs one"));

    // While it is looked at, what others do arrives.
    site.ok(&["device", "set", &device.to_string(), "note=seen at once"]);
    let note = "return [...document.querySelectorAll('#device input')].some((one) => one.value === 'seen at once')";
    browser.wait_until(note);

    // All that could name its persona, in the order in which it is asked; and all of it on a phone.
    browser.goto(&format!("{}/devices/{}", site.url, mac(who::DESKS.start)));
    browser.choose("Whose word counts, and what it would be answered");
    browser.wait_for_text("Asked in this order");
    browser.shot("device-desk");
    browser.phone();
    browser.scheme(true);
    browser.reload();
    browser.shot("device-desk-phone-dark");
    assert_eq!(browser.exec("return document.documentElement.scrollWidth"), 390);
}

#[test]
fn arming_states_the_wipe() {
    let site = Site::start();
    let browser = Browser::start();
    let device = mac(who::EXPECTED.start);
    let page = format!("{}/devices/{device}", site.url);
    // Without leave it would be refused, and the page says so.
    browser.goto(&format!("{page}/assign?persona=server-debian"));
    browser.wait_for_text("it would be refused: server-debian wipes the disk, and the device is not armed");
    browser.click("input[name=arm]");
    browser.choose("Show what would change");
    browser.wait_for_text("At its next boot its disk will be wiped, and server-debian installed on it.");
    browser.wait_for_text("Whatever is on it now is lost.");
    browser.shot("device-arm");
    browser.click("#confirm");
    browser.wait_for_text("is assigned");
    assert!(browser.says("armed!"));
    assert!(browser.text("#outlook").contains("ts disk is wiped"));
    // One that is installed loses what it has: its name is said.
    let installed = mac(who::SERVERS.start + 1);
    browser.goto(&format!("{}/devices/{installed}/arm", site.url));
    browser.wait_for_text("What is installed now (server-debian@");
    browser.goto(&format!("{page}/disarm"));
    browser.wait_for_text("Its disk will not be wiped any more.");
    browser.click("#confirm");
    browser.wait_for_text("is not armed any more");
    browser.goto(&format!("{page}/disarm"));
    browser.wait_for_text("This would not be done: it is not armed.");
    browser.goto(&format!("{page}/forget"));
    browser.wait_for_text("are dropped");
    browser.click("#confirm");
    browser.wait_for_text(&format!("{device} is forgotten"));
    // It can be made known again before it speaks.
    browser.goto(&page);
    browser.wait_for_text("Nothing is known of this device yet");
}

#[test]
fn three_hundred_are_assigned_at_once() {
    let site = Site::start();
    let browser = Browser::start();
    browser.goto(&format!("{}/devices", site.url));
    browser.click("input[name=all]");
    browser.choose("Assign…");
    assert_eq!(browser.text("h1"), "Assign 300 devices");
    browser.exec("document.querySelector('#persona').value = 'kiosk-live'");
    browser.choose("Show what would change");
    browser.wait_for_text("t runs kiosk-live from memory");
    browser.shot("devices-many");
    browser.choose("Assign 300 devices");
    browser.wait_for("#work .badge.good");
    assert_eq!(browser.text("#done"), "300 of 300");
    browser.reload();
    assert_eq!(browser.text("#done"), "300 of 300");
    browser.shot("devices-work");
    assert_eq!(count(&site, "assigned=kiosk-live"), 300);

    // Two that are ticked, one of which cannot be: the rest is done, and it is said why.
    let [first, second] = [mac(0), mac(1)];
    site.ok(&["device", "unassign", &first.to_string()]);
    browser.goto(&format!("{}/devices", site.url));
    browser.click(&format!("input[value='{first}']"));
    browser.click(&format!("input[value='{second}']"));
    browser.wait_for_text("2 ticked");
    browser.choose("Unassign…");
    browser.wait_for_text("it has no assignment");
    browser.choose("Unassign 1 device");
    browser.wait_for("#work .badge.good");
    assert_eq!(browser.text("#done"), "1 of 2");
    browser.wait_for_text("it has no assignment");
    assert_eq!(count(&site, "assigned=kiosk-live"), 298);
    // What was confirmed is what is done: others that fit by then are looked at first.
    let stale = ["-d", "act=arm&all=1&q=role%3Dkiosk&count=3&seen=1"];
    let (status, said) = site.curl("/devices/many", &[&OURS[..], &stale[..]].concat());
    assert!(status == 409 && said.contains("and not 3: look again"), "{status} {said}");
    let export = site.curl("/devices/many?act=export&all=1&q=location%3Dfoyer", &[]).1;
    assert!(export.contains("attachment") && export.contains("kiosk-live") && export.matches("foyer").count() == 30);
}

#[test]
fn two_people_do_not_overwrite_each_other_unnoticed() {
    let site = Site::start();
    let mut browser = Browser::start();
    browser.forgive("409");
    let device = mac(who::KIOSKS.start);
    browser.goto(&format!("{}/devices/{device}", site.url));
    let role = "#device input[name=value]";
    browser.exec(&format!("document.querySelectorAll('{role}')[1].focus()"));
    browser.exec(&format!("document.querySelectorAll('{role}')[1].value = 'desk'"));
    browser.choose("Change…");
    browser.wait_for_text("What comes of it");
    assert!(browser.texts("td").contains(&"desk".to_owned()));
    site.ok(&["device", "set", &device.to_string(), "note=moved to the cellar"]);
    browser.click("#confirm");
    browser.wait_for_text("Somebody changed this device meanwhile.");
    browser.wait_for_text("tester described it: note is moved to the cellar");
    browser.shot("device-conflict");
    browser.click("#confirm");
    browser.wait_for_text("is described");
    let said = site.json(&format!("/devices/{device}.json"));
    let said = &said["known"]["attributes"];
    assert!(said["role"] == "desk" && said["note"] == "moved to the cellar", "{said}");
}

#[test]
fn a_file_is_taken_whole_or_not_at_all() {
    let site = Site::start();
    let mut browser = Browser::start();
    browser.forgive("422");
    let choose = |name: &str, text: &str| {
        browser.goto(&format!("{}/devices/import", site.url));
        browser.wait_for("#file");
        let script = "const list = new DataTransfer(); list.items.add(new File([TEXT], NAME, {type: 'text/csv'}));
            document.querySelector('#file').files = list.files;";
        let text = serde_json::to_string(text).unwrap();
        browser.exec(&script.replace("TEXT", &text).replace("NAME", &format!("{name:?}")));
        browser.choose("Show what would change");
    };
    let known = mac(0);
    choose(
        "rooms.csv",
        &format!("mac,persona,location\n{known},,hall 9\nnonsense,,hall 9\n{},no-such,hall 9\n", mac(1)),
    );
    browser.wait_for_text("rooms.csv has 1 mistake: nothing was taken.");
    assert!(browser.text("#problems").contains("line 3, column 1: mac `nonsense`"));
    browser.shot("devices-import-mistake");
    choose("rooms.csv", &format!("mac,persona,location\n{known},,hall 9\n{},no-such,hall 9\n", mac(1)));
    browser.wait_for_text("line 3: ");
    assert!(browser.text("#problems").contains("persona no-such is not in the library"));
    choose("rooms.csv", &format!("mac,persona,location\n{known},kiosk-live,hall 9\n02:00:00:00:00:77,,hall 9\n"));
    browser.wait_for_text("What rooms.csv would change");
    assert!(browser.text(".diff-table").contains("room A hall 9"), "{}", browser.text(".diff-table"));
    browser.shot("devices-import");
    assert_eq!(count(&site, "location=\"hall 9\""), 0, "nothing is done yet");
    browser.choose("Do it");
    browser.wait_for("#work .badge.good");
    assert_eq!(count(&site, "location=\"hall 9\""), 2);
    let (status, said) = site.curl("/devices/import/template", &[]);
    assert!(status == 200 && said.contains("mac,persona,user,role,location"));
}

#[test]
fn what_a_device_or_a_person_says_is_text() {
    let site = Site::start();
    let browser = Browser::start();
    let evil = "<script>document.title='owned'</script>";
    // A device's own words, by its request for a script.
    let latest =
        site.json(&format!("/devices/{}.json", mac(who::UNDER_WAY.start + 2)))["known"]["latest"]["id"].clone();
    let boot = latest.as_str().expect("it boots");
    let query: String = form_urlencoded::byte_serialize(evil.as_bytes()).collect();
    let url = format!("{}/boot/{boot}/script.ipxe?product={}&serial={}", site.boot, query.replace('+', "%20"), query);
    assert!(std::process::Command::new("curl").args(["-sS", "-o", "/dev/null", &url]).status().unwrap().success());
    let device = mac(who::UNDER_WAY.start + 2);
    site.ok(&["device", "set", &device.to_string(), &format!("role={evil}"), "user=<b>ann</b>"]).clear();
    for path in [format!("/devices/{device}"), "/devices?q=%3Cscript".into(), "/devices?sort=seen".into()] {
        browser.goto(&format!("{}{path}", site.url));
        assert!(browser.title().ends_with("Greenroom"), "{path}");
        assert!(!browser.has("main script"), "{path}");
    }
    browser.goto(&format!("{}/devices/{device}", site.url));
    assert!(browser.text("#device").contains(evil), "it is shown as it was said");
}

#[test]
fn people_are_described_and_forgotten() {
    let site = Site::start();
    let mut browser = Browser::start();
    browser.forgive("409");
    browser.goto(&format!("{}/users", site.url));
    browser.type_in("#q", "finance lead");
    browser.choose("Find");
    browser.wait_for_text("4 in all");
    browser.shot("users-list");
    browser.type_in("#name", "ann@lab.example");
    browser.choose("Describe…");
    browser.wait_for_text("Nothing is known of them yet");
    browser.type_in("tr:nth-child(1) input[name=name]", "department");
    browser.type_in("tr:nth-child(1) input[name=value]", "research");
    browser.choose("Save");
    browser.wait_for_text("ann@lab.example is described");
    // Theirs is what names them.
    site.ok(&["device", "set", &mac(0).to_string(), "user=ann@lab.example"]);
    assert_eq!(count(&site, "department=research and user=\"ann@lab.example\""), 1);
    browser.reload();
    browser.wait_for_text(&mac(0).to_string());
    browser.shot("user");
    // A form that was open while somebody else changed them.
    site.ok(&["user", "set", "ann@lab.example", "title=lead"]);
    browser.type_in("#value-1", "sales");
    browser.choose("Save");
    browser.wait_for_text("Somebody changed them meanwhile.");
    browser.choose("Forget…");
    browser.wait_for_text("What 1 device took of them goes");
    browser.click("#confirm");
    browser.wait_for_text("ann@lab.example is forgotten");
}

/// Prints how long the pages take; what is asserted is what they show.
#[test]
fn a_hundred_thousand_devices_are_served_right() {
    let site = Site::large();
    until("the first page", || (site.curl("/devices", &[]).0 == 200).then_some(()));
    let timed = |path: &str| {
        let began = Instant::now();
        let view = site.json(path);
        eprintln!("{:>6} ms  {path}", began.elapsed().as_millis());
        view
    };
    let list = |query: &str| timed(&format!("/devices.json?{query}"));
    assert_eq!(list("")["count"], 100_000);
    for query in ["page=2000", "page=2000&sort=seen", "page=2000&sort=persona&down=1", "page=2000&sort=state"] {
        let last = list(query);
        assert!(last["pages"] == 2000 && last["rows"].as_array().unwrap().len() == 50, "{query}");
    }
    assert_eq!(list("page=2001")["page"], 2000, "the list may have become shorter");
    for (query, count) in [
        ("q=role%3Drole-7", 2000),
        ("q=not+assigned", 50_000),
        ("q=not+seen&sort=persona", 95_000),
        ("q=mac~52%3A54%3A00%3A00%3A00*&sort=seen", 256),
        ("q=location~%22site+4*%22+and+seen%3C40d&sort=seen&down=1", 1666),
        ("q=persona-0777", 50),
        ("q=nobody-is-called-so", 0),
    ] {
        let found = list(query);
        let within = |wanted: i64| (found["count"].as_i64().unwrap() - wanted).abs() <= wanted / 50;
        assert!(within(count), "{query}: {}", found["count"]);
    }
    // Names ascend from page to page, and nobody is on two of them.
    let names = |page: u32| -> Vec<String> {
        let rows = list(&format!("page={page}"))["rows"].clone();
        rows.as_array().unwrap().iter().map(|row| row["device"].as_str().unwrap().to_owned()).collect()
    };
    let [one, two] = [names(1234), names(1235)];
    assert!(one.is_sorted() && two.is_sorted() && one.last() < two.first());
    timed(&format!("/devices/{}.json", mac(99_999)));
    timed("/users.json?q=lead");
    timed("/users/person-07.json");
}

#[test]
fn the_numbers_above_the_list_follow_what_happens_and_the_clock() {
    let site = Site::start();
    let browser = Browser::start();
    browser.goto(&format!("{}/devices", site.url));
    browser.wait_until("return document.documentElement.dataset.stream === 'open'");
    let place = |name: &str| format!("document.querySelector('nav.chips a[href$=\"{name}\"] b').textContent");
    let (never, unassigned) = (place("q=not+seen"), place("q=not+assigned"));
    let number = |place: &str| browser.exec(&format!("return Number({place})")).as_u64().unwrap();
    let (never_before, unassigned_before) = (number(&never), number(&unassigned));
    site.ok(&["device", "assign", "52:54:00:fe:fe:01", "kiosk-live", "--until", "5s"]);
    browser.wait_until(&format!("return Number({never}) === {}", never_before + 1));
    assert_eq!(number(&unassigned), unassigned_before, "it is assigned");
    // Nothing happens any more; but the assignment ends.
    browser.wait_until(&format!("return Number({unassigned}) === {}", unassigned_before + 1));
}
