//! A profile, with what it inherits, as a persona.

use std::{collections::BTreeMap, net::IpAddr};

use crate::{
    model::Effect,
    persona::{
        Persona,
        schema::{Distribution, Filesystem, Install, Proxy},
    },
};

use super::{
    super::{
        Folder, LeftBehind, PersonaDraft,
        draft::{self, NO_DISK},
        folder::{Object, words},
        name::host_name,
    },
    Import, TEMPLATES,
    item::{Chain, Options},
    name, template,
};

impl Import {
    pub(super) fn profile(&mut self, folder: &Folder, by_name: &BTreeMap<String, &Object<'_>>, profile: &Object<'_>) {
        let own = name(profile);
        let what = format!("profile {own}");
        let chain = match Chain::of(profile, by_name) {
            Ok(chain) => chain,
            Err(why) => {
                self.out.left_behind.push(LeftBehind::lost(
                    &profile.place("parent"),
                    &what,
                    &why,
                    "mend it, and import again",
                ));
                return;
            }
        };
        let distro = chain.text(&["distro"]).map(|(_, distro)| distro).unwrap_or_default();
        let Some(distro) = self.distros.get(distro).cloned() else {
            let why = if distro.is_empty() {
                "it names no distro".to_owned()
            } else {
                format!("its distro {distro} did not come over")
            };
            self.out.left_behind.push(LeftBehind::lost(&profile.place("distro"), &what, &why, ""));
            return;
        };
        let description = profile.text("comment").map_or_else(|| format!("Cobbler's profile {own}"), str::to_owned);
        let mut persona = draft::bare_persona(&description, distro.image, distro.distribution);
        persona.os.version = distro.version;
        let mut options = distro.options;
        options.extend(chain.options(&["kernel_options"]));
        persona.os.kernel_args = self.kernel_args(options, &profile.place("kernel_options"), &what);
        if let Some((object, servers)) = chain.value(&["name_servers"]) {
            persona.network.dns = self.name_servers(&words(Some(servers)), &object.place("name_servers"), &what);
        }
        if let Some((object, domains)) = chain.value(&["name_servers_search"]) {
            let place = object.place("name_servers_search");
            persona.network.search = self.search_domains(&words(Some(domains)), &place, &what);
        }
        if let Some((object, proxy)) = chain.text(&["proxy"]) {
            persona.network.proxy = self.proxy(proxy, &object.place("proxy"), &what);
        }
        let mut comments = vec![];
        if distro.distribution != Distribution::Other {
            let (disk, filesystem) = self.answers(folder, &chain, &mut persona, &what);
            if disk.is_none() {
                comments.push(format!("Name the disk: {NO_DISK} is no device's, so nothing is wiped until you do."));
                let what = format!("{what} installs, to a disk that nothing names");
                let why = "Greenroom never takes the first disk";
                let help = "write its path under `os.install.disk`";
                self.out.left_behind.push(LeftBehind::look(profile.path, &what, why, help));
            }
            persona.effect = Effect::Destructive;
            let install = draft::install_to(disk);
            persona.os.install = Some(Install { filesystem: filesystem.unwrap_or(install.filesystem), ..install });
        } else if let Some((object, file)) = chain.text(&["autoinstall", "kickstart"]) {
            let what = format!("the answer file {file} of {what}");
            let why = "Greenroom writes no answers for this installer";
            self.out.left_behind.push(LeftBehind::lost(&object.place("autoinstall"), &what, why, ""));
        }
        let repos = chain.value(&["repos"]).map(|(_, value)| words(Some(value))).unwrap_or_default();
        self.repositories(own, &profile.place("repos"), &repos);
        self.extras(profile, &what);
        let persona_name = self.personas.give(own, "profile", profile.path, &mut self.out.left_behind);
        let Ok(persona_name) = persona_name.parse::<crate::model::PersonaName>() else { return };
        self.of_profile.extend(super::keys(profile).map(|key| (key, persona_name.clone())));
        self.out.personas.push(PersonaDraft { name: persona_name, place: profile.path.to_owned(), comments, persona });
    }

    /// Kernel options as arguments; those that name Cobbler or its templates stay behind.
    pub(super) fn kernel_args(&mut self, options: Options, place: &str, of: &str) -> Vec<String> {
        const SEED: [&str; 10] = [
            "ks",
            "inst.ks",
            "url",
            "autoyast",
            "autoyast2",
            "auto",
            "priority",
            "ksdevice",
            "kssendmac",
            "inst.ks.sendmac",
        ];
        let mut args = vec![];
        for (key, values) in options {
            let written: Vec<String> = match values.is_empty() {
                true => vec![key.clone()],
                false => values.iter().map(|value| format!("{key}={value}")).collect(),
            };
            for arg in written {
                let what = format!("the kernel option {arg} of {of}");
                if SEED.contains(&key.as_str()) {
                    self.out.left_behind.push(LeftBehind::unneeded(
                        place,
                        &what,
                        "the image's own arguments point to the seed",
                    ));
                } else if arg.contains(['$', '@', '{', '"', '\''])
                    || arg.contains(char::is_whitespace)
                    || arg.is_empty()
                {
                    let why = "it is no plain word: only Cobbler fills it in";
                    self.out.left_behind.push(LeftBehind::lost(place, &what, why, "write it under `os.kernel_args`"));
                } else {
                    args.push(arg);
                }
            }
        }
        args
    }

    pub(super) fn name_servers(&mut self, servers: &[String], place: &str, of: &str) -> Vec<IpAddr> {
        let mut addresses = vec![];
        for server in servers {
            match server.parse::<IpAddr>() {
                Ok(address) => addresses.push(address),
                Err(_) => {
                    let what = format!("name server {server} of {of}");
                    let help = "write the address that it has under `network.dns`";
                    self.out.left_behind.push(LeftBehind::lost(place, &what, "it is no address", help));
                }
            }
        }
        addresses
    }

    pub(super) fn search_domains(&mut self, domains: &[String], place: &str, of: &str) -> Vec<String> {
        let mut names = vec![];
        for domain in domains {
            match host_name(domain) {
                Some(name) => names.push(name),
                None => {
                    let what = format!("search domain {domain} of {of}");
                    let why = "it cannot be a domain: labels are letters, digits and inner `-`";
                    let help = "write what was meant under `network.search`";
                    self.out.left_behind.push(LeftBehind::lost(place, &what, why, help));
                }
            }
        }
        names
    }

    pub(super) fn proxy(&mut self, url: &str, place: &str, of: &str) -> Option<Proxy> {
        let http = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
        if http && !url.contains(char::is_whitespace) {
            return Some(Proxy { http: url.to_owned(), https: None, no_proxy: vec![] });
        }
        let why = "it is no URL of an HTTP proxy, and package managers and services are told no other";
        let help = "write `http://HOST:PORT` under `network.proxy`";
        self.out.left_behind.push(LeftBehind::lost(place, &format!("proxy {url} of {of}"), why, help));
        None
    }

    /// What the answer file plainly says. Returns the disk that it names, and the file system.
    fn answers(
        &mut self,
        folder: &Folder,
        chain: &Chain<'_>,
        persona: &mut Persona,
        of: &str,
    ) -> (Option<String>, Option<Filesystem>) {
        let Some((object, file)) = chain.text(&["autoinstall", "kickstart"]) else { return (None, None) };
        let key = if object.map.contains_key("autoinstall") { "autoinstall" } else { "kickstart" };
        let what = format!("the answer file {file} of {of}");
        let base = file.rsplit('/').next().unwrap_or_default();
        let found = TEMPLATES.iter().find_map(|dir| folder.texts.get_key_value(&format!("{dir}/{base}")));
        let Some((path, text)) = found else {
            let why = "it is not in the folder that was imported";
            let help = "import /var/lib/cobbler as a whole, or say in the persona what the file said";
            self.out.left_behind.push(LeftBehind::lost(&object.place(key), &what, why, help));
            return (None, None);
        };
        let known = template::read(text);
        let for_install = (known.disk.clone(), known.filesystem);
        let taken = known.apply(persona);
        let why = match text.contains(['$', '#']) && text.lines().any(template::is_cheetah) {
            true => "it is a Cheetah template: only Cobbler renders it",
            false => "a persona's fields say what it said; Greenroom writes the answers",
        };
        let help = match taken.is_empty() {
            true => "say in the persona what it said; `raw` takes what no field says".to_owned(),
            false => format!("taken from it: {}; say the rest in the persona", taken.join(", ")),
        };
        self.out.left_behind.push(LeftBehind::lost(path, &what, why, &help).with_text(base, text));
        for_install
    }
}
