//! What the filter finds, as a file: CSV for spreadsheets, JSON lines for programs. It is read from the journal as it is sent,
//! so a long one takes no memory; at most [`MOST`] acts.

use std::io;

use axum::{
    body::{Body, Bytes},
    extract::{RawQuery, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::task::spawn_blocking;

use crate::{
    model::Role,
    serve::{
        Context,
        audit::{self, Act, Ask},
    },
};

use super::{Trouble, Visitor, Web, ask::Asked};

/// How many acts a file has at the most.
const MOST: usize = 100_000;

/// How many acts are read at a time.
const A_TURN: usize = 1000;

/// A form that acts are written in.
type Write = fn(&[Act]) -> Result<Vec<u8>, io::Error>;

/// `GET /audit/export.csv`
pub(super) async fn csv(state: State<Web>, query: RawQuery, visitor: Visitor) -> Result<Response, Trouble> {
    let head = "number,time,who,fact,what,details\n";
    sent(state, query, &visitor, ("text/csv; charset=utf-8", "audit.csv"), (head, as_csv))
}

/// `GET /audit/export.jsonl`
pub(super) async fn lines(state: State<Web>, query: RawQuery, visitor: Visitor) -> Result<Response, Trouble> {
    sent(state, query, &visitor, ("application/x-ndjson", "audit.jsonl"), ("", as_lines))
}

fn sent(
    State(web): State<Web>,
    RawQuery(query): RawQuery,
    visitor: &Visitor,
    (kind, file): (&'static str, &'static str),
    (head, write): (&'static str, Write),
) -> Result<Response, Trouble> {
    visitor.must(Role::Admin)?;
    let mut ask = Asked::of(query.as_deref()).ask()?;
    // What is done while it is sent is not in it.
    ask.before.get_or_insert(web.context.engine.world().seq + 1);
    let reading = Reading { context: web.context.clone(), ask, left: MOST, head, write };
    let named = format!("attachment; filename=\"{file}\"");
    let body = Body::from_stream(stream::try_unfold(Some(reading), next));
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, named)], body).into_response())
}

/// What is still to be sent.
struct Reading {
    context: Context,
    ask: Ask,
    left: usize,
    /// What comes before the first act.
    head: &'static str,
    write: Write,
}

async fn next(reading: Option<Reading>) -> io::Result<Option<(Bytes, Option<Reading>)>> {
    let Some(mut reading) = reading else { return Ok(None) };
    let turn = spawn_blocking(move || {
        reading.ask.limit = Some(A_TURN.min(reading.left));
        let found = audit::acts(&reading.context, &reading.ask).map_err(io::Error::other)?;
        let mut bytes = std::mem::take(&mut reading.head).as_bytes().to_vec();
        bytes.extend((reading.write)(&found.acts)?);
        reading.left -= found.acts.len().min(reading.left);
        reading.ask.before = found.next;
        let more = found.next.is_some() && reading.left > 0;
        io::Result::Ok((Bytes::from(bytes), more.then_some(reading)))
    });
    turn.await.map_err(io::Error::other)?.map(Some)
}

fn as_lines(acts: &[Act]) -> io::Result<Vec<u8>> {
    let mut out = vec![];
    for act in acts {
        serde_json::to_writer(&mut out, act)?;
        out.push(b'\n');
    }
    Ok(out)
}

fn as_csv(acts: &[Act]) -> io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(vec![]);
    for act in acts {
        let details = serde_json::to_string(&act.details)?;
        let row =
            [act.seq.to_string(), act.at.to_string(), act.by.clone(), act.fact.clone(), act.said.clone(), details];
        out.write_record(row.map(harmless))?;
    }
    out.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// What a spreadsheet takes for text: a cell that begins like a formula would be run by some.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Moment;

    #[test]
    fn no_cell_is_run_by_a_spreadsheet() {
        let act = Act {
            seq: 7,
            at: Moment::from_millis(1_795_520_000_000),
            by: "=HYPERLINK(\"http://x\")".into(),
            fact: "device-armed".into(),
            said: "armed 52:54:00:77:00:11, twice".into(),
            details: serde_json::Map::new(),
        };
        let text = String::from_utf8(as_csv(&[act]).expect("it is written")).expect("text");
        let expected = "7,2026-11-24T11:33:20Z,\"'=HYPERLINK(\"\"http://x\"\")\",device-armed,\
                        \"armed 52:54:00:77:00:11, twice\",{}\n";
        assert_eq!(text, expected);
    }
}
