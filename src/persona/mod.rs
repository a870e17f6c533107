//! Floor 1: what a machine becomes, as people write it, and as installers read it. Pure.
//!
//! [`schema`] is the document, [`compose`] makes it of several, [`validate`] what must hold beyond its shape, [`known`] the
//! names that rules know, [`catalog`] the documents that hold, [`intent`] what they ask of any Linux system, [`render`] the
//! seed files, [`coverage`] what becomes of each field. [`draft`] is a document that somebody is writing, [`form`] shows it
//! as fields, and [`complete`] what may be written at a place.

pub mod catalog;
pub mod complete;
pub mod compose;
pub mod coverage;
pub mod draft;
pub mod form;
pub mod intent;
pub mod known;
pub(crate) mod quote;
pub mod render;
pub mod schema;
pub mod validate;

pub use draft::Draft;
pub use schema::Persona;
