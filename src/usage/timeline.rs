//! An attempt as lines that a person reads: when, what, how long, how much.

use serde::Serialize;

use crate::model::{
    Bytes, Decision, Millis, Moment,
    timeline::{Boot, Moved, Outcome, Phase, Report, Stage, Step, Transfer},
    trouble,
};

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Time since the attempt began.
    pub offset: Millis,
    /// What happened, in a word.
    pub what: &'static str,
    /// The particulars.
    pub detail: String,
    /// How long it took, for transfers.
    pub took: Option<Millis>,
    /// Where the step ends, in percent of the attempt: for bars.
    pub end_percent: u8,
    /// Where the step begins, likewise.
    pub start_percent: u8,
    /// Whether it is bad news.
    pub bad: bool,
}

/// The lines of an attempt. Steps that repeat one another (a client that asks twice) are told once, with their number.
pub fn lines(boot: &Boot) -> Vec<Line> {
    let whole = boot.last.since(boot.began).0.max(1);
    let percent = |at: Millis| u8::try_from((at.0 * 100 / whole).min(100)).unwrap_or(100);
    let mut lines: Vec<Line> = vec![];
    let mut repeats = 1;
    let mut before: Option<&Step> = None;
    for Moved { at, step } in &boot.steps {
        let offset = at.since(boot.began);
        let (what, detail, took, bad) = told(step);
        if before == Some(step)
            && let Some(line) = lines.last_mut()
        {
            repeats += 1;
            line.detail = format!("{detail} (x{repeats})");
            continue;
        }
        repeats = 1;
        before = Some(step);
        let start = Millis(offset.0.saturating_sub(took.map_or(0, |took| took.0)));
        lines.push(Line {
            offset,
            what,
            detail,
            took,
            start_percent: percent(start),
            end_percent: percent(offset),
            bad,
        });
    }
    lines
}

fn told(step: &Step) -> (&'static str, String, Option<Millis>, bool) {
    let to = |ip: &Option<std::net::Ipv4Addr>, bootfile: &Option<String>| {
        let parts = [ip.map(|ip| ip.to_string()), bootfile.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", boot ")
    };
    match step {
        Step::Discover { firmware } => ("discover", format!("by {firmware}"), None, false),
        Step::Offer { ip, bootfile } => ("offer", to(ip, bootfile), None, false),
        Step::Ack { ip, bootfile } => ("ack", to(ip, bootfile), None, false),
        Step::Nbp { name, transfer } => {
            ("nbp", format!("{name}, {}", moved(*transfer)), Some(transfer.took), !transfer.is_whole())
        }
        Step::Script { decision } => ("script", decided(decision), None, matches!(decision, Decision::Refuse { .. })),
        Step::Staged { files } => {
            let told: Vec<String> = files.iter().map(ToString::to_string).collect();
            ("staged", told.join("; "), None, false)
        }
        Step::Blob { role, tier, transfer, .. } => {
            (role.name(), format!("{} from {tier}", moved(*transfer)), Some(transfer.took), !transfer.is_whole())
        }
        Step::NoBlob { role, why, .. } => (role.name(), format!("not to be had: {}", trouble::all(why)), None, true),
        Step::GaveUp => ("gave up", "it did not load; the device goes on to its disk".into(), None, true),
        Step::Seed { name } => ("seed", name.clone(), None, false),
        Step::Report(report) => {
            let bad = report.checks.iter().any(|check| !check.ok) || report.phase == Phase::Failed;
            ("report", reported(report), None, bad)
        }
        Step::Refused { why } => ("refused", why.to_string(), None, true),
        Step::Stuck { silent } => ("stuck", format!("nothing was heard for {silent}"), None, true),
    }
}

fn moved(transfer: Transfer) -> String {
    let rate = match transfer.took.0 {
        0 => String::new(),
        ms => format!(", {}/s", Bytes(transfer.bytes.0 * 1000 / ms)),
    };
    match transfer.is_whole() {
        true => format!("{}{rate}", transfer.bytes),
        false => format!("{} of {} (broken off){rate}", transfer.bytes, transfer.of),
    }
}

/// What was decided, and why, in one line.
pub fn decided(decision: &Decision) -> String {
    match decision {
        Decision::Become { persona, reason, armed: None } => format!("become {persona}: {reason}"),
        Decision::Become { persona, reason, armed: Some(armed) } => format!("become {persona}: {reason}, {armed}"),
        Decision::LocalDisk { reason } => format!("boot the disk: {reason}"),
        Decision::Refuse { why } => format!("nothing: {why}"),
    }
}

fn reported(report: &Report) -> String {
    let held = report.checks.iter().filter(|check| check.ok).count();
    let mut parts = vec![report.phase.to_string()];
    parts.extend(report.hostname.clone());
    parts.extend(report.cloud_init.as_ref().map(|status| format!("cloud-init {status}")));
    if !report.checks.is_empty() {
        parts.push(format!("{held} of {} promises hold", report.checks.len()));
    }
    parts.extend(
        report.checks.iter().filter(|check| !check.ok).map(|check| format!("not {}: {}", check.name, check.saw)),
    );
    parts.extend(report.message.clone());
    parts.join(", ")
}

/// How an attempt stands, in a word or two.
pub fn state(boot: &Boot) -> &'static str {
    match (boot.stage, boot.outcome) {
        (Stage::Ended, Some(outcome)) => outcome.name(),
        _ => "under way",
    }
}

/// Why it does what it does, as far as it has come. An attempt that was refused before its script has no decision: then
/// the refusal says why. One that gave up has both: what it should have become, and why it did not.
pub fn reason(boot: &Boot) -> String {
    let refused = || {
        boot.steps.iter().rev().find_map(|moved| match &moved.step {
            Step::Refused { why } if boot.outcome == Some(Outcome::Refused) => Some(format!("nothing: {why}")),
            _ => None,
        })
    };
    let not_loaded = || {
        let gave_up = boot.steps.iter().any(|moved| moved.step == Step::GaveUp);
        boot.steps.iter().rev().find_map(|moved| match &moved.step {
            Step::NoBlob { role, why, .. } if gave_up => {
                Some(format!("; the {role} was not to be had: {}", trouble::all(why)))
            }
            _ => None,
        })
    };
    let decided = boot.decision.as_ref().map(|decision| decided(decision) + &not_loaded().unwrap_or_default());
    decided.or_else(refused).unwrap_or_default()
}

/// How long it took, or has been under way.
pub fn took(boot: &Boot, now: Moment) -> Millis {
    match boot.stage {
        Stage::Ended => boot.last.since(boot.began),
        _ => now.since(boot.began),
    }
}

/// One step: what happened, in a word, and the particulars.
pub fn step(step: &Step) -> (&'static str, String) {
    let (what, detail, _, _) = told(step);
    (what, detail)
}
