//! Floor 1: what a machine becomes, as people write it, and as installers read it. Pure.
//!
//! [`schema`] is the document, [`compose`] makes it of several, [`validate`] what must hold beyond its shape, [`known`] the
//! names that rules know, [`catalog`] the documents that hold, [`intent`] what they ask of any Linux system, [`render`] the
//! seed files, [`coverage`] what becomes of each field.

pub mod catalog;
pub mod compose;
pub mod coverage;
pub mod intent;
pub mod known;
pub(crate) mod quote;
pub mod render;
pub mod schema;
pub mod validate;

pub use schema::Persona;
