//! What people are told of a prediction is what `choose` does with it.

use std::sync::Arc;

use greenroom::{
    boot::foresee::{Hindrance, Standing, foresee},
    model::{
        Decision, DeviceId, Probability, Reason, Seconds,
        command::Order,
        prediction::{Candidate, Prediction},
        site::{ArmPredicted, Match},
    },
    predict::{Origin, Table},
};

use super::world::{Lab, mac};

/// Device 1 is predicted so; what it is told, and whether the prediction chose what it then became.
fn told(mut lab: Lab, persona: &str, probability: f64) -> (Standing, Vec<String>) {
    let origin = Origin { name: "model 7".into(), trained: lab.now };
    let mut table = Table::new(origin, lab.now.plus(Seconds(60)));
    let candidate = Candidate { persona: persona.parse().unwrap(), probability: Probability::near(probability) };
    table.put(DeviceId::new(mac(1)), Prediction::new(vec![candidate]));
    lab.ground.forecast = Arc::new(table);
    let device = lab.world.device_of(mac(1)).unwrap();
    let forecast = lab.ground.forecast.of(device.id, lab.now).zip(lab.ground.forecast.origin());
    let (policy, catalog) = (&lab.ground.site.boot, &lab.ground.catalog);
    let (standing, why) = foresee(policy, catalog, device, None, forecast, lab.now);
    let predicted = matches!(lab.boot(1).decision, Decision::Become { reason: Reason::Predicted { .. }, .. });
    assert_eq!(standing == Standing::Acts, predicted, "{why:?}");
    (standing, why.iter().map(ToString::to_string).collect())
}

/// A lab that knows device 1.
fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.boot(1);
    lab.pass(60);
    lab
}

#[test]
fn every_hindrance_is_told_in_words() {
    let said = |lab: Lab, persona: &str, probability| {
        let (standing, why) = told(lab, persona, probability);
        format!("{standing:?}: {}", why.join("; "))
    };
    assert_eq!(said(lab(), "live", 0.85), "Acts: ");
    assert_eq!(said(lab(), "live", 0.7), "Proposed: below 80 %, from where on predictions act");
    assert_eq!(said(lab(), "live", 0.4), "Silent: below 50 %, from where on they are proposed");
    let wipes = "install wipes the disk, which only an operator may allow";
    assert_eq!(said(lab(), "install", 0.9), format!("Proposed: {wipes}"));
    let new = || lab().site(|site| site.boot.predict.arm = ArmPredicted::NewDevices);
    assert_eq!(said(new(), "install", 0.9), "Acts: ");
    let off = lab().site(|site| site.boot.predict.choose = false);
    assert_eq!(said(off, "live", 0.9), "Proposed: `predict.choose` is off");
    assert_eq!(said(lab(), "no-such", 0.9), "Silent: no-such is not in the library");
    let ruled = lab().rule("all", Match { oui: vec![mac(1).oui()], ..Match::default() }, "arm", false);
    assert_eq!(said(ruled, "live", 0.9), "Silent: rule \"all\" speaks first");
    let mut armed = lab();
    armed.order(1, Order::Arm);
    assert_eq!(said(armed, "live", 0.9), "Proposed: the device is armed, for something else than a prediction");
    let mut assigned = lab();
    let persona = "arm".parse().unwrap();
    assigned.order(1, Order::AssignPersona { persona, arm: false, not_before: None, expires: None, why: None });
    assert_eq!(said(assigned, "live", 0.9), "Silent: arm is assigned");
}

#[test]
fn no_forecast_is_not_the_same_as_none_for_this_device() {
    let lab = lab();
    let device = lab.world.device_of(mac(1)).unwrap();
    let (policy, catalog) = (&lab.ground.site.boot, &lab.ground.catalog);
    let origin = Origin { name: "model 7".into(), trained: lab.now };
    let nothing = Prediction::default();
    let stand = |forecast| foresee(policy, catalog, device, None, forecast, lab.now);
    assert_eq!(stand(None), (Standing::Silent, vec![Hindrance::NoForecast]));
    assert_eq!(stand(Some((&nothing, &origin))), (Standing::Silent, vec![Hindrance::Unknown]));
}
