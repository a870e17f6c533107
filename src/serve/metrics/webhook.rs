//! What webhooks count.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::serve::Context;

/// Which webhook.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    webhook: String,
}

pub(super) fn register(registry: &mut Registry, context: &Context) {
    let (delivered, given_up, failures) = <(Family<Named, Counter>, Family<_, Counter>, Family<_, Counter>)>::default();
    let (waiting, failing) = <(Family<Named, Gauge>, Family<Named, Gauge>)>::default();
    for view in context.webhooks.views() {
        let named = Named { webhook: view.name };
        delivered.get_or_create(&named).inc_by(view.delivered);
        given_up.get_or_create(&named).inc_by(view.given_up);
        failures.get_or_create(&named).inc_by(view.failures);
        waiting.get_or_create(&named).set(i64::try_from(view.waiting).unwrap_or(i64::MAX));
        failing.get_or_create(&named).set(i64::from(view.failing.is_some() || view.gone.is_some()));
    }
    registry.register("webhook_delivered", "Events that webhooks delivered, restarts included", delivered);
    registry.register("webhook_given_up", "Events that webhooks gave up, restarts included", given_up);
    registry.register("webhook_failures", "Tries of webhooks that failed", failures);
    registry.register("webhook_waiting", "Events that wait to be delivered", waiting);
    registry.register("webhook_failing", "Whether something of a webhook fails, or its receiver is gone", failing);
}
