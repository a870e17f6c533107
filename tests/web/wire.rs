//! A cable: one end is this machine's, the other in a network namespace of its own, where a machine stands that speaks DHCP, TFTP,
//! HTTP and syslog as firmware does. Removed on drop; what a killed run left behind is swept at the next start.

use std::{
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

static CABLES: AtomicU32 = AtomicU32::new(0);

/// What names begin with.
const PREFIX: &str = "grb";

/// Sends one datagram out of the machine's end: from a port, to an address and port, as hexadecimal digits.
const SEND: &str = "
import socket, sys
source, host, port, data = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), bytes.fromhex(sys.argv[4])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'eth0')
s.bind(('0.0.0.0', source))
s.sendto(data, (host, port))
";

pub struct Cable {
    name: String,
}

fn ip(words: &[&str]) -> bool {
    let output = Command::new("ip").args(words).stdin(Stdio::null()).output().expect("`make setup` installs iproute2");
    output.status.success()
}

impl Cable {
    /// This machine has `ours/24` on its end, the other machine `theirs/24`.
    pub fn new(ours: &str, theirs: &str) -> Self {
        sweep();
        let name = format!("{PREFIX}{}x{}", std::process::id(), CABLES.fetch_add(1, Ordering::Relaxed));
        let cable = Self { name };
        let (space, end) = (cable.space(), cable.interface());
        let peer = format!("{}p", cable.name);
        for words in [
            &["netns", "add", &space][..],
            &["link", "add", &end, "type", "veth", "peer", "name", &peer],
            &["link", "set", &peer, "netns", &space],
            &["-n", &space, "link", "set", &peer, "name", "eth0"],
            &["-n", &space, "addr", "add", &format!("{theirs}/24"), "dev", "eth0"],
            &["-n", &space, "link", "set", "eth0", "up"],
            &["addr", "add", &format!("{ours}/24"), "dev", &end],
            &["link", "set", &end, "up"],
        ] {
            assert!(ip(words), "ip {words:?}: as root?");
        }
        cable
    }

    fn space(&self) -> String {
        format!("{}-ns", self.name)
    }

    /// This machine's end.
    pub fn interface(&self) -> String {
        self.name.clone()
    }

    /// A program on the other machine.
    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space()]).args(words).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// A datagram from the other machine.
    pub fn send(&self, from: u16, to: &str, port: u16, bytes: &[u8]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let output = self.run(&["python3", "-c", SEND, &from.to_string(), to, &port.to_string(), &hex]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// curl on the other machine, which must work: what it got.
    pub fn curl(&self, url: &str, words: &[&str]) -> String {
        let output = self.run(&[&["curl", "-fsS", "--max-time", "30", url], words].concat());
        assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // The link goes with its other end.
        ip(&["netns", "del", &self.space()]);
        ip(&["link", "del", &self.interface()]);
    }
}

/// Removes what runs left behind that no longer run.
fn sweep() {
    let output = Command::new("ip").args(["netns", "list"]).output().unwrap();
    for space in String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.split(' ').next()) {
        let pid = space.strip_prefix(PREFIX).and_then(|rest| rest.split('x').next());
        if pid.is_some_and(|pid| pid.parse::<u32>().is_ok() && !std::path::Path::new(&format!("/proc/{pid}")).exists())
        {
            ip(&["netns", "del", space]);
        }
    }
}
