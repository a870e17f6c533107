//! `greenroom config`.

use std::path::Path;

use clap::Subcommand;

use crate::{config, document::yaml, serve::net};

use super::{Done, Failure, Global, listed, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom config init > greenroom.yaml          for this machine
  greenroom config check --config greenroom.yaml  every problem at once
  greenroom config show --json                    what is in force
  greenroom config unit > /etc/systemd/system/greenroom.service";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print a commented configuration that works on this machine.
    Init,
    /// Check the configuration.
    Check,
    /// Show what is in force, defaults included.
    Show,
    /// Print a systemd unit for the daemon.
    Unit,
}

/// The unit: no more leave than the ports, the raw socket and becoming another user (`user`) need, and no writing but to
/// the state and the library, where the pages and `library_remote` commit.
const UNIT: &str = "\
[Unit]
Description=Greenroom network boot
Documentation=man:systemd.exec(5)
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart=/usr/local/bin/greenroom serve
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
StateDirectory=greenroom
StateDirectoryMode=0700
RuntimeDirectory=greenroom
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_DAC_READ_SEARCH CAP_CHOWN CAP_SETUID CAP_SETGID
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={written}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_PACKET AF_NETLINK
RestrictNamespaces=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target";

/// Where `init` has the personas.
const LIBRARY: &str = "/etc/greenroom/personas";
/// What systemd makes by itself.
const STATE: &str = "/var/lib/greenroom";

/// The folder that a commit writes to: git's, when the library is a part of it.
fn work_tree(library: &Path) -> &Path {
    library.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(library)
}

/// A path as units write it: a blank would end it, `%` and `\` mean something else.
fn quoted(path: &Path) -> String {
    let mut text = String::new();
    for c in path.display().to_string().chars() {
        match c {
            ' ' => text.push_str("\\x20"),
            '\\' => text.push_str("\\\\"),
            '%' => text.push_str("%%"),
            c => text.push(c),
        }
    }
    text
}

pub(super) fn run(command: Command, global: &Global) -> Done {
    match command {
        Command::Init => {
            let present = net::interfaces().map_err(|error| error.to_string())?;
            let Some(interface) = present.first() else {
                return Err("this machine has no interface with an IPv4 address: give it one first".to_owned().into());
            };
            say(config::sample(&interface.name, interface.address).trim_end());
        }
        Command::Check => {
            let (config, problems) = match global.read_config()? {
                Ok(config) => (Some(config), vec![]),
                Err(problems) => (None, problems),
            };
            match (global.json, problems.is_empty()) {
                (true, _) => say_json(&problems)?,
                (false, true) => {}
                (false, false) => return Err(Failure::Failed(listed(&problems))),
            }
            let Some(config) = config else { return Err(Failure::Wanting) };
            net::chosen(&config.interfaces).map_err(|error| error.to_string())?;
            if !global.json {
                say("the configuration is good");
            }
        }
        Command::Show => {
            let shown = global.config_text()?.and_then(|document| config::shown(&document));
            let shown = shown.map_err(|problems| Failure::Failed(listed(&problems)))?;
            match global.json {
                true => say_json(&shown)?,
                false => say(yaml::to_string(&shown).trim_end()),
            }
        }
        Command::Unit => {
            // Before there is a configuration, the one that `init` writes is meant.
            let config = global.read_config().ok().and_then(Result::ok);
            let (library, state) = match &config {
                Some(config) => (config.library.as_path(), config.state_dir.as_path()),
                None => (Path::new(LIBRARY), Path::new(STATE)),
            };
            let mut written = format!("-{}", quoted(work_tree(library)));
            if state != Path::new(STATE) {
                written += &format!(" -{}", quoted(state));
            }
            say(&UNIT.replace("{written}", &written));
        }
    }
    Ok(())
}
