//! What is installed on it.

use greenroom::persona::schema::*;
use proptest::{
    collection::{btree_map, btree_set, vec},
    option,
    prelude::*,
    sample::select,
};

use super::{name, text, unique};

const KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n";

pub(super) fn apps(distribution: Distribution) -> impl Strategy<Value = Apps> {
    let manager = distribution.manager();
    let packages = |of: Option<Manager>| {
        let most = if of.is_none() || of == manager { 3 } else { 0 };
        btree_set("[a-z][a-z0-9]{1,6}(-[a-z0-9+.]{1,5}[a-z0-9])?", 0..=most)
            .prop_map(|set| set.into_iter().collect::<Vec<_>>())
    };
    let native = packages(None).prop_map(move |packages| match manager {
        Some(Manager::Apt | Manager::Dnf) => packages,
        Some(Manager::Winget) | None => vec![],
    });
    let winget = btree_set("[A-Z][a-z]{1,6}\\.[A-Z][A-Za-z]{1,8}", 0..3);
    let winget = winget.prop_map(move |set| match manager {
        Some(Manager::Winget) => set.into_iter().collect(),
        _ => vec![],
    });
    let packages = (native, packages(Some(Manager::Apt)), packages(Some(Manager::Dnf)), winget).prop_map(
        |(native, apt, dnf, winget)| {
            let without = |list: Vec<String>| list.into_iter().filter(|own| !native.contains(own)).collect();
            let (apt, dnf) = (without(apt), without(dnf));
            Packages { native, apt, dnf, winget }
        },
    );
    let apt = manager == Some(Manager::Apt);
    let repository = (name(), "https://[a-z]{1,8}\\.example/[a-z]{0,5}").prop_map(move |(name, uri)| Repository {
        name,
        uri,
        suite: apt.then(|| "stable".to_owned()),
        components: if apt { vec!["main".to_owned()] } else { vec![] },
        key: KEY.to_owned(),
    });
    let packaged = if matches!(manager, Some(Manager::Apt | Manager::Dnf)) { 2 } else { 0 };
    let snapped = if distribution.family() == Family::Debian { 2 } else { 0 };
    let contained = if distribution == Distribution::Windows { 0 } else { 2 };
    let snap = (name(), option::of(select(&["latest/stable", "edge"][..])), any::<bool>());
    let snap = snap.prop_map(|(name, channel, classic)| Snap { name, channel: channel.map(str::to_owned), classic });
    let flatpak = name().prop_map(|name| Flatpak {
        id: format!("org.example.{name}"),
        remote: "https://dl.flathub.org/repo/flathub.flatpakrepo".into(),
    });
    let sources = (
        packages,
        unique(vec(repository, 0..=packaged), |repository| repository.name.clone()),
        unique(vec(snap, 0..=snapped), |snap| snap.name.clone()),
        unique(vec(flatpak, 0..=packaged), |flatpak| flatpak.id.clone()),
        unique(vec(container(), 0..=contained), |container| container.name.clone()),
    );
    let unit = || "[a-z]{2,8}(@[a-z]{1,3})?\\.(service|timer)";
    let services = (btree_set(unit(), 0..3), btree_set(unit(), 0..2)).prop_map(move |(enable, mask)| {
        let mask = mask.into_iter().filter(|unit| !enable.contains(unit)).collect();
        match distribution.family() {
            Family::Windows => Services::default(),
            _ => Services { enable: enable.into_iter().collect(), mask },
        }
    });
    let commands = vec("[a-z]{2,6} [ -~\n]{0,24}", 0..3);
    let files = unique(vec(file(distribution), 0..3), |file| file.path.clone());
    (sources, files, services, commands).prop_map(
        |((packages, repositories, snaps, flatpaks, containers), files, services, commands)| Apps {
            packages,
            repositories,
            snaps,
            flatpaks,
            containers,
            files,
            services,
            commands,
        },
    )
}

fn container() -> impl Strategy<Value = Container> {
    let image = "docker\\.io/library/[a-z]{2,8}:[0-9]\\.[0-9]{1,2}";
    let ports = vec(select(&["8080:80", "127.0.0.1:5432:5432/tcp"][..]), 0..2);
    let environment = btree_map("[A-Z][A-Z_]{1,6}", "[ -~äß]{0,14}", 0..3);
    (name(), image, ports, environment, vec("[!-~]{1,10}", 0..3)).prop_map(
        |(name, image, ports, environment, command)| {
            let volumes = vec![format!("/srv/{name}:/data:ro")];
            let ports = ports.into_iter().map(str::to_owned).collect();
            Container { name, image, ports, volumes, environment, command }
        },
    )
}

fn file(distribution: Distribution) -> impl Strategy<Value = File> {
    let folder = if distribution == Distribution::Windows { "C:\\Greenroom\\" } else { "/etc/greenroom/" };
    ("[a-z][a-z0-9_.-]{0,8}[a-z]", text(), select(&["0644", "0600", "0755"][..])).prop_map(
        move |(name, content, mode)| File {
            path: format!("{folder}{name}"),
            content,
            mode: mode.into(),
            owner: "root:root".into(),
        },
    )
}
