//! `greenroom persona rules`.

use crate::{document::Severity, persona::validate::rule::RULES};

use super::super::{Done, Global, out, say_json};

pub(super) fn run(global: &Global) -> Done {
    if global.json {
        return say_json(&RULES);
    }
    let mut table = out::table(&["code", "severity", "what holds"]);
    for rule in RULES {
        let severity = if rule.severity == Severity::Error { "error" } else { "warning" };
        table.add_row([rule.code, severity, rule.holds]);
    }
    out::say_table(&table, "there are no rules");
    Ok(())
}
