//! Bytes to make images of.

/// Bytes that repeat nowhere, so that a chunk in the wrong place shows; another `seed`, other bytes.
pub(crate) fn noise(seed: u64, len: usize) -> bytes::Bytes {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(len);
    bytes.into()
}
