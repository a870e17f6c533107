//! From facts to examples.

use greenroom::{
    model::{BootId, Fact, Moment, Reason, Record, Seconds, timeline::Phase},
    predict::learn::Experience,
};
use proptest::prelude::*;

use super::story::{Story, assigned, boots, changes, device, fold, predicted, reported};

const DAY: u32 = 24 * 3600;

fn rule() -> Reason {
    Reason::Rule { name: "r".into() }
}

fn operator() -> Reason {
    Reason::Assigned { by: "ann".into(), at: Moment::default(), why: None }
}

#[test]
fn what_people_wanted_is_learned_and_what_nobody_wanted_is_not() {
    let mut story = Story::new();
    story.tell(assigned(1, "desk"));
    // The boot that follows is what was assigned, and is not learned twice; the one after it is.
    story.boot(1, "desk", operator(), Some(Phase::Ready));
    assert_eq!(story.learned(), ["1 desk Assignment"]);
    story.boot(1, "desk", operator(), Some(Phase::Ready));
    story.boot(2, "lab", rule(), Some(Phase::Installed));
    story.boot(3, "rest", Reason::Default, Some(Phase::Ready));
    story.boot(4, "desk", operator(), Some(Phase::Failed));
    story.boot(5, "desk", rule(), None);
    assert_eq!(story.learned(), ["1 desk Assignment", "1 desk Assigned", "2 lab Rule"]);
}

#[test]
fn a_prediction_counts_when_it_ended_well_and_nobody_objected_for_a_day() {
    let mut story = Story::new();
    for n in 1..=5 {
        story.boot(n, "desk", predicted(), Some(Phase::Ready));
    }
    story.boot(6, "desk", predicted(), Some(Phase::Failed));
    let wrong = story.boot(7, "desk", predicted(), None);
    story.tell(assigned(7, "lab"));
    story.tell(reported(wrong, Phase::Ready));
    story.tell(assigned(2, "lab"));
    story.tell(assigned(3, "desk"));
    story.tell(Fact::ProposalDeclined { device: device(4), persona: "desk".parse().unwrap(), by: "ann".into() });
    let before = story.learned();
    assert_eq!(before, ["7 lab Assignment", "2 lab Assignment", "3 desk Confirmed", "3 desk Assignment"]);
    story.pass(DAY);
    story.describe(9, "role=x");
    assert_eq!(story.learned()[4..], ["1 desk Confirmed", "5 desk Confirmed"]);
    let judged: Vec<bool> = story.fold().1.judged.iter().map(|judged| judged.right).collect();
    assert_eq!(judged, [false, false, true, false, true, true], "7, 2, 3, 4, then the day has passed");
}

#[test]
fn an_example_holds_what_was_known_when_the_persona_was_given() {
    let mut story = Story::new();
    story.tell(Fact::UserDescribed {
        user: "ada".parse().unwrap(),
        changes: changes("department=research"),
        active: None,
        by: "hr".into(),
    });
    story.describe(1, "user=ada role=desk");
    story.tell(assigned(1, "desk"));
    story.describe(1, "role=lab");
    let (experience, _) = story.fold();
    let example = experience.examples().next().unwrap();
    let told: Vec<String> = example.features.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(told, ["department=research", "network card=52:54:00", "role=desk"]);
    assert_eq!(example.user.as_ref().unwrap().as_str(), "ada");
}

#[test]
fn of_whom_is_forgotten_nothing_is_kept() {
    let mut story = Story::new();
    story.describe(1, "user=ada");
    story.tell(assigned(1, "desk"));
    story.tell(assigned(2, "lab"));
    story.tell(assigned(3, "lab"));
    story.tell(Fact::UserForgotten { user: "ada".parse().unwrap(), by: "ann".into() });
    story.tell(Fact::DeviceForgotten { device: device(3), by: "ann".into() });
    assert_eq!(story.learned(), ["2 lab Assignment"]);
    let (experience, news) = story.fold();
    assert!(news.unlearned && news.forgotten.contains(&device(3)));
    let kept = String::from_utf8(experience.to_json()).unwrap();
    assert!(!kept.contains(&device(3).to_string()), "{kept}");
}

fn fact() -> impl Strategy<Value = Vec<Fact>> {
    let persona = || prop::sample::select(vec!["desk", "lab", "kiosk"]);
    // An attempt is one device's.
    let boot = |n: u32, nth: u64| BootId::new(u64::from(n) * 10 + nth);
    let reason = prop_oneof![Just(predicted()), Just(rule()), Just(operator()), Just(Reason::Default)];
    let phase = prop::sample::select(vec![Phase::Ready, Phase::Installed, Phase::Failed]);
    prop_oneof![
        (0u32..5, persona()).prop_map(|(n, persona)| vec![assigned(n, persona)]),
        (0u32..5, 0u64..3, persona(), reason).prop_map(move |(n, nth, persona, reason)| boots(
            n,
            boot(n, nth),
            persona,
            reason
        )
        .into()),
        (0u32..5, 0u64..3, phase).prop_map(move |(n, nth, phase)| vec![reported(boot(n, nth), phase)]),
        (0u32..5, prop::sample::select(vec!["role=a", "role=b user=ada", "user=bob x=y"])).prop_map(|(n, text)| {
            vec![Fact::DeviceDescribed { device: device(n), changes: changes(text), by: "ann".into() }]
        }),
        prop::sample::select(vec!["role=c", "team=t"]).prop_map(|text| {
            vec![Fact::UserDescribed {
                user: "ada".parse().unwrap(),
                changes: changes(text),
                active: None,
                by: "hr".into(),
            }]
        }),
        (0u32..5, persona()).prop_map(|(n, persona)| {
            vec![Fact::ProposalDeclined { device: device(n), persona: persona.parse().unwrap(), by: "ann".into() }]
        }),
    ]
}

/// Any facts, some of them days apart.
fn records() -> impl Strategy<Value = Vec<Record>> {
    prop::collection::vec((fact(), prop::sample::select(vec![0, 60, DAY])), 1..60).prop_map(|all| {
        let (mut records, mut at) = (vec![], Moment::from_millis(1_790_000_000_000));
        for (facts, later) in all {
            at = at.plus(Seconds(later));
            for fact in facts {
                records.push(Record { seq: records.len() as u64 + 1, at, fact });
            }
        }
        records
    })
}

proptest! {
    #[test]
    fn no_example_knows_its_future(records in records(), cut in 0usize..200) {
        let cut = cut.min(records.len());
        let (whole, _) = fold(&records);
        let (part, _) = fold(&records[..cut]);
        let known: Vec<_> = whole.examples().filter(|example| example.known <= cut as u64).cloned().collect();
        prop_assert_eq!(part.examples().cloned().collect::<Vec<_>>(), known);
        for example in whole.examples() {
            let (mut before, _) = fold(&records[..example.planned as usize - 1]);
            let features = before.features(example.device);
            prop_assert!(example.planned <= example.known);
            prop_assert_eq!(before.user(example.device), example.user.clone());
            // A device that nobody spoke of before has its port and no more.
            prop_assert!(features.map_or(example.features.len() <= 1, |features| features == example.features));
        }
    }

    #[test]
    fn what_is_kept_goes_on_as_if_it_had_never_been_written_down(records in records(), cut in 0usize..200) {
        let cut = cut.min(records.len());
        let (part, _) = fold(&records[..cut]);
        let mut read = Experience::from_json(&part.to_json()).unwrap();
        records.iter().for_each(|record| read.apply(record, &mut Default::default()));
        let (whole, _) = fold(&records);
        prop_assert_eq!(read.examples().cloned().collect::<Vec<_>>(), whole.examples().cloned().collect::<Vec<_>>());
        prop_assert_eq!(read.to_json(), whole.to_json());
    }
}
