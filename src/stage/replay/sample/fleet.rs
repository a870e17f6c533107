//! Images, and machines that boot them.

use super::{Dice, Request};

const MIB: u64 = 1 << 20;

/// The files of an image: name and length.
pub(super) struct Shelf(Vec<(String, u64)>);

impl Shelf {
    /// A kernel, an initrd, and mostly a root file system of up to 4 GiB.
    pub(super) fn new(name: &str, dice: &mut Dice) -> Self {
        let mut files = vec![
            (format!("{name}/kernel"), dice.size(7 * MIB, 15 * MIB)),
            (format!("{name}/initrd"), dice.size(30 * MIB, 130 * MIB)),
        ];
        if dice.part() < 0.85 {
            files.push((format!("{name}/rootfs"), dice.size(250 * MIB, 4096 * MIB)));
        }
        Self(files)
    }

    /// One file of this length.
    pub(super) fn single(name: String, len: u64) -> Self {
        Self(vec![(name, len)])
    }
}

/// What is asked for so far.
#[derive(Default)]
pub(super) struct Fleet {
    pub(super) requests: Vec<Request>,
}

impl Fleet {
    /// A machine boots: it asks for the files one after the other, as loaders do.
    pub(super) fn boot(&mut self, millis: u64, image: &Shelf, dice: &mut Dice) {
        let mut at = millis;
        for (object, len) in &image.0 {
            self.requests.push(Request { millis: at, object: object.clone(), len: *len });
            at += 300 + dice.wait(4_000.0);
        }
    }
}
