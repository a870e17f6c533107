//! What filters fit, how they read back, and what they say when they are wrong.

use proptest::prelude::*;

use super::*;
use crate::model::{
    Fact, Link, Record, Seconds,
    lease::{Lease, LeaseState},
    smbios::Hardware,
};

/// A device of Ann's, who is a developer in Berlin; it was seen an hour ago.
fn world() -> (World, Moment) {
    let mut world = World::default();
    let began = Moment::from_millis(1_800_000_000_000);
    let mac = "52:54:00:00:00:01".parse().expect("a port");
    let device = crate::model::DeviceId::new(mac);
    let hardware = Hardware {
        manufacturer: Some("Dell Inc.".into()),
        product: Some("OptiPlex 7090".into()),
        memory_mib: Some(16 * 1024),
        ..Hardware::default()
    };
    let link = Link {
        subnet: Some("10.1.2.0/24".parse().expect("a subnet")),
        circuit: Some("Gi1/0/7".into()),
        ..Link::default()
    };
    let ip = "10.1.2.9".parse().expect("an address");
    let until = began.plus(Seconds(7200));
    let lease = Lease { ip, mac, state: LeaseState::Bound, until, hostname: Some("laptop-7".into()) };
    let said = |said: &[(&str, &str)]| {
        said.iter()
            .map(|(name, value)| (name.parse().expect("a name"), Some(value.parse().expect("a value"))))
            .collect()
    };
    let facts = [
        Fact::DeviceSeen {
            device,
            mac,
            uuid: None,
            arch: Some(crate::model::Arch::X64),
            firmware: crate::model::Firmware::Bios,
        },
        Fact::HardwareReported { device, hardware },
        Fact::DevicePlaced { device, link },
        Fact::LeaseBound { lease },
        Fact::DeviceDescribed { device, changes: said(&[("user", "ann"), ("floor", "3")]), by: "op".into() },
        Fact::UserDescribed {
            user: "ann".parse().expect("a user"),
            changes: said(&[("role", "Developer"), ("location", "Berlin Mitte"), ("memory", "good")]),
            active: None,
            by: "op".into(),
        },
        Fact::PersonaAssigned {
            device,
            persona: "kiosk-live".parse().expect("a persona"),
            by: "op".into(),
            not_before: None,
            expires: Some(until),
            why: None,
        },
    ];
    for (seq, fact) in (1..).zip(facts) {
        world.apply(&Record { seq, at: began, fact });
    }
    (world, began.plus(Seconds(3600)))
}

fn fits(filter: &str) -> bool {
    let (world, now) = world();
    let device = world.devices.values().next().expect("one device");
    let filter = filter.parse::<Filter>().unwrap_or_else(|bad| panic!("{filter}: {bad}"));
    let fits = filter.fits(&world, device, now);
    assert_eq!(filter.over(&world, now).fits(device), fits, "{filter}: made ready for many, it means the same");
    fits
}

#[test]
fn a_filter_fits_what_it_says() {
    for yes in [
        r#"role=developer and location~"berlin*" and not installed and seen<7d"#,
        "role = DEVELOPER",
        "user=ann and floor>2 and floor<=3",
        "manufacturer='dell inc.'",
        "memory>=8GiB and memory<17GiB and not (memory>16GiB or memory!=16384MiB)",
        "attr:memory=good",
        "subnet=10.1.0.0/16 and subnet!=10.2.0.0/16 and address=10.1.2.9 and address=10.0.0.0/8",
        "circuit~gi1/0/*",
        "persona=kiosk-live and assigned~kiosk* and assigned",
        "mac=52-54-00-00-00-01 and mac~52:54:*",
        "first_seen>=1h and seen<=1h",
        "arch=x64",
        "department!=it and department!~i*",
        "text~*optiplex* and text~*BERLIN* and text=laptop-7 and text~52:54:00:* and text!~*desk*",
        "not text~*laptop-8* and text and text~*kiosk*",
        "not relay and not outcome and outcome!=local-disk",
        "role=dev or role=developer and not not user",
    ] {
        assert!(fits(yes), "{yes}");
    }
    for no in [
        "role=dev",
        "role!=developer",
        "role<3",
        "floor<3",
        "department=it",
        "installed or armed",
        "not (role and user)",
        "seen>2h",
        "relay=0.0.0.0/0",
        "location~berlin",
        "text!~*laptop*",
        "text~laptop",
        "(role=dev or role=developer) and not user",
    ] {
        assert!(!fits(no), "{no}");
    }
}

#[test]
fn a_lease_and_an_assignment_that_ended_are_not_there() {
    let (world, now) = world();
    let device = world.devices.values().next().expect("one device");
    let later = now.plus(Seconds(3600));
    for gone in ["address", "assigned", "persona=kiosk-live"] {
        assert!(!gone.parse::<Filter>().expect("a filter").fits(&world, device, later), "{gone}");
    }
}

#[test]
fn a_filter_that_is_none_says_what_was_expected_and_where() {
    for (text, column, message) in [
        ("", 1, "expected a field or an attribute, like role=developer"),
        ("role=", 6, "expected a value after `=`"),
        ("role= and user=x", 7, "expected a value after `=`; if it is `and`, write it in quotes"),
        ("role=dev location=x", 10, "expected `and`, `or`, or the end"),
        ("role dev", 6, "expected an operator (= != ~ !~ < <= > >=), `and`, `or`, or the end"),
        ("role=dev and", 13, "expected a field or an attribute, like role=developer"),
        ("(role=dev", 1, "this is not closed: expected `)` at the end"),
        ("role=dev)", 9, "nothing was opened that this could close"),
        ("(role=dev x)", 11, "expected `and`, `or` or `)`"),
        ("role=\"dev", 6, "this quote is not closed: expected \" at the end"),
        ("serial<3", 7, "`serial` is compared by = != ~ or !~"),
        ("seen=3d", 5, "`seen` is compared by < <= > or >="),
        ("seen<soon", 6, "`soon` is no time span: write 90s, 30m, 12h or 7d"),
        ("subnet=here", 8, "expected an address or a subnet, like 10.1.0.7 or 10.1.0.0/16"),
        ("outcome=fine", 9, "expected one of ready, installed, local-disk, refused, failed, stuck, restarted"),
        ("floor<x", 7, "expected a number, not `x`"),
        ("role=\"\"", 6, "nothing has an empty value: write `not role`"),
        ("role=~dev", 6, "expected a value after `=`; one that begins so needs quotes"),
        (
            "rôle=x",
            1,
            "this cannot name an attribute: lower-case letters, digits and inner `-`, `_` and `.`, 63 at most",
        ),
    ] {
        let bad = text.parse::<Filter>().expect_err(text);
        assert_eq!((bad.column, bad.message.as_str()), (column, message), "{text}");
    }
    let wide = "ort=東京 role=\u{1b}[31m".parse::<Filter>().expect_err("an escape");
    assert!(wide.to_string().ends_with("ort=東京 role= [31m\n                ^"), "{wide}");
}

#[test]
fn a_filter_is_bounded() {
    let deep = "(".repeat(2000) + "a" + &")".repeat(2000);
    assert!(deep.parse::<Filter>().expect_err("deep").message.contains("at most 2048 bytes"));
    let deep = "not ".repeat(200) + "a";
    assert!(deep.parse::<Filter>().expect_err("deep").message.contains("deeper than 16"));
    let many = vec!["a"; 100].join(" or ");
    assert!(many.parse::<Filter>().expect_err("many").message.contains("at most 64 tests"));
}

/// A leaf as it may be typed.
fn test() -> impl Strategy<Value = String> {
    let value = prop_oneof!["[a-z0-9./*-]{1,12}", r#"[ -~äß東]{1,12}"#]
        .prop_filter("something", |value: &String| !value.trim().is_empty())
        .prop_map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")));
    prop_oneof![
        ("(attr:)?[a-z][a-z0-9_]{0,8}[a-z0-9]", "=|!=|~|!~", value)
            .prop_map(|(name, operator, value)| format!("attr:{}{operator}{value}", name.replace("attr:", ""))),
        ("serial|product|circuit|persona", "=|~|!~", "[a-z*]{1,9}x").prop_map(|(n, o, v)| format!("{n}{o}{v}")),
        ("seen|first_seen", "<|<=|>|>=", 0u32..1_000_000).prop_map(|(n, o, v)| format!("{n}{o}{v}")),
        ("memory", "=|!=|<|>=", any::<u64>()).prop_map(|(n, o, v)| format!("{n}{o}{v}")),
        ("floor", "<|<=|>", any::<f64>().prop_filter("finite", |n| n.is_finite()))
            .prop_map(|(n, o, v)| format!("{n}{o}{v:e}")),
        ("address|subnet|relay", "=|!=", any::<u32>(), 0u8..=32)
            .prop_map(|(n, o, ip, len)| format!("{n}{o}{}/{len}", std::net::Ipv4Addr::from(ip))),
        Just("installed".to_owned()),
        Just("attr:and".to_owned()),
    ]
}

fn tree() -> impl Strategy<Value = String> {
    test().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| format!("not ({one})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(" and "))),
            prop::collection::vec(inner, 2..4).prop_map(|any| format!("({})", any.join(") OR ("))),
        ]
    })
}

proptest! {
    #[test]
    fn what_a_filter_prints_reads_back_as_itself(text in tree()) {
        if let Ok(filter) = text.parse::<Filter>() {
            let printed = filter.to_string();
            prop_assume!(printed.len() <= Filter::LONGEST);
            prop_assert_eq!(printed.parse::<Filter>(), Ok(filter), "{}", printed);
        } else {
            prop_assert!(text.len() > Filter::LONGEST, "{}", text);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,80}", words in prop::collection::vec("and|or|not|\\(|\\)|role|=|~|<|\"|'| |seen|7d|\\\\", 0..24)) {
        let (world, now) = world();
        let device = world.devices.values().next().expect("one device");
        for text in [text, words.concat()] {
            match text.parse::<Filter>() {
                Ok(filter) => drop(filter.fits(&world, device, now)),
                Err(bad) => prop_assert!(bad.column <= text.chars().count() + 1 && !bad.to_string().is_empty()),
            }
        }
    }
}
