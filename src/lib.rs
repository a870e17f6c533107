//! Greenroom: one daemon that network-boots bare-metal machines and turns each into its persona.

// Floor 0: nouns.
pub mod model;

// Floor 2: policy.
pub mod world;
