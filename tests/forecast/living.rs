//! The trainer beside a real engine and the real doors, and the command line against them.

use std::{sync::Arc, time::Duration};

use greenroom::{
    engine::trainer::{Settings, Trainer},
    model::{
        Decision, DeviceId, MacAddr, Reason, Seconds,
        command::{Command, Order},
        request::Request,
        timeline::{Phase, Report, Step},
    },
    world::Ground,
};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{story::changes, world::House};

fn mac(n: u16) -> MacAddr {
    let [high, low] = n.to_be_bytes();
    MacAddr::new([0x52, 0x54, 0, 0x77, high, low]).unwrap()
}

/// A house with personas `desk`, `kiosk` (which wipes) and `lab`, the site's default.
async fn house() -> House {
    let house = House::new().await;
    let library = house.dir.path().join("library");
    for (name, effect, more) in [("desk", "ephemeral", ""), ("kiosk", "destructive", ", install: {disk: /dev/vda}")] {
        let persona = format!(
            "apiVersion: greenroom/v1\ndescription: of the test\neffect: {effect}\nos: {{image: tiny{more}}}\n\
             security: {{users: [{{name: labadmin, password_hash: $6$salt$hash}}]}}\n"
        );
        std::fs::write(library.join(format!("{name}.yaml")), persona).unwrap();
    }
    house.context.refresh_library(true);
    assert!(house.context.problems().iter().all(|problem| !problem.is_error()), "{}", house.context.problems()[0]);
    house
}

fn start(house: &House, trainer: &Arc<Trainer>) -> JoinHandle<()> {
    let context = house.context.clone();
    let run = trainer.clone().run(context.engine.clone(), context.journal.clone(), move |words| match words {
        Some(words) => context.trouble("predictions", words),
        None => context.well("predictions"),
    });
    tokio::spawn(async move { run.await.unwrap() })
}

async fn order(house: &House, n: u16, order: Order) {
    let reply = house.context.engine.ask(Request::Command(Command { mac: mac(n), by: "ann".into(), order })).await;
    assert_eq!(reply.unwrap(), greenroom::model::reply::Reply::Done);
}

async fn describe(house: &House, n: u16, text: &str) {
    order(house, n, Order::Describe { changes: changes(text) }).await;
}

async fn assign(house: &House, n: u16, persona: &str) {
    let persona = persona.parse().unwrap();
    order(house, n, Order::AssignPersona { persona, arm: false, not_before: None, expires: None, why: None }).await;
}

/// Sales people have `desk`, and so have the shops in the south; those in the north have `kiosk`: no column says it alone.
async fn office(house: &House) {
    for n in 1000..1240 {
        let (role, site) = (["sales", "shop"][usize::from(n % 2)], ["north", "south"][usize::from(n / 2 % 2)]);
        describe(house, n, &format!("role={role} site={site}")).await;
        assign(house, n, if (role, site) == ("shop", "north") { "kiosk" } else { "desk" }).await;
    }
}

async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1200 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come: {what}")
}

/// What the table says of a device.
fn best(house: &House, n: u16) -> Option<(String, f64)> {
    let ground = house.context.engine.ground();
    let best = ground.forecast.of(DeviceId::new(mac(n)), (house.context.clock)())?.ranked().first()?.clone();
    Some((best.persona.to_string(), best.probability.get()))
}

async fn trained(house: &House, trainer: &Trainer) {
    until("a first lesson", || trainer.status().in_use).await;
    until("a table", || house.context.engine.ground().forecast.origin().cloned()).await;
}

/// `greenroom` against the house's door: what it printed, and whether it went well.
async fn greenroom(house: &House, arguments: &str) -> (String, bool) {
    let socket = house.dir.path().join("admin.sock").display().to_string();
    let arguments: Vec<&str> = ["--socket", &socket].into_iter().chain(arguments.split(' ')).collect();
    let output = house.run(env!("CARGO_BIN_EXE_greenroom"), &arguments).await;
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_teach_what_a_new_one_of_their_role_becomes() {
    let house = house().await;
    let trainer = house.context.trainer.clone();
    office(&house).await;
    let _running = start(&house, &trainer);
    trained(&house, &trainer).await;

    // A new device, described before it was ever seen, is predicted without another lesson.
    describe(&house, 7, "role=sales site=north").await;
    let (persona, probability) = until("a row", || best(&house, 7)).await;
    assert!(persona == "desk" && probability > 0.8, "{persona} {probability}");
    assert_eq!(trainer.status().in_use.unwrap().number, 1);
    let boot = house.begin(7).await;
    assert!(house.script(boot).await.contains("kernel"));
    let decision = house.boot(boot).decision.unwrap();
    let Decision::Become { reason: Reason::Predicted { model, .. }, persona, .. } = decision else {
        panic!("{decision:?}")
    };
    assert_eq!((persona.name.as_str(), model.as_str()), ("desk", "model 1"));

    // It is described anew, and predicted anew.
    describe(&house, 7, "role=shop").await;
    until("another row", || best(&house, 7).filter(|(persona, _)| persona == "kiosk")).await;

    // The device and an operator agree: the table says so at once, and the quality is counted.
    let report =
        Report { phase: Phase::Ready, hostname: None, kernel: None, cloud_init: None, message: None, checks: vec![] };
    house.context.engine.note(boot, Step::Report(report), [127, 0, 0, 1].into());
    assign(&house, 7, "desk").await;
    let quality = until("a judgement", || Some(trainer.status().quality).filter(|tally| tally.acted_right > 0)).await;
    assert_eq!(
        (quality.acted_right, quality.could_wrong + quality.unsure_wrong),
        (1, 1),
        "kiosk was predicted by then"
    );
    assert_eq!(house.metric("greenroom_predict_examples ").await, Some(242));

    // Something that left the library is predicted no more.
    std::fs::remove_file(house.dir.path().join("library/desk.yaml")).unwrap();
    house.context.refresh_library(true);
    until("rows of this library", || (best(&house, 1000).is_none_or(|(persona, _)| persona != "desk")).then_some(()))
        .await;
    order(&house, 1001, Order::Forget).await;
    until("no row", || best(&house, 1001).is_none().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_with_the_last_version_and_a_lesson_that_fails_changes_nothing() {
    let house = house().await;
    let trainer = house.context.trainer.clone();
    office(&house).await;
    let running = start(&house, &trainer);
    trained(&house, &trainer).await;
    until("the version on disk", || house.dir.path().join("predict/version-1.json").exists().then_some(())).await;
    until("the experience on disk", || house.dir.path().join("predict/experience.json").exists().then_some(())).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    house.context.engine.change_ground(|ground| Ground { forecast: Arc::default(), ..ground });

    // One that does not read is passed over.
    std::fs::write(house.dir.path().join("predict/version-9.json"), "{\"format\": 1").unwrap();
    let settings = Settings { dir: house.dir.path().join("predict"), every: Seconds(900), clock: house.context.clock };
    let again = Arc::new(Trainer::new(settings));
    let _running = start(&house, &again);
    let (persona, _) = until("a row of the last version", || best(&house, 1000)).await;
    assert_eq!(persona, "desk");
    let status = again.status();
    assert_eq!((status.in_use.unwrap().number, status.examples, status.new_examples), (1, 240, 0));

    // All that was known is forgotten: there is too little to learn from, and what is in use stays.
    for n in 1000..1232 {
        order(&house, n, Order::Forget).await;
    }
    again.ring();
    let why = until("a lesson that comes to nothing", || again.status().trouble).await;
    assert!(why.starts_with("8 of the 10 examples"), "{why}");
    assert_eq!(best(&house, 1232).unwrap().0, "desk");
    assert_eq!(again.status().in_use.unwrap().number, 1);
    // The next one that succeeds has a number that no file has.
    office(&house).await;
    again.ring();
    until("the next version", || again.status().in_use.filter(|version| version.number != 1)).await;
    assert_eq!(again.status().in_use.unwrap().number, 10);
    // What still knew the devices that were forgotten is gone.
    assert_eq!(again.status().previous, []);
    until("no old file", || (!house.dir.path().join("predict/version-1.json").exists()).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_costs_a_restart_its_start_and_shows() {
    let house = house().await;
    let (trainer, folder) = (house.context.trainer.clone(), house.dir.path().join("predict"));
    std::fs::write(&folder, "in the way").unwrap();
    office(&house).await;
    let _running = start(&house, &trainer);
    trained(&house, &trainer).await;
    assert_eq!(best(&house, 1000).unwrap().0, "desk");
    let trouble = || house.context.health().troubles.get("predictions").cloned();
    let words = until("a trouble", trouble).await;
    assert!(words.starts_with("what was learned cannot be kept on disk"), "{words}");
    std::fs::remove_file(&folder).unwrap();
    trainer.ring();
    until("no trouble", || trouble().is_none().then_some(())).await;
    assert!(folder.join("experience.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_nobody_looks_after_goes_stale() {
    let house = house().await;
    let trainer = house.context.trainer.clone();
    office(&house).await;
    let _running = start(&house, &trainer);
    trained(&house, &trainer).await;
    let ground = house.context.engine.ground();
    let (now, device) = ((house.context.clock)(), DeviceId::new(mac(1000)));
    assert!(ground.forecast.of(device, now.plus(Seconds(24 * 3600 - 60))).is_some());
    assert!(ground.forecast.of(device, now.plus(Seconds(24 * 3600 + 60))).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn proposals_are_listed_accepted_and_declined_from_the_command_line() {
    let house = house().await;
    let trainer = house.context.trainer.clone();
    let (said, ok) = greenroom(&house, &format!("predict {}", mac(7))).await;
    assert!(ok && said.contains("nothing is predicted: there is no forecast"), "{said}");
    office(&house).await;
    let _running = start(&house, &trainer);
    trained(&house, &trainer).await;
    for n in [7, 8, 9] {
        describe(&house, n, "role=shop site=north").await;
        until("a row", || best(&house, n)).await;
    }

    // It would wipe the disk, so that it is proposed and does not act.
    let (said, ok) = greenroom(&house, &format!("predict {}", mac(7))).await;
    assert!(ok && said.contains("role shop") && said.contains("kiosk"), "{said}");
    assert!(said.contains("It is proposed, and does not act: kiosk wipes the disk"), "{said}");
    assert!(said.contains("BASELINE") && said.contains("majority"), "{said}");
    let (same, _) = greenroom(&house, &format!("predict device {}", mac(7))).await;
    assert_eq!(same.lines().count(), said.lines().count());
    let (said, _) = greenroom(&house, "proposals").await;
    assert_eq!(said.lines().count(), 4, "{said}");
    let (said, ok) = greenroom(&house, &format!("--json proposals accept {}", mac(7))).await;
    let accepted: Value = serde_json::from_str(&said).unwrap();
    assert!(ok && accepted["persona"] == "kiosk", "{said}");
    let world = house.context.engine.world();
    let assigned = world.device_of(mac(7)).unwrap().assigned.clone().unwrap();
    assert!(assigned.why.unwrap().starts_with("proposal of "));
    let (said, ok) = greenroom(&house, &format!("proposals accept {}", mac(7))).await;
    assert!(!ok && said.contains("nothing is proposed") && said.contains("kiosk is assigned"), "{said}");

    let (said, ok) = greenroom(&house, &format!("proposals decline {}", mac(8))).await;
    assert!(ok && said.contains("kiosk is not proposed"), "{said}");
    until("another row", || best(&house, 8).is_none_or(|(persona, _)| persona != "kiosk").then_some(())).await;
    let (said, _) = greenroom(&house, "proposals list").await;
    assert!(said.contains(&mac(9).to_string()) && !said.contains(&mac(8).to_string()), "{said}");
    let (said, ok) = greenroom(&house, &format!("proposals accept {}", mac(99))).await;
    assert!(!ok && said.contains("no device with port"), "{said}");

    let (said, ok) = greenroom(&house, "predict status").await;
    assert!(ok && said.contains("model 1, trained") && said.contains("1 accepted, 1 declined"), "{said}");
    assert!(greenroom(&house, "predict retrain").await.1);
    until("a second version", || trainer.status().in_use.filter(|version| version.examples == 241)).await;
}
