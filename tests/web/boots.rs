//! The pages of boots: a machine that boots on a real wire while somebody looks, and everything that it may say.

use std::{fs, process::Command};

use serde_json::Value;

use super::{
    browser::Browser,
    past::{self, who},
    stage::{Site, until},
    wire::Cable,
};

const OURS: &str = "10.231.77.1";
const THEIRS: &str = "10.231.77.100";
const MAC: &str = "52:54:00:77:00:99";
const EVIL: &str = "<img src=x onerror=\"window.hacked=1\">";

/// A DHCP packet of a BIOS PXE ROM; texts in it are hostile.
fn packet(kind: u8, more: &[(u8, &[u8])]) -> Vec<u8> {
    let mut packet = vec![0; 236];
    (packet[0], packet[1], packet[2]) = (1, 1, 6);
    packet[4..8].copy_from_slice(b"room");
    packet[10] = 0x80;
    packet[28..34].copy_from_slice(&[0x52, 0x54, 0, 0x77, 0, 0x99]);
    packet.extend([99, 130, 83, 99]);
    let class = format!("PXEClient:Arch:00000{EVIL}");
    let uuid = [&[0][..], &[0x44; 8], &[0x55; 8]].concat();
    let options: &[(u8, &[u8])] = &[
        (53, &[kind]),
        (60, class.as_bytes()),
        (12, EVIL.as_bytes()),
        (93, &[0, 0]),
        (94, &[1, 2, 1]),
        (97, &uuid),
        (55, &[1, 3, 6, 43, 66, 67]),
        (57, &[5, 192]),
    ];
    for (code, value) in options.iter().chain(more) {
        packet.extend([*code, value.len() as u8]);
        packet.extend_from_slice(value);
    }
    packet.push(255);
    packet
}

/// A site that is the DHCP server of a cable.
fn wired(cable: &Cable) -> Site {
    let syslog = format!("syslog: {{listen: '{OURS}:514'}}");
    Site::with(&syslog, |dir| {
        let manifest = dir.join("library/images/debian-live.yaml");
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(manifest, text + "args: ['fetch={{blob:rootfs}}', 'ds=nocloud;s={{seed_url}}']\n").unwrap();
        let file = dir.join("greenroom.yaml");
        let dhcp = format!(
            "dhcp: {{mode: full, interfaces: [{}], subnets: [{{subnet: 10.231.77.0/24, pools: {THEIRS}-{THEIRS}}}]}}",
            cable.interface()
        );
        let text = fs::read_to_string(&file).unwrap().replace("dhcp: {mode: 'off'}", &dhcp);
        fs::write(&file, text.replace("tftp: {enabled: false}", "tftp: {enabled: true}")).unwrap();
    })
}

fn tshark(file: &std::path::Path, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-T", "fields", "-E", "separator=|", "-r"]).arg(file);
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

#[test]
fn a_machine_boots_on_the_wire_while_somebody_looks() {
    let cable = Cable::new(OURS, THEIRS);
    let site = wired(&cable);
    site.ok(&["device", "assign", MAC, "kiosk-live"]);
    let mut browser = Browser::start();
    browser.goto(&format!("{}/boots", site.url));
    browser.wait_for_text("No device has tried to boot yet");
    browser.wait_until("return document.documentElement.dataset.stream === 'open'");

    // The list hears of it by itself.
    cable.send(68, "255.255.255.255", 67, &packet(1, &[]));
    browser.wait_for("table.boots tbody tr");
    assert!(browser.says(MAC) && browser.says("under way"));
    let boot = site.json("/boots.json")["boots"][0]["boot"].as_str().unwrap().to_owned();
    let theirs: Vec<u8> = THEIRS.split('.').map(|part| part.parse().unwrap()).collect();
    cable.send(68, "255.255.255.255", 67, &packet(3, &[(50, &theirs), (54, &[10, 231, 77, 1])]));
    // Not quite DHCP: its last option is cut off.
    cable.send(68, "255.255.255.255", 67, &packet(1, &[])[..280]);

    // The page of the attempt follows it as well.
    browser.click("table.boots td.course a");
    browser.wait_for("table.waterfall");
    let fetched =
        cable.run(&["busybox", "tftp", "-g", "-r", &format!("{boot}/undionly.kpxe"), "-l", "/dev/null", OURS]);
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    browser.wait_for_text("undionly.kpxe");
    let port = site.boot.rsplit(':').next().unwrap();
    let server = format!("http://{OURS}:{port}");
    let start = cable.curl(&format!("{server}/boot/{boot}/start.ipxe"), &[]);
    assert!(start.contains(&format!("set syslog {OURS} ||")), "{start}");
    let product = "%3Cscript%3Ewindow.hacked%3D1%3C/script%3E";
    let script = cable.curl(&format!("{server}/boot/{boot}/script.ipxe?product={product}&memory=4096"), &[]);
    cable.send(1024, OURS, 514, format!("<6>ipxe: {EVIL} \x1b[31mred").as_bytes());
    browser.wait_for_text("become kiosk-live");
    for url in
        script.split_whitespace().filter(|word| word.contains("/blob/")).map(|word| word.trim_start_matches("fetch="))
    {
        cable.run(&["curl", "-fsS", "-o", "/dev/null", url]);
    }
    let seed = script.split(['=', ';', ' ']).find(|word| word.contains("/seed/")).unwrap();
    let token = seed.split('/').nth(5).unwrap();
    cable.curl(&format!("{seed}user-data"), &[]);
    let report = format!("{{\"phase\":\"ready\",\"hostname\":{},\"message\":\"up\"}}", serde_json::json!(EVIL));
    cable.curl(&format!("{seed}report"), &["--json", &report]);
    browser.wait_for_text("ready");
    browser.wait_until("return document.querySelector('.head .badge').innerText === 'ready'");

    // What was said on the wire is read as it was sent, by us and by others.
    let page = format!("/boots/{boot}");
    let twin = until("the packets", || {
        let twin = site.json(&format!("{page}.json"));
        (twin["packets"].as_array().unwrap().len() >= 6).then_some(twin)
    });
    let kinds: Vec<&str> =
        twin["packets"].as_array().unwrap().iter().map(|packet| packet["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["DISCOVER", "OFFER", "REQUEST", "ACK", "DISCOVER", "read request"]);
    let file = site.dir.path().join("boot.pcap");
    let output = Command::new("curl")
        .args(["-fsS", "-H", &site.cookie(), "-o"])
        .arg(&file)
        .arg(format!("{}{page}/packets.pcap", site.url))
        .output()
        .unwrap();
    assert!(output.status.success());
    let read = tshark(
        &file,
        &["ip.src", "ip.dst", "dhcp.option.dhcp", "dhcp.option.vendor_class_id", "dhcp.ip.your", "tftp.source_file"],
    );
    assert_eq!(read.len(), kinds.len());
    let said = |at: usize, code: u64| -> Value {
        let fields = twin["packets"][at]["fields"].as_array().unwrap();
        fields.iter().find(|field| field["code"] == code).map(|field| field["value"].clone()).unwrap_or_default()
    };
    assert_eq!(read[0][..4], [THEIRS, "255.255.255.255", "1", said(0, 60).as_str().unwrap()].map(str::to_owned));
    assert_eq!((read[1][0].as_str(), read[1][4].as_str()), (OURS, THEIRS));
    assert_eq!(read[5][5], format!("{boot}/undionly.kpxe"));
    let cut = twin["packets"][4].to_string();
    assert!(cut.contains("past the end of the packet"), "what could not be read is shown as well: {cut}");

    // Nothing that it said acts on the page, and nothing secret is on it.
    browser.goto(&format!("{}{page}", site.url));
    browser.exec("document.querySelectorAll('details').forEach((one) => one.open = true)");
    for words in [
        "PXEClient:Arch:00000<img",
        "<script>window.hacked=1</script>",
        "\\u{1b}[31mred",
        "skip discovery, use the bootfile",
    ] {
        assert!(browser.says(words), "{words}: {}", browser.text("main"));
    }
    assert!(
        browser.exec("return window.hacked === undefined && !document.querySelector('main img')").as_bool().unwrap()
    );
    // Script and seed are in colours, and say what was served, letter by letter: so they do after the page was asked for again.
    let of = |name: &str| {
        format!("return [...document.querySelectorAll('pre[data-code]')].find((one) => one.dataset.code === '{name}')")
    };
    browser
        .exec("document.querySelector('#boot').dataset.old = 1; document.dispatchEvent(new Event('visibilitychange'))");
    browser.wait_until("return !document.querySelector('#boot').dataset.old");
    for (name, key) in [("script.ipxe", "kernel"), ("user-data", "hostname")] {
        let served = twin["served"]["files"].as_array().unwrap().iter().find(|file| file["name"] == name).unwrap();
        let shown = browser.exec(&format!("{}.textContent", of(name)));
        assert!(served["text"].as_str().unwrap().starts_with(shown.as_str().unwrap()), "{name}: {shown}");
        let keys =
            format!("[...({}).querySelectorAll('.k')].map((one) => one.textContent)", &of(name)["return ".len()..]);
        let keys = browser.exec(&format!("return {keys}"));
        assert!(keys.as_array().unwrap().iter().any(|found| found == key), "{name}: {keys}");
    }
    let (_, html) = site.curl(&page, &[]);
    assert!(html.contains("made up in the file: 02:67:72:65:65:6e is this server"), "what is not as it was, is told");
    assert!(!html.contains(token) && html.contains("/seed/"), "the token opens the seed");
    assert!(!twin.to_string().contains(token));
    // With everything opened, in every look.
    browser.exec("document.querySelectorAll('details').forEach((one) => one.open = false); for (const id of ['packet-2', 'file-1', 'file-2']) document.getElementById(id).open = true");
    browser.shot("boot-wire-desktop-light");
    browser.scheme(true);
    browser.phone();
    browser.reload();
    browser.shot("boot-wire-phone-dark");
    assert!(html.len() < 100_000, "a page of {} bytes", html.len());
}

#[test]
fn the_list_is_filtered_and_paged_on_the_server() {
    let site = Site::start();
    let rows = |query: &str| site.json(&format!("/boots.json?{query}"))["boots"].as_array().unwrap().clone();
    let all = site.json("/boots.json");
    assert_eq!(all["boots"].as_array().unwrap().len(), 50);
    // Every attempt once, the latest first.
    let (mut seen, mut next) = (vec![], String::new());
    loop {
        let page = site.json(&format!("/boots.json?{next}"));
        seen.extend(
            page["boots"].as_array().unwrap().iter().map(|row| (row["began"].to_string(), row["boot"].to_string())),
        );
        match page["next"].as_u64() {
            Some(before) => next = format!("before={before}"),
            None => break,
        }
    }
    assert_eq!(seen.len() as u64, all["kept"].as_u64().unwrap());
    assert!(seen.is_sorted_by(|a, b| a.0 >= b.0));
    for state in ["under-way", "stuck", "ready", "installed", "failed", "refused"] {
        let rows = rows(&format!("state={state}"));
        assert!(!rows.is_empty() && rows.iter().all(|row| row["state"] == state.replace('-', " ")), "{state}");
    }
    let device = past::mac(who::KIOSKS.start).to_string();
    assert!(rows(&format!("device={device}")).iter().all(|row| row["device"] == device.as_str()));
    assert!(rows("firmware=bios").iter().all(|row| row["firmware"] == "bios"));
    assert!(rows("persona=kiosk-live").iter().all(|row| row["persona"] == "kiosk-live"));
    assert!(rows("q=kiosk+foyer").len() >= 10 && rows("q=no-such-words").is_empty());
    assert!(rows("since=1h").len() < 50);
    assert!(rows("device=52:54:00:ff:ff:ff").is_empty(), "a device that is not known has none");
    for (query, words) in [
        ("state=happy", "happy"),
        ("device=nonsense", "device"),
        ("since=soon", "time span"),
        ("firmware=x", "no firmware"),
    ] {
        let (status, said) = site.curl(&format!("/boots.json?{query}"), &[]);
        assert!(status == 422 && said.contains(words), "{query}: {said}");
    }

    let mut browser = Browser::start();
    browser.goto(&format!("{}/boots", site.url));
    browser.shot("boots-desktop-light");
    browser.choose("Earlier");
    browser.wait_for_text("Latest");
    browser.goto(&format!("{}/boots?state=stuck", site.url));
    browser.wait_for("table.boots tbody tr");
    assert!(browser.texts("table.boots .badge.bad").iter().all(|state| state == "stuck"));
    browser.click("table.boots tbody tr td a");
    browser.wait_for_text("Why it did not boot");
    assert!(browser.has("section.causes ol.remedies li") && browser.has("table.waterfall tbody tr"));
    browser.shot("boot-stuck-desktop-light");
    browser.scheme(true);
    browser.phone();
    browser.reload();
    browser.shot("boot-stuck-phone-dark");
    browser.goto(&format!("{}/boots", site.url));
    browser.shot("boots-phone-dark");
}

#[test]
fn every_attempt_that_did_not_come_to_its_end_has_a_cause() {
    let site = Site::start();
    for state in ["stuck", "failed", "refused"] {
        for row in site.json(&format!("/boots.json?state={state}"))["boots"].as_array().unwrap() {
            let boot = site.json(&format!("/boots/{}.json", row["boot"].as_str().unwrap()));
            let causes = boot["causes"].as_array().unwrap();
            assert!(!causes.is_empty(), "{state}: {boot:#}");
        }
    }
    for row in site.json("/boots.json?state=ready")["boots"].as_array().unwrap() {
        let boot = site.json(&format!("/boots/{}.json", row["boot"].as_str().unwrap()));
        assert!(boot["causes"].as_array().unwrap().iter().all(|cause| cause["code"] == "promise-not-held"), "{boot:#}");
    }
}

#[test]
fn an_attempt_that_is_not_at_hand_is_in_the_journal() {
    let site = Site::start();
    let (status, said) = site.curl("/boots/0000000000", &[]);
    assert!(status == 404 && said.contains("greenroom journal export"), "{said}");
    let (status, said) = site.curl("/boots/nonsense.json", &[]);
    assert!(status == 404 && said.contains("There is no such boot"), "{said}");
    let (status, said) = site.curl("/boots/0000000000/packets.pcap", &[]);
    assert!(status == 404 && said.contains("at hand"), "{said}");
}
