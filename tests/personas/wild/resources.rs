//! What it needs and may use.

use greenroom::persona::schema::*;
use proptest::{collection::btree_map, option, prelude::*};

use super::size;

pub(super) fn resources() -> impl Strategy<Value = Resources> {
    let set = || {
        (option::of(size(1..4)), option::of(10..800u32), option::of(1..10000u32))
            .prop_map(|(memory, cpu_percent, io_weight)| LimitSet { memory, cpu_percent, io_weight })
    };
    let requires = (option::of(1..9u32), option::of(size(8..17)), option::of(size(20..40)))
        .prop_map(|(cpus, memory, disk)| Requirements { cpus, memory, disk });
    // An empty set says nothing, and is not written down.
    let services = btree_map("[a-z]{2,8}\\.(service|slice)", set(), 0..3);
    (requires, set(), services)
        .prop_map(|(requires, per_user, services)| Resources { requires, limits: Limits { per_user, services } })
}
