//! Every pattern has an attempt that shows it, and near misses that do not.

use std::collections::BTreeSet;

use greenroom::{
    model::{Arch, Firmware, Refusal, site::DhcpMode},
    usage::cause::Sure,
};

use crate::attempt::{Attempt, attempt, refused};

use Firmware::{Bios, EfiHttp, EfiPxe, IpxeBios, RpiBoot};

/// The first cause, what was tried, and attempts that come close and are something else, or nothing.
type Case = (&'static str, Firmware, &'static str, &'static [(Firmware, &'static str)]);
const CASES: &[Case] = &[
    ("no-offer", EfiPxe, "discover discover stuck", &[(EfiPxe, "discover"), (EfiPxe, "discover offer stuck")]),
    (
        "offer-not-taken",
        EfiPxe,
        "discover offer discover offer quiet",
        &[(EfiPxe, "discover offer"), (EfiPxe, "discover offer ack quiet"), (IpxeBios, "discover offer quiet")],
    ),
    (
        "nbp-not-asked",
        Bios,
        "discover offer ack stuck",
        &[
            (Bios, "discover offer bare-ack stuck"),
            (Bios, "discover offer ack nbp stuck"),
            (IpxeBios, "discover offer ack stuck"),
        ],
    ),
    ("nbp-not-asked", EfiHttp, "discover offer ack quiet", &[(EfiHttp, "discover offer ack")]),
    ("nbp-not-asked", RpiBoot, "discover offer ack quiet", &[]),
    (
        "nbp-broken-off",
        Bios,
        "discover offer ack nbp-broken nbp-none stuck",
        &[(Bios, "discover offer ack nbp-broken nbp stuck"), (Bios, "discover offer ack nbp-broken")],
    ),
    (
        "nbp-loop",
        Bios,
        "discover offer ack nbp nbp nbp",
        &[(Bios, "discover offer ack nbp nbp"), (Bios, "discover offer ack nbp nbp nbp ipxe offer ack script")],
    ),
    (
        "secure-boot",
        EfiPxe,
        "discover offer ack nbp stuck",
        &[
            (EfiPxe, "discover offer ack nbp"),
            (EfiPxe, "discover offer ack nbp=shimx64.efi stuck"),
            (EfiPxe, "discover offer ack nbp ipxe stuck"),
            (Bios, "discover offer ack nbp stuck"),
            (EfiPxe, "discover offer ack nbp ipxe offer ack script kernel initrd stuck"),
        ],
    ),
    ("secure-boot", EfiPxe, "discover offer ack nbp again", &[]),
    (
        "nbp-not-run",
        Bios,
        "discover offer ack nbp=undionly.kpxe stuck",
        &[(Bios, "discover offer ack nbp ipxe offer ack stuck")],
    ),
    (
        "ipxe-no-address",
        Bios,
        "discover offer ack nbp ipxe offer ipxe offer stuck",
        &[(Bios, "discover offer ack nbp ipxe offer ack stuck"), (Bios, "discover offer ack nbp ipxe offer")],
    ),
    (
        "ipxe-no-script",
        Bios,
        "discover offer ack nbp ipxe offer ack stuck",
        &[
            (Bios, "discover offer ack nbp ipxe offer ack script stuck"),
            (Bios, "discover offer ack nbp ipxe offer ack"),
        ],
    ),
    ("ipxe-no-script", IpxeBios, "ipxe offer ack quiet", &[(IpxeBios, "ipxe offer quiet")]),
    (
        "no-blob",
        EfiPxe,
        "discover nbp ipxe ack script no-kernel no-kernel gave-up",
        &[
            (EfiPxe, "discover nbp ipxe ack script no-kernel kernel initrd seed ready"),
            (EfiPxe, "discover nbp ipxe ack script no-kernel kernel initrd seed"),
        ],
    ),
    (
        "gave-up",
        EfiPxe,
        "discover nbp ipxe ack script kernel gave-up",
        &[(EfiPxe, "discover nbp ipxe ack script no-kernel gave-up")],
    ),
    (
        "kernel-not-asked",
        Bios,
        "discover nbp ipxe ack script stuck",
        &[
            (Bios, "discover nbp ipxe ack script"),
            (Bios, "discover nbp ipxe ack disk"),
            (Bios, "discover nbp ipxe ack script kernel stuck"),
        ],
    ),
    (
        "blob-broken-off",
        EfiPxe,
        "discover nbp ipxe ack script kernel-broken kernel-broken stuck",
        &[
            (EfiPxe, "discover nbp ipxe ack script kernel-broken kernel initrd seed stuck"),
            (EfiPxe, "discover nbp ipxe ack script kernel-broken"),
        ],
    ),
    ("blob-broken-off", EfiPxe, "discover nbp ipxe ack script kernel initrd rootfs-broken stuck", &[]),
    (
        "rootfs-not-asked",
        EfiPxe,
        "discover nbp=live.efi ipxe ack script kernel initrd stuck",
        &[
            (EfiPxe, "discover nbp=live.efi ipxe ack script kernel initrd rootfs stuck"),
            (EfiPxe, "discover nbp ipxe ack script kernel initrd stuck"),
        ],
    ),
    (
        "kernel-silent",
        EfiPxe,
        "discover nbp ipxe ack script kernel initrd stuck",
        &[
            (EfiPxe, "discover nbp ipxe ack script kernel initrd"),
            (EfiPxe, "discover nbp ipxe ack script kernel stuck"),
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed stuck"),
            (EfiPxe, "discover nbp ipxe ack script kernel initrd ready"),
        ],
    ),
    (
        "seed-not-asked",
        EfiPxe,
        "discover nbp ipxe ack script kernel initrd rootfs stuck",
        &[
            (EfiPxe, "discover nbp ipxe ack script kernel initrd rootfs seed stuck"),
            (EfiPxe, "discover nbp ipxe ack script kernel initrd rootfs"),
        ],
    ),
    (
        "no-report",
        EfiPxe,
        "discover nbp ipxe ack script kernel initrd seed quiet",
        &[
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed"),
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed ready"),
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed installing stuck"),
        ],
    ),
    (
        "installer-silent",
        EfiPxe,
        "discover nbp ipxe ack script kernel initrd seed installing stuck",
        &[
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed installing"),
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed installing failed"),
        ],
    ),
    (
        "reported-failed",
        EfiPxe,
        "discover nbp ipxe ack script kernel initrd seed failed=it_is_odd",
        &[
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed ready"),
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed ready-but"),
        ],
    ),
    (
        "promise-not-held",
        EfiPxe,
        "discover nbp ipxe ack script kernel initrd seed ready-but",
        &[
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed ready"),
            (EfiPxe, "discover nbp ipxe ack script kernel initrd seed failed"),
        ],
    ),
];

#[test]
fn each_pattern_shows_in_its_attempt_and_not_in_near_misses() {
    for (code, firmware, words, near) in CASES {
        let shown = attempt(*firmware, words);
        let codes = shown.codes();
        assert_eq!(codes.first(), Some(code), "{firmware} {words}: {codes:?}");
        for cause in shown.causes() {
            assert!(
                !cause.remedies.is_empty() && !cause.evidence.is_empty(),
                "{code}: nothing to do, or nothing seen: {cause:#?}"
            );
        }
        for (firmware, words) in *near {
            let codes = attempt(*firmware, words).codes();
            assert!(!codes.contains(code), "{firmware} {words} is no {code}: {codes:?}");
        }
    }
}

#[test]
fn an_attempt_that_is_well_has_no_cause() {
    for words in [
        "discover",
        "discover offer ack nbp ipxe offer ack script kernel initrd rootfs seed ready",
        "discover offer ack nbp ipxe offer ack script kernel initrd seed installing",
        "discover offer ack nbp ipxe offer ack disk",
        "discover offer ack nbp ipxe offer ack disk again",
    ] {
        assert_eq!(attempt(EfiPxe, words).codes(), Vec::<&str>::new(), "{words}");
    }
}

#[test]
fn in_proxy_mode_the_address_is_another_servers_business() {
    let alone = attempt(EfiPxe, "discover proxy stuck").proxy();
    assert_eq!(alone.codes(), ["proxy-alone"]);
    let told: Vec<String> = alone.causes()[0].remedies.iter().map(|remedy| remedy.text.clone()).collect();
    assert!(told.iter().any(|text| text.contains("4011")), "UEFI asks there: {told:?}");
    assert!(!attempt(EfiPxe, "discover offer stuck").codes().contains(&"proxy-alone"), "full mode gives addresses");
    assert!(!attempt(EfiPxe, "discover proxy nbp stuck").proxy().codes().contains(&"proxy-alone"), "it has one");
    let ipxe = attempt(Bios, "discover proxy nbp ipxe proxy stuck").proxy();
    assert_eq!(ipxe.codes(), ["ipxe-no-script"]);
}

#[test]
fn what_devices_say_is_recognised() {
    for (said, code) in [
        ("E:_Release_file_for_http://deb_is_not_valid_yet", "clock-wrong"),
        ("curl:_Could_not_resolve_host:_mirror", "no-dns"),
        ("E:_Unable_to_locate_package_treee", "no-package"),
        ("cp:_No_space_left_on_device", "disk-full"),
        ("no_suitable_disk", "no-disk"),
    ] {
        let words = format!("discover nbp ipxe ack script kernel initrd seed failed={said}");
        let codes = attempt(EfiPxe, &words).codes();
        assert_eq!(codes, ["reported-failed", code], "{said}");
        let well = format!("discover nbp ipxe ack script kernel initrd seed ready={said}");
        assert_eq!(attempt(EfiPxe, &well).codes(), Vec::<&str>::new(), "a device that is ready may say what it likes");
    }
}

#[test]
fn every_refusal_has_a_remedy() {
    let persona = || "kiosk-live".parse().unwrap();
    let all: Vec<(Refusal, &str, &str)> = vec![
        (Refusal::UnknownArch { codes: vec![99] }, "unknown-arch", "iPXE"),
        (Refusal::NoNbp { arch: Arch::Riscv64 }, "no-nbp", "riscv64"),
        (Refusal::NotArmed { persona: persona() }, "not-armed", "greenroom device arm 52:54:00:77:00:01"),
        (Refusal::TooManyInstalls { persona: persona(), count: 3 }, "too-many-installs", "installs_per_hour"),
        (Refusal::NoPersona { persona: persona() }, "no-persona", "greenroom device assign"),
        (Refusal::NoImage { persona: persona(), image: "tiny".into() }, "no-image", "greenroom image add tiny"),
        (Refusal::WrongArch { image: "tiny".into(), needs: Arch::X64, has: Arch::Arm64 }, "wrong-arch", "arm64"),
        (Refusal::TooSmall { persona: persona(), needs_mib: 2048, has_mib: 512 }, "too-small", "2048 MiB"),
        (Refusal::NoSecret { persona: persona(), secret: "wifi".into() }, "no-secret", "secrets/wifi"),
        (Refusal::PoolExhausted { subnet: "10.0.0.0/24".into() }, "pool-exhausted", "10.0.0.0/24"),
        (Refusal::NoSubnet { link: "eth9".into() }, "no-subnet", "dhcp.subnets"),
        (Refusal::ForeignRelay { giaddr: "10.9.0.1".into() }, "foreign-relay", "10.9.0.1"),
        (Refusal::OtherServer { server: [10, 0, 0, 9].into() }, "other-server", "10.0.0.9"),
        (Refusal::UnknownBoot, "unknown-boot", "Restart"),
    ];
    for (why, code, remedy) in all {
        let said = why.to_string();
        let cause = refused(EfiPxe, "discover", why, true).causes().remove(0);
        assert_eq!((cause.code, cause.sure), (code, Sure::Certain));
        let told: Vec<String> = cause
            .remedies
            .iter()
            .map(|remedy| format!("{} {}", remedy.text, remedy.command.clone().unwrap_or_default()))
            .collect();
        assert!(told.join("\n").contains(remedy), "{code}: {told:?}");
        assert!(cause.evidence.contains(&said), "{code}: {:?}", cause.evidence);
    }
}

#[test]
fn firmware_that_asks_twice_for_its_nbp_is_told_apart() {
    let again = |firmware, words| refused(firmware, words, Refusal::SecondChainload { seconds: 4 }, false).codes();
    assert_eq!(again(EfiPxe, "discover offer ack nbp discover"), ["secure-boot"]);
    assert_eq!(again(EfiPxe, "discover offer ack nbp=shimx64.efi discover"), ["chainload-loop"], "a shim is signed");
    assert_eq!(again(Bios, "discover offer ack nbp discover"), ["chainload-loop"]);
}

#[test]
fn what_is_known_beside_the_attempt_counts() {
    let mut declined = attempt(Bios, "discover offer discover offer stuck");
    declined.declined = vec![[10, 77, 0, 100].into()];
    assert_eq!(declined.codes().first(), Some(&"address-in-use"));
    declined.declined.clear();
    assert!(!declined.codes().contains(&"address-in-use"));

    let small =
        |mib| Attempt { memory_mib: mib, ..attempt(EfiPxe, "discover nbp ipxe ack script kernel-broken stuck") };
    assert!(small(Some(512)).codes().contains(&"too-little-memory"));
    assert!(
        !small(Some(16_384)).codes().contains(&"too-little-memory")
            && !small(None).codes().contains(&"too-little-memory")
    );

    let cut = || attempt(EfiPxe, "discover nbp ipxe ack script kernel initrd again");
    let loops = |times: usize| Attempt { earlier: (0..times).map(|_| cut().boot().clone()).collect(), ..cut() };
    assert!(loops(2).codes().contains(&"restart-loop"));
    assert!(!loops(1).codes().contains(&"restart-loop"));
    assert_eq!(attempt(EfiPxe, "discover offer ack stuck").mode, DhcpMode::Full);
}

#[test]
fn every_code_in_the_source_is_shown_by_some_attempt() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/usage/cause");
    let sources: String =
        std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let here = include_str!("cause.rs");
    // A code is the only quoted word with a dash that stands alone.
    let quoted: BTreeSet<&str> = sources.split('"').skip(1).step_by(2).collect();
    let codes = quoted.into_iter().filter(|word| {
        word.contains('-') && word.len() < 24 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    });
    let unshown: Vec<&str> = codes.filter(|code| !here.contains(&format!("\"{code}\""))).collect();
    assert!(unshown.is_empty(), "no attempt shows {unshown:?}");
}
