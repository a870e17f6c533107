//! The real binary over folders like those of other boot servers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import").join(name)
}

/// Runs `greenroom import` beside the fixtures, so that what it prints is the same on every machine.
pub(crate) fn import(arguments: &[&str]) -> Output {
    greenroom(&fixture(""), &[&["import"], arguments].concat())
}

pub(crate) fn greenroom(beside: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.current_dir(beside).args(arguments).env_remove("GREENROOM_CONFIG").env_remove("GREENROOM_SOCKET");
    command.env("COLUMNS", "100").stdin(Stdio::null()).output().unwrap()
}

/// What was printed, without the folder that the tests lie in.
pub(crate) fn text(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    text.replace(fixture("").to_str().unwrap(), "HERE/")
}

/// Every file of a folder, in order, on one page.
pub(crate) fn page(folder: &Path) -> String {
    let mut files: Vec<PathBuf> = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let shown = files.iter().map(|path| {
        let name = path.strip_prefix(folder).unwrap().display();
        format!("==> {name}\n{}", fs::read_to_string(path).unwrap())
    });
    shown.collect::<Vec<_>>().join("\n").replace(fixture("").to_str().unwrap(), "HERE/")
}
