//! The real binary on a site that has a past: what every test of the pages looks at.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{browser, past, place, port::free_port};

/// How long anything may take before the test gives up on it.
const LIMIT: Duration = Duration::from_secs(120);

/// The account that tests are signed in with, an admin's.
pub const ACCOUNT: &str = "ann";
/// The password of every account.
pub const PASSWORD: &str = "correct horse battery";
/// The cookie that shows who is signed in.
const COOKIE: &str = "greenroom-session";

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

/// A daemon that serves pages, and its folder.
pub struct Site {
    process: Option<Running>,
    /// Where the configuration, the library (a git work tree), the images and the state lie.
    pub dir: TempDir,
    /// The beginning of the pages' addresses: `http://127.0.0.1:8008`.
    pub url: String,
    /// The same of the boot port: scripts, seeds, reports.
    pub boot: String,
    /// What shows that somebody is signed in: `ann`, unless another one has entered.
    session: String,
}

impl Site {
    /// Some hundred devices with a month behind them.
    pub fn start() -> Self {
        Self::with("", past::month)
    }

    /// Nothing yet: no device, no boot, an empty library.
    pub fn empty() -> Self {
        let site = Self::made("");
        fs::remove_dir_all(site.dir.path().join("library")).unwrap();
        fs::create_dir(site.dir.path().join("library")).unwrap();
        site.started()
    }

    /// A hundred thousand devices and a thousand personas.
    pub fn large() -> Self {
        let site = Self::made("");
        place::thousand(site.dir.path());
        past::large(site.dir.path());
        site.started()
    }

    /// With this in its configuration, and a past that is written before it starts.
    pub fn with(more: &str, past: impl FnOnce(&Path)) -> Self {
        let site = Self::made(more);
        past(site.dir.path());
        let site = site.started();
        // Nobody has used these tokens; their names and scopes are what pages show.
        for (name, scope) in [("service-desk", "assignments:write,devices:write"), ("inventory", "read")] {
            site.ok(&["token", "create", "--name", name, "--scope", scope]);
        }
        site
    }

    /// Nothing yet, not even an account; with this among what its configuration says of the API (`{url}`: where the pages are).
    pub fn unopened(api: &str) -> Self {
        let mut site = Self::made("");
        let file = site.dir.path().join("greenroom.yaml");
        let config = fs::read_to_string(&file).unwrap();
        let api = if api.is_empty() { "}".to_owned() } else { format!(", {}}}", api.replace("{url}", &site.url)) };
        let open = "address_rate: 1000}";
        assert!(config.contains(open), "{config}");
        fs::write(&file, config.replace(open, &format!("address_rate: 1000{api}"))).unwrap();
        site.begin();
        site
    }

    /// The folder, with nothing running.
    fn made(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [pages, boot] = [free_port(), free_port()];
        place::make(dir.path(), pages, boot, more);
        let url = |port| format!("http://127.0.0.1:{port}");
        Self { process: None, dir, url: url(pages), boot: url(boot), session: String::new() }
    }

    fn started(mut self) -> Self {
        self.begin();
        self.add(ACCOUNT, "admin");
        self.enter(ACCOUNT);
        self
    }

    /// Makes an account.
    pub fn add(&self, name: &str, role: &str) {
        let mut add = self.command(&["account", "add", name, "--role", role, "--password-stdin"]);
        let mut child = add.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "no account: {}", self.log());
    }

    /// Signs in with an account, for [`Site::curl`] and every browser. Whoever was signed in before stays so.
    pub fn enter(&mut self, name: &str) {
        self.session.clear();
        let fields = format!("name={name}&password={}", PASSWORD.replace(' ', "+"));
        let (status, said) = self.curl("/sign-in", &["-d", &fields, "-H", "Sec-Fetch-Site: same-origin"]);
        let cookie = said.split_once(&format!("{COOKIE}=")).unwrap_or_else(|| panic!("{status}: {said}")).1;
        self.session = cookie.split(';').next().unwrap().to_owned();
        browser::signed_in(&self.url, COOKIE, &self.session);
    }

    /// The header line that shows who is signed in.
    pub fn cookie(&self) -> String {
        format!("Cookie: {COOKIE}={}", self.session)
    }

    /// Starts the daemon, and waits until it is ready.
    pub fn begin(&mut self) {
        let before = self.log().matches("greenroom is ready").count();
        let log = File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["serve", "--config"]).arg(self.dir.path().join("greenroom.yaml")).env_remove("RUST_LOG");
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let process = self.process.insert(Running(child));
        let folder = self.dir.path();
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        until("the daemon starts", || {
            assert!(process.0.try_wait().unwrap().is_none(), "the daemon ended: {}", log());
            (log().matches("greenroom is ready").count() > before).then_some(())
        });
    }

    /// Ends the daemon without a word.
    pub fn end(&mut self) {
        self.process = None;
    }

    /// What it logged, and printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// The daemon's process id.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("it runs").0.id()
    }

    /// Bytes of memory that the daemon has now (VmRSS).
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The command line: its exit code, and what it said.
    pub fn run(&self, words: &[&str]) -> (i32, String) {
        let output = self.command(words).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        (output.status.code().unwrap(), said)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.arg("--socket").arg(self.dir.path().join("admin.sock")).args(words);
        command.env("USER", "tester").env_remove("SUDO_USER").env("TZ", "UTC").stdin(Stdio::null());
        command
    }

    /// The same, when it must work.
    pub fn ok(&self, words: &[&str]) -> String {
        let (code, said) = self.run(words);
        assert_eq!(code, 0, "{words:?}: {said}");
        said
    }

    /// git in the library: what it said.
    pub fn git(&self, words: &[&str]) -> String {
        place::git(&self.dir.path().join("library"), words)
    }

    /// curl on a page or its twin: the status, and head and body.
    pub fn curl(&self, path: &str, words: &[&str]) -> (u16, String) {
        let url = format!("{}{path}", self.url);
        let mut command = Command::new("curl");
        command.args(["-sS", "-i", "--max-time", "60", "-w", "\n%{http_code}", "-H", &self.cookie(), &url]);
        command.args(words).stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        let (text, status) = said.trim_end().rsplit_once('\n').unwrap_or_default();
        (status.trim().parse().unwrap_or_default(), text.to_owned())
    }

    /// The twin of a page.
    pub fn json(&self, path: &str) -> serde_json::Value {
        let (status, said) = self.curl(path, &[]);
        assert_eq!(status, 200, "{path}: {said}");
        let body = said.split_once("\r\n\r\n").expect("a head and a body").1;
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }
}
