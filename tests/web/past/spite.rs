//! What somebody with bad intentions says, wherever something can be said before the daemon starts: markup in every text.

use std::{fs, path::Path};

use greenroom::model::{
    Arch, Moment, Seconds,
    command::{Line, Order, UserOrder},
    dhcp::{AskKind, DhcpAsk, DhcpPort, Ingress},
    request::Request,
};

use super::{DAY, End, Machine, Past, ROOMS, SERVER, described, mac, today};
use crate::place;

/// Markup that gets out of an attribute, a script, a style and a comment; it runs, or at least is an element, wherever it is
/// not taken as text.
pub const CANARY: &str =
    r#"'"--></style></script><script>window.__ran=1</script><img src=x onerror="window.__ran=1" class=canary>"#;
/// Much the same without blanks and slashes: the name of a user.
pub const USER: &str = r#""><script>window.__ran=1<script>"#;

/// The device of whoever says so.
pub const SPITEFUL: u32 = 7;

/// A device, its user, its boots, a persona with its commits and an image, all of which say nothing but markup.
pub fn spite(dir: &Path) {
    let library = dir.join("library");
    let quoted = serde_json::to_string(CANARY).unwrap();
    let persona = format!(
        "# {CANARY}\napiVersion: greenroom/v1\ndescription: {quoted}\nowner: {quoted}\nlabels: {{room: {quoted}}}\n\
         effect: ephemeral\nos: {{image: spite}}\napps:\n  commands: [{quoted}]\n  files: [{{path: /etc/motd, content: {quoted}}}]\n"
    );
    fs::write(library.join("spite.yaml"), persona).unwrap();
    let image = fs::read_to_string(library.join("images/debian-live.yaml")).unwrap();
    let image = image
        .replace("name: debian-live", "name: spite")
        .replace("description: debian 12, of the test", &format!("description: {quoted}"));
    fs::write(library.join("images/spite.yaml"), format!("{image}args: ['ds=nocloud;s={{{{seed_url}}}}', {quoted}]\n"))
        .unwrap();
    place::git_as(&library, CANARY, "2026-11-01T10:00:00Z", &["add", "-A"]);
    place::git_as(&library, CANARY, "2026-11-01T10:00:00Z", &["commit", "-q", "-m", &format!("{CANARY}\n\n{CANARY}")]);
    // One that is broken: what is wrong is said with what is written there.
    fs::write(library.join("spite-broken.yaml"), format!("effect: {quoted}\n{quoted}: {quoted}\n")).unwrap();

    let now = today();
    let mut past = Past::new(dir, Moment::from_millis(now - 2 * DAY));
    let said = |name: &str| (name.parse().unwrap(), Some(CANARY.parse().unwrap()));
    let order = UserOrder::Describe { changes: [said("title"), said("department")].into(), active: Some(true) };
    past.order(CANARY, vec![Line::User { user: USER.parse().unwrap(), order, expects: None }]);
    let attributes = [("role", CANARY.to_owned()), ("location", CANARY.to_owned()), ("user", USER.to_owned())];
    past.order(CANARY, vec![described(SPITEFUL, &attributes)]);
    past.assign(CANARY, SPITEFUL, "spite", false, Some(CANARY));
    let machine = Machine { n: SPITEFUL, maker: CANARY, product: CANARY, relay: ROOMS, arch: Arch::X64 };
    hello(&mut past);
    past.boot(machine, true, End::Failed);
    past.boot(machine, true, End::NoImage);
    // What it declined, and an order that is to come.
    let order = Order::DeclineProposal { persona: "spite".parse().unwrap() };
    past.order(CANARY, vec![Line::Device { mac: mac(SPITEFUL), order, expects: None }]);
    past.on(now - 60_000);
    hello(&mut past);
    past.boot(machine, true, End::Chainloaded);
    past.write();
}

/// A packet whose every text is markup.
fn hello(past: &mut Past) {
    let mut ask = DhcpAsk::new(AskKind::Discover, mac(SPITEFUL));
    ask.giaddr = ROOMS;
    ask.hostname = Some(CANARY.into());
    ask.vendor_class = Some(CANARY.into());
    ask.circuit = Some(CANARY.into());
    ask.remote = Some(CANARY.into());
    let peer = std::net::SocketAddrV4::new(ROOMS, 67);
    let ingress = Ingress { interface: CANARY.into(), local: SERVER, peer, port: DhcpPort::Server };
    past.ask(&Request::Dhcp { ask, ingress });
    past.now = past.now.plus(Seconds(1));
}
