//! Work on many devices: carried out in pieces, while its page says how far it is.
//!
//! ```text
//!   confirmed ──> begin ──> a piece of 500 rows ──done──> the next piece ... ──> ended
//!                              └─refused─> its rows one by one: those that cannot be are told, the others done
//! ```
//! Each order expects its device as it was when the work began, so nobody's change is undone unnoticed. The latest works are
//! kept, so that their pages survive a reload; a restart of the daemon ends those under way between two pieces, and forgets them.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;

use crate::{
    model::{
        Moment,
        command::{Line, Orders},
        reply::Reply,
    },
    serve::{
        Context,
        context::lock,
        roster::{ROWS_AT_ONCE, patiently},
    },
};

use super::{super::Trouble, act::why_not};

/// How many works are kept.
const KEPT: usize = 50;
/// How many may be under way at once: the engine has devices to serve.
const AT_ONCE: usize = 4;
/// How many rows that were not done are told one by one.
const TOLD: usize = 500;

/// What is to be done about one device or person.
#[derive(Debug, Clone)]
pub(super) struct Task {
    /// Whom it is about.
    pub(super) name: String,
    /// The orders.
    pub(super) lines: Vec<Line>,
}

/// A row that was not done.
#[derive(Debug, Clone, Serialize)]
pub(super) struct NotDone {
    /// Whom it is about.
    pub(super) name: String,
    /// Why.
    pub(super) why: String,
}

/// One work.
#[derive(Debug)]
pub(super) struct Work {
    /// The name of its page.
    pub(super) id: String,
    /// What it does.
    pub(super) title: String,
    /// Who wanted it.
    pub(super) by: String,
    /// When it began.
    pub(super) began: Moment,
    /// How many rows it has, those that were refused from the beginning among them.
    pub(super) total: usize,
    progress: Mutex<Progress>,
}

/// How far it is.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Progress {
    /// How many rows are done.
    pub(super) done: usize,
    /// How many could not be.
    pub(super) refused: usize,
    /// The first of them.
    pub(super) told: Vec<NotDone>,
    /// Why it broke off, if it did.
    pub(super) stopped: Option<String>,
}

impl Progress {
    fn refuse(&mut self, name: &str, why: String) {
        self.refused += 1;
        if self.told.len() < TOLD {
            self.told.push(NotDone { name: name.to_owned(), why });
        }
    }
}

impl Work {
    /// How far it is now.
    pub(super) fn progress(&self) -> Progress {
        lock(&self.progress).clone()
    }

    /// Whether there is nothing left to do.
    pub(super) fn is_over(&self) -> bool {
        let progress = lock(&self.progress);
        progress.stopped.is_some() || progress.done + progress.refused >= self.total
    }
}

/// The works of late, the newest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Works(Arc<Mutex<VecDeque<Arc<Work>>>>);

/// Makes the names of works differ that begin in the same millisecond.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Works {
    /// Begins one. What was refused beforehand is told with the rest.
    pub(super) fn begin(
        &self,
        context: &Context,
        (title, by): (String, String),
        tasks: Vec<Task>,
        refused: Vec<NotDone>,
    ) -> Result<Arc<Work>, Trouble> {
        let began = (context.clock)();
        let id = format!("{:x}-{}", began.as_millis(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut progress = Progress::default();
        for NotDone { name, why } in &refused {
            progress.refuse(name, why.clone());
        }
        let total = tasks.len() + refused.len();
        let work = Arc::new(Work { id, title, by, began, total, progress: Mutex::new(progress) });
        {
            let mut works = lock(&self.0);
            if works.iter().filter(|work| !work.is_over()).count() >= AT_ONCE {
                let help = "Wait until one of them is done: /devices/work lists them.";
                return Err(Trouble::bad(format!("{AT_ONCE} such works are under way already"), help));
            }
            works.push_front(work.clone());
            works.truncate(KEPT);
        }
        tokio::spawn(carry_out(context.clone(), work.clone(), tasks));
        Ok(work)
    }

    /// The one of this name.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Work>> {
        lock(&self.0).iter().find(|work| work.id == id).cloned()
    }

    /// All that are kept, the newest first.
    pub(super) fn all(&self) -> Vec<Arc<Work>> {
        lock(&self.0).iter().cloned().collect()
    }
}

async fn carry_out(context: Context, work: Arc<Work>, tasks: Vec<Task>) {
    for piece in tasks.chunks(ROWS_AT_ONCE) {
        let done = match told(&context, &work, piece).await {
            Ok(None) => {
                lock(&work.progress).done += piece.len();
                Ok(())
            }
            Ok(Some(_)) => one_by_one(&context, &work, piece).await,
            Err(stopped) => Err(stopped),
        };
        if let Err(stopped) = done {
            tracing::warn!(work = work.id, %stopped, "work on many devices broke off");
            lock(&work.progress).stopped = Some(stopped);
            return;
        }
    }
}

async fn one_by_one(context: &Context, work: &Work, piece: &[Task]) -> Result<(), String> {
    for task in piece {
        let refused = told(context, work, std::slice::from_ref(task)).await?;
        let mut progress = lock(&work.progress);
        match refused {
            None => progress.done += 1,
            Some(why) => progress.refuse(&task.name, why),
        }
    }
    Ok(())
}

/// Has tasks carried out, all or none: why none was, or why nobody answers any more.
async fn told(context: &Context, work: &Work, tasks: &[Task]) -> Result<Option<String>, String> {
    let lines = tasks.iter().flat_map(|task| task.lines.clone()).collect();
    let orders = Orders { by: work.by.clone(), key: None, said: None, lines };
    match patiently(context, orders).await {
        Ok(Reply::Rejected(why)) => Ok(Some(why_not(&why))),
        Ok(_) => Ok(None),
        Err(unavailable) => Err(unavailable.to_string()),
    }
}
