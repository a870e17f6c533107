//! Boot attempts: one from power-on to report, whatever the firmware does in between.

use greenroom::model::{
    Arch, Fact, Firmware, Oui, Refusal, SmbiosUuid,
    dhcp::{BootClient, DhcpAsk, VendorOptions},
    plan::DiskExit,
    site::{Match, Quirk},
    timeline::{Outcome, Phase, Stage, Step},
};

use super::world::{Lab, answer, client, discover, ipxe, mac, uefi};

#[test]
fn each_firmware_is_told_what_it_can_boot() {
    let mut lab = Lab::new();
    let table = [
        (Firmware::Bios, Arch::X64, Some("/undionly.kpxe")),
        (Firmware::EfiPxe, Arch::X64, Some("/snponly.efi")),
        (Firmware::EfiHttp, Arch::X64, Some("/snponly.efi")),
        (Firmware::IpxeBios, Arch::X64, Some("/start.ipxe")),
        (Firmware::IpxeEfi, Arch::Arm64, Some("/start.ipxe")),
        (Firmware::EfiPxe, Arch::Arm64, None),
        (Firmware::RpiBoot, Arch::Arm64, None),
    ];
    for (firmware, arch, wanted) in table {
        let (ip, bootfile) = lab.address(1, Some(client(firmware, arch)));
        assert!(!ip.is_unspecified());
        let fits = match (&bootfile, wanted) {
            (Some(bootfile), Some(end)) => bootfile.ends_with(end),
            (None, None) => true,
            _ => false,
        };
        assert!(fits, "{firmware} {arch}: {bootfile:?}");
        lab.pass(3600);
    }
}

#[test]
fn of_the_nbps_at_hand_the_best_that_the_firmware_can_run_is_named() {
    for (at_hand, arch, wanted) in [
        (&["snponly.efi", "ipxe.efi"][..], Arch::X64, "snponly.efi"),
        (&["ipxe.efi"], Arch::X64, "ipxe.efi"),
        (&["ipxe-arm64.efi", "ipxe.efi"], Arch::Arm64, "ipxe-arm64.efi"),
        (&["ipxe-arm64.efi", "snponly-arm64.efi"], Arch::Arm64, "snponly-arm64.efi"),
    ] {
        let mut lab = Lab::new().site(|site| site.boot.nbps = at_hand.iter().map(|name| (*name).to_owned()).collect());
        let (_, bootfile) = lab.address(1, Some(client(Firmware::EfiPxe, arch)));
        assert!(bootfile.is_some_and(|name| name.ends_with(&format!("/{wanted}"))), "{arch}: {at_hand:?}");
    }
}

#[test]
fn rows_5_14_and_40_a_model_of_the_other_school_gets_what_the_operator_says() {
    for (oui, named) in [(mac(1).oui(), true), (Oui::new([2, 2, 2]), false)] {
        let quirk = Quirk {
            when: Match { oui: vec![oui], ..Match::default() },
            option_43: Some(VendorOptions::UseBootfile),
            option_67: Some(false),
            disk: Some(DiskExit::Sanboot),
            rate: None,
        };
        let mut lab = Lab::new().site(|site| site.boot.quirks.push(quirk));
        let options = answer(lab.dhcp(DhcpAsk { boot: Some(uefi()), ..discover(1) })).boot.unwrap();
        assert_eq!(options.vendor == VendorOptions::UseBootfile, named);
        assert_eq!(options.in_option_67, !named);
        let plan = lab.boot(1);
        assert_eq!(plan.disk.is_some(), named);
    }
}

#[test]
fn an_unknown_architecture_gets_an_address_and_a_reason() {
    let mut lab = Lab::new();
    let odd = BootClient { arch: None, arch_codes: vec![99], ..uefi() };
    let (_, bootfile) = lab.address(1, Some(odd));
    assert_eq!(bootfile, None);
    let boot = lab.world.boots.get(&lab.boot_of(1)).unwrap();
    let refused = Step::Refused { why: Refusal::UnknownArch { codes: vec![99] } };
    assert!(boot.steps.iter().any(|moved| moved.step == refused), "{:?}", boot.steps);
    assert_eq!(boot.outcome, Some(Outcome::Refused));
}

#[test]
fn firmware_nbp_ipxe_and_system_are_one_attempt_with_one_address() {
    let mut lab = Lab::new().default_persona("live");
    let (first, _) = lab.address(1, Some(uefi()));
    let boot = lab.boot_of(1);
    lab.pass(4);
    lab.address(1, Some(uefi()));
    assert_eq!(lab.boot_of(1), boot, "firmware that asks again");
    lab.nbp_delivered(1);
    let (second, bootfile) = lab.address(1, Some(client(Firmware::IpxeEfi, Arch::X64)));
    assert_eq!((second, lab.boot_of(1)), (first, boot), "its NBP speaks");
    assert!(bootfile.unwrap().contains(&boot.to_string()), "the attempt rides in the URL");
    lab.script_with(1, Default::default());
    let (third, bootfile) = lab.address(1, None);
    assert_eq!((third, bootfile, lab.boot_of(1)), (first, None, boot), "the system asks for its address");
    lab.report(1, Phase::Ready);
    assert_eq!(lab.outcome(1).unwrap(), "ready");
}

#[test]
fn row_23_a_second_chainload_is_a_refusal_with_a_reason_and_not_a_loop() {
    let mut lab = Lab::new().default_persona("live");
    lab.address(1, Some(uefi()));
    let boot = lab.boot_of(1);
    lab.nbp_delivered(1);
    for _ in 0..5 {
        lab.pass(5);
        let (ip, bootfile) = lab.address(1, Some(uefi()));
        assert!(!ip.is_unspecified());
        assert_eq!((bootfile, lab.boot_of(1)), (None, boot), "an address, and nothing to boot");
    }
    assert_eq!(lab.outcome(1).unwrap(), "refused");
    let told = greenroom::usage::timeline::lines(lab.world.boots.get(&boot).unwrap());
    assert!(told.iter().any(|line| line.bad && line.detail.contains("asked for again")), "{told:?}");
    lab.pass(60);
    let (_, bootfile) = lab.address(1, Some(uefi()));
    assert!(bootfile.is_some() && lab.boot_of(1) != boot, "after the window it may try anew");
}

#[test]
fn a_machine_that_was_reset_begins_a_new_attempt() {
    let mut lab = Lab::new().default_persona("live");
    lab.boot(1);
    let first = lab.boot_of(1);
    lab.pass(20);
    lab.address(1, Some(ipxe()));
    assert_ne!(lab.boot_of(1), first);
    assert_eq!(lab.world.boots.get(&first).unwrap().outcome, Some(Outcome::Restarted));
}

#[test]
fn a_silent_attempt_is_given_up_once_and_a_late_report_corrects_that() {
    let mut lab = Lab::new().default_persona("live");
    lab.boot(1);
    lab.observe(1, Step::Seed { name: "user-data".into() });
    lab.pass(900);
    assert!(lab.ask(&greenroom::model::request::Request::Tick).1.is_empty(), "a loading system has four times as long");
    lab.pass(2700);
    let facts = lab.ask(&greenroom::model::request::Request::Tick).1;
    assert!(matches!(&facts[..], [Fact::BootMoved { step: Step::Stuck { .. }, .. }]), "{facts:?}");
    assert_eq!(lab.outcome(1).unwrap(), "stuck");
    assert!(lab.ask(&greenroom::model::request::Request::Tick).1.is_empty());
    lab.report(1, Phase::Ready);
    assert_eq!(lab.outcome(1).unwrap(), "ready");
}

#[test]
fn a_second_port_with_the_same_uuid_is_the_same_device() {
    let mut lab = Lab::new();
    let uuid = SmbiosUuid::new(*b"0123456789abcdef");
    let with = BootClient { uuid, ..ipxe() };
    lab.address(1, Some(with.clone()));
    lab.address(2, Some(with));
    assert_eq!(lab.world.devices.size(), 1);
    assert_eq!(lab.world.device_of(mac(2)).unwrap().macs, [mac(1), mac(2)]);
    lab.address(3, Some(ipxe()));
    assert_eq!(lab.world.devices.size(), 2, "no identity is no identity");
}

#[test]
fn a_script_for_an_attempt_that_nobody_knows_says_so_and_leaves_the_disk_alone() {
    let mut lab = Lab::new().default_persona("install");
    let ask = greenroom::model::request::Request::Script {
        boot: "0123456789".parse().unwrap(),
        hardware: Default::default(),
        peer: [10, 77, 0, 100].into(),
        server: "http://10.77.0.1".into(),
    };
    let (reply, facts) = lab.ask(&ask);
    assert!(facts.is_empty());
    assert!(format!("{reply:?}").contains("UnknownBoot"), "{reply:?}");
}

#[test]
fn stages_only_ever_go_forward() {
    let mut lab = Lab::new().default_persona("live");
    lab.boot(1);
    lab.observe(1, Step::Seed { name: "user-data".into() });
    lab.nbp_delivered(1);
    assert_eq!(lab.world.boots.get(&lab.boot_of(1)).unwrap().stage, Stage::Loading);
    assert!(answer(lab.dhcp(DhcpAsk { boot: Some(ipxe()), ..discover(1) })).boot.is_some());
}
