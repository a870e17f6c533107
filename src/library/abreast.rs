//! The same work on many things at once, on all cores: reading a thousand documents, making a thousand personas.

use std::{
    panic::resume_unwind,
    thread::{self, Builder},
};

/// Fewer things than this for each core are not worth a thread.
const WORTH: usize = 8;

/// More threads than this only get into one another's way, and into that of the devices that boot meanwhile.
const MOST: usize = 8;

/// What comes of each thing, in their order.
pub(super) fn each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST));
    let share = things.len().div_ceil(cores).max(WORTH);
    let work = |share: &[T]| share.iter().map(&work).collect::<Vec<R>>();
    thread::scope(|scope| {
        let mut shares = things.chunks(share);
        let first = shares.next();
        // A system that gives no thread gets its work done all the same.
        let others: Vec<_> = shares.map(|share| (share, Builder::new().spawn_scoped(scope, || work(share)))).collect();
        let mut done = first.map_or(vec![], work);
        for (share, other) in others {
            done.extend(match other {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(_) => work(share),
            });
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_many_stands_in_their_order() {
        for count in [0, 1, WORTH, WORTH + 1, 1000] {
            let things: Vec<usize> = (0..count).collect();
            assert_eq!(each(&things, |thing| thing * 2), things.iter().map(|thing| thing * 2).collect::<Vec<_>>());
        }
    }
}
