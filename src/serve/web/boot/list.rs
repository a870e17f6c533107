//! `GET /boots`: the latest attempts, page by page.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::{Deserialize, Serialize};

use crate::{
    model::{BootId, Firmware, MacAddr, Moment, PersonaName, Seconds, timeline::Boot},
    usage::{staging, timeline, waterfall::waterfall},
    world::World,
};

use super::{
    super::{frame::Section, word},
    Frame, Trouble, Visitor, Wants, Web,
    subject::{self, Piece, Subject, subject},
};

/// Attempts on a page.
const SHOWN: usize = 50;

/// The states that can be asked for, and what they are called.
const STATES: [(&str, &str); 8] = [
    ("under-way", "under way"),
    ("stuck", "stuck"),
    ("ready", "ready"),
    ("installed", "installed"),
    ("failed", "failed"),
    ("refused", "refused"),
    ("local-disk", "local disk"),
    ("restarted", "restarted"),
];

/// The spans that can be asked for.
const SPANS: [(&str, &str); 4] = [("15m", "15 minutes"), ("1h", "hour"), ("1d", "day"), ("7d", "week")];

/// What is asked for. Empty fields of the form mean nothing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    state: String,
    #[serde(default)]
    device: String,
    #[serde(default)]
    persona: String,
    #[serde(default)]
    firmware: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    q: String,
    /// The number of the record that began the last attempt of the page before.
    before: Option<u64>,
}

/// What is asked for, understood.
struct Filter {
    state: Option<String>,
    device: Option<MacAddr>,
    persona: Option<PersonaName>,
    firmware: Option<Firmware>,
    since: Option<Moment>,
    words: Vec<String>,
}

/// The page.
#[derive(Debug, Serialize)]
struct View {
    /// The attempts, the latest first.
    boots: Vec<Row>,
    /// How many fit in all.
    count: usize,
    /// How many are kept in all.
    kept: usize,
    /// Where the next page begins: `?before=`.
    next: Option<u64>,
}

/// An attempt.
#[derive(Debug, Serialize)]
struct Row {
    /// Its name.
    boot: BootId,
    #[serde(flatten)]
    subject: Subject,
    /// What began it.
    firmware: Firmware,
    /// The instruction set.
    arch: Option<String>,
    /// What it becomes, or would have.
    persona: Option<String>,
    /// Why, in a word.
    because: &'static str,
    /// Why, in a sentence.
    reason: String,
    /// How it stands.
    state: &'static str,
    #[serde(skip)]
    tone: &'static str,
    /// When it began.
    began: String,
    /// How long it took, or has been under way, in milliseconds.
    took_ms: u64,
    #[serde(skip)]
    took: String,
    /// How many of its files were at hand, of how many.
    staged: Option<(usize, usize)>,
    #[serde(skip)]
    pieces: Vec<Piece>,
}

impl Row {
    /// When it began, for people.
    fn clock(&self) -> String {
        word::clock(&self.began)
    }
}

#[derive(Template)]
#[template(path = "html/boots.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
    ask: &'a Ask,
    filtered: bool,
    next: Option<String>,
}

pub(super) async fn page(
    State(web): State<Web>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
    Query(ask): Query<Ask>,
) -> Result<Response, Trouble> {
    let filter = ask.understood(frame.now)?;
    let view = view(&web.context.engine.world(), &filter, ask.before, frame.now);
    let next = view.next.map(|before| format!("/boots?{}before={before}", ask.query()));
    wants.answer(&view, || Page {
        frame: frame.titled(Section::Boots, "Boots"),
        filtered: !ask.query().is_empty() || ask.before.is_some(),
        view: &view,
        ask: &ask,
        next,
    })
}

impl Ask {
    fn understood(&self, now: Moment) -> Result<Filter, Trouble> {
        fn read<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str, text: &str) -> Result<Option<T>, Trouble> {
            let bad =
                |error| Trouble::bad(format!("{name}: {error}"), "Take the filter out of the address, or correct it.");
            (!text.trim().is_empty()).then(|| text.trim().parse().map_err(bad)).transpose()
        }
        let state = (!self.state.is_empty()).then(|| self.state.clone());
        if let Some(unknown) = state.as_ref().filter(|state| STATES.iter().all(|(known, _)| known != state)) {
            let known: Vec<&str> = STATES.iter().map(|(known, _)| *known).collect();
            return Err(Trouble::bad(format!("state: `{unknown}` is none"), format!("One of {}.", known.join(", "))));
        }
        let since: Option<Seconds> = read("since", &self.since)?;
        let ago = |span: Seconds| Moment::from_millis(now.as_millis().saturating_sub(u64::from(span.0) * 1000));
        Ok(Filter {
            state,
            device: read("device", &self.device)?,
            persona: read("persona", &self.persona)?,
            firmware: read("firmware", &self.firmware)?,
            since: since.map(ago),
            words: self.q.split_whitespace().map(str::to_lowercase).collect(),
        })
    }

    /// The filters as a query that more can be put behind.
    fn query(&self) -> String {
        let fields = [
            ("state", &self.state),
            ("device", &self.device),
            ("persona", &self.persona),
            ("firmware", &self.firmware),
            ("since", &self.since),
            ("q", &self.q),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(fields.into_iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() { query } else { query + "&" }
    }
}

/// The page that begins before this record. Only its rows are made; the others are counted, and no more are kept than can be.
fn view(world: &World, filter: &Filter, before: Option<u64>, now: Moment) -> View {
    // A device that is not known has no boots.
    let device = filter.device.map(|mac| world.device_of(mac).map(|device| device.id));
    let boots = world.boot_order.iter().rev().filter_map(|(seq, id)| Some((*seq, world.boots.get(id)?)));
    let wanted = boots
        .take_while(|(_, boot)| filter.since.is_none_or(|since| boot.began >= since))
        .filter(|(_, boot)| device.is_none_or(|device| device == Some(boot.device)))
        .filter(|(_, boot)| filter.fits(world, boot));
    let (mut rows, mut count, mut last, mut more) = (vec![], 0, None, false);
    for (seq, boot) in wanted {
        count += 1;
        if before.is_some_and(|before| seq >= before) {
            continue;
        }
        if rows.len() < SHOWN {
            rows.push(row(world, boot, now));
            last = Some(seq);
        } else {
            more = true;
        }
    }
    View { boots: rows, count, kept: world.boots.size(), next: last.filter(|_| more) }
}

impl Filter {
    fn fits(&self, world: &World, boot: &Boot) -> bool {
        self.state.as_ref().is_none_or(|state| *state == subject::state_word(boot))
            && self.firmware.is_none_or(|firmware| firmware == boot.firmware)
            && self.persona.as_ref().is_none_or(|persona| subject::persona(boot).as_deref() == Some(persona.as_str()))
            && (self.words.is_empty() || self.says(world, boot))
    }

    /// Whether every word is in something that is known of the attempt or its device.
    fn says(&self, world: &World, boot: &Boot) -> bool {
        let mut all = format!("{} {} {}", boot.id, timeline::state(boot), timeline::reason(boot));
        let whose = subject(world, boot);
        for text in [Some(whose.device), whose.name, whose.role, whose.model].into_iter().flatten() {
            all.push(' ');
            all.push_str(&text);
        }
        if let Some(device) = world.devices.get(&boot.device) {
            let serial = device.hardware.serial.iter().chain(&device.hardware.asset).map(String::as_str);
            let attributes = device.attributes.values().map(|value| value.as_str());
            serial.chain(attributes).for_each(|text| {
                all.push(' ');
                all.push_str(text);
            });
        }
        let all = all.to_lowercase();
        self.words.iter().all(|word| all.contains(word))
    }
}

fn row(world: &World, boot: &Boot, now: Moment) -> Row {
    let took = timeline::took(boot, now);
    Row {
        boot: boot.id,
        subject: subject(world, boot),
        firmware: boot.firmware,
        arch: boot.arch.map(|arch| arch.to_string()),
        persona: subject::persona(boot),
        because: subject::because(boot),
        reason: timeline::reason(boot),
        state: timeline::state(boot),
        tone: subject::tone(boot),
        began: boot.began.to_string(),
        took_ms: took.0,
        took: took.to_string(),
        staged: staging::at_hand(boot),
        pieces: subject::pieces(&waterfall(boot, now)),
    }
}
