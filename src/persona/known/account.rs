//! The users and groups that systems are born with.

use crate::persona::schema::Family;

/// Of Debian's base-passwd, and of systemd and udev beside it.
const DEBIAN: [&str; 53] = [
    "adm",
    "audio",
    "backup",
    "bin",
    "cdrom",
    "crontab",
    "daemon",
    "dialout",
    "dip",
    "disk",
    "fax",
    "floppy",
    "games",
    "gnats",
    "input",
    "irc",
    "kmem",
    "kvm",
    "list",
    "lp",
    "mail",
    "man",
    "messagebus",
    "netdev",
    "news",
    "nobody",
    "nogroup",
    "operator",
    "plugdev",
    "proxy",
    "render",
    "root",
    "sasl",
    "sgx",
    "shadow",
    "src",
    "staff",
    "sudo",
    "sync",
    "sys",
    "systemd-journal",
    "systemd-network",
    "systemd-resolve",
    "systemd-timesync",
    "tape",
    "tty",
    "users",
    "utmp",
    "uucp",
    "video",
    "voice",
    "www-data",
    "lpadmin",
];

/// Of the Red Hat family's setup package, and of systemd and polkit beside it.
const REDHAT: [&str; 38] = [
    "adm",
    "audio",
    "bin",
    "cdrom",
    "daemon",
    "dbus",
    "dialout",
    "disk",
    "floppy",
    "ftp",
    "games",
    "halt",
    "input",
    "kmem",
    "kvm",
    "lock",
    "lp",
    "mail",
    "man",
    "mem",
    "nobody",
    "operator",
    "polkitd",
    "render",
    "root",
    "shutdown",
    "sshd",
    "sync",
    "sys",
    "systemd-journal",
    "tape",
    "tty",
    "users",
    "utempter",
    "utmp",
    "video",
    "wheel",
    "sgx",
];

/// Of Flatcar's base layout.
const FLATCAR: [&str; 12] =
    ["adm", "bin", "core", "daemon", "docker", "nobody", "root", "rkt", "sudo", "systemd-journal", "tty", "wheel"];

/// Of Windows.
const WINDOWS: [&str; 8] = [
    "administrator",
    "administrators",
    "guest",
    "guests",
    "users",
    "power users",
    "remote desktop users",
    "defaultaccount",
];

/// Whether a fresh system of this family has a user or group of this name.
pub fn is_system_account(family: Family, name: &str) -> bool {
    match family {
        Family::Debian => DEBIAN.contains(&name),
        Family::Redhat => REDHAT.contains(&name),
        Family::Flatcar => FLATCAR.contains(&name),
        Family::Windows => WINDOWS.contains(&name.to_lowercase().as_str()),
        Family::Other => false,
    }
}
