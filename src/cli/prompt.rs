//! A password, asked for on the terminal.
//!
//! Nothing is shown from before the question on, so that what is typed at once, or by a program, stays as hidden as what is typed
//! slowly. However a question ends, by an answer, Ctrl-C or a signal from elsewhere, the terminal is as it was before.

use std::{fs::File, future::poll_fn, io, mem::take, task::Poll, time::Duration};

use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
    time::timeout,
};

use super::Failure;

/// How long a question that was broken off takes to let go of the terminal.
const SOON: Duration = Duration::from_millis(500);

/// The terminal, while it shows nothing of what is typed.
pub(super) struct Prompt {
    terminal: File,
    before: Termios,
    signals: Vec<Signal>,
}

impl Prompt {
    /// Takes the terminal that the command was started on.
    pub(super) fn open() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::Failed(format!("the terminal: {error}"));
        let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(failed)?;
        let before = tcgetattr(&terminal).map_err(|error| failed(error.into()))?;
        // Before anything is hidden: a signal that ends the process at once would leave it so.
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let signals = kinds.into_iter().map(signal).collect::<io::Result<_>>().map_err(failed)?;
        // As `rpassword` sets it for each question: between two of them nothing is shown, and no key means something else.
        let mut hidden = before.clone();
        hidden.local_flags.remove(LocalFlags::ECHO | LocalFlags::ECHONL | LocalFlags::ICANON | LocalFlags::ISIG);
        hidden.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        hidden.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(&terminal, SetArg::TCSAFLUSH, &hidden).map_err(|error| failed(error.into()))?;
        Ok(Self { terminal, before, signals })
    }

    /// What is typed after these words.
    pub(super) async fn ask(&mut self, words: String) -> Result<String, Failure> {
        let given_up = || Failure::Failed("no password was given: nothing was changed".into());
        let mut typed = spawn_blocking(move || rpassword::prompt_password(words));
        let answer = tokio::select! {
            answer = &mut typed => answer,
            () = any(&mut self.signals) => {
                // Ctrl-C is read as a letter, and ends the question by itself: then it is not in the way of what `drop` does.
                // A signal from elsewhere leaves it waiting for a line that never comes.
                drop(timeout(SOON, &mut typed).await);
                return Err(given_up());
            }
        };
        match answer.map_err(|error| Failure::Failed(error.to_string()))? {
            Ok(password) => Ok(password),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(given_up()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                // `rpassword` makes a signal of Ctrl-C as well, which may come after the answer. Left to whoever listens after this
                // question it would end the process before that has said why.
                timeout(SOON, any(&mut self.signals)).await.ok();
                Err(given_up())
            }
            Err(error) => Err(Failure::Failed(format!("the terminal: {error}"))),
        }
    }
}

/// Waits for any of them.
async fn any(signals: &mut [Signal]) {
    poll_fn(|context| match signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

impl Drop for Prompt {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        tcsetattr(&self.terminal, SetArg::TCSANOW, &self.before).ok();
        // What this process has listened to once does not end it by itself any more.
        let mut signals = take(&mut self.signals);
        tokio::spawn(async move {
            any(&mut signals).await;
            std::process::exit(1);
        });
    }
}
