//! Lines of syslog: what senders write, and what hostile ones do.

use std::net::{IpAddr, Ipv4Addr};

use greenroom::{
    config::Config,
    document::Document,
    model::Moment,
    serve::Console,
    wire::syslog::{LONGEST, lines},
};
use proptest::prelude::*;

use crate::attempt::{ID, attempt, mac};

#[test]
fn both_forms_are_read() {
    for (sent, severity, tag, text) in [
        ("<30>Nov 26 06:00:00 anaconda: Running post-install", Some(6), "anaconda", "Running post-install"),
        ("<14>Nov  6 06:00:00 lab-7 kernel[1]: eth0: link up", Some(6), "kernel", "eth0: link up"),
        (
            "<6>ipxe: http://10.0.0.1/boot/k3/start.ipxe... ok",
            Some(6),
            "ipxe",
            "http://10.0.0.1/boot/k3/start.ipxe... ok",
        ),
        (
            "<165>1 2026-11-26T06:00:00Z lab-7 cloud-init 77 ID47 [a@1 b=\"x]\\\"y\"] Hello",
            Some(5),
            "cloud-init",
            "Hello",
        ),
        ("<11>1 - - - - - - bare", Some(3), "", "bare"),
        ("no header at all", None, "", "no header at all"),
        ("<999>too large", None, "", "<999>too large"),
        ("<13>", Some(5), "", ""),
    ] {
        let read = lines(sent.as_bytes());
        match read.first() {
            Some(line) => {
                assert_eq!((line.severity, line.tag.as_str(), line.text.as_str()), (severity, tag, text), "{sent}")
            }
            None => assert_eq!(text, "", "{sent}"),
        }
    }
    let several = lines(b"<3>dracut: one\ntwo\r\n\nthree\0");
    assert_eq!(several.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert!(several[0].is_bad() && several[0].level() == "error");
}

#[test]
fn control_characters_are_shown_and_no_line_is_endless() {
    let line = &lines(b"<6>evil: \x1b]0;owned\x07\x1b[2J <script>")[0];
    assert_eq!(line.text, "\\u{1b}]0;owned\\u{7}\\u{1b}[2J <script>");
    assert!(lines(&[b'a'; 100_000]).iter().all(|line| line.text.len() <= LONGEST));
}

#[test]
fn only_devices_that_boot_are_heard() {
    let world = attempt(greenroom::model::Firmware::EfiPxe, "discover offer ack nbp ipxe ack script").world;
    let [theirs, strangers] = [[10, 77, 0, 100], [10, 77, 0, 9]].map(|ip| IpAddr::from(Ipv4Addr::from(ip)));
    let console = Console::new(Some("0.0.0.0:514".parse().unwrap()));
    let now = Moment::from_millis(1_800_000_000_000);
    console.hear(&world, theirs, now, b"<6>ipxe: too early");
    console.met(theirs, ID);
    console.hear(&world, theirs, now, b"<6>ipxe: hello");
    console.hear(&world, strangers, now, b"<6>ipxe: not yours");
    let heard: Vec<String> = console.of(mac(), ID).into_iter().map(|heard| heard.line.text).collect();
    assert_eq!((heard, console.strangers()), (vec!["hello".to_owned()], 2));
    for _ in 0..20_000 {
        console.hear(&world, theirs, now, &[b'x'; 1500]);
    }
    assert_eq!(console.of(mac(), ID).len(), 1000);
    assert!(console.kept().bytes <= 16 << 20 && console.kept().dropped > 18_000);
    let local = "10.77.0.1".parse().unwrap();
    assert_eq!(console.for_ipxe(local), Some(local));
    assert_eq!(Console::new(Some("0.0.0.0:5140".parse().unwrap())).for_ipxe(local), None, "iPXE knows one port");
    assert_eq!(Console::new(None).address(local), None);
}

proptest! {
    #[test]
    fn any_bytes_are_lines(bytes in proptest::collection::vec(any::<u8>(), 0..3000), head in "<[0-9]{1,4}>1? ?[A-Z]{0,3} ?") {
        for sent in [bytes.clone(), [head.as_bytes(), &bytes[..]].concat()] {
            for line in lines(&sent) {
                prop_assert!(!line.text.is_empty() && !line.text.chars().any(char::is_control) && !line.tag.chars().any(char::is_control));
            }
        }
    }
}

#[test]
fn the_configuration_says_where_lines_are_heard() {
    let read = |text: &str| {
        let document = Document::read("greenroom.yaml", text.as_bytes().to_vec()).unwrap();
        Config::read(&document)
    };
    assert_eq!(read("{}").unwrap().syslog, None, "nobody listens unless somebody says so");
    let address = |text: &str| read(text).unwrap().syslog.unwrap().to_string();
    assert_eq!(address("syslog: {}"), "0.0.0.0:514");
    assert_eq!(address("syslog: {listen: '10.77.0.1:5140'}"), "10.77.0.1:5140");
    for (bad, words) in [("syslog: {listen: '0.0.0.0:0'}", "GR200"), ("syslog: {listen: here}", "here")] {
        let problems = format!("{:?}", read(bad).unwrap_err());
        assert!(problems.contains(words), "{bad}: {problems:?}");
    }
}
