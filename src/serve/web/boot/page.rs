//! `GET /boots/ID`: one attempt, with everything that is known of it.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        BootId, Firmware, Millis, Moment,
        lease::LeaseState,
        timeline::{Boot, Stage},
    },
    serve::{capture, console::Heard},
    usage::{
        cause::{Case, Cause, causes},
        staging,
        timeline::{self, Line},
        waterfall::{Bar, Kind, Row, Waterfall, ticks, waterfall},
    },
    world::{Ground, World},
};

use super::{
    super::{frame::Section, word},
    Frame, Trouble, Visitor, Wants, Web,
    decision::{Considered, considered},
    packet::{self, Shown},
    served::{Served, served},
    subject::{self, Piece, Subject, place, subject},
};

/// Packets on one page: each may have sixty fields.
const PACKETS: usize = 10;
/// Lines of the console on a page: the latest. Its twin has all.
const LINES: usize = 200;
/// How many attempts before this one patterns may look at.
const EARLIER: usize = 8;

/// Which of the attempt's packets are shown.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Ask {
    /// How many are passed over.
    #[serde(default)]
    skip: usize,
}

/// The page.
#[derive(Debug, Serialize)]
struct View {
    /// Its name.
    boot: BootId,
    #[serde(flatten)]
    subject: Subject,
    /// What began it.
    firmware: Firmware,
    /// The instruction set.
    arch: Option<String>,
    /// How it stands.
    state: &'static str,
    #[serde(skip)]
    tone: &'static str,
    /// Whether it goes on.
    open: bool,
    /// When it began.
    began: String,
    /// When it took its latest step.
    last: String,
    /// How long it took, or has been under way, in milliseconds.
    took_ms: u64,
    #[serde(skip)]
    took: String,
    /// What it becomes, and why.
    reason: String,
    /// The persona that it becomes.
    persona: Option<String>,
    /// Which version of it.
    version: Option<String>,
    /// Who was asked for a persona, and what they said.
    considered: Vec<Considered>,
    /// How many of its files were at hand, of how many.
    staged: Option<(usize, usize)>,
    /// Each of them in words.
    staged_files: Vec<String>,
    /// Why it is stuck, or went wrong.
    causes: Vec<Cause>,
    /// It, drawn.
    waterfall: Waterfall,
    /// Every step.
    steps: Vec<Line>,
    /// What was said on the wire.
    packets: Vec<Shown>,
    /// What it was given to read.
    served: Served,
    /// What it said while it booted; `None` when nobody listens.
    console: Option<Vec<Said>>,
}

impl View {
    fn began_clock(&self) -> String {
        word::clock(&self.began)
    }

    fn last_clock(&self) -> String {
        word::clock(&self.last)
    }

    /// As much of a version as people say.
    fn short_version(&self) -> &str {
        let version = self.version.as_deref().unwrap_or_default();
        version.get(..10).unwrap_or(version)
    }
}

/// A line of a console.
#[derive(Debug, Serialize)]
struct Said {
    /// Since the attempt began, in milliseconds.
    at_ms: u64,
    /// How bad it is.
    level: &'static str,
    #[serde(skip)]
    bad: bool,
    /// The program.
    tag: String,
    /// What it said.
    text: String,
}

impl Said {
    /// When, for people.
    fn offset(&self) -> String {
        Millis(self.at_ms).to_string()
    }
}

/// A mark on the axis of the waterfall.
struct Tick {
    /// Where it stands.
    x: u64,
    /// What it says.
    mark: String,
}

impl Tick {
    /// Where it stands, of a hundred.
    fn percent(&self) -> String {
        format!("{}.{}", self.x / 10, self.x % 10)
    }

    /// Which end of its text stands there: none hangs over the edge.
    fn anchor(&self) -> &'static str {
        match self.x {
            0..=30 => "start",
            930.. => "end",
            _ => "middle",
        }
    }
}

/// A row of the waterfall, measured.
struct Drawn<'a> {
    row: &'a Row,
    pieces: Vec<Piece>,
}

#[derive(Template)]
#[template(path = "html/boot.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
    rows: Vec<Drawn<'a>>,
    /// Where the marks on the axis stand, and what they say.
    ticks: Vec<Tick>,
    kinds: [Kind; 6],
    /// How many packets are passed over, and where the pages beside this one begin.
    skip: usize,
    before: Option<usize>,
    after: Option<usize>,
    lines: &'a [Said],
}

impl Page<'_> {
    fn made_up(&self) -> String {
        capture::made_up()
    }

    fn shown(&self) -> &[Shown] {
        let packets = &self.view.packets;
        &packets[self.skip.min(packets.len())..(self.skip + PACKETS).min(packets.len())]
    }
}

/// The attempt with this name. One that is not at hand any more is in the journal.
pub(super) fn find<'a>(world: &'a World, name: &str) -> Result<&'a Boot, Trouble> {
    let id: BootId = name.parse().map_err(|_| Trouble::not_found("boot", name))?;
    world.boots.get(&id).ok_or_else(|| {
        let why = format!("The last {} attempts are at hand, and {id} is not one of them.", World::MAX_BOOTS);
        let help = format!(
            "If there was such a boot, its facts are in the journal: greenroom journal export | jq 'select(.boot == \"{id}\")'"
        );
        Trouble::new(StatusCode::NOT_FOUND, "That boot is not at hand", why, help)
    })
}

pub(super) async fn page(
    State(web): State<Web>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
    Path(name): Path<String>,
    Query(ask): Query<Ask>,
) -> Result<Response, Trouble> {
    let world = web.context.engine.world();
    let boot = find(&world, &name)?;
    let id = boot.id;
    let served = web.blocking(move |web| Ok(served(&web.context, id))).await?;
    let view = view(&web, &world, boot, served, frame.now);
    wants.answer(&view, || {
        let title = format!("Boot {id} of {}", view.subject.name.as_deref().unwrap_or(&view.subject.device));
        let whole = view.waterfall.whole.0;
        let console = view.console.as_deref().unwrap_or_default();
        let skip = ask.skip.min(view.packets.len().saturating_sub(1));
        Page {
            frame: frame.titled(Section::Boots, title),
            rows: view.waterfall.rows.iter().map(|row| drawn(row, whole)).collect(),
            ticks: ticks(view.waterfall.whole).into_iter().map(|at| tick(at, whole)).collect(),
            kinds: Kind::ALL,
            skip,
            before: (skip > 0).then(|| skip.saturating_sub(PACKETS)),
            after: (skip + PACKETS < view.packets.len()).then_some(skip + PACKETS),
            lines: &console[console.len().saturating_sub(LINES)..],
            view: &view,
        }
    })
}

fn view(web: &Web, world: &World, boot: &Boot, served: Served, now: Moment) -> View {
    let persona = boot.kernel.as_ref().map(|kernel| &kernel.persona);
    let took = timeline::took(boot, now);
    let packets = packet::packets(web, world, boot);
    let console = &web.context.console;
    View {
        boot: boot.id,
        subject: subject(world, boot),
        firmware: boot.firmware,
        arch: boot.arch.map(|arch| arch.to_string()),
        state: timeline::state(boot),
        tone: subject::tone(boot),
        open: boot.stage != Stage::Ended,
        began: boot.began.to_string(),
        last: boot.last.to_string(),
        took_ms: took.0,
        took: took.to_string(),
        reason: timeline::reason(boot),
        persona: persona.map(|persona| persona.name.to_string()),
        version: persona.map(|persona| persona.version.as_str().to_owned()),
        considered: considered(boot),
        staged: staging::at_hand(boot),
        staged_files: staging::files(boot).into_iter().flatten().map(ToString::to_string).collect(),
        causes: diagnosed(world, &web.context.engine.ground(), boot, now),
        waterfall: waterfall(boot, now),
        steps: timeline::lines(boot),
        packets: (1..).zip(&packets).map(|(number, packet)| packet::shown(number, packet, boot.began)).collect(),
        served,
        console: console.is_open().then(|| said(&console.of(boot.device.mac(), boot.id), boot.began)),
    }
}

/// Why it is where it is.
fn diagnosed(world: &World, ground: &Ground, boot: &Boot, now: Moment) -> Vec<Cause> {
    let device = world.devices.get(&boot.device);
    let ports = device.map_or_else(|| vec![boot.device.mac()], |device| device.macs.clone());
    let leases = ports.iter().flat_map(|port| world.leases.of(*port));
    let declined: Vec<_> =
        leases.filter(|lease| lease.state == LeaseState::Declined && now < lease.until).map(|lease| lease.ip).collect();
    let visits = device.into_iter().flat_map(|device| device.visits.iter().rev());
    let earlier: Vec<&Boot> = visits
        .filter_map(|visit| world.boots.get(&visit.boot))
        .filter(|earlier| earlier.began < boot.began)
        .take(EARLIER)
        .collect();
    causes(&Case { boot, device, site: &ground.site, declined: &declined, earlier: &earlier, now })
}

fn said(lines: &[Heard], began: Moment) -> Vec<Said> {
    let said = |heard: &Heard| Said {
        at_ms: heard.at.since(began).0,
        level: heard.line.level(),
        bad: heard.line.is_bad(),
        tag: heard.line.tag.clone(),
        text: heard.line.text.clone(),
    };
    lines.iter().map(said).collect()
}

fn drawn(row: &Row, whole: u64) -> Drawn<'_> {
    /// A moment is as wide as this.
    const LEAST: u64 = 5;
    let class = |bad: bool| if bad || row.bad && row.bars.len() == 1 { "fall-trouble" } else { row.kind.class() };
    let piece = |bar: &Bar| {
        let (x, width) = place(bar.start.0, bar.end.0, whole, LEAST);
        Piece { x, width, class: class(bar.bad) }
    };
    Drawn { row, pieces: row.bars.iter().map(piece).collect() }
}

fn tick(at: Millis, whole: u64) -> Tick {
    Tick { x: place(at.0, at.0, whole, 0).0, mark: short(at) }
}

/// What a mark on the axis says: `0`, `500 ms`, `20 s`, `5 min`.
fn short(at: Millis) -> String {
    match at.0 {
        0 => "0".into(),
        ms if ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}
