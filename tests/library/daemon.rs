//! The real daemon on a library in git: pulls, the webhook, what it says of broken and edited personas.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::{
    port::free_port,
    remote::Shared,
    stage::{git, persona, until},
};

/// The secret and the body of the example in GitHub's documentation ("Validating webhook deliveries"), and what
/// `openssl dgst -sha256 -hmac` says of them.
const SECRET: &str = "It's a Secret to Everybody";
const BODY: &str = "Hello, World!";
const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

struct Daemon {
    child: Child,
    port: u16,
    dir: std::path::PathBuf,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Daemon {
    /// A daemon that speaks HTTP only, and pulls its library when it is told to, or once an hour.
    fn start(shared: &Shared) -> Self {
        Self::start_with(shared, &[])
    }

    fn start_with(shared: &Shared, environment: &[(&str, &str)]) -> Self {
        let dir = shared.place.path().join("daemon");
        fs::create_dir_all(dir.join("secrets")).unwrap();
        fs::create_dir_all(dir.join("nbps")).unwrap();
        fs::write(dir.join("secrets/hook"), format!("{SECRET}\n")).unwrap();
        fs::write(dir.join("nbps/undionly.kpxe"), "not run here, but it must be something").unwrap();
        let port = free_port();
        let config = format!(
            "state_dir: state\nlibrary: {}\nsecrets_dir: secrets\nadmin_socket: admin.sock\ndhcp: {{mode: 'off'}}\n\
             tftp: {{enabled: false}}\nhttp: {{port: {port}}}\nboot: {{nbp_dir: nbps}}\n\
             library_remote: {{every: 1h, webhook_secret: hook}}\n",
            shared.served.library.display()
        );
        fs::write(dir.join("greenroom.yaml"), config).unwrap();
        let log = fs::File::create(dir.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["serve", "--config"]).arg(dir.join("greenroom.yaml")).env_remove("RUST_LOG");
        command.envs(environment.iter().copied());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let daemon = Self { child, port, dir };
        until("the daemon starts", || daemon.log().contains("greenroom is ready").then_some(()));
        daemon
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap()
    }

    /// curl: the status, and what came.
    fn curl(&self, path: &str, options: &[&str]) -> (String, String) {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let output = Command::new("curl").args(["-sS", "-w", "\n%{http_code}", &url]).args(options).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = said.rsplit_once('\n').unwrap();
        (status.to_owned(), body.to_owned())
    }

    fn ring(&self, signature: &str, body: &str) -> String {
        let header = format!("X-Hub-Signature-256: {signature}");
        self.curl("/hooks/library", &["-X", "POST", "-H", &header, "--data-binary", body]).0
    }

    fn health(&self) -> Value {
        serde_json::from_str(&self.curl("/healthz", &[]).1).unwrap()
    }

    fn metric(&self, line: &str) -> Option<String> {
        let text = self.curl("/metrics", &[]).1;
        text.lines().find_map(|found| found.strip_prefix(line).map(|value| value.trim().to_owned()))
    }

    fn list(&self) -> Vec<Value> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["persona", "list", "--json", "--config"]).arg(self.dir.join("greenroom.yaml"));
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    }
}

#[test]
fn a_signed_call_pulls_and_nothing_else_does() {
    let shared = Shared::new();
    let daemon = Daemon::start(&shared);
    let pushed = shared.push("a.yaml", &persona("pushed"));
    let forged = SIGNATURE.replace("sha256=7", "sha256=8");
    for (signature, body) in [
        (&*forged, BODY),
        (SIGNATURE, "Hello, World?"),
        ("", BODY),
        ("sha256=", BODY),
        (&SIGNATURE[..40], BODY),
        (&SIGNATURE.replace("sha256", "sha1"), BODY),
        ("sha256=zz", BODY),
    ] {
        assert_eq!(daemon.ring(signature, body), "403", "{signature}");
    }
    assert_eq!(daemon.curl("/hooks/library", &[]).0, "405", "a GET rings nothing");
    let flood = daemon.dir.join("flood");
    fs::write(&flood, vec![b'x'; 2 << 20]).unwrap();
    assert_eq!(daemon.ring(SIGNATURE, &format!("@{}", flood.display())), "413");
    assert_ne!(shared.served.git(&["rev-parse", "HEAD"]), pushed, "nothing was pulled by any of them");

    assert_eq!(daemon.ring(SIGNATURE, BODY), "202");
    until("it is pulled", || (shared.served.git(&["rev-parse", "HEAD"]) == pushed).then_some(()));
    until("it is served", || (daemon.list()[0]["commit"] == *pushed).then_some(()));
    until("health names the commit", || (daemon.health()["library"]["commit"] == *pushed).then_some(()));
    let answers: Vec<String> = (0..40).map(|_| daemon.ring(&forged, BODY)).collect();
    assert_eq!(answers.last().map(String::as_str), Some("429"), "{answers:?}");
    assert!(!daemon.log().contains(SECRET), "{}", daemon.log());
}

#[test]
fn a_library_that_diverged_is_said_once_and_taken_back_when_it_is_mended() {
    let shared = Shared::new();
    let daemon = Daemon::start(&shared);
    shared.served.write("local.yaml", &persona("local"));
    shared.served.commit("Local");
    shared.push("a.yaml", &persona("pushed"));
    let trouble = |daemon: &Daemon| daemon.health()["troubles"]["library remote"].as_str().map(str::to_owned);
    for _ in 0..3 {
        assert_eq!(daemon.ring(SIGNATURE, BODY), "202");
        until("it shows", || trouble(&daemon).filter(|words| words.contains("rebase or merge")));
    }
    assert_eq!(daemon.log().matches("the other way round").count(), 1, "{}", daemon.log());
    // The daemon may be fetching at this very moment, and git lets only one.
    let pull = || git(&shared.served.library, &["pull", "--quiet", "--rebase"]).status.success();
    until("it is mended", || pull().then_some(()));
    assert_eq!(daemon.ring(SIGNATURE, BODY), "202");
    until("it is taken back", || trouble(&daemon).is_none().then_some(()));
}

#[test]
fn broken_and_edited_personas_show_everywhere() {
    let shared = Shared::new();
    let daemon = Daemon::start(&shared);
    shared.served.write("a.yaml", "description: [");
    shared.served.write("b.yaml", &persona("edited"));
    shared.served.write("never.yaml", "description: [");
    until("health", || (daemon.health()["broken"].as_object()?.len() == 2).then_some(()));
    let health = daemon.health();
    assert_eq!(health["broken"]["a"], "broken: last good serves", "{health}");
    assert_eq!(health["broken"]["never"], "broken: never served", "{health}");
    let states: Vec<String> =
        daemon.list().iter().map(|line| format!("{} {}", line["name"], line["state"]).replace('"', "")).collect();
    assert_eq!(states, ["a kept", "b dirty", "never unserved"]);
    for (state, count) in [("good", "0"), ("dirty", "1"), ("broken", "2")] {
        let line = format!("greenroom_library_personas{{state=\"{state}\"}}");
        assert_eq!(daemon.metric(&line).as_deref(), Some(count), "{line}");
    }
    until("the log", || daemon.log().contains("a stays as it was before this change").then_some(()));
    let page = daemon.curl("/", &[]).1;
    assert!(page.contains("a.yaml"), "{page}");
}

#[test]
fn a_folder_that_git_does_not_trust_serves_and_is_known_once_it_is_trusted() {
    let shared = Shared::new();
    let settings = shared.place.path().join("gitconfig");
    fs::write(&settings, "").unwrap();
    let settings = settings.to_str().unwrap();
    // How git's own tests make it take a folder for somebody else's.
    let daemon =
        Daemon::start_with(&shared, &[("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"), ("GIT_CONFIG_GLOBAL", settings)]);
    let why = daemon.health()["library"]["why"].to_string();
    assert!(why.contains("safe.directory"), "{why}");
    assert_eq!(daemon.metric("greenroom_library_personas{state=\"good\"}").as_deref(), Some("2"));
    // The remedy, as it was told.
    let command = why.split('`').nth(1).unwrap().replace("--system", &format!("--file {settings}"));
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
    until("its commit is known", || daemon.health()["library"]["commit"].as_str().map(str::to_owned));
}
