//! Why an attempt did not come to its end, and what to do: a table of known patterns, held against what was heard of it.
//!
//! ```text
//!   firmware: no offer, or it is not taken │ NBP: not asked for, broken off, not run, run for ever │ iPXE: no address, no script
//!   image: not asked for, broken off, not to be had │ kernel: silent │ seed: not asked for │ system: no word, bad word
//! ```
//! A pattern says how sure it is: what the device or the server said itself is certain; what follows from silence is only likely,
//! or possible. Evidence is what was seen, so that whoever reads it can judge. Nothing is told of an attempt that is well.

mod firmware;
mod image;
mod refusal;
mod system;

use std::net::Ipv4Addr;

use serde::Serialize;

use crate::model::{
    Device, Firmware, Millis, Moment,
    site::Site,
    timeline::{Boot, Outcome, Report, Stage, Step},
};

/// What patterns are held against.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The attempt.
    pub boot: &'a Boot,
    /// Whose it is, as it is known now.
    pub device: Option<&'a Device>,
    /// The place.
    pub site: &'a Site,
    /// Addresses that the device found to be in use by others.
    pub declined: &'a [Ipv4Addr],
    /// The device's attempts before this one, the latest first.
    pub earlier: &'a [&'a Boot],
    /// The time.
    pub now: Moment,
}

/// How sure a cause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sure {
    /// It was said.
    Certain,
    /// It mostly is when this is seen.
    Likely,
    /// It can be.
    Possible,
}

impl Sure {
    /// The word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// In a sentence.
    pub text: String,
    /// The command, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Remedy {
    /// The sentence in parts: those that are written as code stand between backticks.
    pub fn parts(&self) -> impl Iterator<Item = (bool, &str)> {
        self.text.split('`').enumerate().map(|(at, part)| (at % 2 == 1, part)).filter(|(_, part)| !part.is_empty())
    }
}

/// Why it is stuck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Its name, for programs and tests.
    pub code: &'static str,
    /// In a few words.
    pub title: String,
    /// How sure it is.
    pub sure: Sure,
    /// What it means, in a sentence or two.
    pub why: String,
    /// What to do, the most promising first.
    pub remedies: Vec<Remedy>,
    /// What was seen.
    pub evidence: Vec<String>,
}

impl Cause {
    fn new(code: &'static str, sure: Sure, title: impl Into<String>, why: impl Into<String>) -> Self {
        Self { code, title: title.into(), sure, why: why.into(), remedies: vec![], evidence: vec![] }
    }

    fn saw(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    fn saw_all(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    fn try_(mut self, text: impl Into<String>) -> Self {
        self.remedies.push(Remedy { text: text.into(), command: None });
        self
    }

    fn run(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.remedies.push(Remedy { text: text.into(), command: Some(command.into()) });
        self
    }
}

/// A pattern: the cause, when it fits.
type Pattern = fn(&Case<'_>) -> Option<Cause>;

/// The table.
const PATTERNS: &[Pattern] = &[
    refusal::refused,
    image::not_to_be_had,
    image::gave_up,
    system::said_to_fail,
    system::said_in_its_words,
    firmware::no_offer,
    firmware::offer_not_taken,
    firmware::proxy_alone,
    firmware::nbp_not_asked,
    firmware::nbp_broken_off,
    firmware::nbp_loop,
    firmware::nbp_not_run,
    firmware::ipxe_without_address,
    firmware::ipxe_without_script,
    firmware::address_in_use,
    image::kernel_not_asked,
    image::broken_off,
    image::too_little_memory,
    image::rootfs_not_asked,
    system::kernel_silent,
    system::seed_not_asked,
    system::no_report,
    system::installer_silent,
    system::restarts_for_ever,
    system::promise_not_held,
];

/// More are of no help.
const MOST: usize = 4;

/// How long an attempt may be silent, before and after its kernel runs, before anybody wonders.
const QUIET: Millis = Millis(20_000);
const QUIET_SYSTEM: Millis = Millis(180_000);

/// Why this attempt is where it is, the surest first; nothing when it is well, or too young to tell.
pub fn causes(case: &Case<'_>) -> Vec<Cause> {
    let mut found: Vec<Cause> = PATTERNS.iter().filter_map(|pattern| pattern(case)).collect();
    found.sort_by_key(|cause| cause.sure);
    found.truncate(MOST);
    found
}

impl<'a> Case<'a> {
    /// Whether it hangs: it was given up, restarted before its end, or has been silent for long.
    fn hangs(&self) -> bool {
        match (self.boot.stage, self.boot.outcome) {
            (Stage::Ended, outcome) => matches!(outcome, Some(Outcome::Stuck | Outcome::Restarted)),
            (Stage::Loading, _) => self.silent() >= QUIET_SYSTEM,
            _ => self.silent() >= QUIET,
        }
    }

    /// For how long nothing was heard.
    fn silent(&self) -> Millis {
        let given_up = self.boot.steps.iter().rev().find_map(|moved| match moved.step {
            Step::Stuck { silent } => Some(silent),
            _ => None,
        });
        match self.boot.stage {
            Stage::Ended => given_up.unwrap_or_default(),
            _ => self.now.since(self.boot.last),
        }
    }

    /// What the silence looks like, as evidence.
    fn silence(&self) -> Option<String> {
        let silent = self.silent();
        match (self.boot.outcome, silent.0) {
            (Some(Outcome::Restarted), _) => Some("then the device began another attempt".into()),
            (_, 0) => None,
            _ => Some(format!("then nothing was heard for {silent}")),
        }
    }

    fn steps(&self) -> impl DoubleEndedIterator<Item = &'a Step> + use<'a> {
        self.boot.steps.iter().map(|moved| &moved.step)
    }

    fn count(&self, wanted: impl Fn(&Step) -> bool) -> usize {
        self.steps().filter(|step| wanted(step)).count()
    }

    fn has(&self, wanted: impl Fn(&Step) -> bool) -> bool {
        self.steps().any(wanted)
    }

    /// How often the firmware asked for an address.
    fn discovers(&self, by: impl Fn(Firmware) -> bool) -> usize {
        self.count(|step| matches!(step, Step::Discover { firmware } if by(*firmware)))
    }

    /// The latest report.
    fn report(&self) -> Option<&'a Report> {
        self.steps().rev().find_map(|step| match step {
            Step::Report(report) => Some(report),
            _ => None,
        })
    }

    /// Whether a script was delivered.
    fn scripted(&self) -> bool {
        self.boot.decision.is_some()
    }

    /// Whether what runs is iPXE, from a ROM or because it was chainloaded and spoke.
    fn ipxe_speaks(&self) -> bool {
        self.boot.firmware.is_ipxe() || self.discovers(Firmware::is_ipxe) > 0
    }

    /// The device's first port, for commands.
    fn mac(&self) -> String {
        self.boot.device.to_string()
    }

    /// Where the device is, in words that help to find it.
    fn place(&self) -> String {
        let link = self.device.map(|device| device.link.clone()).unwrap_or_default();
        match (link.remote, link.circuit, link.relay, link.interface) {
            (Some(switch), Some(port), ..) => format!("on port {port} of {switch}"),
            (_, Some(port), ..) => format!("on port {port}"),
            (.., Some(relay), _) => format!("behind the relay {relay}"),
            (.., Some(interface)) => format!("on {interface}"),
            _ => "on its network".into(),
        }
    }
}
