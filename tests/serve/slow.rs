//! Slow readers, against the real daemon: they hold no memory of it, and slow nobody.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::{io::BufReader, net::TcpSocket};

use crate::{port::free_port, socket::Socket, world::noise};

const MIB: usize = 1 << 20;
const READERS: usize = 256;

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Daemon {
    /// Bytes of memory that is its own: what it shares with the kernel, as files in memory, is left out.
    fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
    }
}

/// A daemon that serves one image of this content, and its digest.
async fn daemon(dir: &Path, port: u16, bytes: &[u8]) -> (Daemon, String) {
    let digest = crate::world::hex(bytes);
    fs::create_dir_all(dir.join("library/images")).unwrap();
    fs::create_dir_all(dir.join("nbps")).unwrap();
    fs::write(dir.join("nbps/undionly.kpxe"), "not run here, but it must be something").unwrap();
    fs::write(dir.join("kernel"), bytes).unwrap();
    let origin = dir.join("kernel");
    let manifest = format!(
        "name: big\narch: x64\nfiles: {{kernel: {{sha256: {digest}, origins: ['file:{}']}}}}\n",
        origin.display()
    );
    fs::write(dir.join("library/images/big.yaml"), manifest).unwrap();
    let config = format!(
        "state_dir: state\nlibrary: library\nadmin_socket: admin.sock\ndhcp: {{mode: 'off'}}\ntftp: {{enabled: false}}\n\
         http: {{port: {port}}}\nboot: {{nbp_dir: nbps}}\nimages: {{ram: 256MiB, disk: 1GiB}}\n"
    );
    fs::write(dir.join("greenroom.yaml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(["serve", "--config"]).arg(dir.join("greenroom.yaml")).env_remove("RUST_LOG");
    let log = fs::File::create(dir.join("log")).unwrap();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let daemon = Daemon(child);
    for _ in 0..1500 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return (daemon, digest);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the daemon does not start: {}", fs::read_to_string(dir.join("log")).unwrap_or_default());
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_hold_no_memory_and_a_quick_one_passes_them() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = noise(32 * MIB, 21);
    let port = free_port();
    let (daemon, digest) = daemon(dir.path(), port, &bytes).await;
    let (address, path) = (([127, 0, 0, 1], port).into(), format!("/blob/{digest}"));
    let whole = async || {
        let mut client = Socket::connect(address).await;
        client.get(&path, "").await;
        let (head, body) = client.answer().await;
        assert!(head.status == 200 && body == bytes);
    };
    // What the daemon needs for itself, and to fill its tiers, is no matter here.
    for _ in 0..3 {
        whole().await;
    }
    let before = daemon.memory();
    let mut slow = vec![];
    for _ in 0..READERS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut client = Socket(BufReader::new(socket.connect(address).await.unwrap()));
        client.get(&path, "").await;
        assert_eq!(client.head().await.length(), bytes.len());
        slow.push(client);
    }
    let mut at = 0;
    for _ in 0..4 {
        for client in &mut slow {
            assert!(client.body(1000).await == bytes[at..at + 1000]);
        }
        at += 1000;
        whole().await;
    }
    let grown = daemon.memory().saturating_sub(before);
    // A chunk of 256 KiB for each of them would be 64 MiB.
    assert!(grown < 16 * MIB, "{} KiB more for {READERS} slow readers", grown >> 10);
}
