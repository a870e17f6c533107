//! A World as the journal keeps it: JSON, made small. With 100,000 devices and their histories it is 400 MB of JSON, most of it
//! the same words again and again, and the engine answers nobody while what is left of them goes to the disk.
//!
//! A checkpoint that begins with `{` is one of an earlier version: JSON as it is.

use std::io::Read;

use lz4_flex::frame::{FrameDecoder, FrameEncoder};

use crate::world::World;

/// A World, ready to be written down. Making one of a large World takes seconds: not for the thread that answers.
#[derive(Debug)]
pub struct Checkpoint {
    seq: u64,
    bytes: Vec<u8>,
}

impl Checkpoint {
    /// The World as it is.
    pub fn of(world: &World) -> Self {
        let mut frame = FrameEncoder::new(vec![]);
        serde_json::to_writer(&mut frame, world).expect("the World is plain data with text keys");
        Self { seq: world.seq, bytes: frame.finish().expect("memory takes whatever is written") }
    }

    /// The number of the last record that is in it.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The World that was written down; or why it does not read.
pub(super) fn world(bytes: &[u8]) -> Result<World, String> {
    let mut json = vec![];
    if bytes.first() != Some(&b'{') {
        FrameDecoder::new(bytes).read_to_end(&mut json).map_err(|error| error.to_string())?;
    }
    let text = if json.is_empty() { bytes } else { &json };
    World::read(text).map_err(|error| error.to_string())
}
