//! A network of its own for each lab: a namespace with a bridge and taps for the machines, and one for each host.
//!
//! Everything bears the prefix `gr<pid>x<n>`, is removed on drop, and what a killed run left behind is swept at the next
//! start. STP is off: a learning bridge eats the first DISCOVERs.

use std::{
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

static LABS: AtomicU32 = AtomicU32::new(0);

/// The machines a lab has room for.
pub const TAPS: usize = 4;

/// One lab's network.
pub struct Net {
    prefix: String,
    hosts: Vec<String>,
    links: u32,
}

impl Net {
    /// The switch, without hosts.
    pub fn new() -> Self {
        sweep();
        let prefix = format!("gr{}x{}", std::process::id(), LABS.fetch_add(1, Ordering::Relaxed));
        let net = Self { prefix, hosts: vec![], links: 0 };
        let switch = net.switch();
        ip(&["netns", "add", &switch]);
        ip(&["-n", &switch, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0"]);
        ip(&["-n", &switch, "link", "set", "br0", "up"]);
        for n in 0..TAPS {
            let tap = format!("tap{n}");
            ip(&["-n", &switch, "tuntap", "add", &tap, "mode", "tap"]);
            ip(&["-n", &switch, "link", "set", &tap, "master", "br0"]);
            ip(&["-n", &switch, "link", "set", &tap, "up"]);
        }
        net
    }

    /// The namespace of the machines.
    pub fn switch(&self) -> String {
        format!("{}-sw", self.prefix)
    }

    /// The namespace of a host.
    pub fn host(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// Adds a host with `eth0` on the switch; without an address when it shall ask for one.
    pub fn add_host(&mut self, name: &str, address: Option<&str>) {
        let (host, switch) = (self.host(name), self.switch());
        let (inner, outer) = (format!("{}a{}", self.prefix, self.links), format!("{}b{}", self.prefix, self.links));
        self.links += 1;
        ip(&["netns", "add", &host]);
        self.hosts.push(host.clone());
        ip(&["link", "add", &inner, "type", "veth", "peer", "name", &outer]);
        ip(&["link", "set", &inner, "netns", &host]);
        ip(&["link", "set", &outer, "netns", &switch]);
        ip(&["-n", &host, "link", "set", &inner, "name", "eth0"]);
        if let Some(address) = address {
            ip(&["-n", &host, "addr", "add", address, "dev", "eth0"]);
        }
        ip(&["-n", &host, "link", "set", "eth0", "up"]);
        ip(&["-n", &host, "link", "set", "lo", "up"]);
        ip(&["-n", &switch, "link", "set", &outer, "master", "br0"]);
        ip(&["-n", &switch, "link", "set", &outer, "up"]);
    }

    /// Joins a host with the machine that this runs on, so that its pages can be seen: the host's address, then ours.
    pub fn join_with_us(&mut self, name: &str, theirs: &str, ours: &str) {
        let host = self.host(name);
        let (inner, outer) = (format!("{}c", self.prefix), format!("{}d", self.prefix));
        ip(&["link", "add", &inner, "type", "veth", "peer", "name", &outer]);
        ip(&["link", "set", &inner, "netns", &host]);
        ip(&["-n", &host, "link", "set", &inner, "name", "us0"]);
        ip(&["-n", &host, "addr", "add", theirs, "dev", "us0"]);
        ip(&["-n", &host, "link", "set", "us0", "up"]);
        ip(&["addr", "add", ours, "dev", &outer]);
        ip(&["link", "set", &outer, "up"]);
    }

    /// A command inside a host. It dies with this process.
    pub fn on(&self, host: &str, program: &str) -> Command {
        inside(&self.host(host), program)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for namespace in self.hosts.iter().chain([&self.switch()]) {
            remove(namespace);
        }
    }
}

/// A command inside a namespace that the kernel kills when this process dies.
pub fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, "setpriv", "--pdeathsig", "KILL", program]);
    command.stdin(Stdio::null());
    command
}

/// A child that ends with its owner.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Runs `ip`, which must succeed.
pub fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("iproute2 is installed");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "ip {}: {error} (the lab needs root)", arguments.join(" "));
}

/// Removes a namespace, if it is there.
pub fn remove(namespace: &str) {
    drop(Command::new("ip").args(["netns", "del", namespace]).output());
}

/// Removes what runs left behind that were killed: their namespaces bear the pid of a process that is no more.
pub fn sweep() {
    let list = Command::new("ip").args(["netns", "list"]).output().expect("iproute2 is installed");
    for line in String::from_utf8_lossy(&list.stdout).lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let pid = name.strip_prefix("gr").and_then(|rest| rest.split('x').next());
        let gone = pid
            .is_some_and(|pid| pid.parse::<u32>().is_ok() && !std::path::Path::new(&format!("/proc/{pid}")).exists());
        if gone {
            remove(name);
        }
    }
}
