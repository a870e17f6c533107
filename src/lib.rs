#![doc = include_str!("ARCHITECTURE.md")]

// Floor 0: nouns.
pub mod model;

// Floor 1: bytes and text <-> nouns.
pub mod document;
pub mod import;
pub mod persona;
pub mod wire;

// Floor 2: policy.
pub mod boot;
pub mod lease;
pub mod predict;
pub mod stage;
pub mod usage;
pub mod world;

// Floor 3: keepers, each of one place on disk.
pub mod images;
pub mod journal;
pub mod library;

// Floor 4: the engine.
pub mod engine;
pub mod sim;

// Floor 5: services.
pub mod serve;

// Floor 6: assembly.
pub mod app;
pub mod cli;
pub mod config;
