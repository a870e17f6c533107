//! What predictions count.

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::serve::Context;

use super::{count, gauge, kind};

pub(super) fn register(registry: &mut Registry, context: &Context) {
    let status = context.trainer.status();
    count(registry, "predictions_made", "Predictions made, of a device each", &status.made.into());
    gauge(registry, "predict_examples", "Examples to learn from", status.examples as u64);
    gauge(registry, "predict_failing", "Whether the last lesson came to nothing", status.trouble.is_some().into());
    let age = status.in_use.map(|version| (context.clock)().since(version.trained).0 / 1000);
    if let Some(age) = age {
        gauge(registry, "predict_model_age_seconds", "Seconds since what predicts was trained", age);
    }
    let fared: Family<super::Kind, Counter> = Family::default();
    let quality = status.quality;
    for (how, times) in [
        ("acted and right", quality.acted_right),
        ("acted and wrong", quality.acted_wrong),
        ("could have acted and right", quality.could_right),
        ("could have acted and wrong", quality.could_wrong),
        ("unsure and right", quality.unsure_right),
        ("unsure and wrong", quality.unsure_wrong),
        ("proposal accepted", quality.accepted),
        ("proposal declined", quality.declined),
    ] {
        fared.get_or_create(&kind(how)).inc_by(times);
    }
    registry.register("predictions_judged", "Predictions of the last 30 days, by how they turned out", fared);
}
