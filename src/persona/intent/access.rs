//! SSH, sudo, groups and passwords.

use crate::persona::{Persona, schema::Family};

use super::Intent;

impl Intent {
    pub(super) fn access(&mut self, persona: &Persona) {
        self.ssh(persona);
        self.sudo(persona);
        self.passwords(persona);
    }

    /// The drop-in is read before the distribution's own settings, and the first that speaks of a keyword wins.
    fn ssh(&mut self, persona: &Persona) {
        let ssh = &persona.security.ssh;
        let mut lines = String::new();
        if ssh.root_login {
            lines.push_str("PermitRootLogin prohibit-password\n");
        }
        if ssh.password_login {
            lines.push_str("PasswordAuthentication yes\n");
        }
        if lines.is_empty() {
            return;
        }
        self.file("/etc/ssh/sshd_config.d/01-greenroom.conf", lines);
        match persona.os.distribution().family() {
            Family::Debian => self.command(&["systemctl", "try-reload-or-restart", "ssh.service"]),
            // Each connection starts a server of its own, and the file was there before the first.
            Family::Flatcar => {}
            _ => self.command(&["systemctl", "try-reload-or-restart", "sshd.service"]),
        }
    }

    fn sudo(&mut self, persona: &Persona) {
        let allowed = persona.security.users.iter().filter(|user| !user.sudo_commands.is_empty());
        let lines: String = allowed
            .map(|user| format!("{} ALL=(ALL) NOPASSWD: {}\n", user.name, user.sudo_commands.join(", ")))
            .collect();
        if !lines.is_empty() {
            self.file_with("/etc/sudoers.d/60-greenroom", lines, 0o440);
        }
    }

    fn passwords(&mut self, persona: &Persona) {
        let rules = &persona.security.passwords;
        let length = rules.min_length.map(|least| format!("minlen = {least}\n"));
        let classes = rules.min_classes.map(|least| format!("minclass = {least}\n"));
        let quality: String = length.into_iter().chain(classes).collect();
        if !quality.is_empty() {
            match persona.os.distribution().family() {
                Family::Debian => self.package("libpam-pwquality"),
                _ => self.package("libpwquality"),
            }
            self.file("/etc/security/pwquality.conf.d/50-greenroom.conf", quality);
        }
        if let Some(days) = rules.max_days {
            self.shell(format!("sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS {days}/' /etc/login.defs"));
            // login.defs speaks of accounts that are yet to be made.
            for user in persona.security.users.iter().filter(|user| user.password_hash.is_some()) {
                self.command(&["chage", "--maxdays", &days.to_string(), &user.name]);
            }
        }
    }
}
