//! A daemon of its own for each test, and the command line that talks to it.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::port::free_port;

/// How long anything may take before the test gives up on it.
const LIMIT: Duration = Duration::from_secs(120);

/// Asks until there is an answer.
pub fn until<T>(what: &str, mut asked: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(found) = asked() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: it never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that ends with the test.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub struct Daemon {
    _process: Running,
    pub dir: TempDir,
    pub port: u16,
}

impl Daemon {
    /// A daemon that speaks HTTP only, with the personas `kiosk` and `desk`; `more` goes into its configuration.
    pub fn start(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let digest: String = Sha256::digest("kernel").iter().map(|byte| format!("{byte:02x}")).collect();
        let kernel = dir.path().join("kernel");
        write("kernel", "kernel");
        let origin = kernel.display();
        write(
            "library/images/tiny.yaml",
            &format!("name: tiny\narch: x64\nfiles: {{kernel: {{sha256: {digest}, origins: ['file:{origin}']}}}}\n"),
        );
        for persona in ["kiosk", "desk"] {
            let text = "apiVersion: greenroom/v1\ndescription: of the test\neffect: ephemeral\nos: {image: tiny}\n";
            write(&format!("library/{persona}.yaml"), text);
        }
        write("secrets/directory-token", "open-sesame\n");
        write("nbps/undionly.kpxe", "not run here, but it must be something");
        let port = free_port();
        let config = format!(
            "state_dir: state\nlibrary: library\nsecrets_dir: secrets\nadmin_socket: admin.sock\ndhcp: {{mode: 'off'}}\n\
             tftp: {{enabled: false}}\nhttp: {{port: {port}}}\nboot: {{nbp_dir: nbps}}\n{more}"
        );
        write("greenroom.yaml", &config);
        let log = fs::File::create(dir.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["serve", "--config"]).arg(dir.path().join("greenroom.yaml")).env("RUST_LOG", "debug,sled=info");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let daemon = Self { _process: Running(child), dir, port };
        until("the daemon starts", || daemon.log().contains("greenroom is ready").then_some(()));
        daemon
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Writes a file and says where.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path: PathBuf = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// The command line: its exit code, and what it said.
    pub fn run(&self, words: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.arg("--socket").arg(self.dir.path().join("admin.sock")).args(words);
        command.env("USER", "tester").env_remove("SUDO_USER").env("TZ", "UTC").stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        (output.status.code().unwrap(), said)
    }

    /// The same, when it must work.
    pub fn ok(&self, words: &[&str]) -> String {
        let (code, said) = self.run(words);
        assert_eq!(code, 0, "{words:?}: {said}");
        said
    }

    /// What `/healthz` says.
    pub fn health(&self) -> String {
        let url = format!("http://127.0.0.1:{}/healthz", self.port);
        let output = Command::new("curl").args(["-sS", &url]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// How many facts there are.
    pub fn facts(&self) -> u64 {
        let health: serde_json::Value = serde_json::from_str(&self.health()).unwrap();
        health["facts"].as_u64().unwrap()
    }
}
