//! What a device would read of a draft: every file, as it would be, and what is otherwise than in the version that is served.

use serde::{Deserialize, Serialize};

use crate::{
    boot::plan::{self, Shelf},
    library::{Draft as Tried, Found, Paper},
    model::{
        Arch, Armed, BootId, Decision, Device, Effect, Firmware, MacAddr, PersonaName, Reason, plan::BootPlan,
        secret::Secrets,
    },
    persona::{
        Persona,
        catalog::{Catalog, Entry},
        render::{Subject, seed_file, seed_files},
    },
    wire::{
        ipxe_script::{self, Links},
        paths::server_url,
    },
    world::Ground,
};

use super::super::{
    Web,
    code::{self, Row},
};

/// The name under which the boot script stands among the files.
const SCRIPT: &str = "script.ipxe";
/// A device that there is not.
const SAMPLE: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

/// What is rendered, for whom.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    /// The device; a sample when not given, or not known.
    #[serde(default)]
    device: String,
    /// The persona, when what is drafted is part of several.
    #[serde(default)]
    persona: Option<PersonaName>,
}

/// What was rendered.
pub(super) struct Rendered {
    /// As which persona.
    pub(super) persona: PersonaName,
    /// The files in the order in which they are read, the script first.
    pub(super) files: Vec<Rendering>,
    /// What is not as it will be.
    pub(super) notes: Vec<String>,
}

/// One file.
#[derive(Debug, Serialize)]
pub(super) struct Rendering {
    /// Its name, the last part of its URL.
    name: String,
    /// As it would be; nothing when it would not be there any more.
    text: Option<String>,
    /// What is otherwise: nothing when it is as it was.
    diff: Option<Vec<Row>>,
    /// How many lines are new, and how many go.
    count: (usize, usize),
}

/// Renders the draft, or a persona that it is part of.
pub(super) fn render(web: &Web, paper: &Paper, tried: &Tried, wanted: &Wanted) -> Option<Rendered> {
    let found = chosen(paper, tried, wanted)?;
    let ground = web.context.engine.ground();
    let entry = Entry { reference: found.reference.clone(), persona: found.persona.clone() };
    let name = entry.reference.name.clone();
    let catalog = ground.catalog.with([entry]);
    let mut notes = vec![];
    let (device, note) = device(web, &catalog, &found.persona, &wanted.device);
    notes.push(note);
    let masked: Vec<&str> = found.persona.secret_names().collect();
    if !masked.is_empty() {
        notes.push(format!("Names stand in place of secrets: {}.", masked.join(", ")));
    }
    let side = |catalog: &Catalog| Side { web, ground: &ground, device: &device }.files(catalog, &name);
    let (before, after) = (side(&ground.catalog), side(&catalog));
    Some(Rendered { persona: name, files: compared(&before, after), notes })
}

fn chosen<'a>(paper: &Paper, tried: &'a Tried, wanted: &Wanted) -> Option<&'a Found> {
    if let (Paper::Persona(_), Some(found)) = (paper, &tried.persona) {
        return Some(found);
    }
    let asked = tried.affected.iter().find(|one| Some(&one.persona) == wanted.persona.as_ref());
    asked.or(tried.affected.first())?.becomes.as_ref()
}

/// The device, and a note that says which.
fn device(web: &Web, catalog: &Catalog, persona: &Persona, asked: &str) -> (Device, String) {
    let world = web.context.engine.world();
    let mac = asked.trim().parse::<MacAddr>();
    if let Ok(mac) = mac
        && let Some(device) = world.device_of(mac)
    {
        return (world.whole(device), format!("As device {} would read it.", device.id));
    }
    let sample = MacAddr::new(SAMPLE).expect("the sample's address is one of a port");
    let arch = catalog.image(persona.image()).map_or(Arch::X64, |image| image.arch);
    let device = Device { arch: Some(arch), firmware: Some(Firmware::IpxeEfi), ..Device::new(sample) };
    let note = match asked.trim() {
        "" => format!("As a sample device would read it, {sample}."),
        other => format!("No device {other} is known here: as a sample would read it, {sample}."),
    };
    (device, note)
}

/// What is rendered with.
struct Side<'a> {
    web: &'a Web,
    ground: &'a Ground,
    device: &'a Device,
}

impl Side<'_> {
    fn files(&self, catalog: &Catalog, name: &PersonaName) -> Vec<(String, String)> {
        let Some(entry) = catalog.persona(name) else { return vec![] };
        let persona = &entry.persona;
        // The attempt's name and token only a boot has: noughts stand in their place.
        let boot = BootId::new(0);
        let server = server_url(self.server(), self.ground.site.http_port);
        let links = Links { server, boot, token: "0".repeat(32), syslog: None };
        let subject = Subject {
            persona: name.as_str(),
            mac: self.device.id.mac(),
            hardware: &self.device.hardware,
            boot,
            seed_url: &links.seed_url(),
            report_url: &links.report_url(),
            mirrors: &self.ground.site.mirrors,
            secrets: &Secrets::masked(persona.secret_names()),
        };
        let script = ipxe_script::script(&self.plan(catalog, entry), &links);
        let seeds = seed_files(persona).into_iter();
        let seeds = seeds.filter_map(|file| Some((file.to_owned(), seed_file(persona, &subject, file)?)));
        std::iter::once((SCRIPT.to_owned(), script)).chain(seeds).collect()
    }

    fn plan(&self, catalog: &Catalog, entry: &Entry) -> BootPlan {
        let by = "a preview".to_owned();
        let at = (self.web.context.clock)();
        let armed = match entry.persona.effect() {
            Effect::Destructive => Some(Armed::Operator { name: by.clone(), at }),
            Effect::Ephemeral => None,
        };
        let reason = Reason::Assigned { by, at, why: None };
        let decision = Decision::Become { persona: entry.reference.clone(), reason, armed };
        let shelf = Shelf { catalog, secrets: &self.ground.secrets };
        let firmware = self.device.firmware.unwrap_or(Firmware::IpxeEfi);
        plan::plan(&self.ground.site.boot, shelf, self.device, firmware, decision)
    }

    /// This server, as the device would reach it: where it was last, or the first subnet that is served.
    fn server(&self) -> std::net::Ipv4Addr {
        let interfaces = crate::serve::net::interfaces().unwrap_or_default();
        let serves =
            |address: &std::net::Ipv4Addr| self.ground.site.subnets.iter().any(|subnet| subnet.net.contains(address));
        let mut addresses = interfaces.iter().map(|interface| interface.address);
        let first = interfaces.first().map(|interface| interface.address);
        addresses.find(serves).or(first).unwrap_or(std::net::Ipv4Addr::LOCALHOST)
    }
}

/// The files of now beside those of then.
fn compared(before: &[(String, String)], after: Vec<(String, String)>) -> Vec<Rendering> {
    let old = |name: &str| before.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    let gone: Vec<_> = before.iter().filter(|(name, _)| after.iter().all(|(other, _)| other != name)).collect();
    let is_new = before.is_empty();
    let mut files: Vec<Rendering> = after
        .into_iter()
        .map(|(name, text)| {
            let (diff, count) = if is_new { (None, (0, 0)) } else { difference(old(&name).unwrap_or_default(), &text) };
            Rendering { name, text: Some(text), diff, count }
        })
        .collect();
    files.extend(gone.into_iter().map(|(name, text)| {
        let (diff, count) = difference(text, "");
        Rendering { name: name.clone(), text: None, diff, count }
    }));
    files
}

fn difference(before: &str, after: &str) -> (Option<Vec<Row>>, (usize, usize)) {
    let rows = code::diff(before, after);
    let count = |class: &str| rows.iter().filter(|row| row.class == class).count();
    let count = (count("add"), count("cut"));
    ((!rows.is_empty()).then_some(rows), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_is_around_it_and_leaves_out_the_rest() {
        let before: String = (1..=20).map(|line| format!("line {line}\n")).collect();
        let (lines, count) = difference(&before, &before.replace("line 10\n", "line ten\n"));
        let marks: Vec<&str> = lines.iter().flatten().map(|row| row.class).collect();
        let same = ["same"; 3];
        assert_eq!((marks, count), ([&["gap"], &same[..], &["cut", "add"], &same[..]].concat(), (1, 1)));
        assert_eq!(difference("a\n", "a\n"), (None, (0, 0)));
    }

    #[test]
    fn files_come_and_go() {
        let file = |name: &str| (name.to_owned(), format!("{name}\n"));
        let shown = compared(&[file("a"), file("b")], vec![file("a"), file("c")]);
        let told: Vec<_> = shown.iter().map(|file| (file.name.as_str(), file.text.is_some(), file.count)).collect();
        assert_eq!(told, [("a", true, (0, 0)), ("c", true, (1, 0)), ("b", false, (0, 1))]);
    }
}
