//! A month of an organisation with classrooms, kiosks, a data centre and offices.

use std::{collections::BTreeMap, path::Path};

use greenroom::model::{
    Arch, Moment,
    command::{Line, Order, PinImage, UserOrder},
    image::Tier,
    reply::Reply,
    request::Request,
};

use super::{DAY, End, Machine, Past, described, desk, mac, node, server, today};

/// Which devices are what; tests may count on it.
pub mod who {
    use std::ops::Range;

    /// Classroom desks, that the forecast chooses for.
    pub const DESKS: Range<u32> = 0..60;
    /// Kiosks in the foyer, by a rule.
    pub const KIOSKS: Range<u32> = 60..80;
    /// Compute nodes without disks, by a rule.
    pub const NODES: Range<u32> = 80..140;
    /// Servers that were installed.
    pub const SERVERS: Range<u32> = 140..170;
    /// Workstations of people: assigned, some of them never armed.
    pub const STATIONS: Range<u32> = 170..220;
    /// Machines that went wrong today, each in its way.
    pub const TROUBLED: Range<u32> = 220..240;
    /// Machines that boot as the daemon starts.
    pub const UNDER_WAY: Range<u32> = 240..250;
    /// Machines that were described and never seen.
    pub const EXPECTED: Range<u32> = 250..300;
}

/// A month of an organisation with classrooms, kiosks, a data centre and offices; it ends now.
pub fn month(dir: &Path) {
    let now = today();
    let mut past = Past::new(dir, Moment::from_millis(now - 29 * DAY));
    people(&mut past);
    inventory(&mut past);
    centre(&mut past);
    for day in (1..=21).rev() {
        // Midnight of a day in UTC; the first of 1970 was a Thursday.
        let midnight = now / DAY * DAY - day * DAY;
        let weekday = (midnight / DAY + 3) % 7;
        past.on(midnight + 7 * 3_600_000);
        if weekday < 5 {
            lessons(&mut past, day, weekday == 4);
        }
    }
    offices(&mut past);
    past.on(now - 5 * 3_600_000);
    trouble(&mut past);
    past.on(now - 3_600_000);
    for n in who::NODES.step_by(3) {
        past.boot(node(n), false, End::Ready);
    }
    past.on(now - 3 * 60_000);
    for n in who::UNDER_WAY {
        past.describe(n, &[("role", "kiosk".into()), ("location", "foyer".into())]);
        let ends = [End::Discovered, End::Chainloaded, End::Scripted, End::Loading, End::Ready];
        past.boot(desk(n), n % 2 == 0, ends[n as usize % 5]);
    }
    assert!(past.now.as_millis() < now + 60_000, "the past ends before the test begins");
    past.write();
}

pub(super) fn people(past: &mut Past) {
    let said = |name: &str, value: &str| (name.parse().unwrap(), Some(value.parse().unwrap()));
    let lines = (0..50).map(|n| {
        let department = ["research", "design", "sales", "finance"][n % 4];
        let title = ["engineer", "analyst", "lead"][n % 3];
        let changes: BTreeMap<_, _> = [said("department", department), said("title", title)].into();
        let order = UserOrder::Describe { changes, active: Some(n % 17 != 16) };
        Line::User { user: format!("person-{n:02}").parse().unwrap(), order, expects: None }
    });
    past.order("directory", lines.collect());
}

fn inventory(past: &mut Past) {
    let said = |n: u32| -> Vec<(&str, String)> {
        let place = |room: &str| ("location", room.to_owned());
        match n {
            _ if who::DESKS.contains(&n) => {
                vec![
                    ("role", "desk".into()),
                    place(if n < 30 { "room A" } else { "room B" }),
                    ("seat", format!("{}", 1 + n % 30)),
                ]
            }
            _ if who::KIOSKS.contains(&n) => vec![("role", "kiosk".into()), place("foyer")],
            _ if who::NODES.contains(&n) => {
                vec![("role", "compute".into()), place("dc1"), ("rack", format!("R{}", 1 + n / 20))]
            }
            _ if who::SERVERS.contains(&n) => vec![("role", "server".into()), place("dc1"), ("service", "web".into())],
            _ if who::STATIONS.contains(&n) => {
                vec![("role", "workstation".into()), ("user", format!("person-{:02}", n % 50)), place("office 3")]
            }
            _ => vec![("role", "spare".into()), place("store")],
        }
    };
    let lines = (0..who::EXPECTED.end).filter(|n| !who::TROUBLED.contains(n) && !who::UNDER_WAY.contains(n));
    past.order("import", lines.map(|n| described(n, &said(n))).collect());
}

/// Nodes boot into memory, servers are installed and boot their disks from then on.
fn centre(past: &mut Past) {
    for n in who::NODES {
        past.boot(node(n), false, End::Ready);
    }
    for n in who::SERVERS {
        past.assign("carla", n, "server-debian", true, Some("rack 7 is built"));
        past.boot(server(n), false, End::Installed);
        past.wait(60_000);
        past.boot(server(n), false, End::Ready);
    }
    for (image, tier) in [("debian-live", Tier::Ram), ("debian-12-installer", Tier::Disk)] {
        let order = PinImage { image: image.parse().unwrap(), tier, by: "carla".into() };
        assert_eq!(past.ask(&Request::Pin(order)), Reply::Done);
    }
}

/// A morning in the classrooms. In the first week everything is assigned; then the forecast has learned it.
fn lessons(past: &mut Past, day: u64, friday: bool) {
    let want = |n: u32| if friday && n >= 30 { "exam" } else { "classroom" };
    if day > 14 {
        for n in who::DESKS {
            if friday || past.world.device_of(mac(n)).is_none_or(|device| device.assigned.is_none()) {
                past.assign("ann", n, want(n), false, Some("timetable"));
            }
        }
    } else {
        for n in who::DESKS {
            if past.world.device_of(mac(n)).is_some_and(|device| device.assigned.is_some()) {
                past.order("ann", vec![Line::Device { mac: mac(n), order: Order::UnassignPersona, expects: None }]);
            }
        }
        let row = |n| {
            (
                n,
                vec![
                    (want(n), 0.93),
                    (if want(n) == "exam" { "classroom" } else { "exam" }, 0.05),
                    ("kiosk-live", 0.02),
                ],
            )
        };
        past.foresee(who::DESKS.map(row));
    }
    for n in who::DESKS {
        past.boot(desk(n), n % 3 == 0, if (n as u64 + day) % 41 == 0 { End::Failed } else { End::Ready });
        past.wait(3000);
    }
    for n in who::KIOSKS {
        past.boot(desk(n), true, End::Ready);
    }
}

/// Workstations: one in five waits for somebody to allow its disk to be wiped.
fn offices(past: &mut Past) {
    for n in who::STATIONS {
        let persona = ["workstation-debian", "workstation-ubuntu", "desktop-fedora"][n as usize % 3];
        let armed = n % 5 != 0;
        past.assign("ann", n, persona, armed, armed.then_some("hardware refresh"));
        past.boot(desk(n), false, End::Installed);
        past.wait(20_000);
    }
}

/// What can go wrong, a few times each: silent at each stage, failed, without its image, without its architecture.
fn trouble(past: &mut Past) {
    for n in who::TROUBLED {
        let machine = match n % 10 {
            8 => Machine { arch: Arch::Arm64, ..desk(n) },
            _ => desk(n),
        };
        if n % 10 == 5 {
            past.assign("carla", n, "old-desk", false, None);
        } else {
            past.describe(n, &[("role", "kiosk".into()), ("location", "workshop".into())]);
        }
        let end = match n % 10 {
            0 => End::Discovered,
            1 | 9 => End::Chainloaded,
            2 => End::Scripted,
            3 => End::Loading,
            4 | 7 => End::Failed,
            5 => End::NoImage,
            _ => End::Ready,
        };
        past.boot(machine, n % 10 == 6, end);
        if n % 10 == 1 {
            // It asks for its NBP again instead of running it.
            past.wait(12_000);
            past.boot(machine, false, End::Chainloaded);
        }
        past.wait(5000);
    }
    past.wait(1_000_000);
    past.ask(&Request::Tick);
}
