//! The real `greenroom` binary in a host of the lab.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{
    machine::wait_for,
    net::{Net, Running},
};

/// A daemon that runs until it is dropped.
pub struct Daemon {
    running: Running,
    binary: PathBuf,
    pub socket: PathBuf,
    pub log: PathBuf,
}

impl Daemon {
    /// Starts it on `host` with the configuration `body`, in a folder of its own under `logs`, and waits until it is ready.
    pub fn start(net: &Net, host: &str, binary: &Path, body: &str, library: &Path, logs: &Path) -> Self {
        let (config, log, socket) = (logs.join("greenroom.yaml"), logs.join("greenroom.log"), logs.join("admin.sock"));
        let text = format!(
            "state_dir: {}\nlibrary: {}\nadmin_socket: {}\n{body}",
            logs.join("state").display(),
            library.display(),
            socket.display()
        );
        fs::write(&config, text).expect("the log folder is writable");
        let mut command = net.on(host, &binary.display().to_string());
        command.args(["serve", "--config"]).arg(&config);
        let output = fs::OpenOptions::new().create(true).append(true).open(&log).expect("the log folder is writable");
        command.stdout(Stdio::null()).stderr(output);
        let running = Running(command.spawn().expect("the binary was built"));
        let mut daemon = Self { running, binary: binary.to_owned(), socket, log };
        let ready = wait_for(Duration::from_secs(60), || {
            let ended = !matches!(daemon.running.0.try_wait(), Ok(None));
            (ended || daemon.ask(&["boots"]).is_ok()).then_some(!ended)
        });
        let said = fs::read_to_string(&daemon.log).unwrap_or_default();
        assert_eq!(ready, Some(true), "the daemon did not start; its log:\n{said}");
        daemon
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.running.0.id()
    }

    /// Runs an admin command; what it printed, or what it complained of.
    pub fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.binary);
        command.arg("--socket").arg(&self.socket).args(arguments).env("USER", "lab").env_remove("SUDO_USER");
        let output = command.output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// The attempts of a machine as the command line gives them, the latest first.
    pub fn boots(&self, mac: &str) -> Vec<Value> {
        let json = self.ask(&["--json", "boots", "--mac", mac]).unwrap_or_default();
        serde_json::from_str(&json).unwrap_or_default()
    }

    /// Waits until some attempt of a machine has this outcome; that attempt.
    pub fn wait_for_outcome(&self, mac: &str, outcome: &str, limit: Duration) -> Option<Value> {
        wait_for(limit, || self.boots(mac).into_iter().find(|boot| boot["outcome"] == outcome))
    }

    /// The timelines of a machine, for people.
    pub fn timelines(&self, mac: &str) -> String {
        self.ask(&["boots", "--timeline", "--mac", mac]).unwrap_or_else(|error| error)
    }
}

/// The steps of an attempt by name, in order.
pub fn steps(boot: &Value) -> Vec<(String, Value)> {
    let steps = boot["steps"].as_array().cloned().unwrap_or_default();
    steps
        .into_iter()
        .map(|moved| (moved["step"]["step"].as_str().unwrap_or_default().to_owned(), moved["step"].clone()))
        .collect()
}

/// The report of an attempt.
pub fn report(boot: &Value) -> Value {
    let steps = boot["steps"].as_array().cloned().unwrap_or_default();
    let last = steps.into_iter().map(|moved| moved["step"].clone()).rfind(|step| step["step"] == "report");
    last.unwrap_or_default()
}
