//! The issuer of a test: oidc-provider-mock, from PyPI, which others wrote. The tests of the pages use it as well.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// It ends with the test.
pub(crate) struct Issuer {
    child: Child,
    /// What it calls itself when it is asked by this machine's address.
    pub(crate) url: String,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Issuer {
    /// One that knows these people (JSON: `sub` and claims), and logs into this folder.
    pub(crate) fn start(dir: &Path, port: u16, people: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/validators/bin/python");
        assert!(python.exists(), "`make setup` makes {}", python.display());
        let log = fs::File::create(dir.join("issuer.log")).unwrap();
        let mut command = Command::new(python);
        command.arg(root.join("tests/account/issuer.py")).args([&port.to_string(), people]).current_dir(dir);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let said = fs::read_to_string(dir.join("issuer.log")).unwrap();
            assert!(began.elapsed() < Duration::from_secs(90), "the issuer does not start: {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }
}
