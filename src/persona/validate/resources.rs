//! What it needs and what it may use: limits that can be kept, and that mean something on the least device allowed.

use crate::{
    document::Check,
    model::Bytes,
    persona::{
        Persona,
        schema::{LimitSet, Requirements},
    },
};

use super::{brief, shape::is_unit};

/// Less than this, and nothing starts at all.
const LEAST_MEMORY: Bytes = Bytes(8 << 20);

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let requires = &persona.resources.requires;
    let zeros = [
        ("cpus", requires.cpus == Some(0)),
        ("memory", requires.memory == Some(Bytes(0))),
        ("disk", requires.disk == Some(Bytes(0))),
    ];
    for (field, zero) in zeros {
        let message = format!("every device has 0 of {field}");
        check.warn(!zero, "GR220", &format!("resources.requires.{field}"), message, "say how much, or remove it");
    }
    let limits = &persona.resources.limits;
    set(check, "resources.limits.per_user", &limits.per_user, requires);
    for (unit, limits) in &limits.services {
        let path = format!("resources.limits.services.{unit}");
        let kind =
            unit.rsplit_once('.').is_some_and(|(name, kind)| !name.is_empty() && ["service", "slice"].contains(&kind));
        let message = format!("`{}` is no service or slice", brief(unit));
        let help = "write the name of its unit: nginx.service";
        check.require(kind && is_unit(unit), "GR227", &path, message, help);
        // A path is split at its dots, and units have them: the problem shows at the list.
        set(check, &path, limits, requires);
    }
}

fn set(check: &mut Check<'_>, path: &str, limits: &LimitSet, requires: &Requirements) {
    if let Some(memory) = limits.memory {
        let path = format!("{path}.memory");
        let message = format!("nothing starts in {memory}");
        check.require(memory >= LEAST_MEMORY, "GR225", &path, message, &format!("allow at least {LEAST_MEMORY}"));
        let has = requires.memory.unwrap_or(memory);
        let message = format!("{memory} may be used, and a device need only have {has}");
        let help = "require more memory, or allow less";
        check.warn(memory <= has, "GR221", &path, message, help);
    }
    if let Some(percent) = limits.cpu_percent {
        let path = format!("{path}.cpu_percent");
        check.require(percent > 0, "GR224", &path, "nothing runs in 0 % of a core", "100 is one core");
        let all = requires.cpus.map_or(percent, |cpus| cpus.saturating_mul(100));
        let message = format!("{percent} % may be used, and a device need only have {all} %");
        check.warn(percent <= all, "GR222", &path, message, "require more `cpus`, or allow less");
    }
    if let Some(weight) = limits.io_weight {
        let message = format!("an I/O weight cannot be {weight}");
        check.require(
            (1..=10_000).contains(&weight),
            "GR223",
            &format!("{path}.io_weight"),
            message,
            "1 to 10000; 100 is usual",
        );
    }
}
