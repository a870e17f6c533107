//! A folder with a library in it, the command line, and media made by real tools.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

pub(crate) struct Stage {
    pub(crate) dir: TempDir,
}

/// What a command said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) all: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let all = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
        Self { code: output.status.code(), out, all }
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("library")).unwrap();
        Self { dir }
    }

    /// With a configuration, so that downloads have a place.
    pub(crate) fn with_state() -> Self {
        let stage = Self::new();
        fs::create_dir(stage.path("state")).unwrap();
        let config = "state_dir: state\nlibrary: library\nadmin_socket: admin.sock\ndhcp: {mode: 'off'}\n";
        fs::write(stage.path("greenroom.yaml"), config).unwrap();
        stage
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Writes files by their paths, with what is in them.
    pub(crate) fn write(&self, folder: &str, files: &[(&str, &[u8])]) {
        for (path, bytes) in files {
            let path = self.path(folder).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// An ISO file of these files, by xorriso with these options.
    pub(crate) fn iso(&self, name: &str, label: &str, options: &[&str], files: &[(&str, &[u8])]) -> PathBuf {
        let tree = format!("{name}.tree");
        self.write(&tree, files);
        let made = self.path(name);
        let mut xorriso = Command::new("xorriso");
        xorriso.args(["-as", "mkisofs", "-quiet", "-V", label]).args(options).arg("-o").arg(&made);
        let output = xorriso.arg(self.path(&tree)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        made
    }

    fn greenroom(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command.env_remove("GREENROOM_SOCKET").env_remove("REGISTRY_AUTH_FILE").env_remove("RUST_LOG");
        let config = self.path("greenroom.yaml");
        match config.exists() {
            true => command.env("GREENROOM_CONFIG", config),
            false => command.env("GREENROOM_CONFIG", "/nonexistent/greenroom.yaml"),
        };
        command
    }

    /// `greenroom image add <arguments> --library library`.
    pub(crate) fn add(&self, arguments: &[&str]) -> Said {
        let mut command = self.greenroom();
        Said::of(&command.args(["image", "add"]).args(arguments).args(["--library", "library"]).output().unwrap())
    }

    /// The same, under way.
    pub(crate) fn adding(&self, arguments: &[&str]) -> std::process::Child {
        let mut command = self.greenroom();
        command.args(["image", "add"]).args(arguments).args(["--library", "library"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The manifest that was written, as `--json` of an add that must work says it.
    pub(crate) fn added(&self, arguments: &[&str]) -> Value {
        let said = self.add(&[arguments, &["--json", "--force"]].concat());
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.all);
        serde_json::from_str(said.out.lines().last().unwrap()).unwrap()
    }

    /// What an add that must fail says; it leaves no manifest behind.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let said = self.add(arguments);
        assert!(matches!(said.code, Some(1 | 2)), "{arguments:?}: {}", said.all);
        let images = self.path("library/images");
        let left: Vec<_> = fs::read_dir(images).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "{arguments:?} left {left:?}");
        said.all
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same noise as the cache's tests have, to be put together.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    super::noise::noise(seed, len).into()
}

pub(crate) fn args_of(image: &Value) -> Vec<&str> {
    image["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect()
}

/// A program that must work.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let output = command.args(arguments).current_dir(folder).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
