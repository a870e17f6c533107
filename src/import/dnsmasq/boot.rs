//! What dnsmasq was told about booting: most of it Greenroom does by itself.

use super::{Import, Line};

/// What an option is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The file that firmware loads.
    File,
    /// A menu entry of PXE firmware.
    Service,
    /// What firmware tells of itself, turned into a tag.
    Tag,
    /// The TFTP server.
    Tftp,
}

/// What an option of this name is about, when it is about booting.
pub(super) fn about(key: &str) -> Option<About> {
    match key {
        "dhcp-boot" => Some(About::File),
        "pxe-service" | "pxe-prompt" => Some(About::Service),
        "dhcp-match"
        | "dhcp-vendorclass"
        | "dhcp-userclass"
        | "dhcp-mac"
        | "dhcp-circuitid"
        | "dhcp-remoteid"
        | "dhcp-subscrid"
        | "dhcp-name-match"
        | "tag-if"
        | "dhcp-ignore"
        | "dhcp-ignore-names"
        | "dhcp-pxe-vendor"
        | "dhcp-generate-names" => Some(About::Tag),
        "enable-tftp" | "tftp-root" | "tftp-secure" | "tftp-no-fail" | "tftp-unique-root" | "tftp-max" | "tftp-mtu"
        | "tftp-no-blocksize" | "tftp-lowercase" | "tftp-port-range" | "tftp-single-port" => Some(About::Tftp),
        _ => None,
    }
}

/// Whether a file is one of iPXE's NBPs, which Greenroom serves itself.
fn is_ipxe(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    ["ipxe", "undionly", "snponly", "snp", "gpxe"].iter().any(|known| name.starts_with(known))
        && [".efi", ".kpxe", ".pxe", ".kkpxe", ".lkrn", ".0", "ipxe", "undionly"].iter().any(|end| name.ends_with(end))
}

impl Import {
    pub(super) fn boot_line(&mut self, line: &Line) {
        match about(&line.key) {
            Some(About::File) => self.boot_file(line),
            Some(About::Service) => self.service(line),
            Some(About::Tag) => self.tag(line),
            Some(About::Tftp) => self.tftp(line),
            None => {}
        }
    }

    fn boot_file(&mut self, line: &Line) {
        let values = line.values();
        let file = values.iter().find(|value| !value.starts_with("tag:") && !value.starts_with("net:"));
        let file = file.map(String::as_str).unwrap_or_default().to_owned();
        self.loads(line, &file);
    }

    fn service(&mut self, line: &Line) {
        let values = line.values();
        let values: Vec<_> = values.iter().filter(|value| !value.starts_with("tag:")).collect();
        match (line.key.as_str(), values.get(2).map(|value| value.as_str())) {
            ("pxe-prompt", _) => self.unneeded(line, "Greenroom decides at once, and shows no menu"),
            (_, None | Some("0")) => self.unneeded(line, "a device that nothing names boots its disk"),
            (_, Some(file)) => self.loads(line, file),
        }
    }

    /// A file that firmware was told to load.
    fn loads(&mut self, line: &Line, file: &str) {
        let name = file.rsplit('/').next().unwrap_or_default();
        if is_ipxe(file) {
            self.unneeded(line, "Greenroom gives each firmware its iPXE, by its architecture");
        } else if file.starts_with("http") || file.ends_with(".ipxe") || file.ends_with(".php") {
            let help =
                "make an image of its kernel and initrd (`greenroom image add`), a persona that boots it, and a rule";
            self.lost(line, "a script of your own: in Greenroom a persona says what a device boots", help);
        } else if ["pxelinux", "lpxelinux", "grub", "bootx64", "shim", "syslinux", "elilo", "core.0", "boot"]
            .iter()
            .any(|known| name.to_ascii_lowercase().starts_with(known))
        {
            let help =
                "for each of its menu's entries: `greenroom image add` with the kernel and initrd, and a persona";
            self.lost(
                line,
                "a boot loader with a menu of its own: in Greenroom a persona says what a device boots",
                help,
            );
        } else {
            self.lost(line, "Greenroom loads iPXE, and what follows is a persona", "see `greenroom image add`");
        }
    }

    fn tag(&mut self, line: &Line) {
        let values = line.values();
        let tag = values.iter().find_map(|value| value.strip_prefix("set:"));
        let what = values.iter().find(|value| !value.starts_with("set:") && !value.starts_with("tag:"));
        let what = what.map(String::as_str).unwrap_or_default().trim_start_matches("option:").to_owned();
        let firmware = match line.key.as_str() {
            // iPXE's own options, the architecture, the interface's version, the machine's UUID.
            "dhcp-match" => [
                "175",
                "93",
                "client-arch",
                "94",
                "client-interface-id",
                "97",
                "client-machine-id",
                "60",
                "vendor-class",
                "77",
            ]
            .contains(&what.as_str()),
            "dhcp-vendorclass" => what.starts_with("PXEClient") || what.starts_with("HTTPClient"),
            "dhcp-userclass" => ["iPXE", "gPXE"].contains(&what.as_str()),
            "dhcp-pxe-vendor" => true,
            "tag-if" => {
                let named = values.iter().filter_map(|value| value.strip_prefix("tag:"));
                let mut named = named.map(|tag| tag.trim_start_matches('!')).peekable();
                named.peek().is_some() && named.all(|tag| self.firmware_tags.contains(tag))
            }
            _ => false,
        };
        if firmware {
            self.firmware_tags.extend(tag.map(str::to_owned));
            return self.unneeded(line, "Greenroom tells iPXE and firmware, and architectures, apart by itself");
        }
        match line.key.as_str() {
            "dhcp-ignore" => {
                let help = "name no persona for them: a device that no rule names boots its disk";
                self.lost(line, "Greenroom ignores no device", help);
            }
            "dhcp-ignore-names" | "dhcp-generate-names" => {
                self.unneeded(line, "Greenroom is no DNS server, and takes no names from devices");
            }
            _ => {
                let help = "rules match by `mac`, `oui`, `arch`, `subnet` and what SMBIOS says";
                self.lost(line, "Greenroom has no tags", help);
            }
        }
    }

    fn tftp(&mut self, line: &Line) {
        match line.key.as_str() {
            "tftp-root" => {
                let help = "images come from their origins: `greenroom image add NAME --kernel PATH --initrd PATH`";
                self.lost(line, "Greenroom's TFTP serves iPXE's NBPs, and no folder", help);
            }
            "enable-tftp" => self.unneeded(line, "Greenroom serves TFTP by itself"),
            _ => self.unneeded(line, "Greenroom's TFTP server needs no tuning"),
        }
    }
}
