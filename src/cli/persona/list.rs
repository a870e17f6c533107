//! `greenroom persona list`.

use crate::{library::Library, persona::catalog::Entry};

use super::{
    super::{Done, Global, out, say_json},
    From,
};

pub(super) fn run(from: From, global: &Global) -> Done {
    let library = Library::open(&from.path(global)?);
    if global.json {
        let references: Vec<_> = library.catalog().personas().map(|entry| entry.reference.clone()).collect();
        return say_json(&references);
    }
    let mut table = out::table(&["persona", "version", "effect", "image", "extends", "description"]);
    for Entry { reference, persona } in library.catalog().personas() {
        table.add_row([
            reference.name.to_string(),
            reference.version.to_string(),
            persona.effect().to_string(),
            persona.image().to_string(),
            persona.extends.join(", "),
            persona.description.clone(),
        ]);
    }
    out::say_table(&table, "there is no persona yet");
    Ok(())
}
