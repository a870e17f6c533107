//! The real binary with its pages, and a browser that keeps cookies.

use std::{
    cell::Cell,
    fs,
    io::Write,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::port::free_port;

/// How long anything may take before the test gives up on it.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Daemon {
    child: Child,
    pub(crate) dir: TempDir,
    pub(crate) port: u16,
    starts: usize,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn spawn(dir: &Path) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(["serve", "--config", "greenroom.yaml"]).current_dir(dir).env("RUST_LOG", "debug");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

impl Daemon {
    /// A daemon without accounts. `api` is what its configuration says of the API, `{port}` standing for its port.
    pub(crate) fn new(api: &str) -> Self {
        Self::with(api, |_| {})
    }

    /// The same, in a folder that was made ready.
    pub(crate) fn with(api: &str, ready: impl FnOnce(&Path)) -> Self {
        let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
        for folder in ["nbps", "personas"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("nbps/undionly.kpxe"), "not run here, but it must be something").unwrap();
        ready(dir.path());
        let api = api.replace("{port}", &port.to_string());
        let config = format!(
            "state_dir: state\nlibrary: personas\nsecrets_dir: secrets\nadmin_socket: admin.sock\ndhcp: {{mode: 'off'}}\n\
             tftp: {{enabled: false}}\nhttp: {{port: {}}}\nboot: {{nbp_dir: nbps}}\napi: {{{api}}}\n",
            free_port()
        );
        fs::write(dir.path().join("greenroom.yaml"), config).unwrap();
        let child = spawn(dir.path());
        let mut daemon = Self { child, dir, port, starts: 0 };
        daemon.wait();
        daemon
    }

    /// A daemon on loopback with the account `admin`.
    pub(crate) fn with_admin() -> Self {
        let daemon = Self::new("listen: '127.0.0.1:{port}'");
        daemon.add("admin", "admin");
        daemon
    }

    /// Makes an account with the usual password.
    pub(crate) fn add(&self, name: &str, role: &str) {
        let output = self.cli_with(&["account", "add", name, "--role", role, "--password-stdin"], PASSWORD);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    fn wait(&mut self) {
        self.starts += 1;
        let began = Instant::now();
        while self.log().matches("greenroom is ready").count() < self.starts {
            assert!(began.elapsed() < LIMIT, "the daemon does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Ends it without a word.
    pub(crate) fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What its journal holds. Only a daemon that is stopped lets others read it.
    pub(crate) fn journal(&mut self) -> String {
        self.stop();
        self.cli(&["journal", "export", "--config", "greenroom.yaml"])
    }

    /// The same, and starts it again.
    pub(crate) fn crash(&mut self) {
        self.stop();
        self.child = spawn(self.dir.path());
        self.wait();
    }

    pub(crate) fn cli_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["--socket", "admin.sock"]).args(arguments).current_dir(self.dir.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may be gone before this is written.
        drop(writeln!(child.stdin.take().unwrap(), "{input}"));
        child.wait_with_output().unwrap()
    }

    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let output = self.cli_with(arguments, "");
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// A browser that was never here.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser::of(self, format!("http://127.0.0.1:{}", self.port))
    }

    /// Waits until this holds: what follows from an answer a little later.
    pub(crate) fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < LIMIT, "{what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A field of the head.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Where it sends to.
    pub(crate) fn to(&self) -> &str {
        self.field("location").unwrap_or_default()
    }

    pub(crate) fn is(&self, status: u16, words: &str) -> &Self {
        assert!(self.status == status && self.body.contains(words), "{status} {words:?} is not in {self:#?}");
        self
    }

    pub(crate) fn leads(&self, to: &str) -> &Self {
        assert!(self.status == 303 && self.to() == to, "303 {to} is not {self:#?}");
        self
    }
}

/// curl with a cookie jar. It sends what browsers send with forms of the page itself, unless it is told otherwise.
pub(crate) struct Browser<'a> {
    daemon: &'a Daemon,
    pub(crate) base: String,
    jar: String,
    /// What comes before curl: a network namespace, say.
    pub(crate) wrap: Vec<String>,
    pub(crate) more: Vec<String>,
}

thread_local! {
    static JARS: Cell<usize> = const { Cell::new(0) };
}

impl<'a> Browser<'a> {
    pub(crate) fn of(daemon: &'a Daemon, base: String) -> Self {
        let number = JARS.with(|jars| jars.replace(jars.get() + 1));
        Self { daemon, base, jar: format!("jar-{number}"), wrap: vec![], more: vec![] }
    }

    fn curl(&self, url: &str, arguments: &[&str]) -> Answer {
        let mut words: Vec<&str> = self.wrap.iter().map(String::as_str).collect();
        words.extend(["curl", "-sS", "-i", "-b", &self.jar, "-c", &self.jar, "--max-time", "30", url]);
        words.extend(self.more.iter().map(String::as_str));
        words.extend(arguments);
        let mut command = Command::new(words[0]);
        let output = command.args(&words[1..]).current_dir(self.daemon.dir.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (head, body) = said.split_once("\r\n\r\n").unwrap_or((&said, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{url}: {said}{}", text(&output.stderr)));
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.curl(&self.url(path), &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[&str]) -> Answer {
        let arguments: Vec<&str> = headers.iter().flat_map(|header| ["-H", header]).collect();
        self.curl(&self.url(path), &arguments)
    }

    /// Sends a form with these headers and no others.
    pub(crate) fn post_with(&self, path: &str, fields: &[(&str, &str)], headers: &[&str]) -> Answer {
        let mut arguments: Vec<String> = headers.iter().flat_map(|header| ["-H".into(), (*header).into()]).collect();
        for (name, value) in fields {
            arguments.extend(["--data-urlencode".to_owned(), format!("{name}={value}")]);
        }
        if fields.is_empty() {
            arguments.extend(["--data".to_owned(), String::new()]);
        }
        self.curl(&self.url(path), &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, fields, &["Sec-Fetch-Site: same-origin"])
    }

    pub(crate) fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post("/sign-in", &[("name", name), ("password", password), ("next", "/")])
    }

    /// The session's cookie.
    pub(crate) fn session(&self) -> Option<String> {
        let jar = fs::read_to_string(self.daemon.dir.path().join(&self.jar)).unwrap_or_default();
        let line =
            jar.lines().find(|line| line.contains("greenroom-session") || line.contains("__Host-greenroom\t"))?;
        line.split('\t').next_back().map(str::to_owned)
    }
}
