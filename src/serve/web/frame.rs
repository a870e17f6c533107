//! What stands around every page: its title, the way to the others, who is signed in, what was just done.

use std::{borrow::Borrow, fmt::Display};

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::model::{Moment, Role};

use super::{Trouble, Visitor, Web, asset, notice::Notice, word};

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

    /// A moment, to the second.
    pub(super) fn clock(&self, moment: impl Display) -> String {
        word::clock(moment)
    }

    /// So many of something: `1 image`, `300 images`.
    pub(super) fn count(&self, count: &usize, one: &str) -> String {
        word::count(*count, one)
    }

    /// A sentence, with the moments in it as pages show moments.
    pub(super) fn prose(&self, text: impl Display) -> word::Prose {
        word::Prose(text.to_string())
    }

    /// The same for a title, which is text only.
    pub(super) fn clocked(&self, text: impl Display) -> String {
        word::clocked(&text.to_string())
    }

    /// Whether whoever looks may see who did what.
    pub(super) fn governs(&self) -> bool {
        self.visitor.as_ref().is_some_and(|visitor| visitor.role >= Role::Admin)
    }

    /// How long ago something was, as people say it. Templates have moments by value and by reference.
    pub(super) fn ago(&self, then: impl Borrow<Moment>) -> String {
        word::ago(*then.borrow(), self.now)
    }

    /// When something will be, likewise.
    pub(super) fn left(&self, then: impl Borrow<Moment>) -> String {
        word::left(*then.borrow(), self.now)
    }

    /// What a page about something that went wrong stands in.
    pub(super) fn around_trouble(visitor: Option<Visitor>, title: String, now: Moment) -> Self {
        Self { title, section: None, visitor, notice: None, now }
    }
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
