//! What the image cache and its keeper count.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{images::keeper::Done, model::image::Tier, serve::Context};

use super::{count, gauge, kind};

pub(super) fn register(registry: &mut Registry, context: &Context) {
    let cache = context.images.counters();
    count(registry, "cache_ram_hits", "Image files asked for that were in RAM", &cache.ram_hits);
    count(registry, "cache_disk_hits", "Image files asked for that were on disk", &cache.disk_hits);
    count(registry, "cache_misses", "Image files asked for that were in no tier", &cache.misses);
    count(registry, "cache_passed", "Image files passed through from an origin, for want of room", &cache.passed);
    count(registry, "cache_fills", "Reads of origins begun", &cache.fills);
    count(registry, "cache_failures", "Reads of origins that failed", &cache.failures);
    count(registry, "origin_bytes", "Bytes read from origins", &cache.origin_bytes);
    count(
        registry,
        "origin_errors",
        "Origins that did not answer, broke off or gave wrong bytes",
        &cache.origin_errors,
    );
    let troubles: Family<super::Kind, Counter> = Family::default();
    for (trouble, times) in cache.troubles() {
        troubles.get_or_create(&kind(trouble.name())).inc_by(times);
    }
    registry.register("origin_troubles", "The same, by what went wrong", troubles);
    let resting = context.images.troubles().len() as u64;
    gauge(registry, "origins_resting", "Servers of images that are left alone for a while, as they failed", resting);
    count(registry, "cache_rot", "Image files and chunks on disk that had changed by themselves", &cache.rot);
    count(registry, "cache_repaired", "Chunks on disk that were fetched again and written in place", &cache.repaired);
    let (ram, disk) = context.images.held();
    gauge(registry, "cache_ram_bytes", "Bytes in the RAM tier", ram.0);
    gauge(registry, "cache_disk_bytes", "Bytes in the disk tier", disk.0);
    keeper(registry, context);
    staging(registry, context);
    let pins: Family<super::Kind, Gauge> = Family::default();
    for tier in [Tier::Ram, Tier::Disk] {
        pins.get_or_create(&kind(tier.name())).set(0);
    }
    for tier in context.engine.world().pins.values() {
        pins.get_or_create(&kind(tier.name())).inc();
    }
    registry.register("cache_pins", "Images that are pinned, by tier", pins);
}

fn keeper(registry: &mut Registry, context: &Context) {
    let done = context.keeper.done();
    let (steps, bytes): (Family<_, Counter>, Family<_, Counter>) = Default::default();
    for step in Done::KINDS {
        let (taken, moved) = done.of(step);
        steps.get_or_create(&kind(step.name())).inc_by(taken);
        bytes.get_or_create(&kind(step.name())).inc_by(moved);
    }
    registry.register("keeper_steps", "Steps of the image cache's keeper, by what they did", steps);
    registry.register("keeper_bytes", "Bytes of the image files that these moved", bytes);
    count(registry, "keeper_failures", "Steps of the keeper that failed", &done.failures().into());
    count(
        registry,
        "keeper_scrubbed_bytes",
        "Bytes on disk that the keeper looked at for rot",
        &done.scrubbed().into(),
    );
    let missing = context.keeper.missing().len() as u64;
    gauge(registry, "keeper_missing", "Image files that are wanted and not to be had", missing);
}

fn staging(registry: &mut Registry, context: &Context) {
    let moved = context.keeper.staged();
    let fetched: Family<super::Kind, Counter> = Family::default();
    for (why, bytes) in [("forecast", moved.forecast), ("discover", moved.discover)] {
        fetched.get_or_create(&kind(why)).inc_by(bytes.0);
    }
    registry.register("staged_bytes", "Bytes fetched before a device asked, by what for", fetched);
    count(registry, "staged_bytes_useful", "Of these: that a device asked for in time", &moved.useful.0.into());
    count(registry, "staged_bytes_vain", "Of these: that nobody asked for in time", &moved.vain.0.into());
    count(registry, "staged_held_back", "Image files not pulled up, as enough had been", &moved.held_back.into());
    let expected = context.outlook.get();
    gauge(registry, "expected_boots", "Boots expected within the horizon", expected.boots.round() as u64);
}
