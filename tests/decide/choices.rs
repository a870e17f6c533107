//! What a device becomes, and why; and that nothing wipes a disk by itself.

use std::sync::Arc;

use greenroom::model::{
    Arch, Decision, Fact, Firmware,
    command::{Order, Rejection},
    plan::Action,
    reply::Reply,
    site::{DhcpMode, Match},
    smbios::Hardware,
    timeline::Phase,
};
use greenroom::world::{Answer, Stamp, Subject, explain};

use super::world::{Lab, SERVER, client, mac, told};

fn assign(persona: &str, arm: bool) -> Order {
    Order::AssignPersona { persona: persona.parse().unwrap(), arm, not_before: None, expires: None, why: None }
}

#[test]
fn assigned_beats_rule_beats_default_beats_fallback() {
    let every_x64 = Match { arch: vec![Arch::X64], ..Match::default() };
    let mut lab = Lab::new();
    assert_eq!(
        told(&lab.boot(1).decision),
        "boot the disk: no assignment, rule, prediction or default: standard provisioning"
    );
    let mut lab = lab.default_persona("live");
    lab.pass(60);
    assert_eq!(told(&lab.boot(1).decision), "become live@live-versi: the default persona");
    let mut lab = lab.rule("all", every_x64, "gone", false);
    lab.pass(60);
    assert_eq!(
        told(&lab.boot(1).decision),
        "nothing: image no-image of persona gone is not in the library: run `greenroom image add`"
    );
    assert_eq!(lab.order(1, assign("live", false)), Reply::Done);
    lab.pass(60);
    assert_eq!(told(&lab.boot(1).decision), "become live@live-versi: assigned by ann on 2026-11-24T11:35:20Z");
    lab.order(1, Order::UnassignPersona);
    lab.pass(60);
    assert!(told(&lab.boot(1).decision).starts_with("nothing: image no-image"));
}

#[test]
fn rules_see_what_the_device_reports_and_where_it_is() {
    let when =
        Match { manufacturer: vec!["Dell*".into()], subnet: vec!["10.77.0.0/24".parse().unwrap()], ..Match::default() };
    let mut lab = Lab::new().rule("dells", when, "live", false);
    lab.address(1, Some(super::world::ipxe()));
    let dell = Hardware { manufacturer: Some("Dell Inc.".into()), ..Hardware::default() };
    assert_eq!(told(&lab.script_with(1, dell).decision), "become live@live-versi: rule \"dells\"");
    assert!(told(&lab.script_with(1, Hardware::default()).decision).starts_with("boot the disk"));
}

#[test]
fn a_destructive_persona_needs_an_operator_and_installs_once() {
    let mut lab = Lab::new().default_persona("install");
    let refused = lab.boot(1);
    assert!(matches!(refused.action, Action::Refuse { .. }));
    assert_eq!(
        told(&refused.decision),
        "nothing: persona install wipes the disk and nobody armed this device: run `greenroom device arm`"
    );
    assert_eq!(lab.order(1, Order::Arm), Reply::Done);
    lab.pass(60);
    let installing = lab.boot(1);
    assert!(matches!(&installing.decision, Decision::Become { armed: Some(_), .. }), "{installing:?}");
    let facts = lab.report(1, Phase::Installed);
    assert!(facts.iter().any(|fact| matches!(fact, Fact::DeviceInstalled { .. })));
    for _ in 0..3 {
        lab.pass(60);
        let disk = lab.boot(1);
        assert!(told(&disk.decision).starts_with("boot the disk: installed as install@"), "{}", told(&disk.decision));
    }
    lab.order(1, Order::Arm);
    lab.pass(3600);
    assert!(matches!(lab.boot(1).decision, Decision::Become { .. }), "armed again");
}

#[test]
fn an_armed_rule_installs_new_devices_and_never_one_that_was_installed() {
    let when = Match { oui: vec![mac(1).oui()], ..Match::default() };
    let mut lab = Lab::new().rule("fleet", when, "install", true);
    let plan = lab.boot(1);
    assert!(told(&plan.decision).ends_with("armed by rule \"fleet\""), "{}", told(&plan.decision));
    lab.report(1, Phase::Installed);
    lab.pass(60);
    assert!(told(&lab.boot(1).decision).starts_with("boot the disk"));
}

#[test]
fn only_a_report_of_an_armed_plan_closes_the_latch() {
    let mut lab = Lab::new().default_persona("live");
    lab.boot(1);
    let facts = lab.report(1, Phase::Installed);
    assert!(
        !facts.iter().any(|fact| matches!(fact, Fact::DeviceInstalled { .. })),
        "an ephemeral persona installs nothing"
    );
}

#[test]
fn a_failing_installer_does_not_loop() {
    let mut lab = Lab::new().default_persona("install");
    lab.boot(1);
    lab.order(1, Order::Arm);
    for _ in 0..2 {
        lab.pass(60);
        assert!(matches!(lab.boot(1).decision, Decision::Become { .. }));
        lab.script_with(1, Hardware::default());
    }
    lab.pass(60);
    assert!(told(&lab.boot(1).decision).contains("2 installations of install were begun within the hour"));
    lab.pass(3600);
    assert!(matches!(lab.boot(1).decision, Decision::Become { .. }));
}

#[test]
fn an_installed_device_may_be_lent_to_a_live_persona_by_an_assignment() {
    let mut lab = Lab::new().default_persona("install");
    lab.boot(1);
    lab.order(1, Order::Arm);
    lab.pass(60);
    lab.boot(1);
    lab.report(1, Phase::Installed);
    lab.pass(60);
    lab.order(1, assign("live", false));
    assert!(told(&lab.boot(1).decision).starts_with("become live@"));
    lab.pass(60);
    lab.order(1, assign("install", false));
    assert!(told(&lab.boot(1).decision).starts_with("boot the disk"), "a destructive one needs arming");
}

#[test]
fn what_a_device_cannot_become_is_refused_before_it_loads_anything() {
    let mut lab = Lab::new().default_persona("arm");
    assert_eq!(told(&lab.boot(1).decision), "nothing: image debian-arm needs arm64; this device is x64");
    let mut lab = Lab::new().default_persona("live");
    lab.address(1, Some(super::world::ipxe()));
    let small = |mib| Hardware { memory_mib: Some(mib), ..Hardware::default() };
    assert_eq!(
        told(&lab.script_with(1, small(512)).decision),
        "nothing: persona live needs 1024 MiB of memory; this device has 512 MiB"
    );
    assert!(told(&lab.script_with(1, small(1000)).decision).starts_with("become"), "firmware keeps a little to itself");
}

#[test]
fn orders_that_make_no_sense_are_rejected_in_words() {
    let mut lab = Lab::new();
    let rejected = |reply| match reply {
        Reply::Rejected(rejection) => rejection.to_string(),
        reply => panic!("{reply:?}"),
    };
    assert_eq!(
        rejected(lab.order(1, assign("instal", false))),
        "persona instal is not in the library; did you mean install?"
    );
    assert_eq!(rejected(lab.order(1, Order::Arm)), "no device with port 52:54:00:77:00:01 is known");
    lab.order(1, assign("live", false));
    assert_eq!(rejected(lab.order(1, Order::Disarm)), "device 52:54:00:77:00:01 is not armed");
    assert_eq!(lab.order(1, Order::Forget), Reply::Done);
    assert_eq!(lab.order(1, Order::Forget), Reply::Rejected(Rejection::NoDevice { mac: mac(1) }));
    assert_eq!(lab.replayed(), lab.world);
}

#[test]
fn explain_says_what_would_happen_and_touches_nothing() {
    let mut lab = Lab::new().default_persona("live");
    lab.address(2, Some(client(Firmware::EfiPxe, Arch::X64)));
    let before = lab.world.clone();
    for (client, firmware, answers) in [(1, Some(Firmware::EfiPxe), 4), (1, Some(Firmware::IpxeBios), 2), (2, None, 4)]
    {
        let subject = Subject { mac: mac(client), firmware, arch: None, interface: "eth0".into(), server: SERVER };
        let explained = explain(&lab.world, &lab.ground, &subject, Stamp { now: lab.now, nonce: 77 });
        assert_eq!(explained.answers.len(), answers, "{explained:?}");
        assert_eq!(told(&explained.plan.unwrap().decision), "become live@live-versi: the default persona");
    }
    assert_eq!(lab.world, before);

    // In proxy mode UEFI asks twice, and the silence of a server that speaks no DHCP has its reason.
    let mut lab = lab.site(|site| site.mode = DhcpMode::Proxy);
    let subject = Subject { mac: mac(3), firmware: None, arch: None, interface: "eth0".into(), server: SERVER };
    let stamp = Stamp { now: lab.now, nonce: 78 };
    let explained = explain(&lab.world, &lab.ground, &subject, stamp);
    let asked = explained.answers.iter().map(|answer| match answer {
        Answer::Dhcp { asked, .. } | Answer::Silence { asked, .. } => asked.as_str(),
    });
    assert_eq!(asked.collect::<Vec<_>>(), ["efi-pxe discovers", "efi-pxe asks on 4011", "ipxe-efi discovers"]);
    assert!(explained.plan.is_some());
    lab = lab.site(|site| site.mode = DhcpMode::Off);
    let explained = explain(&lab.world, &lab.ground, &subject, stamp);
    let [Answer::Silence { silence, .. }] = &explained.answers[..] else { panic!("{explained:?}") };
    assert!(silence.to_string().contains("dhcp.mode: off") && explained.plan.is_none());
}

#[test]
fn a_device_whose_persona_left_the_library_becomes_the_one_that_supersedes_it() {
    let assigned = |to: &str, by: &[&str]| {
        let mut lab = Lab::new();
        assert_eq!(lab.order(1, assign(to, false)), Reply::Done);
        by.iter().for_each(|by| lab.supersedes(by, to));
        lab
    };
    let mut lab = assigned("gone", &["live"]);
    assert!(
        told(&lab.boot(1).decision).contains("image no-image of persona gone"),
        "while it is there, nothing changes"
    );
    lab.leaves("gone");
    lab.pass(60);
    assert_eq!(
        told(&lab.boot(1).decision),
        "become live@live-versi: in place of gone, which left the library: assigned by ann on 2026-11-24T11:33:20Z"
    );
    // A successor that wipes the disk needs the same leave as any other.
    let mut lab = assigned("gone", &["install"]);
    lab.leaves("gone");
    let refused = "nothing: persona install wipes the disk and nobody armed this device: run `greenroom device arm`";
    assert_eq!(told(&lab.boot(1).decision), refused);
    assert_eq!(lab.order(1, Order::Arm), Reply::Done);
    lab.pass(60);
    assert!(told(&lab.boot(1).decision).starts_with("become install@install-ve: in place of gone"));
    // Two that claim the place are none.
    let mut lab = assigned("gone", &["live", "install"]);
    lab.leaves("gone");
    assert_eq!(told(&lab.boot(1).decision), "nothing: persona gone is not in the library");
    // A rule that names it is followed likewise.
    let every_x64 = Match { arch: vec![Arch::X64], ..Match::default() };
    let mut lab = Lab::new().rule("all", every_x64, "gone", false);
    lab.supersedes("live", "gone");
    lab.leaves("gone");
    assert_eq!(
        told(&lab.boot(1).decision),
        "become live@live-versi: in place of gone, which left the library: rule \"all\""
    );
}

#[test]
fn a_persona_that_needs_a_secret_is_refused_until_the_server_has_it() {
    let mut lab = Lab::new();
    lab.library(|personas| {
        for entry in personas.iter_mut().filter(|entry| entry.reference.name.as_str() == "live") {
            let mut json = serde_json::to_value(&*entry.persona).unwrap();
            json["security"]["users"] = serde_json::json!([{ "name": "ann", "password_secret": "of-ann" }]);
            entry.persona = serde_json::from_value(json).map(Arc::new).unwrap();
        }
    });
    assert_eq!(lab.order(1, assign("live", false)), Reply::Done);
    let refused = "nothing: persona live needs the secret of-ann: write it into the server's secrets_dir";
    assert_eq!(told(&lab.boot(1).decision), refused);
    lab.ground.secrets = Arc::new(["of-ann".to_owned()].into());
    lab.pass(60);
    assert!(told(&lab.boot(1).decision).starts_with("become live@"));
}
