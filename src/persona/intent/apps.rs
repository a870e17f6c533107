//! Snaps, Flatpaks and containers.

use crate::persona::{
    Persona,
    quote::systemd_command_word,
    schema::{Container, Family},
};

use super::Intent;

impl Intent {
    pub(super) fn apps(&mut self, persona: &Persona) {
        let apps = &persona.apps;
        if !apps.snaps.is_empty() {
            self.package("snapd");
            self.command(&["snap", "wait", "system", "seed.loaded"]);
        }
        for snap in &apps.snaps {
            let mut words = vec!["snap", "install", &snap.name];
            let channel = snap.channel.as_ref().map(|channel| format!("--channel={channel}"));
            words.extend(channel.as_deref());
            words.extend(snap.classic.then_some("--classic"));
            self.command(&words);
        }
        if !apps.flatpaks.is_empty() {
            self.package("flatpak");
        }
        let mut remotes: Vec<&str> = vec![];
        for flatpak in &apps.flatpaks {
            let known = remotes.iter().position(|remote| *remote == flatpak.remote);
            let at = known.unwrap_or(remotes.len());
            let name = format!("remote{at}");
            if known.is_none() {
                remotes.push(&flatpak.remote);
                self.command(&["flatpak", "remote-add", "--system", "--if-not-exists", &name, &flatpak.remote]);
            }
            self.command(&["flatpak", "install", "--system", "--noninteractive", "--assumeyes", &name, &flatpak.id]);
        }
        for container in &apps.containers {
            self.container(persona, container);
        }
    }

    fn container(&mut self, persona: &Persona, container: &Container) {
        let engine = match persona.os.distribution().family() {
            Family::Flatcar => "docker",
            _ => {
                self.package("podman");
                "podman"
            }
        };
        let unit = format!("container-{}.service", container.name);
        self.file_with(format!("/etc/systemd/system/{unit}"), unit_of(container, engine), 0o600);
        self.enable.push(unit);
    }
}

/// The unit that runs a container in the foreground: systemd restarts it, and its output is in the journal.
fn unit_of(container: &Container, engine: &str) -> String {
    let mut words = vec![format!("/usr/bin/{engine}"), "run".into(), "--rm".into(), "--name".into()];
    words.push(container.name.clone());
    for port in &container.ports {
        words.extend(["--publish".into(), port.clone()]);
    }
    for volume in &container.volumes {
        words.extend(["--volume".into(), volume.clone()]);
    }
    for (name, value) in &container.environment {
        words.extend(["--env".into(), format!("{name}={value}")]);
    }
    words.push(container.image.clone());
    words.extend(container.command.iter().cloned());
    let run: Vec<String> = words.iter().map(|word| systemd_command_word(word)).collect();
    let requires = if engine == "docker" { "Requires=docker.service\nAfter=docker.service\n" } else { "" };
    format!(
        "[Unit]\n\
         Description=Container {name}\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         {requires}\n\
         [Service]\n\
         ExecStartPre=-/usr/bin/{engine} rm --force {name}\n\
         ExecStart={run}\n\
         ExecStop=/usr/bin/{engine} stop {name}\n\
         Restart=always\n\
         RestartSec=10\n\
         TimeoutStartSec=900\n\n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        name = container.name,
        run = run.join(" "),
    )
}
