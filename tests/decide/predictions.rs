//! What predictions may do, and what they may not.

use std::sync::Arc;

use greenroom::{
    model::{
        Decision, DeviceId, Probability,
        command::Order,
        decision::{Armed, Voice},
        plan::Action,
        prediction::{Candidate, Prediction},
        site::{ArmPredicted, Match},
        timeline::{Outcome, Phase},
    },
    predict::{Origin, Table},
};

use super::world::{Lab, mac, told};

/// Device 1 is predicted to want these.
fn predict(lab: &mut Lab, ranked: &[(&str, f64)]) {
    let origin = Origin { name: "model 7".into(), trained: lab.now };
    let mut table = Table::new(origin, lab.now.plus(greenroom::model::Seconds(7200)));
    let candidate =
        |(name, p): &(&str, f64)| Candidate { persona: name.parse().unwrap(), probability: Probability::near(*p) };
    table.put(DeviceId::new(mac(1)), Prediction::new(ranked.iter().map(candidate).collect()));
    lab.ground.forecast = Arc::new(table);
}

#[test]
fn a_prediction_that_is_sure_enough_beats_the_default_and_nothing_else() {
    let mut lab = Lab::new().default_persona("install");
    predict(&mut lab, &[("arm", 0.1), ("live", 0.85)]);
    assert_eq!(told(&lab.boot(1).decision), "become live@live-versi: predicted by model 7, with 85 %");
    let visit = &lab.world.device_of(mac(1)).unwrap().visits[0];
    assert_eq!((visit.persona.as_str(), visit.voice, visit.outcome), ("live", Voice::Predicted, None));
    lab.report(1, Phase::Ready);
    assert_eq!(lab.world.device_of(mac(1)).unwrap().visits[0].outcome, Some(Outcome::Ready));

    predict(&mut lab, &[("live", 0.79)]);
    lab.pass(60);
    assert!(told(&lab.boot(1).decision).contains("nobody armed"), "unsure: the default is asked");
    let mut lab = lab.rule("all", Match { oui: vec![mac(1).oui()], ..Match::default() }, "live", false);
    predict(&mut lab, &[("arm", 1.0)]);
    lab.pass(60);
    assert_eq!(told(&lab.boot(1).decision), "become live@live-versi: rule \"all\"");
}

#[test]
fn a_forecast_that_is_stale_or_switched_off_says_nothing() {
    let mut lab = Lab::new();
    predict(&mut lab, &[("live", 0.9)]);
    lab.pass(7201);
    assert!(told(&lab.boot(1).decision).starts_with("boot the disk: no assignment"));
    let mut lab = lab.site(|site| site.boot.predict.choose = false);
    predict(&mut lab, &[("live", 0.9)]);
    lab.pass(60);
    assert!(told(&lab.boot(1).decision).starts_with("boot the disk: no assignment"));
}

#[test]
fn a_prediction_never_wipes_a_disk_by_itself() {
    let mut lab = Lab::new();
    predict(&mut lab, &[("install", 1.0)]);
    assert!(told(&lab.boot(1).decision).starts_with("boot the disk: no assignment"));
    // An operator's leave was given for something else.
    lab.order(1, Order::Arm);
    lab.pass(60);
    assert!(told(&lab.boot(1).decision).starts_with("boot the disk: no assignment"));
    lab.order(1, Order::Disarm);

    let mut lab = lab.site(|site| site.boot.predict.arm = ArmPredicted::NewDevices);
    lab.pass(60);
    let plan = lab.boot(1);
    assert!(matches!(&plan.decision, Decision::Become { armed: Some(Armed::NewDevice), .. }), "{:?}", plan.decision);
    assert!(matches!(plan.action, Action::Kernel(_)));
    lab.report(1, Phase::Installed);
    lab.pass(60);
    assert!(told(&lab.boot(1).decision).starts_with("boot the disk: installed as install@"), "it is no new device now");
}

#[test]
fn a_prediction_of_what_left_the_library_is_none() {
    let mut lab = Lab::new();
    predict(&mut lab, &[("no-such", 1.0)]);
    assert!(told(&lab.boot(1).decision).starts_with("boot the disk: no assignment"));
}
