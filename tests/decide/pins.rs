//! An operator keeps an image's files in a tier, and lets them go again.

use greenroom::model::{
    command::{PinImage, Rejection},
    image::Tier,
    reply::Reply,
    request::Request,
};

use super::world::Lab;

fn pin(lab: &mut Lab, image: &str, tier: Tier) -> Reply {
    lab.ask(&Request::Pin(PinImage { image: image.parse().unwrap(), tier, by: "ann".into() })).0
}

#[test]
fn an_image_of_the_library_is_pinned_moved_and_let_go() {
    let mut lab = Lab::new();
    assert_eq!(pin(&mut lab, "debian", Tier::Disk), Reply::Done);
    assert_eq!(pin(&mut lab, "debian", Tier::Ram), Reply::Done);
    assert_eq!(lab.world.pins.get(&"debian".parse().unwrap()), Some(&Tier::Ram));
    let facts = lab.records.len();
    assert_eq!(pin(&mut lab, "debian", Tier::Ram), Reply::Done, "said twice");
    assert_eq!(lab.records.len(), facts, "is no fact");
    assert_eq!(pin(&mut lab, "debian", Tier::Origin), Reply::Done);
    assert!(lab.world.pins.is_empty());
}

#[test]
fn what_cannot_be_pinned_or_let_go_is_said() {
    let mut lab = Lab::new();
    let Reply::Rejected(rejection) = pin(&mut lab, "debain", Tier::Ram) else { panic!("no such image") };
    assert_eq!(rejection.to_string(), "image debain is not in the library; did you mean debian?");
    let image = "debian".parse().unwrap();
    assert_eq!(pin(&mut lab, "debian", Tier::Origin), Reply::Rejected(Rejection::NotPinned { image }));
}
