//! One persona a target with every field set, each with a value that means something to shells and formats.

use greenroom::persona::{Persona, schema::Target};

use super::stage::yaml;

/// What is the same for every Linux.
const BODY: &str = r##"
apiVersion: greenroom/v1
description: "Everything: 'quotes', \"more\", #{no}, $(reboot) & 100%"
owner: lab@example.org
labels: {site: hq}
apps:
  packages: [tree, tmux]
  flatpaks: [{id: org.gimp.GIMP}]
  containers:
    - name: web
      image: docker.io/library/nginx:1.27
      ports: ["8080:80"]
      volumes: ["/srv/web:/usr/share/nginx/html:ro"]
      environment: {MOTTO: "100% \"$HOME\" it's"}
      command: [nginx, -g, "daemon off;"]
  files:
    - path: /etc/greenroom/odd
      content: "it's \"a\" $(reboot) `x` #{y} ${HOME} \\n %end\n%end\nEOF\n"
      mode: "0640"
      owner: root:root
  services: {enable: [ssh.service], mask: [cups.service]}
  commands: ["echo \"it's $(uname -r)\" > /run/ready", "printf '%s\\n' '%end'"]
security:
  firewall:
    default: deny
    allow:
      - {service: ssh}
      - {port: 6000-6010, protocol: udp, from: [10.0.0.0/8, "2001:db8::/32"]}
  users:
    - name: dev
      full_name: "Dev \"d\" O'Per $HOME"
      uid: 3001
      groups: [makers]
      shell: /bin/bash
      ssh_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGreenroomSampleKeyReplaceThisWithYourOwnKey dev@example.org]
      sudo: true
      sudo_commands: [/usr/sbin/reboot, /usr/bin/systemctl restart ssh]
      password_hash: $6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.
  groups: [{name: makers, gid: 2500}]
  ssh: {password_login: true, root_login: true}
  passwords: {min_length: 12, min_classes: 3, max_days: 180}
  automatic_updates: true
  access_control: enforcing
network:
  hostname: rich-{{serial}}
  interfaces:
    - {name: lan0, mac: "52:54:00:00:00:01", ip: {addresses: [10.9.0.5/24, "2001:db8::5/64"], gateway: 10.9.0.1, gateway6: "2001:db8::1", mtu: 1400}}
    - {name: lan1}
    - {name: lan2}
    - {name: lan3}
  bonds: [{name: bond0, members: [lan1, lan2], mode: 802.3ad}]
  bridges: [{name: br0, members: [lan3], stp: true, ip: {addresses: [10.9.3.1/24]}}]
  vlans: [{name: vlan20, id: 20, link: bond0, ip: {addresses: [10.9.20.5/24]}}]
  dns: [10.9.0.53, "2001:db8::53"]
  search: [example.org]
  ntp: [ntp1.example.org, ntp2.example.org]
  proxy: {http: "http://proxy.example.org:3128", https: "http://proxy.example.org:3129", no_proxy: [.example.org]}
preferences:
  language: de:en
  locale: de_DE.UTF-8
  keyboard: de
  timezone: Europe/Berlin
  shell: /bin/bash
  editor: vim
  wallpaper: https://example.org/hall.jpg
  desktop: gnome
  dconf: {org/gnome/desktop/interface/color-scheme: "'prefer-dark'"}
resources:
  requires: {cpus: 2, memory: 2GiB, disk: 20GiB}
  limits:
    per_user: {memory: 4GiB, cpu_percent: 200, io_weight: 50}
    services: {web.service: {memory: 1GiB}}
"##;

/// Where it is installed to, with a disk that is known by all that a disk can be known by.
const INSTALL: &str = r#"
  kernel_args: [quiet, "crashkernel=256M"]
  install:
    disk: {serial: S64ANS0T, model: Samsung SSD 980, min_size: 400GiB, max_size: 600GiB}
    filesystem: xfs
    lvm: true
    swap: 4GiB
    partitions:
      - {mount: /home, size: 100GiB, filesystem: ext4}
      - {mount: /var/log, size: 10GiB}
"#;

const ENCRYPTION: &str = r"
  encryption:
    passphrase_secret: disk-of-rich
    tpm2: {pcrs: [7, 14]}
    tang: [{url: 'http://tang.example.org', thumbprint: _OVNfzmAdJ5yzEIJR4cYbJqgpmVXFoXsVkcXvYjn1aE}]
";

/// The persona of a target that has every field that the target can express.
pub(crate) fn persona(target: Target) -> Persona {
    let (distribution, installs) = match target {
        Target::CloudInit => ("debian, version: '12'", false),
        Target::Preseed => ("debian, version: '12'", true),
        Target::Autoinstall => ("ubuntu, version: '24.04'", true),
        Target::Kickstart => ("rocky, version: '9'", true),
        Target::Ignition | Target::Unattend | Target::Bare => panic!("{target} is not for cloud-init"),
    };
    let effect = if installs { "destructive" } else { "ephemeral" };
    let mut text = format!("{BODY}effect: {effect}\nos:\n  image: image\n  arch: [x64]\n");
    let (name, version) = distribution.split_once(", ").unwrap();
    text.push_str(&format!("  distribution: {name}\n  {version}\n"));
    if installs {
        text.push_str(INSTALL.trim_start_matches('\n'));
        text = text.replacen(
            "  automatic_updates: true\n",
            &format!("{}  automatic_updates: true\n", &ENCRYPTION[1..]),
            1,
        );
    }
    serde_json::from_value(yaml(&text)).unwrap()
}
