//! How fast Greenroom serves images, beside nginx in the same run: `cargo bench --bench stream [-- FILTER...] [--quick]`.
//!
//! The release binary as a daemon and nginx (sendfile, two workers) stand in one network namespace, the clients in another,
//! an origin in a third. Each figure is the median of rounds that take turns, so that a noisy machine is noisy for both; only
//! the ratios mean anything elsewhere. Missed goals get a mark, and nothing else: a benchmark is no test.
//!
//! A FILTER is a part of a name: `throughput/ram/512`, `throughput/disk`, `script`, `cold`, `slow`, `profile`. `--quick` (or
//! `GREENROOM_BENCH_QUICK=1`) takes three minutes instead of half an hour. Needs root, and what `make setup` installs.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench shows its numbers, and stops at the first oddity"
)]

mod client;
mod cold;
mod figure;
mod net;
mod noise;
mod origin;
mod process;
mod profile;
mod script;
mod server;
mod slow;
mod throughput;

// Both benches and the lab have namespaces that must not outlive them.
#[allow(dead_code, reason = "the lab's switch and its taps")]
#[path = "../../tests/lab/net.rs"]
mod lab;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    thread,
};

use process::Ahead;
use tempfile::TempDir;

/// What was asked for.
pub struct Options {
    quick: bool,
    filters: Vec<String>,
}

impl Options {
    fn read() -> Self {
        // `cargo bench` itself adds `--bench`.
        let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
        let quick = std::env::var_os("GREENROOM_BENCH_QUICK").is_some_and(|said| !said.is_empty())
            || words.iter().any(|word| word == "--quick");
        let filters = words.into_iter().filter(|word| word != "--quick").collect();
        Self { quick, filters }
    }

    /// Whether the measurement of this name was asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()))
    }

    /// How many rounds take turns.
    pub fn rounds(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }
}

/// The programs of others that all measurements need, and the Debian packages that they come from.
const NEEDED: [(&str, &str); 7] = [
    ("ip", "iproute2"),
    ("nginx", "nginx-light"),
    ("wrk", "wrk"),
    ("curl", "curl"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
    ("sha256sum", "coreutils"),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some(client::WORD) => return client::run(&words[1..]),
        Some(origin::WORD) => return origin::run(&words[1..]),
        _ => {}
    }
    let options = Options::read();
    let missing = missing();
    if !missing.is_empty() {
        missing.iter().for_each(|what| eprintln!("stream: {what}"));
        return ExitCode::FAILURE;
    }
    let folder = folder();
    clean_up_when_interrupted(folder.path().to_owned());
    let _ahead = Ahead::of_others();
    measure(&options, &folder);
    ExitCode::SUCCESS
}

fn measure(options: &Options, folder: &TempDir) {
    let started = |name: &str| {
        let place = folder.path().join(name);
        fs::create_dir_all(&place).unwrap();
        place
    };
    throughput::run(options, &started("throughput"));
    if options.wants("script") {
        script::run(options, &started("script"));
    }
    if options.wants("cold") {
        cold::run(options, &started("cold"));
    }
    if options.wants("slow") {
        slow::run(options, &started("slow"));
    }
    if options.wants("profile") {
        profile::run(&started("profile"));
    }
}

/// A folder for what is served and cached, a few GiB. What a killed run left of its own goes.
fn folder() -> TempDir {
    const PREFIX: &str = "stream-";
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in fs::read_dir(parent).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    let prefix = format!("{PREFIX}{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(parent).unwrap()
}

/// What this machine lacks, in words.
fn missing() -> Vec<String> {
    let mut missing = vec![];
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let root = status.lines().find_map(|line| line.strip_prefix("Uid:")).is_some_and(|ids| ids.trim().starts_with('0'));
    if !root {
        missing.push("this needs root: it makes network namespaces".to_owned());
    }
    for (program, package) in NEEDED {
        if !is_there(program) {
            missing.push(format!("{program} is not here: `make setup`, or apt-get install {package}"));
        }
    }
    missing
}

/// Whether a program is in the path of commands.
pub fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]).any(|folder| folder.join(program).exists())
}

/// The binary that is measured.
pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_greenroom"))
}

/// This program, as a child inside a namespace.
pub fn ourselves(namespace: &str, words: &[&str]) -> Command {
    let mut command = lab::inside(namespace, &std::env::current_exe().unwrap().display().to_string());
    command.args(words);
    command
}

/// Somebody who presses Ctrl-C gets their machine back as it was. The children die with this process.
fn clean_up_when_interrupted(folder: PathBuf) {
    let wait = async {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    thread::spawn(move || {
        runtime.block_on(wait);
        Ahead::end();
        net::remove_ours();
        drop(fs::remove_dir_all(folder));
        std::process::exit(130);
    });
}
