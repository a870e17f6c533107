//! As much as this server is made for: for measuring.

use std::path::Path;

use greenroom::model::{
    Moment, PersonaName,
    command::{Line, Order},
};

use super::{DAY, End, Past, described, desk, mac, month::people, today};

/// A hundred thousand devices, most of which have booted something: for measuring.
pub fn large(dir: &Path) {
    const DEVICES: u32 = 100_000;
    let now = today();
    let mut past = Past::new(dir, Moment::from_millis(now - 20 * DAY));
    people(&mut past);
    for from in (0..DEVICES).step_by(1000) {
        let said = |n: u32| {
            vec![
                ("role", format!("role-{}", n % 50)),
                ("location", format!("site {}, floor {}", n % 12, n % 7)),
                ("department", format!("department {}", n % 30)),
                ("user", format!("person-{:02}", n % 50)),
            ]
        };
        past.order("import", (from..from + 1000).map(|n| described(n, &said(n))).collect());
        past.write();
    }
    let names: Vec<PersonaName> = (0..1000).map(|n| format!("persona-{n:04}").parse().unwrap()).collect();
    for from in (0..DEVICES).step_by(2000) {
        let assigned = |n: u32| {
            let persona = names[(n / 20) as usize % names.len()].clone();
            let order = Order::AssignPersona { persona, arm: false, not_before: None, expires: None, why: None };
            Line::Device { mac: mac(n), order, expects: None }
        };
        past.order("import", (from..from + 2000).step_by(2).map(assigned).collect());
        past.write();
    }
    // As many attempts as are remembered.
    for n in (0..DEVICES).step_by(20) {
        past.boot(desk(n), n % 3 == 0, if n % 600 == 0 { End::Failed } else { End::Ready });
        past.wait(200_000);
        if past.batch.len() > 5000 {
            past.write();
        }
    }
    assert!(past.now.as_millis() < now, "the past ends before the test begins");
    past.write();
}
