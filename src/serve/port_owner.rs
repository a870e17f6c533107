//! Who has a port: the answer to the first question after "address in use".
//!
//! The kernel lists sockets by inode in `/proc/net`, and the sockets of each process in `/proc/<pid>/fd` (proc(5)). Another
//! user's process shows its sockets to root only; then, and for sockets of other namespaces, nobody is found.

use std::{fs, path::PathBuf};

/// The state of a TCP socket that listens (`TCP_LISTEN` of the kernel).
const LISTENS: &str = "0A";

/// The two kinds of port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// The process that has `port`, as people name it: `dnsmasq (process 812)`.
pub(super) fn port_owner(transport: Transport, port: u16) -> Option<String> {
    let (tables, state) = match transport {
        Transport::Udp => (["udp", "udp6"], None),
        Transport::Tcp => (["tcp", "tcp6"], Some(LISTENS)),
    };
    let texts = tables.into_iter().filter_map(|table| fs::read_to_string(format!("/proc/net/{table}")).ok());
    let inodes: Vec<String> = texts.flat_map(|text| inodes_of(&text, port, state)).collect();
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| has(*pid, &inodes))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{} (process {pid})", name.trim()))
}

/// The inodes of the sockets of a table that are bound to `port`, and in `state` if that matters.
fn inodes_of(table: &str, port: u16, state: Option<&str>) -> Vec<String> {
    let end = format!(":{port:04X}");
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter_map(|row| match row[..] {
        // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
        [_, local, _, is, _, _, _, _, _, inode, ..] => {
            (local.ends_with(&end) && state.is_none_or(|state| state == is)).then(|| inode.to_owned())
        }
        _ => None,
    })
    .collect()
}

/// Whether a process has one of these sockets open.
fn has(pid: u32, inodes: &[String]) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let is_wanted = |target: PathBuf| {
        let target = target.display().to_string();
        inodes.iter().any(|inode| target == format!("socket:[{inode}]"))
    };
    files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(is_wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_port_is_found() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = socket.local_addr().expect("it is bound").port();
        let owner = port_owner(Transport::Udp, port).expect("this process has it");
        assert!(owner.ends_with(&format!("(process {})", std::process::id())), "{owner}");
        assert_eq!(port_owner(Transport::Tcp, port), None, "that is another port");
        drop(socket);
        assert_eq!(port_owner(Transport::Udp, port), None);
    }

    #[test]
    fn rows_that_are_no_rows_are_passed_over() {
        let table = "header\n 1: 0100007F:0043 00000000:0000 07 0:0 0:0 0 0 0 812 2\nshort row\n";
        assert_eq!(inodes_of(table, 67, None), ["812"]);
        assert!(inodes_of(table, 68, None).is_empty() && inodes_of(table, 67, Some(LISTENS)).is_empty());
    }
}
