//! A distro as an image.

use std::collections::BTreeMap;

use crate::{
    model::{
        Arch,
        image::{ImageName, Role},
    },
    persona::schema::Distribution,
};

use super::{
    super::{ImageDraft, LeftBehind, folder::Object, name::one_line},
    Import,
    item::{Options, blend},
    keys, name,
};

/// What profiles need to know of a distro.
#[derive(Debug, Clone)]
pub(super) struct Distro {
    pub(super) image: ImageName,
    pub(super) distribution: Distribution,
    pub(super) version: Option<String>,
    pub(super) options: Options,
}

impl Import {
    pub(super) fn distro(&mut self, distro: &Object<'_>) {
        let own = name(distro);
        let what = format!("distro {own}");
        let arch = match distro.text("arch").unwrap_or("x86_64") {
            "x86_64" | "x86" | "standard" => Arch::X64,
            "aarch64" | "arm64" => Arch::Arm64,
            "arm" => Arch::Arm32,
            other => {
                let why = format!("Greenroom boots no {other}");
                self.out.left_behind.push(LeftBehind::lost(&distro.place("arch"), &what, &why, ""));
                return;
            }
        };
        // A remote kernel is what the boot loader fetches, when there is one.
        let file = |remote: &str, local: &str| distro.text(remote).or_else(|| distro.text(local)).map(one_line);
        let Some(kernel) = file("remote_boot_kernel", "kernel") else {
            self.out.left_behind.push(LeftBehind::lost(distro.path, &what, "it has no kernel", ""));
            return;
        };
        let mut files = BTreeMap::from([(Role::Kernel, kernel)]);
        files.extend(file("remote_boot_initrd", "initrd").map(|initrd| (Role::Initrd, initrd)));
        let (breed, os) = (distro.text("breed").unwrap_or_default(), distro.text("os_version").unwrap_or_default());
        let (distribution, version) = known(breed, os, own);
        if distribution == Distribution::Other {
            let what = format!("{what}: breed `{breed}`, version `{os}`");
            let why = "Greenroom writes no answers for this installer: its personas boot it, and it asks";
            self.out.left_behind.push(LeftBehind::look(&distro.place("breed"), &what, why, ""));
        }
        let image = self.images.give(own, "distro", distro.path, &mut self.out.left_behind);
        let image: ImageName = image.parse().expect("names are given valid");
        let mut options = Options::new();
        blend(&mut options, distro.map.get("kernel_options"));
        let known = Distro { image: image.clone(), distribution, version: version.clone(), options };
        self.distros.extend(keys(distro).map(|key| (key, known.clone())));
        self.extras(distro, &what);
        self.out.images.push(ImageDraft {
            name: image,
            place: distro.path.to_owned(),
            description: distro.text("comment").map_or_else(|| format!("Cobbler's distro {}", one_line(own)), one_line),
            arch,
            distribution: (distribution != Distribution::Other).then(|| distribution.to_string()),
            version,
            files,
            args: arguments(distribution),
        });
    }

    /// Fields that Greenroom has no place for.
    pub(super) fn extras(&mut self, object: &Object<'_>, what: &str) {
        const EXTRAS: [(&[&str], &str, &str); 8] = [
            (
                &["autoinstall_meta", "ks_meta"],
                "variables for templates, which only Cobbler renders",
                "say in the persona what they said",
            ),
            (
                &["kernel_options_post", "kopts_post"],
                "kernel options of the installed system",
                "write /etc/default/grub with `apps.files`",
            ),
            (
                &["template_files", "fetchable_files", "boot_files"],
                "files that Cobbler renders or serves",
                "use `apps.files`",
            ),
            (
                &["mgmt_classes", "mgmt_parameters"],
                "configuration management by way of Cobbler",
                "start its agent with `apps.commands`",
            ),
            (
                &["redhat_management_key"],
                "registration is a secret of your site",
                "register with `apps.commands`, and the key from a secret",
            ),
            (
                &["source_repos"],
                "installation sources: installers ask the site's mirrors",
                "see `site.mirrors` in the configuration",
            ),
            (&["power_address"], "Greenroom switches no power", ""),
            (&["enable_menu", "menu"], "Greenroom decides at once, and shows no menu", ""),
        ];
        for (names, why, help) in EXTRAS {
            for name in names {
                let said = object.map.get(*name).is_some_and(|value| match value {
                    serde_json::Value::Object(map) => !map.is_empty(),
                    serde_json::Value::Array(items) => !items.is_empty(),
                    serde_json::Value::String(text) => !text.is_empty() && text != "<<inherit>>",
                    _ => false,
                });
                if said {
                    let what = format!("{name} of {what}");
                    self.out.left_behind.push(LeftBehind::lost(&object.place(name), &what, why, help));
                }
            }
        }
    }
}

/// What points an installer to its seed.
fn arguments(distribution: Distribution) -> Vec<String> {
    let words: &[&str] = match distribution {
        Distribution::Debian => &["auto=true", "priority=critical", "url={{seed_url}}preseed.cfg"],
        Distribution::Ubuntu => &["autoinstall", "ip=dhcp", "ds=nocloud-net;s={{seed_url}}"],
        Distribution::Rocky | Distribution::Alma | Distribution::Rhel | Distribution::Centos | Distribution::Fedora => {
            &["inst.ks={{seed_url}}ks.cfg"]
        }
        Distribution::Flatcar | Distribution::Windows | Distribution::Other => &[],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The distribution and version behind Cobbler's words for them. Clones of RHEL are told by the distro's name.
fn known(breed: &str, os: &str, own: &str) -> (Distribution, Option<String>) {
    const DEBIAN: [(&str, &str); 5] =
        [("buster", "10"), ("bullseye", "11"), ("bookworm", "12"), ("trixie", "13"), ("stretch", "9")];
    const UBUNTU: [(&str, &str); 6] = [
        ("bionic", "18.04"),
        ("focal", "20.04"),
        ("jammy", "22.04"),
        ("noble", "24.04"),
        ("oracular", "24.10"),
        ("plucky", "25.04"),
    ];
    let of =
        |names: &[(&str, &str)]| names.iter().find(|(name, _)| *name == os).map(|(_, version)| (*version).to_owned());
    let digits = os.trim_start_matches(|c: char| !c.is_ascii_digit());
    let digits = (!digits.is_empty()).then(|| digits.to_owned());
    match breed {
        "debian" => (Distribution::Debian, of(&DEBIAN)),
        "ubuntu" => (Distribution::Ubuntu, of(&UBUNTU)),
        "redhat" => {
            let both = format!("{os} {}", own.to_lowercase());
            let clones = [
                ("rocky", Distribution::Rocky),
                ("alma", Distribution::Alma),
                ("fedora", Distribution::Fedora),
                ("centos", Distribution::Centos),
                ("rhel", Distribution::Rhel),
            ];
            let found = clones.into_iter().find(|(word, _)| both.contains(word)).map(|(_, distribution)| distribution);
            found.map_or((Distribution::Other, None), |distribution| (distribution, digits))
        }
        _ => (Distribution::Other, None),
    }
}
