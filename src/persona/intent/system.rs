//! Language, keyboard, proxy, IPv6, updates and access control.

use crate::persona::{
    Persona,
    quote::{plain_url, shell_word, systemd_word},
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
        match persona.security.automatic_updates {
            Some(true) => self.updates(persona),
            Some(false) => self.no_updates(persona),
            None => {}
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
        let http = plain_url(&proxy.http);
        let https = proxy.https.as_ref().map_or_else(|| http.clone(), |url| plain_url(url));
        let direct = proxy.no_proxy.join(",");
        let variables = [("http_proxy", &http), ("https_proxy", &https), ("no_proxy", &direct)];
        let set =
            variables.iter().flat_map(|(name, value)| [(name.to_string(), *value), (name.to_uppercase(), *value)]);
        let set: Vec<(String, &String)> = set.collect();
        let exports = set.iter().map(|(name, value)| format!("export {name}={}\n", shell_word(value)));
        self.file("/etc/profile.d/50-greenroom-proxy.sh", exports.collect::<String>());
        let words: Vec<String> = set.iter().map(|(name, value)| systemd_word(&format!("{name}={value}"))).collect();
        let manager = format!("[Manager]\nDefaultEnvironment={}\n", words.join(" "));
        self.file("/etc/systemd/system.conf.d/50-greenroom-proxy.conf", manager);
        match persona.os.distribution().family() {
            Family::Debian => self.file(
                "/etc/apt/apt.conf.d/50greenroom-proxy",
                format!("Acquire::http::Proxy \"{http}\";\nAcquire::https::Proxy \"{https}\";\n"),
            ),
            Family::Redhat => {
                // DNF 4 reads one file only. sed puts the line in from another, so that it never sees the URL itself.
                self.file("/etc/dnf/greenroom-proxy", format!("proxy={http}\n"));
                self.shell("sed -i -e '/^proxy=/d' -e '/^\\[main\\]$/r /etc/dnf/greenroom-proxy' /etc/dnf/dnf.conf");
            }
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

    /// Off stays off, whatever a desktop or an image brings: what would install updates is told not to, or cannot start.
    fn no_updates(&mut self, persona: &Persona) {
        match persona.os.distribution().family() {
            // Read after Debian's and Ubuntu's 20auto-upgrades, which stays theirs.
            Family::Debian => {
                self.file("/etc/apt/apt.conf.d/50greenroom-updates", "APT::Periodic::Unattended-Upgrade \"0\";\n");
            }
            // Those of DNF 4, and the one of DNF 5.
            Family::Redhat => {
                let timers = ["dnf-automatic.timer", "dnf-automatic-install.timer", "dnf5-automatic.timer"];
                self.mask.extend(timers.map(str::to_owned));
            }
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
