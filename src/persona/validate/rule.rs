//! Every rule by its code. A code means one thing for ever: one that is given up is not given away again.
//!
//! GR0xx are of documents, of the library and of what a persona is; GR1xx are the configuration's,
//! but for GR19x, which are of the library as a whole; GR2xx continue GR0xx.
//! `greenroom persona rules` prints this table.

use serde::Serialize;

use crate::document::Severity::{self, Error, Warning};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its code.
    pub code: &'static str,
    /// What it means when it does not hold.
    pub severity: Severity,
    /// What holds.
    pub holds: &'static str,
}

/// The rule of this code.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.binary_search_by_key(&code, |rule| rule.code).ok().map(|at| &RULES[at])
}

const fn must(code: &'static str, holds: &'static str) -> Rule {
    Rule { code, severity: Error, holds }
}

const fn should(code: &'static str, holds: &'static str) -> Rule {
    Rule { code, severity: Warning, holds }
}

/// Every rule, by code.
pub const RULES: &[Rule] = &[
    // Documents and the library.
    must("GR001", "A document is UTF-8 and no larger than 1 MiB."),
    must("GR002", "Every key is one that the schema knows."),
    must("GR003", "Every value has the shape that the schema gives it."),
    must("GR004", "The library's folder is there."),
    must("GR005", "Every file of the library can be read."),
    should("GR006", "A document stays good after it is changed; otherwise its last good version goes on serving."),
    should("GR007", "The image of a persona is in the library."),
    must("GR008", "A document is called as its file is."),
    // What a persona is, and where it goes.
    must("GR010", "A destructive persona says which disk it wipes."),
    must("GR011", "An ephemeral persona installs nothing."),
    must("GR012", "The disk's path is one below /dev."),
    must("GR013", "A kernel argument is one word."),
    must("GR014", "Nothing stands twice in a list in which it is meant once."),
    must("GR015", "An image has a kernel."),
    must("GR016", "Every file of an image has an origin."),
    must("GR017", "The name of an image's file can be the end of a URL."),
    must("GR018", "The distribution has had, or will have, a release of this version."),
    must("GR019", "Family and distribution agree."),
    // Apps.
    must("GR020", "A package's name is one that its package manager takes."),
    must("GR021", "A file's path is absolute."),
    must("GR022", "A file's permissions are four octal digits."),
    must("GR023", "A repository's name can name a file."),
    must("GR024", "A repository is signed by a public key that stands here."),
    must("GR025", "A repository is at an http(s) URL."),
    must("GR026", "A unit's name is one that systemd takes."),
    must("GR027", "A unit is not both enabled and masked."),
    must("GR028", "Packages are asked of the package manager that the distribution has."),
    must("GR029", "Packages and repositories are asked only of a distribution that has a package manager."),
    // Users.
    must("GR030", "A user's name can be a login."),
    must("GR031", "A password's hash is one of crypt(5)."),
    must("GR032", "An SSH key is a whole public key."),
    must("GR033", "A user's group can be a group."),
    must("GR034", "A shell is an absolute path."),
    must("GR035", "A full name can stand in /etc/passwd."),
    must("GR036", "A login is not taken by the system itself."),
    must("GR037", "A number of a user or group is not root's or nobody's."),
    should("GR038", "A user's group is declared, of the system, or of a package that is listed."),
    must("GR039", "A sudo command is an absolute path with arguments that sudoers can hold."),
    // Network.
    must("GR040", "The host name can be one."),
    must("GR041", "An interface is told by its MAC address or its name."),
    must("GR042", "A gateway is in the subnet of its interface."),
    must("GR043", "An interface's name is one that Linux takes."),
    must("GR044", "A VLAN's number is 1 to 4094."),
    must("GR045", "What VLANs, bonds and bridges are made of is there."),
    must("GR046", "No interface is a part of itself."),
    must("GR047", "A port is part of one bond or bridge."),
    must("GR048", "Interfaces have subnets that do not overlap."),
    must("GR049", "An interface's address is one that a device can have."),
    // Preferences, and what is said about a persona.
    must("GR050", "The locale is one that glibc has in UTF-8."),
    must("GR051", "The time zone is one of the time zone database."),
    must("GR052", "The keyboard layout is one that X has."),
    should("GR053", "The description is one line."),
    should("GR054", "The owner is somebody who can be asked."),
    should("GR055", "Labels can be asked for in selectors."),
    must("GR056", "Snaps, Flatpaks and containers are asked of a distribution that runs them."),
    must("GR057", "The distribution has the desktop."),
    // Composing.
    must("GR060", "What a persona extends is there."),
    must("GR061", "No persona extends itself."),
    must("GR062", "What a persona extends agrees, or the persona decides."),
    must("GR063", "A value replaces one of its own kind."),
    must("GR064", "The one tag is `!replace`, and it replaces something."),
    must("GR065", "A persona is composed of no more than people can follow."),
    // Files, repositories, containers, stores.
    must("GR070", "A file is written where it lasts."),
    should("GR071", "A file is neither setuid nor writable for everybody."),
    must("GR072", "A file's owner is user:group."),
    should("GR073", "A file is not one that Greenroom writes itself."),
    must("GR074", "A repository has a suite and components for APT, and none for DNF."),
    must("GR075", "A container's name is one that its engine takes."),
    must("GR076", "A container's image names its registry."),
    should("GR077", "A container's image names a version."),
    must("GR078", "A container's port is address:port:port/protocol."),
    must("GR079", "A container's volume is source:target:options."),
    should("GR080", "A unit's name says what kind of unit it is."),
    must("GR081", "A snap's name and channel can be such."),
    must("GR082", "A Flatpak's id and remote can be such."),
    must("GR083", "An environment variable's name can be one."),
    // Access and secrets.
    should("GR084", "A user has full sudo or a list of commands, not both."),
    should("GR085", "Somebody can log in."),
    should("GR086", "Where passwords may log in by SSH, somebody has one."),
    should("GR087", "Where passwords may log in by SSH, they are long."),
    must("GR088", "No private key, token or password in a URL stands in plain text."),
    should("GR089", "Nothing that is called like a secret stands in plain text."),
    should("GR090", "Root does not log in by SSH."),
    must("GR091", "No private key is pasted for a public one."),
    should("GR092", "An RSA key has 2048 bits or more."),
    should("GR093", "A password's hash is not one that is guessed in hours."),
    must("GR094", "The firewall lets in those who come by SSH."),
    must("GR095", "What the firewall allows is one known service, or ports."),
    should("GR096", "The firewall's rules do not overlap."),
    must("GR097", "Something opens an encrypted disk at a start that nobody watches."),
    must("GR098", "A Tang server has a URL and a thumbprint."),
    must("GR099", "Only an installed system's disk is encrypted."),
    // The library as a whole.
    must("GR191", "Git is not in the middle of a merge or a rebase."),
    must("GR193", "A persona is superseded by one other."),
    should("GR194", "The versions that are served can be stored."),
    should("GR195", "A persona that is superseded has left the library."),
    should("GR196", "The repository's hooks that run after a commit end in time."),
    // Network, continued.
    should("GR200", "There is one default gateway for each IP version."),
    must("GR201", "A name server is at an address that can be reached."),
    must("GR202", "A search domain is a domain."),
    must("GR203", "A time server is a host name or an address."),
    must("GR204", "A proxy is an http(s) URL."),
    must("GR205", "What is reached without the proxy is a host, a domain or a network."),
    must("GR206", "An MTU is one that networks carry."),
    should("GR207", "There are no IPv6 addresses where IPv6 is off."),
    should("GR208", "What is part of a bond or bridge has no addresses of its own."),
    should("GR209", "Where nothing asks DHCP, a name server is given."),
    must("GR210", "A port carries a VLAN once."),
    must("GR211", "A bond has members."),
    // Resources.
    should("GR220", "A requirement asks for something."),
    should("GR221", "A memory limit is not above the memory that is required."),
    should("GR222", "A CPU limit is not above the processors that are required."),
    must("GR223", "An I/O weight is 1 to 10000."),
    must("GR224", "A CPU limit is above zero."),
    must("GR225", "A memory limit leaves room to start."),
    must("GR226", "Partitions, swap and the required root fit the largest disk that is allowed."),
    must("GR227", "A limit is of a service or a slice."),
    // Preferences and access, continued.
    should("GR230", "Wallpaper and dconf settings have a GNOME that reads them."),
    must("GR231", "The languages are a list of languages."),
    should("GR232", "A shell is installed by something that is listed."),
    must("GR233", "The editor is one program."),
    must("GR234", "The wallpaper is a file or a URL."),
    must("GR235", "A dconf setting is a path and a value."),
    must("GR240", "A secret's name can name a file."),
    must("GR241", "A group's name can be one."),
    must("GR242", "Password rules are such as PAM takes."),
    must("GR246", "A TPM's register is 0 to 23."),
    should("GR247", "A desktop's encrypted disk opens without a passphrase."),
    should("GR248", "A number of a user or group is 1000 to 59999."),
    // Between documents.
    must("GR250", "The image is of an architecture that the persona is meant for."),
    must("GR251", "The image is of the persona's distribution."),
    must("GR252", "The image is of the persona's version."),
    must("GR253", "A persona does not supersede itself."),
    // Kernel arguments, disks and partitions.
    should("GR260", "A kernel argument is given once."),
    should("GR261", "A kernel argument does not override what Greenroom says itself."),
    must("GR262", "The disk that is wiped is told by something."),
    should("GR263", "The disk's path names the same disk after the next start."),
    must("GR264", "The least size of the disk is not above the greatest."),
    must("GR265", "A partition's mount point can be one."),
    must("GR266", "A partition is large enough for its file system."),
    should("GR267", "The swap space is no larger than any device needs."),
    must("GR268", "The distribution is made for the architecture."),
    should("GR269", "A raw block is of a format that the persona's target reads."),
    must("GR270", "Nothing is asked of a target that it cannot express."),
    // Changes asked of a text.
    must("GR271", "A change of a document's text can be made without changing the rest of it."),
];
