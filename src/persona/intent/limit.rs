//! Limits, as drop-ins of systemd units.

use std::fmt::Write as _;

use crate::persona::{Persona, schema::LimitSet};

use super::Intent;

impl Intent {
    pub(super) fn limits(&mut self, persona: &Persona) {
        let limits = &persona.resources.limits;
        if !limits.per_user.is_empty() {
            self.file("/etc/systemd/system/user-.slice.d/50-greenroom.conf", section("Slice", &limits.per_user));
        }
        for (unit, set) in limits.services.iter().filter(|(_, set)| !set.is_empty()) {
            let kind = if unit.ends_with(".slice") { "Slice" } else { "Service" };
            self.file(format!("/etc/systemd/system/{unit}.d/50-greenroom.conf"), section(kind, set));
            // One that runs already takes its limits from the reload; it need not start anew.
        }
    }
}

/// A section as systemd.resource-control(5) reads it.
fn section(kind: &str, limits: &LimitSet) -> String {
    let mut text = format!("[{kind}]\n");
    if let Some(memory) = limits.memory {
        let _ = writeln!(text, "MemoryMax={}", memory.0);
    }
    if let Some(percent) = limits.cpu_percent {
        let _ = writeln!(text, "CPUQuota={percent}%");
    }
    if let Some(weight) = limits.io_weight {
        let _ = writeln!(text, "IOWeight={weight}");
    }
    text
}
