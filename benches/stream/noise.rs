//! Files of bytes that no disk can shrink.

use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
};

use greenroom::model::Digest;
use sha2::{Digest as _, Sha256};

/// Writes a file of so many MiB, and hashes it. Another seed gives other bytes.
pub(super) fn write(path: &Path, mib: usize, seed: u64) -> Digest {
    let mut file = File::create(path).expect("a new file");
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15 ^ seed.wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mut block = vec![0; 1 << 20];
    for _ in 0..mib {
        for word in block.chunks_exact_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
        file.write_all(&block).expect("the disk takes it");
    }
    file.sync_all().expect("the disk takes it");
    copy_into(path, &mut std::io::sink())
}

/// Copies a file, and hashes it on the way.
pub(super) fn copy_into(path: &Path, out: &mut impl Write) -> Digest {
    let mut file = File::open(path).expect("the file is there");
    let (mut buffer, mut hash) = (vec![0; 256 << 10], Sha256::new());
    loop {
        match file.read(&mut buffer).expect("the file can be read") {
            0 => return Digest::new(hash.finalize().into()),
            read => {
                hash.update(&buffer[..read]);
                out.write_all(&buffer[..read]).expect("the disk takes it");
            }
        }
    }
}
