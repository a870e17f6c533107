//! iPXE scripts: what a plan looks like to the device. The templates lie in `boot/`.
//!
//! iPXE splits its lines at blanks and has no quoting: `||`, `&&`, `;` and `#` as words, and `${` anywhere, are commands.
//! So everything that a person or a device wrote is reduced to harmless characters before it enters a script.

use std::net::{IpAddr, SocketAddr};

use askama::Template;

use crate::model::{
    Arch, BootId, Decision, Firmware,
    image::Role,
    plan::{Action, BootPlan, DiskExit, KernelBoot, PlannedFile},
    trouble::Trouble,
};

use super::paths::BootPath;

/// Where the URLs of one script point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// `http://10.77.0.1`: this server as the device reaches it.
    pub server: String,
    /// The attempt.
    pub boot: BootId,
    /// The attempt's secret, for its seed.
    pub token: String,
    /// Where installers send their logs, if anywhere.
    pub syslog: Option<SocketAddr>,
}

impl Links {
    /// The folder of the seed, with a closing slash as cloud-init wants it.
    pub fn seed_url(&self) -> String {
        let path = BootPath::Seed { boot: self.boot, token: self.token.clone(), name: String::new() };
        format!("{}{path}", self.server)
    }

    /// Where the device reports.
    pub fn report_url(&self) -> String {
        format!("{}{}", self.server, BootPath::Report { boot: self.boot, token: self.token.clone() })
    }

    fn blob_url(&self, file: &PlannedFile) -> String {
        let path = BootPath::BlobFor { digest: file.digest, boot: self.boot, name: file.name.clone() };
        format!("{}{path}", self.server)
    }
}

#[derive(Template)]
#[template(path = "start.ipxe", escape = "none", config = ".askama.toml")]
struct Start {
    boot: BootId,
    url: String,
    syslog: Option<IpAddr>,
}

#[derive(Template)]
#[template(path = "autoexec.ipxe", escape = "none", config = ".askama.toml")]
struct Autoexec {
    url: String,
}

#[derive(Template)]
#[template(path = "kernel.ipxe", escape = "none", config = ".askama.toml")]
struct Kernel {
    boot: BootId,
    what: String,
    why: String,
    check_cpu: bool,
    kernel: String,
    args: String,
    initrds: Vec<String>,
    tries: u32,
    trouble: String,
    gave_up: String,
    leave: &'static str,
}

#[derive(Template)]
#[template(path = "trouble.ipxe", escape = "none", config = ".askama.toml")]
struct Told {
    lines: Vec<String>,
}

#[derive(Template)]
#[template(path = "disk.ipxe", escape = "none", config = ".askama.toml")]
struct Disk {
    what: String,
    why: String,
    pause: bool,
    leave: &'static str,
}

/// How often a device tries to load its files, with 10 seconds between.
const TRIES: u32 = 5;

/// The first script, which asks for the second and says what the device is. An iPXE that can sends what it shows to `syslog`.
pub fn start(server: &str, boot: BootId, syslog: Option<IpAddr>) -> String {
    rendered(&Start { boot, url: format!("{server}{}", BootPath::Script { boot }), syslog })
}

/// The script for iPXE builds that start with `autoexec.ipxe`, before DHCP.
pub fn autoexec(server: &str, boot: BootId) -> String {
    rendered(&Autoexec { url: format!("{server}{}", BootPath::Start { boot }) })
}

/// The second script: the plan, carried out.
pub fn script(plan: &BootPlan, links: &Links) -> String {
    let why = match &plan.decision {
        Decision::Become { reason, .. } | Decision::LocalDisk { reason } => harmless(&reason.to_string()),
        Decision::Refuse { why } => harmless(&why.to_string()),
    };
    match &plan.action {
        Action::Kernel(kernel) => kernel_script(kernel, why, links, plan.disk),
        Action::LocalDisk { firmware } => rendered(&Disk {
            what: "booting from the disk".into(),
            why,
            pause: false,
            leave: leave(*firmware, plan.disk),
        }),
        Action::Refuse { firmware } => {
            rendered(&Disk { what: "nothing to boot".into(), why, pause: true, leave: leave(*firmware, plan.disk) })
        }
    }
}

/// What the console shows of a file that did not come; of the latest one that the server could not give.
pub fn trouble(latest: Option<(Role, &[Trouble])>) -> String {
    let lines = match latest {
        Some((role, why)) => why.iter().map(|trouble| harmless(&format!("no {role}: {trouble}"))).collect(),
        None => vec!["the server gave all that it was asked for: look at the network between".to_owned()],
    };
    rendered(&Told { lines })
}

fn kernel_script(boot: &KernelBoot, why: String, links: &Links, disk: Option<DiskExit>) -> String {
    let url = |role| boot.files.iter().filter(move |file| file.role == role).map(|file| links.blob_url(file));
    let mut args: Vec<String> = boot.args.iter().map(|arg| filled(arg, boot, links)).collect();
    args.extend(links.syslog.and_then(|to| log_to(&boot.args, to)));
    let initrds: Vec<String> = url(Role::Initrd).collect();
    if boot.firmware.is_efi() && !initrds.is_empty() {
        // The kernel's EFI stub finds the initrd by the name that iPXE gave it, and gives up when there is none.
        args.push("initrd=initrd".into());
    }
    rendered(&Kernel {
        boot: links.boot,
        what: harmless(&format!("persona {}", boot.persona)),
        why,
        check_cpu: boot.arch == Arch::X64 && !boot.firmware.is_efi(),
        kernel: url(Role::Kernel).collect(),
        args: args.join(" "),
        initrds,
        tries: TRIES,
        trouble: format!("{}{}", links.server, BootPath::Trouble { boot: links.boot }),
        gave_up: format!("{}{}", links.server, BootPath::GaveUp { boot: links.boot }),
        leave: leave(boot.firmware, disk),
    })
}

/// What has an installer send its log, in the words of the installer that these arguments are for: Anaconda's own begin with
/// `inst.`, Debian's installer names its questions `owner/question`. Others have no words for it, and what people wrote holds.
fn log_to(args: &[String], to: SocketAddr) -> Option<String> {
    let words = || args.iter().flat_map(|arg| arg.split_whitespace());
    let has = |start: &str| words().any(|word| word.starts_with(start));
    let (ip, port) = (to.ip(), to.port());
    match (has("inst."), has("preseed/") || has("debian-installer/") || words().any(|word| word == "auto=true")) {
        (true, _) if !has("inst.syslog=") => Some(format!("inst.syslog={ip}:{port}")),
        (false, true) if !has("log_host=") => Some(format!("log_host={ip} log_port={port}")),
        _ => None,
    }
}

/// How this firmware goes on to the disk (QUIRKS row 40): BIOS is handed drive 0x80; a UEFI boot manager tries its next
/// entry when this one *fails* (UEFI section 3.1.1: success would end in its menu). Models that know better are named in
/// the configuration.
fn leave(firmware: Firmware, disk: Option<DiskExit>) -> &'static str {
    match (disk, firmware.is_efi()) {
        (Some(DiskExit::Exit), _) | (None, true) => "exit 1",
        (Some(DiskExit::Sanboot), true) => "sanboot --no-describe --drive 0 || exit 1",
        (Some(DiskExit::Sanboot) | None, false) => "sanboot --no-describe --drive 0x80 || exit 1",
    }
}

/// A kernel argument with its placeholders filled in.
fn filled(arg: &str, boot: &KernelBoot, links: &Links) -> String {
    let mut arg = arg
        .replace("{{server}}", &links.server)
        .replace("{{seed_url}}", &links.seed_url())
        .replace("{{report_url}}", &links.report_url());
    for file in &boot.files {
        let url = links.blob_url(file);
        arg = arg.replace(&format!("{{{{blob:{}}}}}", file.role), &url);
        // Loaders that are told a folder ask for the file below it, by a path of their own.
        let folder = url.rsplit_once('/').map_or(url.as_str(), |(folder, _)| folder);
        arg = arg.replace(&format!("{{{{tree:{}}}}}", file.role), folder);
    }
    arg.split_whitespace().map(quoted).collect::<Vec<_>>().join(" ")
}

/// A word that iPXE would take for itself, in the quotes that mean nothing to iPXE and that the kernel takes off again.
fn quoted(word: &str) -> String {
    match word {
        "||" | "&&" | ";" => format!("\"{word}\""),
        comment if comment.starts_with('#') => format!("\"{comment}\""),
        word => word.to_owned(),
    }
}

/// Text that means nothing to iPXE: none of `$`, `{`, `|`, `&`, `;`, `#`, no line ends, nothing that a console cannot show.
fn harmless(text: &str) -> String {
    let shown = |c: char| match c {
        '"' | '`' => '\'',
        ';' => ',',
        c if c.is_ascii_alphanumeric() || " .,:@/_-+=()[]<>'!*%~".contains(c) => c,
        _ => '?',
    };
    text.chars().map(shown).collect()
}

fn rendered(template: &impl Template) -> String {
    template.render().expect("a template of plain values renders")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, PersonaRef, Reason, Version};

    fn plan(reason: Reason, firmware: Firmware) -> BootPlan {
        let persona = PersonaRef { name: "kiosk-live".parse().expect("a name"), version: Version::new("0123456789ab") };
        let file = |role, name: &str| PlannedFile { role, digest: Digest::new([7; 32]), size: None, name: name.into() };
        let kernel = KernelBoot {
            persona: persona.clone(),
            firmware,
            arch: Arch::X64,
            files: vec![
                file(Role::Kernel, "vmlinuz"),
                file(Role::Initrd, "initrd"),
                file(Role::Rootfs, "filesystem.squashfs"),
            ],
            args: vec![
                "fetch={{blob:rootfs}}".into(),
                "ds=nocloud-net;s={{seed_url}}".into(),
                "inst.stage2={{tree:rootfs}}".into(),
            ],
        };
        BootPlan {
            decision: Decision::Become { persona, reason, armed: None },
            action: Action::Kernel(kernel),
            disk: None,
        }
    }

    fn links() -> Links {
        Links { server: "http://10.77.0.1".into(), boot: BootId::new(1), token: "secret".into(), syslog: None }
    }

    #[test]
    fn the_kernel_script_names_files_by_digest_and_the_seed_by_token() {
        let bios = script(&plan(Reason::Default, Firmware::IpxeBios), &links());
        assert!(bios.contains("ds=nocloud-net;s=http://10.77.0.1/seed/0000000001/secret/ "), "{bios}");
        let tree = format!("inst.stage2=http://10.77.0.1/blob/{}/0000000001 ||", "07".repeat(32));
        assert!(bios.contains(&tree), "{bios}");
        assert!(bios.contains("/0000000001/filesystem.squashfs"), "{bios}");
        assert!(
            bios.contains("cpuid --ext 29") && bios.contains("sanboot") && !bios.contains("initrd=initrd"),
            "{bios}"
        );
        let efi = script(&plan(Reason::Default, Firmware::IpxeEfi), &links());
        assert!(efi.contains("initrd=initrd") && efi.contains("exit 1") && !efi.contains("sanboot"), "{efi}");
    }

    #[test]
    fn installers_that_can_are_told_where_to_send_their_log() {
        let to = SocketAddr::from(([10, 77, 0, 1], 514));
        let told = |args: &[&str]| log_to(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>(), to);
        assert_eq!(told(&["inst.stage2={{tree:rootfs}} quiet"]).as_deref(), Some("inst.syslog=10.77.0.1:514"));
        let debian = Some("log_host=10.77.0.1 log_port=514");
        assert_eq!(told(&["auto=true", "url={{seed_url}}preseed.cfg"]).as_deref(), debian);
        assert_eq!(told(&["preseed/url={{seed_url}}preseed.cfg"]).as_deref(), debian);
        assert_eq!(told(&["preseed/url=x", "log_host=10.0.0.9"]), None, "what people wrote holds");
        assert_eq!(told(&["boot=casper", "ds=nocloud-net;s={{seed_url}}"]), None);
    }

    #[test]
    fn what_people_wrote_cannot_become_a_command() {
        let name = "a || shell ; ${x} # \n boot && évil".to_owned();
        let text = script(&plan(Reason::Rule { name }, Firmware::IpxeBios), &links());
        let line = text.lines().find(|line| line.starts_with("echo Because")).expect("the reason is shown");
        assert!(!line.contains(['|', '&', ';', '$', '#', '{']), "{line}");
        assert!(line.is_ascii() && line.contains("shell"), "{line}");
    }
}
