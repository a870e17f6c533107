//! What stands around every page: its title, the way to the others, who is signed in, what was just done.

use std::borrow::Borrow;

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::model::{Millis, Moment, Role};

use super::{Trouble, Visitor, Web, asset, notice::Notice};

/// The parts of the house that have a page of their own in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Where everything begins.
    Overview,
    /// Machines.
    Devices,
    /// Attempts.
    Boots,
    /// What machines become.
    Personas,
    /// Images, the cache and staging.
    Images,
    /// What was learned.
    Predictions,
    /// Who did what.
    Audit,
    /// Who may sign in.
    Accounts,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Overview,
        Self::Devices,
        Self::Boots,
        Self::Personas,
        Self::Images,
        Self::Predictions,
        Self::Audit,
        Self::Accounts,
    ];

    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Devices => "Devices",
            Self::Boots => "Boots",
            Self::Personas => "Personas",
            Self::Images => "Images",
            Self::Predictions => "Predictions",
            Self::Audit => "Audit",
            Self::Accounts => "Accounts",
        }
    }

    /// Where it is.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Devices => "/devices",
            Self::Boots => "/boots",
            Self::Personas => "/personas",
            Self::Images => "/images",
            Self::Predictions => "/predictions",
            Self::Audit => "/audit",
            Self::Accounts => "/accounts",
        }
    }

    /// Who may see it.
    const fn needs(self) -> Role {
        match self {
            Self::Audit | Self::Accounts => Role::Admin,
            _ => Role::Viewer,
        }
    }
}

/// What `html/frame.html` shows. Taken by a handler as an argument, then given a section and a title.
pub(super) struct Frame {
    /// What the page is called.
    pub(super) title: String,
    /// Where it belongs.
    pub(super) section: Option<Section>,
    /// Who looks.
    pub(super) visitor: Option<Visitor>,
    /// What was just done, said once.
    pub(super) notice: Option<Notice>,
    /// The time of the answer.
    pub(super) now: Moment,
}

impl Frame {
    /// In this section, with this title.
    pub(super) fn titled(self, section: Section, title: impl Into<String>) -> Self {
        Self { section: Some(section), title: title.into(), ..self }
    }

    /// Where a file of `static/` is.
    pub(super) fn asset(&self, file: &str) -> String {
        format!("{}/{file}", *asset::PLACE)
    }

    /// What the navigation shows whoever looks.
    pub(super) fn sections(&self) -> impl Iterator<Item = Section> {
        let role = self.visitor.as_ref().map(|visitor| visitor.role);
        Section::ALL.into_iter().filter(move |section| role.is_some_and(|role| role >= section.needs()))
    }

    /// Whether this is the section that the page belongs to.
    pub(super) fn is_here(&self, section: &Section) -> bool {
        self.section == Some(*section)
    }

    /// Whether whoever looks may operate devices.
    pub(super) fn operates(&self) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.role >= Role::Operator)
    }

    /// Whether whoever looks may write personas.
    pub(super) fn writes(&self) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.role >= Role::Author)
    }

    /// Whether whoever looks may see who did what.
    pub(super) fn governs(&self) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.role >= Role::Admin)
    }

    /// How long ago something was, as people say it. Templates have moments by value and by reference.
    pub(super) fn ago(&self, then: impl Borrow<Moment>) -> String {
        match span(self.now.since(*then.borrow())) {
            Some(span) => format!("{span} ago"),
            None => "just now".into(),
        }
    }

    /// When something will be, likewise.
    pub(super) fn left(&self, then: impl Borrow<Moment>) -> String {
        span(then.borrow().since(self.now)).map_or_else(|| "now".into(), |span| format!("in {span}"))
    }

    /// What a page about something that went wrong stands in.
    pub(super) fn around_trouble(visitor: Option<Visitor>, title: String, now: Moment) -> Self {
        Self { title, section: None, visitor, notice: None, now }
    }
}

/// A time in the largest unit of which there are two, or one that reads well; nothing when it is hardly any.
fn span(Millis(millis): Millis) -> Option<String> {
    Some(match millis / 1000 {
        0..10 => return None,
        seconds @ 10..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds.div_ceil(86_400)),
    })
}

impl FromRequestParts<Web> for Frame {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Trouble> {
        Ok(Self {
            title: String::new(),
            section: None,
            visitor: parts.extensions.get().cloned(),
            notice: Notice::of(&parts.headers),
            now: (web.context.clock)(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let said = |seconds: u64| span(Millis(seconds * 1000)).unwrap_or_default();
        let all = [9, 10, 119, 120, 7199, 7200, 172_799, 172_800, 90 * 86_400 - 2].map(said);
        assert_eq!(all, ["", "10 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 days", "90 days"]);
    }
}
