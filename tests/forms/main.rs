//! Edits of YAML texts that keep every byte which they are not about, and forms made of personas: by examples that people
//! would write, and by properties over personas that nobody would.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod edits;
