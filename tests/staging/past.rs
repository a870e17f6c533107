//! The house at work: its keeper and stager, what is predicted, personas with slow origins.

use std::{sync::Arc, time::Duration};

use greenroom::{
    app::{keeper, stager},
    model::{
        BootId, DeviceId, Digest, MacAddr, Moment, Probability, Seconds,
        image::Tier,
        prediction::{Candidate, Prediction},
        staged::StagedFile,
        timeline::Step,
    },
    predict::{Origin as Model, Table},
    world::Ground,
};

use super::{origin::Origin, world::House};

pub fn mac(n: u16) -> MacAddr {
    MacAddr::new([0x52, 0x54, 0, 0x77, (n >> 8) as u8, n as u8]).unwrap()
}

/// Now, as the daemon's clock has it.
pub fn now() -> Moment {
    greenroom::app::clock()
}

/// Has the keeper and the stager run, as the daemon does.
pub fn run(house: &House) {
    tokio::spawn(keeper::keep(house.context.clone()));
    tokio::spawn(stager::stage(house.context.clone(), Seconds(3600)));
}

/// Replaces the forecast table: each of these devices will want this persona, with so much certainty.
pub fn predict(house: &House, rows: impl IntoIterator<Item = (MacAddr, String, f64)>) {
    let mut table = Table::new(Model { name: "model 1".into(), trained: now() }, now().plus(Seconds(7200)));
    for (mac, persona, probability) in rows {
        let probability = Probability::near(probability);
        let candidates = vec![Candidate { persona: persona.parse().unwrap(), probability }];
        table.put(DeviceId::new(mac), Prediction::new(candidates));
    }
    let table = Arc::new(table);
    house.context.engine.change_ground(|ground| Ground { forecast: table.clone(), ..ground });
}

/// Adds a persona whose one file comes from an origin of its own; the origin gives nothing yet.
pub async fn persona(house: &House, name: &str, bytes: &[u8]) -> (Origin, Digest) {
    let origin = Origin::start(bytes.to_vec()).await;
    let text = format!(
        "apiVersion: greenroom/v1\ndescription: of the test\neffect: ephemeral\nos: {{image: {name}}}\n\
         security: {{users: [{{name: labadmin, password_hash: $6$salt$hash}}]}}\n"
    );
    // The image first: a persona without one is a problem.
    let url = origin.url();
    let digest = house.add_image(name, bytes, &url);
    std::fs::write(house.dir.path().join(format!("library/{name}.yaml")), text).unwrap();
    house.context.refresh_library(true);
    assert!(house.context.problems().is_empty(), "{}", house.context.problems()[0]);
    (origin, digest.parse().unwrap())
}

/// Waits until something holds.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    let look = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), look).await.unwrap_or_else(|_| panic!("not so: {what}"));
}

pub fn is_here(house: &House, digest: &Digest) -> bool {
    house.context.images.status(digest).tier != Tier::Origin
}

/// How an attempt found its files.
pub async fn found(house: &House, boot: BootId) -> Vec<StagedFile> {
    house.script(boot).await;
    house
        .wait_for(boot, |step| match step {
            Step::Staged { files } => Some(files.clone()),
            _ => None,
        })
        .await
}

/// What the command line says.
pub async fn greenroom(house: &House, arguments: &[&str]) -> String {
    let socket = house.dir.path().join("admin.sock");
    let output = house
        .run(env!("CARGO_BIN_EXE_greenroom"), &[&["--socket", socket.to_str().unwrap()], arguments].concat())
        .await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
