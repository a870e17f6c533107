//! The script by which an installed or live system holds itself against its persona, and reports.

use crate::persona::{Persona, schema::Manager};

use super::{Subject, shell_word};

/// The unit that runs it.
pub(super) const UNIT: &str = "greenroom-report.service";

/// What an installer reports when the system is on the disk.
pub(super) const INSTALLED: &str = r#"{"phase":"installed"}"#;

/// How a system got to be its persona: that decides what the report waits for, and where its script can lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By cloud-init, whose last command starts the report.
    CloudInit,
    /// By Ignition, before the system started; `commands` tells whether there are commands that it runs after that.
    Flatcar {
        /// Whether there are.
        commands: bool,
    },
}

impl Way {
    pub(super) const fn flatcar(commands: bool) -> Self {
        Self::Flatcar { commands }
    }

    /// Where the script lies on the device; only root reads it, for it holds the attempt's token.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::CloudInit => "/usr/local/lib/greenroom/report",
            Self::Flatcar { .. } => "/opt/greenroom/report",
        }
    }
}

/// The unit. It waits for `started`, which the report looks at.
pub(super) fn unit(way: Way, started: &[String]) -> String {
    let path = way.path();
    let started: String = started.iter().map(|unit| format!(" {unit}")).collect();
    let (after, condition, done, install) = match way {
        Way::CloudInit => ("", "", "", ""),
        Way::Flatcar { commands } => (
            if commands { " greenroom-once.service" } else { "" },
            "ConditionPathExists=!/var/lib/greenroom/reported\n",
            "ExecStartPost=/bin/sh -c \"mkdir -p /var/lib/greenroom && touch /var/lib/greenroom/reported\"\n",
            "\n[Install]\nWantedBy=multi-user.target\n",
        ),
    };
    format!(
        "[Unit]\n\
         Description=Report to Greenroom how the persona fares\n\
         Wants=network-online.target\n\
         After=network-online.target{after}{started}\n\
         {condition}\n\
         [Service]\n\
         Type=oneshot\n\
         ExecStart={path}\n\
         {done}{install}"
    )
}

/// The script. It posts by curl or by Python: Flatcar has no Python, and small systems with cloud-init have no curl.
pub(super) fn script(persona: &Persona, subject: &Subject<'_>, way: Way) -> String {
    let mut checks = vec![format!("check hostname {} \"$(uname -n)\"", shell_word(&subject.hostname(persona)))];
    if way == Way::flatcar(true) {
        checks.push("check commands success \"$(systemctl show -P Result greenroom-once.service)\"".into());
    }
    for user in &persona.security.users {
        let name = shell_word(&user.name);
        checks.push(format!("check user\\ {name} '' \"$(id {name} 2>/dev/null)\""));
    }
    if let Some(locale) = &persona.preferences.locale {
        let locale = shell_word(locale);
        checks.push(format!("check locale {locale} \"$(configured_locale)\""));
    }
    if let Some(zone) = &persona.preferences.timezone {
        let zone = shell_word(zone);
        checks.push(format!("check timezone {zone} \"$(readlink /etc/localtime | sed 's,.*/zoneinfo/,,')\""));
    }
    // Groups of packages have no version to ask for.
    for package in persona.packages().filter(|package| !package.starts_with('@')) {
        let name = shell_word(package);
        let ask = match persona.os.distribution().manager() {
            Some(Manager::Dnf) => format!("rpm -q --qf '%{{VERSION}}-%{{RELEASE}}' {name}"),
            _ => format!("dpkg-query -W -f='${{Version}}' {name}"),
        };
        checks.push(format!("check package\\ {name} '' \"$({ask} 2>/dev/null)\""));
    }
    let requires = &persona.resources.requires;
    if let Some(cpus) = requires.cpus {
        checks.push(format!("check cpus {cpus}+ \"$([ $(nproc) -ge {cpus} ] && echo {cpus}+ || nproc)\""));
    }
    if let Some(disk) = requires.disk {
        let kib = disk.0 >> 10;
        let size = "$(df -k --output=size / | tail -n 1 | tr -d ' ')";
        checks.push(format!("check disk {kib}+ \"$([ {size} -ge {kib} ] && echo {kib}+ || echo {size})\""));
    }
    for service in &persona.apps.services.enable {
        let name = shell_word(service);
        checks.push(format!("check service\\ {name} active \"$(systemctl is-active {name} 2>/dev/null)\""));
    }
    format!(
        r#"#!/bin/sh
# Holds what the persona promised against what this system is, and reports to Greenroom.
url={url}
cloud_init=
phase=ready
{wait}checks=
configured_locale() {{
    LANG=
    for file in /etc/default/locale /etc/locale.conf; do [ -r $file ] && . $file && break; done
    echo "$LANG"
}}
clean() {{ printf %s "$1" | tr -cd '[:alnum:] ._:/+@,=()~-' | cut -c1-200; }}
check() {{ # NAME WANTED SAW: an empty WANTED is content with anything but nothing
    ok=true
    [ -n "$3" ] && {{ [ -z "$2" ] || [ "$2" = "$3" ]; }} || {{ ok=false; phase=failed; }}
    checks="$checks${{checks:+,}}{{\"name\":\"$(clean "$1")\",\"ok\":$ok,\"saw\":\"$(clean "$3")\"}}"
}}
{checks}
body="{{\"phase\":\"$phase\",\"hostname\":\"$(clean "$(uname -n)")\",\"kernel\":\"$(clean "$(uname -r)")\",\"cloud_init\":\"$(clean "$cloud_init")\",\"checks\":[$checks]}}"
for pause in 1 2 5 10 30 60; do
    printf %s "$body" | curl -fsS --max-time 20 -H 'Content-Type: application/json' --data-binary @- "$url" >/dev/null && exit 0
    printf %s "$body" | python3 -c 'import sys, urllib.request as web
web.urlopen(web.Request(sys.argv[1], sys.stdin.buffer.read(), {{"Content-Type": "application/json"}}), timeout=20)' "$url" && exit 0
    sleep $pause
done
exit 1
"#,
        url = shell_word(subject.report_url),
        checks = checks.join("\n"),
        wait = match way {
            Way::CloudInit => {
                "cloud_init=$(cloud-init status --wait 2>/dev/null | sed -n 's/^status: //p')\n\
                 [ \"$cloud_init\" = done ] || phase=failed\n"
            }
            Way::Flatcar { .. } => "",
        },
    )
}
