//! What a persona asks of a Linux system, in the few words that every format has: packages, files, units, commands.
//!
//! Fields that a format has words of its own for (users, the host name, disks, addresses) are not here; each renderer says
//! those itself. All others are lowered once, here, so that they mean the same whatever installs the system.

mod access;
mod apps;
mod desktop;
mod firewall;
mod limit;
mod system;

use crate::persona::Persona;

pub use firewall::SERVICES;

/// What there is to do, in the order of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intent {
    /// Packages to install, without those of `apps.packages`.
    pub packages: Vec<String>,
    /// Files to write.
    pub files: Vec<Written>,
    /// Units to enable and start, before those of `apps.services`.
    pub enable: Vec<String>,
    /// Units to stop and mask.
    pub mask: Vec<String>,
    /// Commands, each its words, to run once as root when packages and files are there.
    pub commands: Vec<Vec<String>>,
}

/// A file of root's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: String,
    /// What.
    pub content: String,
    /// The permissions.
    pub mode: u32,
}

impl Intent {
    /// What `persona` asks for.
    pub fn of(persona: &Persona) -> Self {
        let mut intent = Self::default();
        intent.system(persona);
        intent.access(persona);
        intent.firewall(persona);
        intent.desktop(persona);
        intent.apps(persona);
        intent.limits(persona);
        intent
    }

    fn package(&mut self, name: &str) {
        if !self.packages.iter().any(|known| known == name) {
            self.packages.push(name.to_owned());
        }
    }

    fn file(&mut self, path: impl Into<String>, content: impl Into<String>) {
        self.file_with(path, content, 0o644);
    }

    fn file_with(&mut self, path: impl Into<String>, content: impl Into<String>, mode: u32) {
        self.files.push(Written { path: path.into(), content: content.into(), mode });
    }

    fn command(&mut self, words: &[&str]) {
        self.commands.push(words.iter().map(|word| (*word).to_owned()).collect());
    }

    /// A command that needs a shell.
    fn shell(&mut self, script: impl Into<String>) {
        self.commands.push(vec!["sh".into(), "-c".into(), script.into()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn persona(body: &str) -> Persona {
        let text = format!(
            r#"{{"apiVersion": "greenroom/v1", "description": "x", "effect": "ephemeral", "os": {{"image": "x"}}{body}}}"#
        );
        serde_json::from_str(&text).expect("the test writes a persona")
    }

    #[test]
    fn a_persona_that_asks_for_nothing_changes_nothing() {
        assert_eq!(Intent::of(&persona("")), Intent::default());
    }
}
