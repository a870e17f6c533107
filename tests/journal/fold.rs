//! `World == replay(journal)`, for any facts, in any batches, with checkpoints, syncs and restarts anywhere.

use std::net::Ipv4Addr;

use greenroom::{
    journal::{Checkpoint, Journal},
    model::{
        Arch, Armed, BootId, Decision, DeviceId, Digest, Fact, Firmware, Link, Moment, PersonaRef, Probability, Reason,
        SmbiosUuid, UserName, Version,
        image::Role,
        lease::{Lease, LeaseState},
        plan::{KernelBoot, PlannedFile, Setting},
        site::Mirrors,
        smbios::Hardware,
        timeline::{Phase, Report, Step},
        trouble::{Trouble, TroubleKind},
    },
    world::World,
};
use proptest::prelude::*;

use super::{fold, mac, next, records_of};

fn persona() -> PersonaRef {
    PersonaRef { name: "x".parse().unwrap(), version: Version::new("v") }
}

fn by() -> String {
    "ann \"ø\" \u{1F600}".into()
}

fn user() -> impl Strategy<Value = UserName> {
    prop_oneof![Just("ann".parse().unwrap()), Just("bob@lab.test".parse().unwrap())]
}

fn kernel() -> KernelBoot {
    let file = PlannedFile { role: Role::Kernel, digest: Digest::new([7; 32]), size: None, name: "vmlinuz".into() };
    KernelBoot {
        persona: persona(),
        firmware: Firmware::IpxeBios,
        arch: Arch::X64,
        files: vec![file],
        args: vec!["quiet".into()],
    }
}

fn step() -> impl Strategy<Value = Step> {
    let report =
        |phase| Report { phase, hostname: None, kernel: None, cloud_init: None, message: None, checks: vec![] };
    // Any probability must come back to the bit: JSON readers that round are off by one for one number in ten.
    let predicted = (0.0..=1.0f64).prop_map(|probability| Decision::LocalDisk {
        reason: Reason::Predicted { probability: Probability::near(probability), model: "m".into() },
    });
    let armed = Some(Armed::Rule { name: "r".into() });
    let install = Decision::Become { persona: persona(), reason: Reason::Default, armed };
    prop_oneof![
        Just(Step::Discover { firmware: Firmware::Bios }),
        predicted.prop_map(|decision| Step::Script { decision }),
        Just(Step::Script { decision: install }),
        Just(Step::Seed { name: "user-data".into() }),
        Just(Step::NoBlob {
            role: Role::Initrd,
            digest: Digest::new([9; 32]),
            why: vec![Trouble { at: "mirror.example".into(), kind: TroubleKind::BrokeOff }],
        }),
        Just(Step::GaveUp),
        Just(Step::Report(report(Phase::Ready))),
    ]
}

fn lease() -> impl Strategy<Value = Lease> {
    let hostname = prop_oneof![Just(None), Just(Some("näme".to_owned()))];
    let state = prop::sample::select(vec![LeaseState::Offered, LeaseState::Bound]);
    (0u8..16, 0u8..8, state, any::<u32>(), hostname).prop_map(|(ip, n, state, until, hostname)| Lease {
        ip: Ipv4Addr::new(10, 0, 0, ip),
        mac: mac(n),
        state,
        until: Moment::from_millis(until.into()),
        hostname,
    })
}

/// Every fact there is, about few enough things that they meet.
fn fact() -> impl Strategy<Value = Fact> {
    let device = || (0u8..8).prop_map(|n| DeviceId::new(mac(n)));
    let boot = || (0u64..8).prop_map(BootId::new);
    let uuid = prop_oneof![Just(None), Just("4c4c4544-0051-3510-8052-b4c04f4e3632".parse::<SmbiosUuid>().ok())];
    prop_oneof![
        lease().prop_map(|lease| Fact::LeaseOffered { lease }),
        lease().prop_map(|lease| Fact::LeaseBound { lease }),
        lease().prop_map(|lease| Fact::LeaseReleased { ip: lease.ip, mac: lease.mac }),
        lease().prop_map(|lease| Fact::LeaseDeclined { ip: lease.ip, mac: lease.mac, until: lease.until }),
        (device(), 0u8..8, uuid).prop_map(|(device, n, uuid)| Fact::DeviceSeen {
            device,
            mac: mac(n),
            uuid,
            arch: Some(Arch::X64),
            firmware: Firmware::Bios
        }),
        device().prop_map(|device| Fact::HardwareReported { device, hardware: Hardware::default() }),
        (boot(), device()).prop_map(|(boot, device)| Fact::BootStarted {
            boot,
            device,
            firmware: Firmware::Bios,
            arch: None
        }),
        (boot(), step()).prop_map(|(boot, step)| Fact::BootMoved { boot, step }),
        (boot(), any::<bool>()).prop_map(|(boot, noted)| Fact::BootPlanned {
            boot,
            kernel: kernel(),
            setting: noted.then(|| Setting {
                server: "http://10.0.0.1".into(),
                mirrors: Mirrors::default(),
                hardware: Hardware::default(),
                disk: None,
            }),
        }),
        device().prop_map(|device| Fact::PersonaAssigned {
            device,
            persona: "x".parse().unwrap(),
            by: by(),
            not_before: None,
            expires: None,
            why: None
        }),
        (device(), user()).prop_map(|(device, user)| Fact::DeviceDescribed {
            device,
            changes: [("user".parse().unwrap(), Some(user.as_str().parse().unwrap()))].into(),
            by: by(),
        }),
        (user(), any::<bool>()).prop_map(|(user, leaves)| Fact::UserDescribed {
            user,
            changes: [("role".parse().unwrap(), (!leaves).then(|| "a b".parse().unwrap()))].into(),
            active: leaves.then_some(false),
            by: by(),
        }),
        user().prop_map(|user| Fact::UserForgotten { user, by: by() }),
        (device(), any::<bool>()).prop_map(|(device, relayed)| Fact::DevicePlaced {
            device,
            link: Link { circuit: relayed.then(|| "ge-0/0/1".into()), ..Link::default() },
        }),
        device().prop_map(|device| Fact::ProposalDeclined { device, persona: "x".parse().unwrap(), by: by() }),
        any::<u64>().prop_map(|print| Fact::OrdersTaken { key: "k".parse().unwrap(), print, by: by() }),
        device().prop_map(|device| Fact::PersonaUnassigned { device, by: by() }),
        device().prop_map(|device| Fact::DeviceArmed { device, by: by() }),
        device().prop_map(|device| Fact::DeviceDisarmed { device, by: by() }),
        device().prop_map(|device| Fact::DeviceInstalled { device, persona: persona() }),
        device().prop_map(|device| Fact::DeviceForgotten { device, by: by() }),
    ]
}

/// What happens to a journal between two batches.
#[derive(Debug, Clone, Copy)]
enum Event {
    Nothing,
    Sync,
    Checkpoint,
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    prop::sample::select(vec![Event::Nothing, Event::Sync, Event::Checkpoint, Event::Restart])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_world_is_the_fold_of_the_journal(
        batches in prop::collection::vec((prop::collection::vec(fact(), 1..12), any::<bool>(), event()), 1..8)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.redb");
        let (mut journal, mut world) = Journal::open(&path).unwrap();
        prop_assert_eq!(&world, &World::default());
        let mut all = vec![];
        for (facts, durable, event) in batches {
            let records = next(&mut world, facts);
            journal.append(&records, durable).unwrap();
            all.extend(records);
            match event {
                Event::Nothing => {}
                Event::Sync => journal.sync().unwrap(),
                Event::Checkpoint => journal.checkpoint(&Checkpoint::of(&world)).unwrap(),
                Event::Restart => {
                    journal.sync().unwrap();
                    drop(journal);
                    let (again, replayed) = Journal::open(&path).unwrap();
                    prop_assert_eq!(&replayed, &world);
                    journal = again;
                }
            }
        }
        prop_assert_eq!(journal.latest(), all.last().unwrap().at);
        prop_assert_eq!(&records_of(&journal), &all);
        prop_assert_eq!(fold(&all), world);
    }
}
