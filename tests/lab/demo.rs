//! `make demo`: one BIOS and one UEFI machine boot through the real daemon into a live Debian that cloud-init has turned
//! into a persona. Prints both timelines and where the page is.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program beside the tests, and tests: both use their part of the same modules, and panic when it fails"
)]

#[path = "daemon.rs"]
mod daemon;
#[path = "disguise.rs"]
mod disguise;
#[path = "guest.rs"]
mod guest;
#[path = "machine.rs"]
mod machine;
#[path = "net.rs"]
mod net;

use std::{
    fs,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    thread::sleep,
    time::{Duration, Instant},
};

use daemon::{Daemon, report};
use machine::{Firmware, Machine, Spec};
use net::{Net, Running};

const CONFIG: &str = "\
dhcp:
  mode: full
  interfaces: eth0
  subnets:
    - {subnet: 10.77.0.0/24, pools: 10.77.0.100-10.77.0.199, router: 10.77.0.1, dns: 10.77.0.1, domain: lab.test, lease: 1h}
boot: {default: kiosk-live}
images: {ram: 512MiB, disk: 4GiB}
site: {mirrors: {debian: \"http://10.77.0.1:8080/debian\"}}
";

/// A quiet machine takes three minutes under TCG.
const LIMIT: Duration = Duration::from_secs(1500);

fn main() -> ExitCode {
    let began = Instant::now();
    let say = |text: &str| println!("[{:>4} s] {text}", began.elapsed().as_secs());
    let logs = guest::shelf().join("demo");
    drop(fs::remove_dir_all(&logs));
    fs::create_dir_all(&logs).unwrap();

    say("making the live Debian (a minute the first time, kept in target/lab)");
    let library = logs.join("library");
    guest::live_library(&binary(), &library);
    say("fetching the package that the persona asks for, with Debian's signed index");
    let mirror = guest::mirror();

    say("making a network of its own: a switch, two machines, the server at 10.77.0.1");
    let mut net = Net::new();
    net.add_host("srv", Some("10.77.0.1/24"));
    net.join_with_us("srv", "10.78.77.1/30", "10.78.77.2/30");
    let mut web = net.on("srv", "busybox");
    web.args(["httpd", "-f", "-p", "10.77.0.1:8080", "-h"]).arg(&mirror);
    let _mirror = Running(web.spawn().unwrap());

    say("starting greenroom");
    let binary = binary();
    let daemon = Daemon::start(&net, "srv", &binary, CONFIG, &library, &logs);
    say("its page is at http://10.78.77.1/ while this runs");

    let specs = [("bios", Firmware::Bios, 0), ("uefi", Firmware::UefiPxe, 1)];
    let machines: Vec<Machine> = specs
        .iter()
        .map(|(name, firmware, tap)| {
            let spec = Spec { tap: *tap, memory_mib: 2048, ..Spec::new(name, *firmware) };
            say(&format!("switching on the {name} machine, {}", spec.mac()));
            Machine::start(&net, &spec, &logs)
        })
        .collect();

    let good = watch(&daemon, &machines, &say);
    for machine in &machines {
        println!("\n{}", daemon.timelines(&machine.mac).trim_end());
        let boot = daemon.boots(&machine.mac).into_iter().next().unwrap_or_default();
        for check in report(&boot)["checks"].as_array().into_iter().flatten() {
            let mark = if check["ok"] == true { "holds" } else { "BROKEN" };
            println!("  {mark:6}  {}: {}", check["name"].as_str().unwrap_or("?"), check["saw"].as_str().unwrap_or("?"));
        }
    }
    keep_page(&logs);
    println!("\nThe page of this run is kept in {}", logs.join("status.html").display());
    println!("Consoles, the daemon's log and its configuration are in {}", logs.display());
    if !good {
        println!("\nThe demo FAILED: see above where it stopped.");
        return ExitCode::FAILURE;
    }
    println!("\nBoth machines have become their persona, in {} s.", began.elapsed().as_secs());
    linger();
    ExitCode::SUCCESS
}

/// The daemon that `make demo` has built.
fn binary() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.parent().and_then(Path::parent).unwrap().join("greenroom")
}

/// Says what the machines do until each is done, well or badly; whether all went well.
fn watch(daemon: &Daemon, machines: &[Machine], say: &dyn Fn(&str)) -> bool {
    let began = Instant::now();
    let mut told = vec![0; machines.len()];
    let mut ended: Vec<Option<bool>> = vec![None; machines.len()];
    while began.elapsed() < LIMIT && ended.contains(&None) {
        for (at, machine) in machines.iter().enumerate() {
            if ended[at].is_some() {
                continue;
            }
            let boot = daemon.boots(&machine.mac).into_iter().next().unwrap_or_default();
            let steps = daemon::steps(&boot);
            for (name, step) in steps.iter().skip(told[at]) {
                let what = step["role"].as_str().or(step["name"].as_str()).unwrap_or_default();
                say(&format!("{}: {name} {what}", machine.mac));
            }
            told[at] = told[at].max(steps.len());
            ended[at] =
                boot["outcome"].as_str().filter(|outcome| *outcome != "restarted").map(|outcome| outcome == "ready");
        }
        sleep(Duration::from_millis(500));
    }
    for (machine, _) in machines.iter().zip(&ended).filter(|(_, ended)| **ended != Some(true)) {
        say(&format!("{} did not become its persona; its console is in {}", machine.mac, machine.console.display()));
    }
    ended.iter().all(|ended| *ended == Some(true))
}

fn keep_page(logs: &Path) {
    let page = logs.join("status.html");
    let got = Command::new("curl").args(["-fsS", "-o"]).arg(&page).arg("http://10.78.77.1/").status();
    assert!(got.is_ok_and(|status| status.success()), "the status page does not answer");
}

/// Leaves everything up for somebody who looks.
fn linger() {
    if std::env::var_os("KEEP").is_some_and(|keep| !keep.is_empty()) {
        println!("KEEP is set: everything stays up until you press Ctrl-C. The page: http://10.78.77.1/");
        loop {
            sleep(Duration::from_secs(3600));
        }
    }
    if std::io::stdin().is_terminal() {
        print!("The page: http://10.78.77.1/ - press Enter to end. ");
        std::io::stdout().flush().unwrap();
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }
}
