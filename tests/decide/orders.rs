//! Orders that belong together, descriptions, and assignments with a beginning and an end.

use greenroom::model::{
    Fact, Moment, Seconds,
    attribute::Changes,
    command::{Line, Order, Orders, Rejection, UserOrder},
    reply::Reply,
    request::Request,
};

use super::world::{Lab, mac, told};

fn changes(said: &[(&str, Option<&str>)]) -> Changes {
    said.iter().map(|(name, value)| (name.parse().unwrap(), value.map(|value| value.parse().unwrap()))).collect()
}

fn device(n: u8, order: Order) -> Line {
    Line::Device { mac: mac(n), order, expects: None }
}

fn describe(n: u8, said: &[(&str, Option<&str>)]) -> Line {
    device(n, Order::Describe { changes: changes(said) })
}

fn orders(lab: &mut Lab, key: Option<&str>, lines: Vec<Line>) -> (Reply, Vec<Fact>) {
    lab.ask(&Request::Orders(Orders { by: "ann".into(), key: key.map(|key| key.parse().unwrap()), said: None, lines }))
}

fn assign(persona: &str, not_before: Option<Moment>, expires: Option<Moment>) -> Order {
    let why = Some("ticket 7".into());
    Order::AssignPersona { persona: persona.parse().unwrap(), arm: false, not_before, expires, why }
}

#[test]
fn all_orders_are_carried_out_or_none() {
    let mut lab = Lab::new();
    let lines = vec![describe(1, &[("role", Some("dev"))]), device(1, assign("nothing", None, None))];
    let (reply, facts) = orders(&mut lab, None, lines);
    let Reply::Rejected(why @ Rejection::Line { line: 2, .. }) = reply else { panic!("{reply:?}") };
    assert_eq!(why.to_string(), "order 2: persona nothing is not in the library");
    assert!(facts.is_empty() && lab.world.device_of(mac(1)).is_none());
    // A later order sees what the earlier ones have done: only a known device can be armed.
    let (reply, _) = orders(&mut lab, None, vec![describe(1, &[("role", Some("dev"))]), device(1, Order::Arm)]);
    assert_eq!(reply, Reply::Done);
    assert!(lab.world.device_of(mac(1)).unwrap().armed.is_some());
}

#[test]
fn orders_said_again_with_the_same_key_are_not_carried_out_again() {
    let mut lab = Lab::new();
    let arm = || vec![describe(1, &[("role", Some("dev"))]), device(1, Order::Arm)];
    assert_eq!(orders(&mut lab, Some("k"), arm()).0, Reply::Done);
    orders(&mut lab, None, vec![device(1, Order::Disarm)]);
    let (reply, facts) = orders(&mut lab, Some("k"), arm());
    assert_eq!((reply, facts), (Reply::Done, vec![]), "it stays disarmed");
    let (reply, _) = orders(&mut lab, Some("k"), vec![device(1, Order::Forget)]);
    assert!(matches!(reply, Reply::Rejected(Rejection::KeyUsed { .. })));
    lab.pass(24 * 3600);
    assert_eq!(orders(&mut lab, Some("k"), arm()).1.len(), 2, "described as it was: armed, and the key noted");
}

#[test]
fn who_looked_at_an_older_state_is_told_so() {
    let mut lab = Lab::new();
    orders(&mut lab, None, vec![describe(1, &[("role", Some("dev"))])]);
    let seen = lab.world.device_of(mac(1)).unwrap().changed;
    let expecting = |order| vec![Line::Device { mac: mac(1), order, expects: Some(seen) }];
    assert_eq!(orders(&mut lab, None, expecting(assign("live", None, None))).0, Reply::Done);
    let (reply, _) = orders(&mut lab, None, expecting(Order::UnassignPersona));
    assert!(matches!(reply, Reply::Rejected(Rejection::Changed { .. })), "{reply:?}");
}

#[test]
fn a_device_takes_the_attributes_of_its_user_where_it_has_none_of_its_own() {
    let mut lab = Lab::new();
    let describe_user = |said| UserOrder::Describe { changes: changes(said), active: None };
    let user = |order| Line::User { user: "bob@lab.test".parse().unwrap(), order, expects: None };
    orders(
        &mut lab,
        None,
        vec![
            user(describe_user(&[("role", Some("dev")), ("department", Some("r&d"))])),
            describe(1, &[("user", Some("bob@lab.test")), ("role", Some("lead"))]),
        ],
    );
    let told = |lab: &Lab| {
        let attributes = lab.world.attributes(lab.world.device_of(mac(1)).unwrap());
        attributes.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told(&lab), "department=r&d role=lead user=bob@lab.test");
    orders(&mut lab, None, vec![describe(1, &[("role", None)])]);
    assert_eq!(told(&lab), "department=r&d role=dev user=bob@lab.test");
    assert!(orders(&mut lab, None, vec![describe(1, &[("role", None)])]).1.is_empty(), "said twice: no fact");
    orders(&mut lab, None, vec![user(UserOrder::Forget)]);
    assert_eq!(told(&lab), "user=bob@lab.test");
}

#[test]
fn an_assignment_holds_from_when_it_says_until_when_it_says() {
    let mut lab = Lab::new().default_persona("arm");
    let (from, until) = (lab.now.plus(Seconds(600)), lab.now.plus(Seconds(1200)));
    lab.order(1, assign("live", Some(from), Some(until)));
    let word = |lab: &mut Lab| told(&lab.boot(1).decision).split('@').next().unwrap_or_default().to_owned();
    assert!(told(&lab.boot(1).decision).contains("image debian-arm"), "not yet");
    lab.pass(600);
    assert_eq!(word(&mut lab), "become live");
    lab.pass(600);
    assert!(told(&lab.boot(1).decision).contains("image debian-arm"), "not any more");
    let never = lab.order(1, assign("live", Some(until), Some(from)));
    assert_eq!(never, Reply::Rejected(Rejection::NeverHolds));
}
