//! The formats' own tools, over every sample and over personas that nobody would write.

use greenroom::persona::schema::Target;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use super::wild;

#[test]
fn wild_personas_can_be_had_for_every_target() {
    let mut runner = TestRunner::deterministic();
    for target in Target::ALL {
        let strategy = wild::persona(target);
        for _ in 0..40 {
            let made = strategy.new_tree(&mut runner).unwrap_or_else(|error| panic!("{target}: {error}")).current();
            assert_eq!(made.target(), target);
        }
    }
}
