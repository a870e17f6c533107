//! One process of git: fed, read, waited for, and ended when it takes too long or says too much.
//!
//! ```text
//!   spawn ──> both outputs end ───────────────────────────> it has ended ──> what it said
//!                │ it has ended, and something that a hook
//!                │ left running holds them open: a moment ───────┘
//!                └ too late, or too much: TERM to the group, a moment, KILL
//! ```
//! A git that is told to end by TERM takes its locks away itself; what does not end then is killed with all its group.
//!
//! **Nothing here makes it be forked**: without a user, a group or a closure to run in the child the standard library uses
//! `posix_spawn`, which shares our memory until git is there. A fork would copy the page tables of a daemon with 100,000 devices.
//! Only root in a repository of somebody else's pays for that; a daemon with `user` set is never root.

use std::{
    io::{self, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use rustix::process::{WaitId, WaitIdOptions, waitid};

/// What git may write to its standard output; a library of 100,000 files is listed in less.
pub(super) const MAX_OUTPUT: usize = 64 << 20;

/// What is kept of its complaints.
const MAX_COMPLAINT: usize = 16 << 10;

/// How soon it is asked whether a git that has said everything has ended: it mostly has. The pause doubles each time.
const SOON: Duration = Duration::from_micros(50);

/// The longest of these pauses.
const STEP: Duration = Duration::from_millis(20);

/// How long the outputs of a git that has ended may be held open by something that it started.
const LINGER: Duration = Duration::from_millis(500);

/// How long it has to clear up when it is told to end.
const GRACE: Duration = Duration::from_secs(2);

/// What a process came to.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) out: Vec<u8>,
    pub(super) complaint: String,
}

/// Why it came to nothing.
pub(super) enum Halt {
    /// It did not end in time.
    Late,
    /// It said more than [`MAX_OUTPUT`] bytes.
    TooMuch,
    /// The system would not run it.
    System(io::Error),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// Runs a command that leads a process group of its own: tells it this, and reads what it says.
pub(super) fn run(mut command: Command, told: Vec<u8>, limit: Duration) -> Result<Ended, Halt> {
    let end = Instant::now() + limit;
    command.stdin(if told.is_empty() { Stdio::null() } else { Stdio::piped() });
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // Git may stop reading before it was told everything: then it says why.
        thread::spawn(move || stdin.write_all(&told));
    }
    let out = Stream::read(child.stdout.take(), MAX_OUTPUT);
    let complaint = Stream::read(child.stderr.take(), MAX_COMPLAINT);
    let ended = heard(&mut child, [&out, &complaint], end).map(|status| {
        let complaint = String::from_utf8_lossy(&complaint.said()).into_owned();
        Ended { status, out: out.said(), complaint }
    });
    if ended.is_err() {
        kill(&mut child);
    }
    ended
}

/// Waits until both outputs are at their ends and the process has ended, or until it has ended and what holds them open is not
/// itself.
fn heard(child: &mut Child, streams: [&Stream; 2], end: Instant) -> Result<ExitStatus, Halt> {
    let mut status = None;
    let mut until = end;
    let mut pause = SOON;
    for stream in streams {
        while !stream.has_ended(pause.min(until.saturating_duration_since(Instant::now()))) {
            if status.is_none() {
                status = child.try_wait()?;
                // A hook's own background job has our pipes, and may go on for ever: that is its business.
                until = if status.is_some() { end.min(Instant::now() + LINGER) } else { end };
            }
            if Instant::now() >= until {
                break;
            }
            pause = (pause * 2).min(STEP);
        }
        if stream.length() > MAX_OUTPUT {
            return Err(Halt::TooMuch);
        }
    }
    pause = SOON;
    loop {
        match status {
            Some(status) => return Ok(status),
            None if Instant::now() >= end => return Err(Halt::Late),
            None => thread::sleep(pause),
        }
        pause = (pause * 2).min(STEP);
        status = child.try_wait()?;
    }
}

/// What a process writes to one of its outputs, read by a thread of its own.
struct Stream {
    said: Arc<Mutex<Vec<u8>>>,
    end: Receiver<()>,
}

impl Stream {
    /// Reads it to its end, or one byte further than `most`; the rest is read and dropped, so that whoever still writes can
    /// end.
    fn read(stream: Option<impl Read + Send + 'static>, most: usize) -> Self {
        let (send, end) = mpsc::channel();
        let said = Arc::new(Mutex::new(vec![]));
        let kept = said.clone();
        thread::spawn(move || {
            let Some(mut stream) = stream else { return };
            let mut piece = vec![0; 64 << 10];
            // What a broken pipe cut off is what there is.
            while let Ok(length @ 1..) = stream.read(&mut piece) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = (most + 1).saturating_sub(kept.len());
                kept.extend_from_slice(&piece[..length.min(room)]);
                if kept.len() > most && room > 0 {
                    send.send(()).unwrap_or_default();
                }
            }
        });
        Self { said, end }
    }

    /// Whether all of it was read, or too much: waits so long for that. Then its thread is gone, and its channel closed.
    fn has_ended(&self, wait: Duration) -> bool {
        !matches!(self.end.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
    }

    fn length(&self) -> usize {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn said(&self) -> Vec<u8> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Ends git and what it started: it leads a process group of its own.
fn kill(child: &mut Child) {
    let Ok(pid) = i32::try_from(child.id()) else { return };
    let group = Pid::from_raw(pid);
    // Signals fail only when all of the group has just ended by itself.
    killpg(group, Signal::SIGTERM).unwrap_or_default();
    let end = Instant::now() + GRACE;
    let mut pause = SOON;
    // It is not reaped yet, so no other group can get its number.
    while !is_over(pid) && Instant::now() < end {
        thread::sleep(pause);
        pause = (pause * 2).min(STEP);
    }
    killpg(group, Signal::SIGKILL).unwrap_or_default();
    drop(child.wait());
}

fn is_over(pid: i32) -> bool {
    let Some(pid) = rustix::process::Pid::from_raw(pid) else { return true };
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // It fails only when there is nobody to wait for.
    !matches!(waitid(WaitId::Pid(pid), look), Ok(None))
}
