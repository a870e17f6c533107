//! The table of fields and targets: whole, without a silent hole, and the same as the page in the library.

use std::{fs, path::Path};

use greenroom::persona::{
    coverage::{Cell, markdown, table},
    render::refuses,
};

use super::stage::samples;

#[test]
fn no_field_is_silently_dropped_by_any_target() {
    let table = table().unwrap();
    assert!(table.len() > 100, "{} fields", table.len());
    let mut dropped = vec![];
    for row in &table {
        let cells = row.cells.iter().filter(|(_, cell)| *cell == Cell::Nothing);
        dropped.extend(cells.map(|(target, _)| format!("{} for {target}", row.field)));
    }
    assert!(dropped.is_empty(), "silently dropped:\n{}", dropped.join("\n"));
}

#[test]
fn no_sample_asks_for_what_its_target_refuses() {
    for entry in samples().catalog().personas() {
        assert_eq!(refuses(&entry.persona), [], "{}", entry.reference);
    }
}

/// `make coverage` writes the page, as insta writes its snapshots: by `INSTA_UPDATE=always`.
#[test]
fn the_page_in_the_library_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas/COVERAGE.md");
    let now = markdown(&table().unwrap());
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        fs::write(&path, &now).unwrap();
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    let first = page.lines().zip(now.lines()).find(|(one, other)| one != other);
    assert!(page == now, "the page is not of today: `make coverage` writes it\n{first:?}");
}
