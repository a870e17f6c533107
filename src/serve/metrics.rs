//! Counters, in Prometheus' text form.

mod cache;
mod predict;
mod webhook;

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::model::{
    dhcp::{AnswerKind, AskKind},
    image::Tier,
    staged::Because,
    timeline::Stage,
    trouble::Trouble,
};

use super::Context;

/// One label: which kind of the thing that is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: String,
}

/// A route and what it answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    status: u16,
}

/// What the services count. Counting never blocks.
#[derive(Debug, Default)]
pub struct Metrics {
    dhcp_in: Family<Kind, Counter>,
    dhcp_out: Family<Kind, Counter>,
    dhcp_malformed: Family<Kind, Counter>,
    silences: Family<Kind, Counter>,
    tftp: Family<Kind, Counter>,
    tftp_bytes: Counter,
    tftp_malformed: Family<Kind, Counter>,
    http: Family<Answered, Counter>,
    blob_bytes: Family<Kind, Counter>,
    blob_refusals: Family<Kind, Counter>,
    staged_files: Family<Kind, Counter>,
    sign_ins: Family<Kind, Counter>,
}

fn kind(kind: impl Into<String>) -> Kind {
    Kind { kind: kind.into() }
}

impl Metrics {
    pub(super) fn dhcp_in(&self, asked: AskKind) {
        self.dhcp_in.get_or_create(&kind(format!("{asked:?}").to_lowercase())).inc();
    }

    pub(super) fn dhcp_out(&self, answered: AnswerKind) {
        self.dhcp_out.get_or_create(&kind(format!("{answered:?}").to_lowercase())).inc();
    }

    pub(super) fn dhcp_malformed(&self, name: &str) {
        self.dhcp_malformed.get_or_create(&kind(name)).inc();
    }

    pub(super) fn silence(&self, name: &str) {
        self.silences.get_or_create(&kind(name)).inc();
    }

    pub(super) fn tftp(&self, how: &str) {
        self.tftp.get_or_create(&kind(how)).inc();
    }

    pub(super) fn tftp_bytes(&self, bytes: u64) {
        self.tftp_bytes.inc_by(bytes);
    }

    pub(super) fn tftp_malformed(&self, name: &str) {
        self.tftp_malformed.get_or_create(&kind(name)).inc();
    }

    pub(super) fn http(&self, route: &'static str, status: StatusCode) {
        self.http.get_or_create(&Answered { route, status: status.as_u16() }).inc();
    }

    pub(super) fn blob(&self, tier: Tier, bytes: u64) {
        self.blob_bytes.get_or_create(&kind(tier.name())).inc_by(bytes);
    }

    pub(super) fn staged(&self, because: Because) {
        self.staged_files.get_or_create(&kind(because.name())).inc();
    }

    pub(super) fn sign_in(&self, how: &str) {
        self.sign_ins.get_or_create(&kind(how)).inc();
    }

    pub(super) fn refused(&self, why: &[Trouble]) {
        for trouble in why {
            self.blob_refusals.get_or_create(&kind(trouble.kind.name())).inc();
        }
    }

    /// Everything, with what the engine, the cache and the World know at this moment.
    fn encoded(&self, context: &Context) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("greenroom");
        registry.register("dhcp_received", "DHCP packets received, by message", self.dhcp_in.clone());
        registry.register("dhcp_sent", "DHCP packets sent, by message", self.dhcp_out.clone());
        registry.register(
            "dhcp_malformed",
            "DHCP packets dropped as malformed, by what was wrong",
            self.dhcp_malformed.clone(),
        );
        registry.register("dhcp_silences", "DHCP packets not answered, by reason", self.silences.clone());
        registry.register("tftp_transfers", "TFTP requests, by how they ended", self.tftp.clone());
        registry.register("tftp_bytes", "Bytes of whole TFTP transfers", self.tftp_bytes.clone());
        registry.register(
            "tftp_malformed",
            "Packets to TFTP's port dropped as no requests, by what was wrong",
            self.tftp_malformed.clone(),
        );
        registry.register("http_requests", "Requests on the boot port", self.http.clone());
        registry.register(
            "blob_bytes",
            "Bytes of image files sent, by the tier they came from",
            self.blob_bytes.clone(),
        );
        registry.register(
            "blob_refusals",
            "Image files that were not to be had or broke off, by what ailed their origins or the cache",
            self.blob_refusals.clone(),
        );
        registry.register(
            "staged_files",
            "Image files of boots whose script went out, by why they were at hand then, or were not",
            self.staged_files.clone(),
        );
        registry.register("sign_ins", "Tries to sign in to the pages, by how they ended", self.sign_ins.clone());
        let engine = context.engine.counters();
        count(&mut registry, "engine_requests", "Requests decided", &engine.requests);
        count(&mut registry, "engine_batches", "Batches appended to the journal", &engine.batches);
        count(&mut registry, "engine_batches_synced", "Batches that held a promise and were synced", &engine.synced);
        count(&mut registry, "engine_facts", "Facts appended to the journal", &engine.facts);
        count(&mut registry, "engine_journal_micros", "Microseconds spent appending batches", &engine.journal_micros);
        count(&mut registry, "engine_refused", "Requests that found the inbox full", &context.engine.refused().into());
        cache::register(&mut registry, context);
        webhook::register(&mut registry, context);
        predict::register(&mut registry, context);
        world(&mut registry, context);
        library(&mut registry, context);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

fn count(registry: &mut Registry, name: &str, help: &str, value: &AtomicU64) {
    let counter: Counter = Counter::default();
    counter.inc_by(value.load(Ordering::Relaxed));
    registry.register(name, help, counter);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    registry.register(name, help, gauge);
}

fn world(registry: &mut Registry, context: &Context) {
    let world = context.engine.world();
    gauge(registry, "devices", "Devices known", world.devices.size() as u64);
    gauge(registry, "leases", "Addresses ever given", world.leases.len() as u64);
    let boots: Family<Kind, Gauge> = Family::default();
    for boot in world.recent_boots() {
        let state = match (boot.stage, boot.outcome) {
            (Stage::Ended, Some(outcome)) => outcome.name(),
            _ => "under way",
        };
        boots.get_or_create(&kind(state)).inc();
    }
    registry.register("boots", "The latest attempts, by how they ended", boots);
}

/// A persona's state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stands {
    state: &'static str,
}

fn library(registry: &mut Registry, context: &Context) {
    let personas: Family<Stands, Gauge> = Family::default();
    for state in ["good", "dirty", "broken"] {
        personas.get_or_create(&Stands { state }).set(0);
    }
    let library = context.library.view();
    for status in &library.statuses {
        personas.get_or_create(&Stands { state: status.state.name() }).inc();
    }
    registry.register("library_personas", "Personas of the library, by how they stand", personas);
    count(registry, "library_swaps", "How often what is served of the library was replaced", &library.swaps.into());
}

/// `GET /metrics`.
pub(super) async fn scrape(State(context): State<Context>) -> Response {
    match context.metrics.encoded(&context) {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
