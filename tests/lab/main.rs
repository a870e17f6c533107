//! The lab: real firmware and real clients against the real binary, in namespaces of their own. Needs root and what
//! `make setup` installs. A failure prints the timeline and where the consoles and logs are.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program beside the tests, and tests: both use their part of the same modules, and panic when it fails"
)]

mod boots;
mod clients;
mod daemon;
mod disguise;
mod guest;
#[path = "../staging/habit.rs"]
mod habit;
mod live;
mod machine;
mod media;
mod net;
mod relay;
mod staging;
mod trouble;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex},
};

use daemon::Daemon;
use net::Net;

/// The configuration of most tests: full mode on 10.77.0.0/24.
const FULL: &str = "\
dhcp:
  mode: full
  interfaces: eth0
  subnets:
    - {subnet: 10.77.0.0/24, pools: 10.77.0.100-10.77.0.199, router: 10.77.0.1, dns: 10.77.0.1, domain: lab.test, lease: 1h}
images: {ram: 64MiB, disk: 1GiB}
";

/// At most two labs at once: the machine has two cores, and QEMU translates.
static SEATS: (Mutex<u32>, Condvar) = (Mutex::new(2), Condvar::new());

/// A network, a folder for logs, and a seat.
struct Lab {
    net: Net,
    logs: PathBuf,
    _seat: Seat,
}

struct Seat;

impl Seat {
    fn take() -> Self {
        let free = SEATS.0.lock().unwrap();
        *SEATS.1.wait_while(free, |free| *free == 0).unwrap() -= 1;
        Self
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *SEATS.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1;
        SEATS.1.notify_one();
    }
}

impl Lab {
    /// A lab called `name`, with the server at 10.77.0.1.
    fn new(name: &str) -> Self {
        let seat = Seat::take();
        let logs = guest::shelf().join("logs").join(name);
        drop(fs::remove_dir_all(&logs));
        fs::create_dir_all(logs.join("library/images")).unwrap();
        let mut net = Net::new();
        net.add_host("srv", Some("10.77.0.1/24"));
        Self { net, logs, _seat: seat }
    }

    /// Writes a persona that boots the tiny guest.
    fn persona(&self, name: &str, effect: &str, image: &str) {
        let install = if effect == "destructive" { ", install: {disk: /dev/vda}" } else { "" };
        let text = format!(
            "apiVersion: greenroom/v1\ndescription: of the lab\neffect: {effect}\nos: {{image: {image}{install}}}\n"
        );
        fs::write(self.logs.join(format!("library/{name}.yaml")), text).unwrap();
    }

    /// Writes the tiny guest's manifest, by the command that admins use.
    fn image(&self, name: &str, arguments: &[&str]) {
        let tiny = guest::tiny();
        let [kernel, initrd, rootfs] = [&tiny.kernel, &tiny.initrd, &tiny.rootfs].map(|path| path.to_str().unwrap());
        let arguments = [&["lab.get={{blob:rootfs}}"], arguments].concat();
        self.image_of(name, &["--kernel", kernel, "--initrd", initrd, "--rootfs", rootfs], &arguments);
    }

    /// The same from elsewhere, as the server finds it: `from` is what `image add` takes.
    fn image_of(&self, name: &str, from: &[&str], arguments: &[&str]) {
        let mut add = self.net.on("srv", &binary().display().to_string());
        add.args(["image", "add", name, "--library"]).arg(self.logs.join("library")).args(from);
        for argument in ["lab.post={{report_url}}", "console=ttyS0"].iter().chain(arguments) {
            add.args(["--arg", argument]);
        }
        let output = add.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn serve(&self, config: &str) -> Daemon {
        self.serve_on("srv", config)
    }

    fn serve_on(&self, host: &str, config: &str) -> Daemon {
        Daemon::start(&self.net, host, binary(), config, &self.logs.join("library"), &self.logs)
    }
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_greenroom"))
}
