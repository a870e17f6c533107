//! Language, keyboard, proxy, IPv6, updates and access control.

use crate::persona::{
    Persona,
    schema::{AccessControl, Family},
};

use super::Intent;

impl Intent {
    pub(super) fn system(&mut self, persona: &Persona) {
        self.language(persona);
        self.keyboard(persona);
        self.proxy(persona);
        if persona.network.ipv6 == Some(false) {
            let off = "net.ipv6.conf.all.disable_ipv6 = 1\nnet.ipv6.conf.default.disable_ipv6 = 1\n";
            self.file("/etc/sysctl.d/50-greenroom-ipv6.conf", off);
            self.command(&["sysctl", "--system"]);
        }
        if persona.security.automatic_updates {
            self.updates(persona);
        }
        if let Some(mode) = persona.security.access_control {
            self.access_control(persona, mode);
        }
    }

    fn language(&mut self, persona: &Persona) {
        let Some(language) = &persona.preferences.language else { return };
        match persona.os.distribution().family() {
            Family::Debian => self.command(&["update-locale", &format!("LANGUAGE={language}")]),
            _ => {
                let locale = persona.preferences.locale.as_deref().unwrap_or("C.UTF-8");
                self.command(&["localectl", "set-locale", &format!("LANG={locale}"), &format!("LANGUAGE={language}")]);
            }
        }
    }

    fn keyboard(&mut self, persona: &Persona) {
        let Some(layout) = &persona.preferences.keyboard else { return };
        match persona.os.distribution().family() {
            Family::Debian => self.file(
                "/etc/default/keyboard",
                format!("XKBMODEL=\"pc105\"\nXKBLAYOUT=\"{layout}\"\nXKBVARIANT=\"\"\nXKBOPTIONS=\"\"\n"),
            ),
            _ => self.command(&["localectl", "set-keymap", layout]),
        }
    }

    /// For logins, for services, and for the package manager, which may run before either knows.
    fn proxy(&mut self, persona: &Persona) {
        let Some(proxy) = &persona.network.proxy else { return };
        let https = proxy.https.as_ref().unwrap_or(&proxy.http);
        let direct = proxy.no_proxy.join(",");
        let variables = [("http_proxy", &proxy.http), ("https_proxy", https), ("no_proxy", &direct)];
        let both_cases = variables.iter().flat_map(|(name, value)| {
            [name.to_string(), name.to_uppercase()].map(|name| (name, systemd_quoted(value)))
        });
        let set: Vec<String> = both_cases.map(|(name, value)| format!("{name}={value}")).collect();
        let exports: String = set.iter().map(|line| format!("export {line}\n")).collect();
        self.file("/etc/profile.d/50-greenroom-proxy.sh", exports);
        let quoted: Vec<String> = set.iter().map(|line| format!("'{}'", line.replace('"', ""))).collect();
        let manager = format!("[Manager]\nDefaultEnvironment={}\n", quoted.join(" "));
        self.file("/etc/systemd/system.conf.d/50-greenroom-proxy.conf", manager);
        match persona.os.distribution().family() {
            Family::Debian => self.file(
                "/etc/apt/apt.conf.d/50greenroom-proxy",
                format!("Acquire::http::Proxy \"{}\";\nAcquire::https::Proxy \"{https}\";\n", proxy.http),
            ),
            Family::Redhat => self.shell(format!(
                "sed -i '/^proxy=/d; s|^\\[main\\]$|&\\nproxy={}|' /etc/dnf/dnf.conf",
                proxy.http.replace('|', "%7C")
            )),
            Family::Flatcar | Family::Windows | Family::Other => {}
        }
    }

    fn updates(&mut self, persona: &Persona) {
        match persona.os.distribution().family() {
            Family::Debian => {
                self.package("unattended-upgrades");
                let periodic = "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n";
                self.file("/etc/apt/apt.conf.d/20auto-upgrades", periodic);
            }
            Family::Redhat => {
                self.package("dnf-automatic");
                let automatic = "[commands]\nupgrade_type = security\ndownload_updates = yes\napply_updates = yes\n";
                self.file("/etc/dnf/automatic.conf", automatic);
                self.enable.push("dnf-automatic.timer".into());
            }
            // Flatcar and Windows update themselves unless they are told not to; their renderers do.
            Family::Flatcar | Family::Windows | Family::Other => {}
        }
    }

    fn access_control(&mut self, persona: &Persona, mode: AccessControl) {
        let selinux = match mode {
            AccessControl::Enforcing => "enforcing",
            AccessControl::Permissive => "permissive",
            AccessControl::Disabled => "disabled",
        };
        match (persona.os.distribution().family(), mode) {
            (Family::Debian, AccessControl::Disabled) => self.mask.push("apparmor.service".into()),
            (Family::Debian, AccessControl::Enforcing) => {
                self.package("apparmor");
                self.enable.push("apparmor.service".into());
            }
            (Family::Debian, AccessControl::Permissive) => {
                self.package("apparmor");
                self.package("apparmor-utils");
                self.enable.push("apparmor.service".into());
                self.shell("aa-complain /etc/apparmor.d/*");
            }
            // In force from the first start: the file is there before the system is. Flatcar's policy is called mcs.
            (Family::Flatcar, _) => {
                self.file("/etc/selinux/config", format!("SELINUX={selinux}\nSELINUXTYPE=mcs\n"));
            }
            _ => {
                self.file("/etc/selinux/config", format!("SELINUX={selinux}\nSELINUXTYPE=targeted\n"));
                // Takes effect at once where it can; going to or from `disabled` needs the next start.
                if mode != AccessControl::Disabled {
                    let now = if mode == AccessControl::Enforcing { "1" } else { "0" };
                    self.shell(format!("! selinuxenabled || setenforce {now}"));
                }
            }
        }
    }
}

/// A value in double quotes, as a shell and systemd both read it. What neither can hold was refused before.
fn systemd_quoted(value: &str) -> String {
    format!("\"{value}\"")
}
