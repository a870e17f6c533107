//! What the kernel says of a server's processes: the time that they took, and the memory that they hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    time::Duration,
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

/// The kernel counts the time of processes in hundredths of a second, on every architecture (proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// The processor time, user and system, of a process and all its descendants so far.
pub fn cpu(root: u32) -> Duration {
    let ticks: u64 = family(root).iter().map(|pid| stat(*pid).map_or(0, |stat| stat.ticks)).sum();
    TICK * u32::try_from(ticks).unwrap()
}

/// The processor time of the whole machine, and what of it was the bench's: the servers', the clients' and its own.
pub struct Machine {
    /// All of it, idle or not, and what was not idle.
    all: Duration,
    busy: Duration,
    ours: Duration,
}

impl Machine {
    pub fn now() -> Self {
        let text = fs::read_to_string("/proc/stat").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap();
        // user, nice, system, idle, waiting for the disk, interrupts of two kinds, stolen by the host (proc(5)).
        let times: Vec<u32> = line.split_whitespace().take(8).map(|ticks| ticks.parse().unwrap()).collect();
        let all: u32 = times.iter().sum();
        let busy = all - times[3] - times[4];
        let ended = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
        let ended = [ended.user_time(), ended.system_time()].map(|time| time.num_microseconds().unsigned_abs());
        let ours = cpu(std::process::id()) + Duration::from_micros(ended.iter().sum());
        Self { all: TICK * all, busy: TICK * busy, ours }
    }

    /// What share of the machine others took since then, from 0 to 1.
    fn taken_by_others_since(&self, then: &Self) -> f64 {
        let (busy, ours) = (self.busy - then.busy, self.ours - then.ours);
        busy.saturating_sub(ours).as_secs_f64() / (self.all - then.all).as_secs_f64()
    }
}

/// This session's turn before that of others, until dropped. The kernel shares the processors among sessions first (sched(7),
/// "The autogroup feature"), so `nice` alone is of no use against somebody else's build.
pub struct Ahead;

const AUTOGROUP: &str = "/proc/self/autogroup";

impl Ahead {
    pub fn of_others() -> Self {
        // A kernel without autogroups has no such file: `nice` works there, and is for the caller to say.
        drop(fs::write(AUTOGROUP, "-19"));
        Self
    }

    /// As it is usually.
    pub fn end() {
        drop(fs::write(AUTOGROUP, "0"));
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        Self::end();
    }
}

/// A line on how much to believe of what was timed since then. CPU seconds stand whoever else runs; rates do not.
pub fn noise_since(then: &Machine) -> String {
    let others = Machine::now().taken_by_others_since(then);
    format!("(other processes took {:.0} % of the machine meanwhile)", 100.0 * others)
}

/// The bytes of memory that a process and its descendants hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// What is resident of their address spaces, without what is shared memory or a memfd: that is counted below.
    pub own: u64,
    /// The pages of their memfds, mapped or not, and of files on a mount of their own that lies nowhere: the RAM tier.
    pub memfds: u64,
}

impl Memory {
    pub fn of(root: u32) -> Self {
        let mut found = Self::default();
        let mut seen = BTreeSet::new();
        for pid in family(root) {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let field = |name| status.lines().find_map(|line: &str| line.strip_prefix(name)).map_or(0, kib);
            found.own += field("VmRSS:").saturating_sub(field("RssShmem:"));
            let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
            for file in open.flatten().map(|entry| entry.path()) {
                let memory = fs::read_link(&file).is_ok_and(|link| {
                    // The root of such a mount has no name, and its files have none either (O_TMPFILE, open(2)).
                    let link = link.to_string_lossy();
                    link.starts_with("/memfd:") || link.starts_with("/#")
                });
                let Some(inode) = memory.then(|| fs::metadata(&file).ok()).flatten() else { continue };
                if seen.insert((inode.dev(), inode.ino())) {
                    // Blocks are of 512 bytes, whatever the file system (stat(2)).
                    found.memfds += inode.blocks() * 512;
                }
            }
        }
        found
    }

    pub fn total(self) -> u64 {
        self.own + self.memfds
    }

    /// The larger of each.
    pub fn max(self, other: Self) -> Self {
        if other.total() > self.total() { other } else { self }
    }
}

/// `   12345 kB` in bytes.
fn kib(field: &str) -> u64 {
    field.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) << 10
}

struct Stat {
    parent: u32,
    ticks: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything; what follows it are numbers: proc(5) counts them from the state, field 3.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |n: usize| fields.get(n - 3)?.parse::<u64>().ok();
    Some(Stat { parent: u32::try_from(field(4)?).ok()?, ticks: field(14)? + field(15)? })
}

/// A process and all its descendants.
fn family(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(stat) = stat(pid) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let (mut found, mut next) = (vec![root], 0);
    while let Some(pid) = found.get(next) {
        found.extend(children.get(pid).into_iter().flatten());
        next += 1;
    }
    found
}
