//! The script by which an installed or live system holds itself against its persona, and reports.

use crate::persona::{Persona, schema::Manager};

use super::{Subject, shell_word};

/// Where the script lies on the device; only root reads it, for it holds the attempt's token.
pub(super) const PATH: &str = "/usr/local/lib/greenroom/report";
/// The unit that runs it.
pub(super) const UNIT: &str = "greenroom-report.service";

/// The unit: started by cloud-init's last command, it waits for cloud-init to end.
pub(super) fn unit() -> String {
    format!(
        "[Unit]\n\
         Description=Report to Greenroom how the persona fares\n\
         After=network-online.target\n\n\
         [Service]\n\
         Type=oneshot\n\
         ExecStart={PATH}\n"
    )
}

/// The script. Python is there wherever cloud-init is; curl and wget may not be.
pub(super) fn script(persona: &Persona, subject: &Subject<'_>) -> String {
    let mut checks = vec![format!("check hostname {} \"$(hostname)\"", shell_word(&subject.hostname(persona)))];
    for user in &persona.security.users {
        let name = shell_word(&user.name);
        checks.push(format!("check user\\ {name} '' \"$(id {name} 2>/dev/null)\""));
    }
    if let Some(locale) = &persona.preferences.locale {
        let locale = shell_word(locale);
        checks.push(format!("check locale {locale} \"$(. /etc/default/locale 2>/dev/null; echo \"$LANG\")\""));
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
cloud_init=$(cloud-init status --wait 2>/dev/null | sed -n 's/^status: //p')
phase=ready
[ "$cloud_init" = done ] || phase=failed
checks=
clean() {{ printf %s "$1" | tr -cd '[:alnum:] ._:/+@,=()~-' | cut -c1-200; }}
check() {{ # NAME WANTED SAW: an empty WANTED is content with anything but nothing
    ok=true
    [ -n "$3" ] && {{ [ -z "$2" ] || [ "$2" = "$3" ]; }} || {{ ok=false; phase=failed; }}
    checks="$checks${{checks:+,}}{{\"name\":\"$(clean "$1")\",\"ok\":$ok,\"saw\":\"$(clean "$3")\"}}"
}}
{checks}
body="{{\"phase\":\"$phase\",\"hostname\":\"$(clean "$(hostname)")\",\"kernel\":\"$(clean "$(uname -r)")\",\"cloud_init\":\"$(clean "$cloud_init")\",\"checks\":[$checks]}}"
for pause in 1 2 5 10 30 60; do
    printf %s "$body" | python3 -c 'import sys, urllib.request as web
web.urlopen(web.Request(sys.argv[1], sys.stdin.buffer.read(), {{"Content-Type": "application/json"}}), timeout=20)' "$url" && exit 0
    sleep $pause
done
exit 1
"#,
        url = shell_word(subject.report_url),
        checks = checks.join("\n"),
    )
}
