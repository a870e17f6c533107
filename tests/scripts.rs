//! What devices are told to do: every script as a text that a person has read, and names that read as themselves again.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests say what they mean by panicking")]

use greenroom::{
    model::{
        Arch, BootId, Bytes, Decision, Digest, Firmware, Moment, PersonaRef, Reason, Refusal, Version,
        image::Role,
        plan::{Action, BootPlan, DiskExit, KernelBoot, PlannedFile},
        trouble::{Trouble, TroubleKind},
    },
    wire::{
        ipxe_script::{Links, autoexec, script, start, trouble},
        paths::{BootPath, TftpName},
    },
};
use proptest::prelude::*;

const SERVER: &str = "http://10.77.0.1";

fn boot() -> BootId {
    BootId::new(1)
}

fn links() -> Links {
    Links { server: SERVER.into(), boot: boot(), token: "00112233445566778899aabbccddeeff".into(), syslog: None }
}

fn persona(name: &str) -> PersonaRef {
    PersonaRef { name: name.parse().unwrap(), version: Version::new("0123456789abcdef") }
}

fn file(role: Role, name: &str) -> PlannedFile {
    let digest = Digest::new([role as u8 + 1; 32]);
    PlannedFile { role, digest, size: Some(Bytes(1)), name: name.into() }
}

fn kernel(firmware: Firmware, args: &[&str]) -> KernelBoot {
    KernelBoot {
        persona: persona("kiosk-live"),
        firmware,
        arch: Arch::X64,
        files: vec![
            file(Role::Kernel, "kernel"),
            file(Role::Initrd, "initrd"),
            file(Role::Rootfs, "filesystem.squashfs"),
        ],
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
    }
}

fn becoming(kernel: KernelBoot, reason: Reason) -> String {
    let decision = Decision::Become { persona: kernel.persona.clone(), reason, armed: None };
    script(&BootPlan { decision, action: Action::Kernel(kernel), disk: None }, &links())
}

const LIVE: [&str; 5] =
    ["boot=live", "fetch={{blob:rootfs}}", "ds=nocloud-net;s={{seed_url}}", "post={{report_url}}", "by={{server}}"];

#[test]
fn the_first_script() {
    insta::assert_snapshot!(start(SERVER, boot(), None));
}

#[test]
fn the_script_for_ipxe_builds_that_begin_with_autoexec() {
    insta::assert_snapshot!(autoexec(SERVER, boot()));
}

#[test]
fn a_live_system_on_bios() {
    let reason = Reason::Assigned { by: "root".into(), at: Moment::from_millis(1_795_000_000_000), why: None };
    insta::assert_snapshot!(becoming(kernel(Firmware::IpxeBios, &LIVE), reason));
}

#[test]
fn a_live_system_on_uefi() {
    insta::assert_snapshot!(becoming(kernel(Firmware::IpxeEfi, &LIVE), Reason::Default));
}

#[test]
fn an_image_without_an_initrd_names_none() {
    let mut kernel = kernel(Firmware::IpxeEfi, &[]);
    kernel.files.retain(|file| file.role == Role::Kernel);
    let text = becoming(kernel, Reason::Default);
    assert!(!text.contains("initrd"), "the kernel's EFI stub would give up for want of it\n{text}");
}

#[test]
fn row_40_the_disk_of_a_device_that_is_installed() {
    let disk = |firmware, disk| {
        let reason =
            Reason::Installed { persona: persona("workstation-debian"), at: Moment::from_millis(1_795_000_000_000) };
        script(
            &BootPlan { decision: Decision::LocalDisk { reason }, action: Action::LocalDisk { firmware }, disk },
            &links(),
        )
    };
    insta::assert_snapshot!(format!("{}\n{}", disk(Firmware::IpxeBios, None), disk(Firmware::IpxeEfi, None)));
    assert!(disk(Firmware::IpxeBios, Some(DiskExit::Exit)).ends_with("\nexit 1"), "a model that says so");
    let other = disk(Firmware::IpxeEfi, Some(DiskExit::Sanboot));
    assert!(other.ends_with("\nsanboot --no-describe --drive 0 || exit 1"), "{other}");
}

#[test]
fn a_refusal_is_told_on_the_devices_own_console() {
    let why = Refusal::NotArmed { persona: "workstation-debian".parse().unwrap() };
    let action = Action::Refuse { firmware: Firmware::IpxeBios };
    insta::assert_snapshot!(script(&BootPlan { decision: Decision::Refuse { why }, action, disk: None }, &links()));
}

#[test]
fn why_a_file_did_not_come_is_told_on_the_devices_own_console() {
    let at = |at: &str, kind| Trouble { at: at.into(), kind };
    let why = [at("mirror-a.example:8080", TroubleKind::Refused), at("mirror-b.example", TroubleKind::Missing)];
    insta::assert_snapshot!(format!("{}\n{}", trouble(Some((Role::Initrd, &why))), trouble(None)));
}

#[test]
fn the_seeds_secret_is_in_its_own_urls_and_nowhere_else() {
    let text = becoming(kernel(Firmware::IpxeBios, &LIVE), Reason::Default);
    let token = links().token;
    for (at, _) in text.match_indices(&token) {
        assert!(text[..at].ends_with(&format!("{SERVER}/seed/{}/", boot())), "{text}");
    }
    assert!(
        !start(SERVER, boot(), None).contains(&token)
            && !text.lines().any(|l| l.starts_with("echo") && l.contains(&token))
    );
}

/// The commands of a script, cut up as iPXE does it: at line ends, and at the words that are its operators. A word that
/// begins with `#` ends a line. (Tried on iPXE of 2019: only whole words count.)
fn commands(script: &str) -> Vec<Vec<String>> {
    let mut commands = vec![];
    for line in script.lines() {
        let words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
        let mut command = vec![];
        for word in words {
            match word {
                "||" | "&&" | ";" => commands.push(std::mem::take(&mut command)),
                word => command.push(word.to_owned()),
            }
        }
        commands.push(command);
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// What each command is, without what it is told.
fn verbs(script: &str) -> Vec<String> {
    commands(script).into_iter().map(|mut command| command.swap_remove(0)).collect()
}

/// Text that tries to become a command.
fn nasty() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "||",
        "&&",
        ";",
        "#",
        "${net0/mac}",
        "$",
        "{",
        "}",
        " ",
        "\n",
        "\r\n",
        "\t",
        "\u{85}",
        "\u{2028}",
        "exit",
        "shell",
        "chain http://x/",
        ":failed",
        "goto disk",
        "\"",
        "'",
        "\\",
        "é",
        "\0",
    ]);
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_reason_becomes_a_command(name in prop_oneof![nasty(), any::<String>()]) {
        let script = |name: &str| becoming(kernel(Firmware::IpxeBios, &LIVE), Reason::Rule { name: name.into() });
        prop_assert_eq!(verbs(&script(&name)), verbs(&script("plain")));
        let settings = |script: &str| script.matches('$').count();
        prop_assert!(script(&name).is_ascii() && settings(&script(&name)) == settings(&script("plain")));
    }

    #[test]
    fn no_refusal_becomes_a_command(text in prop_oneof![nasty(), any::<String>()]) {
        let script = |text: &str| {
            let why = Refusal::NoSubnet { link: text.into() };
            let action = Action::Refuse { firmware: Firmware::IpxeEfi };
            script(&BootPlan { decision: Decision::Refuse { why }, action, disk: None }, &links())
        };
        prop_assert_eq!(verbs(&script(&text)), verbs(&script("plain")));
        prop_assert!(script(&text).is_ascii() && !script(&text).contains('$'));
    }

    #[test]
    fn no_servers_name_becomes_a_command(at in prop_oneof![nasty(), any::<String>()]) {
        let script = |at: &str| trouble(Some((Role::Kernel, &[Trouble { at: at.into(), kind: TroubleKind::Slow }])));
        prop_assert_eq!(verbs(&script(&at)), verbs(&script("plain")));
        prop_assert!(script(&at).is_ascii() && !script(&at).contains('$'));
    }

    #[test]
    fn no_kernel_argument_becomes_a_command(arg in prop_oneof![nasty(), any::<String>()]) {
        let with = becoming(kernel(Firmware::IpxeBios, &[&arg]), Reason::Default);
        let without = becoming(kernel(Firmware::IpxeBios, &[]), Reason::Default);
        prop_assert_eq!(verbs(&with), verbs(&without));
    }

    #[test]
    fn names_that_parse_read_as_themselves(name in "[/\\\\]{0,2}(boot|blob|seed|0000000001|0123456789)?[/.]{0,2}[A-Za-z0-9._/-]{0,60}") {
        if let Some(parsed) = TftpName::parse(&name) {
            prop_assert_eq!(TftpName::parse(&parsed.to_string()), Some(parsed));
        }
        if let Some(parsed) = BootPath::parse(&name) {
            prop_assert_eq!(BootPath::parse(&parsed.to_string()), Some(parsed));
        }
    }

    #[test]
    fn names_of_files_read_as_themselves(name in "[A-Za-z0-9_][A-Za-z0-9._-]{0,30}", token in "[0-9a-f]{32}") {
        let (boot, digest) = (boot(), Digest::new([7; 32]));
        for path in [
            format!("/boot/{boot}/{name}"),
            format!("/blob/{digest}/{boot}/{name}"),
            format!("/seed/{boot}/{token}/{name}"),
        ] {
            let parsed = BootPath::parse(&path);
            prop_assert!(parsed.is_some(), "{}", path);
            prop_assert_eq!(BootPath::parse(&parsed.clone().unwrap().to_string()), parsed);
        }
        let tftp = TftpName::parse(&format!("{boot}/{name}"));
        prop_assert!(tftp.is_some());
        prop_assert_eq!(TftpName::parse(&tftp.clone().unwrap().to_string()), tftp);
    }
}
