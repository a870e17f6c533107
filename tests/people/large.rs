//! A hundred thousand devices: they are taken over, in pieces that leave room for others.

use std::{fs, sync::Arc, time::Instant};

use greenroom::{
    model::{
        MacAddr, Moment,
        command::{Line, Order, Orders},
        reply::Reply,
        request::Request,
        site::{BootPolicy, DhcpMode, Site},
    },
    persona::catalog::Catalog,
    world::{Ground, Stamp, World, decide},
};

use super::stage::Daemon;

const DEVICES: u32 = 100_000;

fn mac(n: u32) -> MacAddr {
    let [_, a, b, c] = n.to_be_bytes();
    MacAddr::new([2, 0, a, b, c, 7]).unwrap()
}

fn line(n: u32) -> Line {
    let said = |name: &str, value: String| (name.parse().unwrap(), Some(value.parse().unwrap()));
    let changes = [said("role", format!("role-{}", n % 50)), said("user", format!("user-{n}"))].into();
    Line::Device { mac: mac(n), order: Order::Describe { changes }, expects: Some(0) }
}

/// How long this thread has been at work, in nanoseconds: what others take of the machine does not count.
fn worked() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

/// What the writer does with one batch, without the journal: what DHCP waits for. Prints how long pieces of several sizes take;
/// asserts only that all of them come to the same.
#[test]
fn orders_in_pieces_come_to_the_same_as_all_at_once() {
    let boot = BootPolicy {
        rules: vec![],
        default: None,
        nbps: Default::default(),
        uefi_nbp: vec![],
        quirks: vec![],
        chain_window: Default::default(),
        stuck_after: Default::default(),
        installs_per_hour: 3,
        predict: Default::default(),
    };
    let site = Site {
        mode: DhcpMode::Off,
        subnets: vec![],
        authoritative: true,
        http_port: 80,
        addresses: Default::default(),
        boot,
        mirrors: Default::default(),
    };
    let catalog = Arc::new(Catalog::default());
    let ground = Ground { site: Arc::new(site), catalog, secrets: Arc::default(), forecast: Arc::default() };
    let lines: Vec<Line> = (0..DEVICES).map(line).collect();
    let mut ends: Vec<World> = vec![];
    for piece in [DEVICES as usize, 1000, 500] {
        let mut world = World::default();
        let mut longest = 0;
        for lines in lines.chunks(piece) {
            let began = worked();
            let request = Request::Orders(Orders { by: "op".into(), key: None, said: None, lines: lines.to_vec() });
            let stamp = Stamp { now: Moment::from_millis(1), nonce: 0 };
            let outcome = decide(&world, &ground, &request, stamp);
            assert_eq!(outcome.reply, Reply::Done);
            for fact in outcome.facts {
                world.apply(&greenroom::model::Record { seq: world.seq + 1, at: stamp.now, fact });
            }
            longest = longest.max(worked() - began);
        }
        eprintln!("{piece} lines at once: the writer works for {} ms at most", longest / 1_000_000);
        ends.push(world);
    }
    assert_eq!(ends[0].devices.size(), DEVICES as usize);
    assert!(ends.windows(2).all(|two| two[0].devices == two[1].devices));
}

#[test]
fn a_hundred_thousand_devices_are_imported_and_found() {
    let daemon = Daemon::start("");
    let row = |n: u32| format!("{},role-{},user-{n}\n", mac(n), n % 50);
    let csv = "mac,role,user\n".to_owned() + &(0..DEVICES).map(row).collect::<String>();
    let file = daemon.file("devices.csv", csv);
    let began = Instant::now();
    let said = daemon.ok(&["device", "import", &file]);
    eprintln!("100,000 rows were taken over in {} ms", began.elapsed().as_millis());
    assert!(said.contains("100000 new, 0 changed, 0 unchanged"), "{}", said.chars().take(500).collect::<String>());
    assert!(said.contains("... and 99940 more"), "the table is cut: {} bytes", said.len());
    let found = daemon.ok(&["device", "list", "--where", "user=user-99999 or user=user-7"]);
    assert_eq!(found.lines().count(), 3, "{found}");
    let again = daemon.ok(&["device", "import", &file]);
    assert!(again.contains("0 new, 0 changed, 100000 unchanged"), "{again}");
}
