//! Who is signed in.
//!
//! Kept in memory, and in `sessions.json` of the state directory, for its owner only. What is there of a session's number is an
//! HMAC under a key that is derived from the daemon's: it opens nothing. A session ends when nobody was there for a while, and
//! after some days in any case; when somebody was there last is written down now and then, so a crash may cost a minute of it.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
    net::IpAddr,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::Mutex,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    model::{AccountName, Moment, Role, Seconds},
    serve::{context::lock, seed::SeedKey, token::mac},
};

use super::Settings;

/// How many there may be. With more, whoever was not there for longest is signed out.
const MOST: usize = 10_000;
/// How many one account may have, likewise: a script that signs in each time must not sign out others.
const MOST_EACH: usize = 50;
/// How often it is noted that somebody is there, and written down.
const NOTE: Seconds = Seconds(60);

/// What is kept of a session's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::serve::web) struct Id([u8; 32]);

/// Somebody who is signed in with one browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::serve::web) struct Session {
    /// Who.
    #[serde(flatten)]
    pub(in crate::serve::web) who: Who,
    /// Since when.
    pub(in crate::serve::web) began: Moment,
    /// When they were there last.
    pub(in crate::serve::web) seen: Moment,
    /// From which address they signed in.
    pub(in crate::serve::web) address: IpAddr,
    /// What their browser calls itself.
    pub(in crate::serve::web) agent: String,
}

/// Whom a session stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "who")]
pub(in crate::serve::web) enum Who {
    /// An account that was made here.
    Account {
        /// Its name.
        name: AccountName,
        /// What it was when they signed in: [`crate::model::Account::changed`].
        changed: u64,
    },
    /// Somebody of whom an issuer says who they are.
    Issuer {
        /// What it calls them.
        name: String,
        /// Its address: whoever came from one that is not configured any more is nobody.
        issuer: String,
        /// Its host, which stands behind their name.
        host: String,
        /// What they might do when they signed in.
        role: Role,
    },
}

impl Id {
    /// What it is called where it is shown: nothing follows from it.
    pub(in crate::serve::web) fn name(&self) -> String {
        self.0[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        URL_SAFE_NO_PAD.encode(id.0)
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        bytes.try_into().map(Self).map_err(|_| "this is no print of a session")
    }
}

/// Everybody who is signed in.
pub(in crate::serve::web) struct Sessions {
    key: [u8; 32],
    path: PathBuf,
    idle: Seconds,
    most: Seconds,
    held: Mutex<Held>,
    /// Held while the file is written, so that what was true last is what is there.
    writing: Mutex<()>,
}

#[derive(Default)]
struct Held {
    sessions: HashMap<Id, Session>,
    written: Moment,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    print: Id,
    #[serde(flatten)]
    session: Session,
}

impl Sessions {
    /// Reads who was signed in. A file that does not read costs a sign-in, and no more.
    pub(super) fn open(settings: &Settings, key: &SeedKey, now: Moment) -> Self {
        let path = settings.state_dir.join("sessions.json");
        let lines: Vec<Line> = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!("{} does not read ({error}): everybody signs in again", path.display());
                vec![]
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => vec![],
            Err(error) => {
                tracing::warn!("{} cannot be read ({error}): everybody signs in again", path.display());
                vec![]
            }
        };
        let sessions = lines.into_iter().map(|line| (line.print, line.session)).collect();
        let held = Mutex::new(Held { sessions, written: now });
        let key = key.derived("sessions of the pages");
        Self { key, path, idle: settings.idle, most: settings.most, held, writing: Mutex::default() }
    }

    fn id(&self, shown: &str) -> Id {
        Id(mac(&self.key, shown.as_bytes()))
    }

    fn holds(&self, session: &Session, now: Moment) -> bool {
        now < session.seen.plus(self.idle) && now < session.began.plus(self.most)
    }

    /// Begins a session. What is returned is its number, for the cookie, and nowhere else.
    pub(super) fn begin(&self, session: Session) -> String {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the kernel's random numbers are always to be had on Linux");
        let shown = URL_SAFE_NO_PAD.encode(bytes);
        let mut held = lock(&self.held);
        let now = session.began;
        held.sessions.retain(|_, session| self.holds(session, now));
        held.make_room(MOST_EACH, |other| other.who.is_same(&session.who));
        held.make_room(MOST, |_| true);
        held.sessions.insert(self.id(&shown), session);
        shown
    }

    /// The session with this number, if it holds; with `touch`, somebody is there.
    pub(super) fn find(&self, shown: &str, now: Moment, touch: bool) -> Option<(Id, Session)> {
        let id = self.id(shown);
        let mut held = lock(&self.held);
        let session = held.sessions.get_mut(&id)?;
        if !self.holds(session, now) {
            held.sessions.remove(&id);
            return None;
        }
        if touch && now >= session.seen.plus(NOTE) {
            session.seen = now;
        }
        Some((id, session.clone()))
    }

    /// Whether it is time to write down who was there.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        let mut held = lock(&self.held);
        let due = now >= held.written.plus(NOTE) && held.sessions.values().any(|session| session.seen > held.written);
        if due {
            held.written = now;
        }
        due
    }

    /// Ends those; how many there were.
    pub(super) fn end(&self, which: impl Fn(&Id, &Session) -> bool) -> usize {
        let mut held = lock(&self.held);
        let before = held.sessions.len();
        held.sessions.retain(|id, session| !which(id, session));
        before - held.sessions.len()
    }

    /// Those of them that hold, whoever was there last first.
    pub(in crate::serve::web) fn list(&self, now: Moment, which: impl Fn(&Session) -> bool) -> Vec<(Id, Session)> {
        let held = lock(&self.held);
        let mut found: Vec<(Id, Session)> = held
            .sessions
            .iter()
            .filter(|(_, session)| self.holds(session, now) && which(session))
            .map(|(id, session)| (*id, session.clone()))
            .collect();
        found.sort_by_key(|(_, session)| std::cmp::Reverse((session.seen, session.began)));
        found
    }

    /// Writes them down. Blocks: not on a thread that others wait for.
    pub(super) fn write(&self) {
        let _writing = lock(&self.writing);
        let lines: Vec<Line> = {
            let held = lock(&self.held);
            held.sessions.iter().map(|(id, session)| Line { print: *id, session: session.clone() }).collect()
        };
        if let Err(error) = self.put(&lines) {
            let path = self.path.display();
            tracing::warn!(
                "{path} cannot be written ({error}): after a restart, some sign in again, or are still signed in"
            );
        }
    }

    fn put(&self, lines: &[Line]) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(std::path::Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(&serde_json::to_vec(lines)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        fs::File::open(folder)?.sync_all()
    }
}

impl Held {
    /// Ends whoever was not there for longest, until one more of them may come.
    fn make_room(&mut self, most: usize, which: impl Fn(&Session) -> bool) {
        let mut those: Vec<(Moment, Id)> = self
            .sessions
            .iter()
            .filter(|(_, session)| which(session))
            .map(|(id, session)| (session.seen, *id))
            .collect();
        if those.len() < most {
            return;
        }
        those.sort_by_key(|(seen, _)| *seen);
        for (_, id) in &those[..=those.len() - most] {
            self.sessions.remove(id);
        }
    }
}

impl Who {
    /// Whether both are the same person, whatever has changed about them.
    pub(in crate::serve::web) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Account { name, .. }, Self::Account { name: other, .. }) => name == other,
            (Self::Issuer { .. }, Self::Issuer { .. }) => self.name() == other.name(),
            _ => false,
        }
    }

    /// Whether they are this account.
    pub(in crate::serve::web) fn is_account(&self, account: &AccountName) -> bool {
        matches!(self, Self::Account { name, .. } if name == account)
    }

    /// What they are called. No account that was made here has an `@`.
    pub(in crate::serve::web) fn name(&self) -> String {
        match self {
            Self::Account { name, .. } => name.to_string(),
            Self::Issuer { name, host, .. } => format!("{name}@{host}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(dir: &std::path::Path) -> Settings {
        let (idle, most) = (Seconds(100), Seconds(1000));
        Settings { state_dir: dir.to_owned(), url: "http://x".into(), proxied: false, idle, most, oidc: None }
    }

    fn session(name: &str, began: Moment) -> Session {
        let who = Who::Account { name: name.parse().expect("a name"), changed: 1 };
        Session { who, began, seen: began, address: [127, 0, 0, 1].into(), agent: String::new() }
    }

    #[test]
    fn a_session_ends_when_nobody_is_there_and_in_any_case() {
        let dir = tempfile::tempdir().expect("a folder");
        let sessions = Sessions::open(&settings(dir.path()), &SeedKey::new([1; 32]), Moment::from_millis(0));
        let at = |second: u64| Moment::from_millis(second * 1000);
        let (left, stays) = (sessions.begin(session("a", at(0))), sessions.begin(session("b", at(0))));
        for second in (60..960).step_by(60) {
            assert!(sessions.find(&stays, at(second), true).is_some(), "{second}");
            assert_eq!(sessions.find(&left, at(second), false).is_some(), second < 100, "asking is not being there");
        }
        assert_eq!(sessions.find(&stays, at(1000), true), None, "a thousand seconds are over");
        assert_eq!(sessions.find("", at(0), true), None);
    }

    #[test]
    fn who_is_signed_in_outlives_the_process_with_the_same_key_only_and_numbers_are_not_written() {
        let dir = tempfile::tempdir().expect("a folder");
        let (now, key) = (Moment::from_millis(1), SeedKey::new([1; 32]));
        let sessions = Sessions::open(&settings(dir.path()), &key, now);
        let shown = sessions.begin(session("a", now));
        sessions.write();
        let path = dir.path().join("sessions.json");
        let text = fs::read_to_string(&path).expect("it was written");
        assert!(text.contains("\"a\"") && !text.contains(&shown), "{text}");
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(Sessions::open(&settings(dir.path()), &key, now).find(&shown, now, true).is_some());
        assert!(Sessions::open(&settings(dir.path()), &SeedKey::new([2; 32]), now).find(&shown, now, true).is_none());
        fs::write(&path, "{").expect("it can be written");
        assert!(Sessions::open(&settings(dir.path()), &key, now).find(&shown, now, true).is_none());
    }

    #[test]
    fn an_account_has_so_many_and_signs_nobody_else_out() {
        let dir = tempfile::tempdir().expect("a folder");
        let sessions = Sessions::open(&settings(dir.path()), &SeedKey::new([1; 32]), Moment::from_millis(0));
        let other = sessions.begin(session("other", Moment::from_millis(0)));
        let many: Vec<String> =
            (1..=MOST_EACH as u64 + 10).map(|n| sessions.begin(session("script", Moment::from_millis(n)))).collect();
        let now = Moment::from_millis(99);
        let held: Vec<bool> = many.iter().map(|shown| sessions.find(shown, now, true).is_some()).collect();
        assert!(held[..10].iter().all(|held| !held) && held[10..].iter().all(|held| *held), "{held:?}");
        assert!(sessions.find(&other, now, true).is_some());
    }
}
