//! Any text is a persona or a list of problems that can be shown.
#![no_main]

use greenroom::{
    document::Document,
    persona::{Persona, validate::validate},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: Vec<u8>| {
    let Ok(document) = Document::read("fuzz.yaml", text) else { return };
    let problems = match document.parse::<Persona>() {
        Ok(persona) => validate(&persona, &document),
        Err(problems) => problems,
    };
    for problem in problems {
        assert!(!problem.to_string().is_empty());
    }
});
