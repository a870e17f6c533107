//! Who may do what.

use greenroom::persona::schema::*;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};

use super::{name, unique};

pub(super) fn security(distribution: Distribution, installs: bool) -> impl Strategy<Value = Security> {
    let windows = distribution == Distribution::Windows;
    let encryption = (name(), option::of(vec(0..15u8, 0..3)), vec(tang(), 0..2)).prop_map(|(name, pcrs, tang)| {
        // The disk must open unattended, by one or the other.
        let pcrs = pcrs.or(tang.is_empty().then(Vec::new));
        Encryption { passphrase_secret: name, tpm2: pcrs.map(|pcrs| Tpm2 { pcrs }), tang }
    });
    let encryption = option::of(encryption).prop_map(move |encryption| encryption.filter(|_| installs));
    let passwords = (option::of(8..20u32), option::of(1..5u32), option::of(30..400u32))
        .prop_map(|(min_length, min_classes, max_days)| Passwords { min_length, min_classes, max_days });
    let ssh = (any::<bool>(), any::<bool>()).prop_map(move |(password_login, root_login)| match windows {
        true => Ssh::default(),
        false => Ssh { password_login, root_login },
    });
    let access = select(&[AccessControl::Enforcing, AccessControl::Permissive, AccessControl::Disabled][..]);
    let access = option::of(access).prop_map(move |access| access.filter(|_| !windows));
    let group = (name(), option::of(2000..3000u32)).prop_map(|(name, gid)| Group { name: format!("g{name}"), gid });
    let people = (
        unique(vec(user(windows), 0..3), |user| user.name.clone()),
        unique(vec(group, 0..2), |group| group.gid.map_or(group.name.clone(), |gid| gid.to_string())),
    );
    (option::of(firewall()), people, ssh, passwords, encryption, any::<Option<bool>>(), access).prop_map(
        move |(firewall, (users, groups), ssh, passwords, encryption, automatic_updates, access_control)| Security {
            firewall,
            users,
            groups: if windows { vec![] } else { groups },
            ssh,
            passwords,
            encryption,
            automatic_updates,
            access_control,
        },
    )
}

fn tang() -> impl Strategy<Value = Tang> {
    ("http://tang[0-9]\\.example(:[1-9][0-9]{2})?", "[A-Za-z0-9_-]{43}")
        .prop_map(|(url, thumbprint)| Tang { url, thumbprint })
}

fn firewall() -> impl Strategy<Value = Firewall> {
    let from = vec(select(&["10.0.0.0/8", "192.168.7.0/24", "2001:db8::/32"][..]), 0..3);
    let from = from.prop_map(|nets| nets.into_iter().map(|net| net.parse().unwrap()).collect::<Vec<_>>());
    let ports = (1024..2000u16, 0..50u16).prop_map(|(first, more)| Ports { first, last: first + more });
    let what = prop_oneof![
        select(&["http", "https", "ntp", "mdns", "rdp", "vnc", "prometheus-node"][..]).prop_map(|service| (
            Some(service.to_owned()),
            None,
            Protocol::Tcp
        )),
        (ports, select(&[Protocol::Tcp, Protocol::Udp][..])).prop_map(|(ports, protocol)| (
            None,
            Some(ports),
            protocol
        )),
    ];
    let allow = (what, from).prop_map(|((service, port, protocol), from)| Allow { service, port, protocol, from });
    (select(&[Policy::Deny, Policy::Allow][..]), vec(allow, 0..4)).prop_map(|(default, mut allow)| {
        // Nobody is to be locked out.
        allow.push(Allow { service: Some("ssh".into()), port: None, protocol: Protocol::Tcp, from: vec![] });
        Firewall { default, allow }
    })
}

const HASH: &str = "$6$rounds=5000$usesomesillystri$D4IrlXatmP7rx3P3InaxBeoomnAihCKRVQAr/36eYyMkhLRAS6BDAC";
const PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGreenroomSampleKeyReplaceThisWithYourOwnKey";

fn user(windows: bool) -> impl Strategy<Value = User> {
    let name_and_person = (name(), option::of("[A-Za-zäß'\"$`&%.-][A-Za-zäß'\"$`&%. -]{0,12}[a-zß'\"$&%.]"));
    let shell = option::of(select(&["/bin/bash", "/bin/sh", "/usr/bin/zsh"][..]));
    let keys = vec("[a-z]{1,6}@[a-z]{1,6}", 0..2);
    let groups = subsequence(&["audio", "video"][..], 0..=2);
    let commands = subsequence(&["/usr/bin/systemctl restart ssh", "/usr/sbin/reboot"][..], 0..=2);
    let flags = (any::<bool>(), any::<bool>(), option::of(3000..4000u32));
    (name_and_person, shell, keys, groups, commands, flags).prop_map(
        move |((name, person), shell, keys, groups, commands, (sudo, password, uid))| {
            let words = |list: Vec<&str>| list.into_iter().filter(|_| !windows).map(str::to_owned).collect();
            User {
                full_name: person.unwrap_or_default(),
                uid: uid.filter(|_| !windows),
                groups: words(groups),
                shell: shell.filter(|_| !windows).map(str::to_owned),
                ssh_keys: keys.iter().filter(|_| !windows).map(|who| format!("{PUBLIC} {who}")).collect(),
                sudo,
                sudo_commands: words(commands),
                password_hash: (password && !windows).then(|| HASH.to_owned()),
                password_secret: windows.then(|| format!("password-{name}")),
                name,
            }
        },
    )
}
