//! One Chromium for all tests of the process, and its end.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Command as Process, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{
    Capabilities, ChromeCapabilities, ChromiumLikeCapabilities, WebDriver, common::command::ExtensionCommand,
};
use tokio::runtime::Runtime;

use super::{browser::LIMIT, stage::Running};

/// The driver, and the browser that it started. Never dropped: `SHARED` holds it until the process ends, however it ends, and
/// then its shell reads the end of its input and ends everything in its session.
pub struct Chromium {
    pub runtime: Runtime,
    pub driver: WebDriver,
    _shell: Running,
    _profile: TempDir,
}

pub static SHARED: Mutex<Option<Chromium>> = Mutex::new(None);

/// Starts the driver as the leader of a session. The browser is in the same: what is left of it ends with the shell.
const SHELL: &str = r#"
chromedriver --port=0 & cat > /dev/null
kill $!
for process in $(ps -o pid= -s $$); do [ "$process" = $$ ] || kill -9 "$process" 2>/dev/null; done
rm -rf "$PROFILE"
"#;

impl Chromium {
    pub fn start() -> Self {
        // Its own client has no provider of TLS: nobody asks for TLS here, but it does not start without one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let profile = tempfile::tempdir().unwrap();
        let mut shell = Process::new("setsid");
        shell.args(["sh", "-c", SHELL]).env("PROFILE", profile.path()).env("HOME", profile.path());
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut shell = Running(shell.spawn().expect("setsid, of util-linux"));
        let mut lines = BufReader::new(shell.0.stdout.take().unwrap()).lines();
        let port =
            lines.find_map(|line| line.unwrap().split_once("successfully on port ").map(|(_, port)| port.to_owned()));
        let port = port.expect("chromedriver starts: `make setup` installs it").trim_end_matches('.').to_owned();
        // What else it says is of no use, but its pipe must not fill.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let connect =
            WebDriver::builder(format!("http://127.0.0.1:{port}"), capabilities(&profile)).request_timeout(LIMIT * 2);
        let driver = runtime.block_on(connect.connect()).expect("Chromium starts");
        Self { runtime, driver, _shell: shell, _profile: profile }
    }
}

fn capabilities(profile: &TempDir) -> Capabilities {
    let mut wanted = ChromeCapabilities::new();
    let folder = format!("--user-data-dir={}", profile.path().display());
    for argument in [
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--force-color-profile=srgb",
        "--lang=en-GB",
        // Whatever a page asks for elsewhere, it is known that it asked, and nobody is reached.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        &folder,
    ] {
        wanted.add_arg(argument).unwrap();
    }
    let mut wanted = Capabilities::from(wanted);
    wanted.set("goog:loggingPrefs", json!({"browser": "ALL", "performance": "ALL"})).unwrap();
    // A question of a page waits for the test: `accept`, `dismiss`.
    wanted.set("unhandledPromptBehavior", json!("ignore")).unwrap();
    let limit = LIMIT.as_millis() as u64;
    wanted.set("timeouts", json!({"script": limit, "pageLoad": limit})).unwrap();
    wanted
}

/// A command of the DevTools protocol, by way of chromedriver.
#[derive(Debug)]
pub struct DevTools(pub &'static str, pub Value);

impl ExtensionCommand for DevTools {
    fn parameters_json(&self) -> Option<Value> {
        Some(json!({"cmd": self.0, "params": self.1}))
    }

    fn method(&self) -> reqwest::Method {
        reqwest::Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        "/goog/cdp/execute".into()
    }
}
