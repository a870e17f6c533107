//! Attempts drawn: rows, silences, tries.

use greenroom::{
    model::{Firmware, Millis},
    usage::waterfall::{Kind, Waterfall, ticks, waterfall},
};

use crate::attempt::{Attempt, attempt};

fn drawn(attempt: &Attempt) -> Waterfall {
    waterfall(attempt.boot(), attempt.now)
}

fn row<'a>(fall: &'a Waterfall, what: &str) -> &'a greenroom::usage::waterfall::Row {
    fall.rows.iter().find(|row| row.what == what).unwrap_or_else(|| panic!("no {what}: {fall:#?}"))
}

#[test]
fn a_boot_is_drawn_from_its_discover_to_ready() {
    let fall = drawn(&attempt(
        Firmware::EfiPxe,
        "discover discover offer ack nbp ipxe offer ack script kernel initrd rootfs seed ready",
    ));
    let names: Vec<&str> = fall.rows.iter().map(|row| row.what.as_str()).collect();
    let expected = [
        "discover",
        "offer, ack",
        "NBP",
        "chainload",
        "discover",
        "offer, ack",
        "script",
        "kernel",
        "initrd",
        "kernel",
        "rootfs",
        "seed",
        "system",
        "ready",
    ];
    let sorted = |names: &[&str]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names.join(" ")
    };
    assert_eq!(sorted(&names), sorted(&expected), "{names:?}");
    assert_eq!(row(&fall, "discover").tries, 2);
    let nbp = row(&fall, "NBP");
    assert_eq!((nbp.start, nbp.end, nbp.bytes.map(|bytes| bytes.0)), (Millis(4600), Millis(5000), Some(1000)));
    assert!(fall.rows.iter().all(|row| row.start <= row.end && row.end <= fall.whole && !row.bad && !row.open));
    assert!(fall.rows.is_sorted_by_key(|row| row.start));
    assert_eq!(fall.whole, Millis(14_000));
}

#[test]
fn what_is_tried_again_is_one_row_and_says_how_it_ended() {
    let fall = drawn(&attempt(
        Firmware::EfiPxe,
        "discover offer ack nbp-broken nbp ipxe ack script no-kernel kernel-broken kernel initrd stuck",
    ));
    let nbp = row(&fall, "NBP");
    assert_eq!((nbp.tries, nbp.bars.len(), nbp.bad), (2, 2, false));
    assert!(nbp.bars[0].bad && !nbp.bars[1].bad && nbp.detail.contains("whole in the end"), "{nbp:?}");
    let kernel = fall.rows.iter().find(|row| row.kind == Kind::Image && row.what == "kernel").unwrap();
    assert_eq!((kernel.tries, kernel.bars.len(), kernel.bad), (3, 3, false), "{kernel:?}");
    let silence = fall.rows.iter().rfind(|row| row.kind == Kind::Silence).unwrap();
    assert!(silence.bad && silence.end == fall.whole, "that is what it hangs in: {silence:?}");
    assert!(row(&fall, "stuck").bad);
}

#[test]
fn what_goes_on_reaches_to_now() {
    let open = attempt(Firmware::EfiPxe, "discover offer ack nbp quiet");
    let fall = drawn(&open);
    let chainload = row(&fall, "chainload");
    assert!(chainload.open && chainload.end == fall.whole && chainload.took() == Millis(301_000), "{chainload:?}");
}

#[test]
fn marks_stand_at_round_times() {
    for (whole, step, count) in
        [(70, 20, 4), (14_000, 5000, 3), (900_000, 300_000, 4), (4_000, 1000, 5), (36_000_000, 7_200_000, 6)]
    {
        let marks = ticks(Millis(whole));
        assert_eq!((marks.len(), marks[1]), (count, Millis(step)), "{whole}: {marks:?}");
        assert!(marks.iter().all(|mark| mark.0 <= whole && mark.0 % step == 0));
    }
    assert_eq!(ticks(Millis(0)), [Millis(0)]);
    assert!(ticks(Millis(100_000_000_000)).len() <= 8, "also of what takes years");
}
