//! Groups as rules.

use serde_json::Value;

use crate::model::{Arch, MacAddr, site::Match};

use super::{
    super::{LeftBehind, folder::Object, section::Rule},
    Import,
};

impl Import {
    /// Matchbox takes the group that selects most narrowly; Greenroom the first rule that fits.
    pub(super) fn groups(&mut self, groups: &[Object<'_>]) {
        let mut sorted: Vec<_> = groups.iter().collect();
        sorted.sort_by_key(|group| std::cmp::Reverse(selectors(group).len()));
        for group in sorted {
            self.group(group);
        }
    }

    fn group(&mut self, group: &Object<'_>) {
        let id = group.stem;
        self.metadata(group);
        let what = format!("group {id}");
        let wanted = group.text("profile").unwrap_or_default();
        let Some(persona) = self.of_profile.get(wanted).cloned() else {
            let why = match wanted.is_empty() {
                true => "it names no profile".to_owned(),
                false => format!("its profile {wanted} did not come over"),
            };
            self.out.left_behind.push(LeftBehind::lost(&group.place("profile"), &what, &why, ""));
            return;
        };
        let selectors = selectors(group);
        if selectors.is_empty() {
            match &self.out.section.default {
                None => self.out.section.default = Some((persona, group.path.to_owned())),
                Some((_, first)) => {
                    let why = format!("{first} is the default already: it selects nothing either");
                    self.out.left_behind.push(LeftBehind::lost(group.path, &what, &why, "give it a selector"));
                }
            }
            return;
        }
        let mut when = Match::default();
        for (key, value) in &selectors {
            if let Err((why, help)) = select(&mut when, key, value) {
                // Without this selector the rule would fit more devices than the group did.
                let what = format!("{what}, which selects {key}={value}");
                self.out.left_behind.push(LeftBehind::lost(&group.place(key), &what, why, help));
                return;
            }
        }
        let name = self.out.section.rule_name(id);
        self.out.section.rules.push(Rule { place: group.path.to_owned(), name, when, persona });
    }

    fn metadata(&mut self, group: &Object<'_>) {
        let keys: Vec<&str> = match group.map.get("metadata") {
            Some(Value::Object(metadata)) => metadata.keys().map(String::as_str).collect(),
            _ => vec![],
        };
        if !keys.is_empty() {
            let what = format!("metadata of group {}: {}", group.stem, keys.join(", "));
            let why = "metadata fills in Go templates, which only Matchbox renders";
            let help = "say it in the persona; what differs from device to device needs a persona each";
            self.out.left_behind.push(LeftBehind::lost(&group.place("metadata"), &what, why, help));
        }
    }
}

fn selectors(group: &Object<'_>) -> Vec<(String, String)> {
    let map = group.map.get("selector").and_then(Value::as_object);
    // A value that is no text selects nothing in Matchbox either: it does not load the group. It must not widen the rule.
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    map.into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn select(when: &mut Match, key: &str, value: &str) -> Result<(), (&'static str, &'static str)> {
    match key.to_ascii_lowercase().as_str() {
        "mac" => {
            let mac: MacAddr = value.parse().map_err(|_| ("this is no MAC address of a device", "mend it"))?;
            when.mac.push(mac);
        }
        "serial" if value.contains('*') || value.trim().is_empty() => {
            return Err(("`*` stands for anything in Greenroom's rules", "write the rule by hand"));
        }
        "serial" => when.serial.push(value.trim().to_owned()),
        "arch" => match value {
            "x86_64" => when.arch.push(Arch::X64),
            "arm64" => when.arch.push(Arch::Arm64),
            _ => return Err(("it is iPXE's name for a build, and tells no processor", "match by `mac` or `product`")),
        },
        "uuid" => {
            let help = "match by `mac` or `serial`: `greenroom device list` shows both";
            return Err(("rules do not match by UUID: boards share them too often", help));
        }
        "os" | "stage" => {
            return Err((
                "it tells installed systems from others, which Greenroom does by itself: an installed device boots its disk",
                "say in the persona that installs what the installed system shall be",
            ));
        }
        _ => {
            return Err((
                "it is a label of your own, which no device tells Greenroom",
                "match by `mac`, `serial` or `subnet`",
            ));
        }
    }
    Ok(())
}
