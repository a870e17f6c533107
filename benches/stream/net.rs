//! The network of a measurement: a server between its clients and its origin, each in a namespace, joined by veth.
//!
//! ```text
//!   clients 10.77.0.2 ──eth0── 10.77.0.1 server 10.78.0.1 ──eth1── 10.78.0.2 origin
//! ```
//! All connections use CUBIC, Linux's own default, whatever this machine prefers: BBR times what it sends by what it measured,
//! and on a wire that takes no time its measure is of how the scheduler placed two processes. A single client's rate is then
//! 0.6 to 3 GiB/s from run to run, for either server.
//!
//! The names are the lab's, with the pid, so that either sweeps what the other left behind when it was killed.

use std::sync::atomic::{AtomicU32, Ordering};

use super::lab::{ip, remove, sweep};

/// The server as its clients reach it, and the origin as the server does.
pub const SERVER: &str = "10.77.0.1";
pub const ORIGIN: &str = "10.78.0.2";

static NETS: AtomicU32 = AtomicU32::new(0);

/// Three namespaces. They are removed on drop.
pub struct Net {
    prefix: String,
}

impl Net {
    pub fn new() -> Self {
        sweep();
        let net = Self { prefix: format!("{}{}", ours(), NETS.fetch_add(1, Ordering::Relaxed)) };
        let (server, clients, origin) = (net.server(), net.clients(), net.origin());
        for namespace in [&server, &clients, &origin] {
            ip(&["netns", "add", namespace]);
            ip(&["-n", namespace, "link", "set", "lo", "up"]);
        }
        let (near, far) = (format!("{SERVER}/24"), "10.77.0.2/24");
        join([&server, "eth0", &near], [&clients, "eth0", far]);
        let far = format!("{ORIGIN}/24");
        join([&server, "eth1", "10.78.0.1/24"], [&origin, "eth0", &far]);
        net
    }

    pub fn server(&self) -> String {
        format!("{}-srv", self.prefix)
    }

    pub fn clients(&self) -> String {
        format!("{}-cli", self.prefix)
    }

    pub fn origin(&self) -> String {
        format!("{}-org", self.prefix)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        [self.server(), self.clients(), self.origin()].iter().for_each(|namespace| remove(namespace));
    }
}

/// What the names of this process begin with.
fn ours() -> String {
    format!("gr{}x", std::process::id())
}

/// Removes every namespace of this process, for who ends it from outside.
pub fn remove_ours() {
    for n in 0..NETS.load(Ordering::Relaxed) {
        drop(Net { prefix: format!("{}{n}", ours()) });
    }
}

/// Joins two namespaces. Each end: its namespace, the name it gets there, its address. The kernel makes both ends in
/// place, so no name is ever seen outside.
fn join([here, near, address]: [&str; 3], [there, far, other]: [&str; 3]) {
    ip(&["link", "add", near, "netns", here, "type", "veth", "peer", "name", far, "netns", there]);
    for (namespace, link, address) in [(here, near, address), (there, far, other)] {
        // The kernel's own route to the neighbours would not say how to send.
        ip(&["-n", namespace, "addr", "add", address, "dev", link, "noprefixroute"]);
        ip(&["-n", namespace, "link", "set", link, "up"]);
        let (ours, _) = address.rsplit_once('.').unwrap();
        ip(&["-n", namespace, "route", "add", &format!("{ours}.0/24"), "dev", link, "congctl", "cubic"]);
    }
}
