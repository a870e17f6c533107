//! `greenroom cache`, against the real daemon.

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{MIB, digest, noise, port::free_port};

/// How long anything may take before a test gives up on it.
const LIMIT: Duration = Duration::from_secs(60);

fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < LIMIT, "not so: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A state directory, a library, and the daemon on them.
struct Daemon {
    dir: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Daemon {
    /// A daemon that speaks HTTP only; its library has no image yet.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["library/images", "nbps", "files"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("nbps/undionly.kpxe"), "not run here, but it must be something").unwrap();
        let port = free_port();
        let config = format!(
            "state_dir: state\nlibrary: library\nadmin_socket: admin.sock\ndhcp: {{mode: 'off'}}\n\
             tftp: {{enabled: false}}\nhttp: {{port: {port}}}\nboot: {{nbp_dir: nbps}}\n\
             images: {{ram: 16MiB, disk: 64MiB, keeper_rate: 64MiB}}\n"
        );
        fs::write(dir.path().join("greenroom.yaml"), config).unwrap();
        Self { dir, port, child: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes an image of these files: role, length, seed, and the origin when it is not a file of its own.
    fn image(&self, name: &str, files: &[(&str, usize, u64, Option<&str>)]) {
        let mut manifest = format!("name: {name}\narch: x64\nfiles:\n");
        for (role, length, seed, origin) in files {
            let bytes = noise(*seed, *length);
            let path = self.path("files").join(seed.to_string());
            fs::write(&path, &bytes).unwrap();
            let origin = origin.map_or_else(|| format!("file:{}", path.display()), str::to_owned);
            let sha256 = digest(&bytes);
            manifest += &format!("  {role}: {{sha256: {sha256}, size: {length}, origins: ['{origin}']}}\n");
        }
        fs::write(self.path("library/images").join(format!("{name}.yaml")), manifest).unwrap();
    }

    fn start(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let before = self.ready();
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["serve", "--config"]).arg(self.path("greenroom.yaml")).env_remove("RUST_LOG");
        self.child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
        until("the daemon starts", || (self.ready() > before).then_some(()));
    }

    fn ready(&self) -> usize {
        fs::read_to_string(self.path("log")).unwrap_or_default().matches("greenroom is ready").count()
    }

    /// As `kill -9` does.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.arg("cache").args(arguments).arg("--socket").arg(self.path("admin.sock"));
        command.env_remove("GREENROOM_CONFIG").env("COLUMNS", "100").stdin(Stdio::null()).output().unwrap()
    }

    /// What a command says, and its exit code.
    fn cache(&self, arguments: &[&str]) -> (String, i32) {
        let output = self.run(arguments);
        let text = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&text).into_owned(), output.status.code().unwrap())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", self.cache(arguments).0))
    }

    fn curl(&self, path: &str) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["-sS", &format!("http://127.0.0.1:{}{path}", self.port)]).stdout(Stdio::piped());
        curl
    }

    fn get(&self, path: &str) -> Vec<u8> {
        self.curl(path).output().unwrap().stdout
    }

    fn blobs(&self, tier: usize) -> u64 {
        self.json(&["status"])["tiers"][tier]["blobs"].as_u64().unwrap()
    }
}

fn write_files(daemon: &Daemon) {
    daemon.image("alpha", &[("kernel", 300_000, 1, None), ("rootfs", 3 * MIB, 2, None)]);
    daemon.image("beta", &[("kernel", 300_000, 1, None), ("initrd", MIB, 3, None), ("rootfs", 9 * MIB, 4, None)]);
}

#[test]
fn a_pin_is_kept_by_a_kill_and_a_device_finds_its_image_ready() {
    let mut daemon = Daemon::new();
    write_files(&daemon);
    daemon.start();
    assert_eq!(daemon.cache(&["plan", "--dry-run"]), ("everything is where it should be\n".into(), 0));
    let (said, code) = daemon.cache(&["pin", "alpha"]);
    assert_eq!((code, said.starts_with("alpha is pinned to disk")), (0, true), "{said}");
    daemon.kill();
    daemon.start();
    until("both files are on disk", || (daemon.blobs(1) == 2).then_some(()));
    let status = daemon.json(&["status"]);
    assert_eq!(status["pins"]["alpha"], "disk");
    assert_eq!((&status["tiers"][2]["hits"], &status["keeper"]["failures"]), (&0.into(), &0.into()), "{status}");
    let rootfs = noise(2, 3 * MIB);
    assert!(daemon.get(&format!("/blob/{}", digest(&rootfs))) == rootfs);
    let status = daemon.json(&["status"]);
    let hits = |tier: usize| status["tiers"][tier]["hits"].as_u64().unwrap();
    assert_eq!((hits(0) + hits(1), hits(2)), (1, 0), "{status}");
    let metrics = String::from_utf8(daemon.get("/metrics")).unwrap();
    for line in ["greenroom_cache_pins{kind=\"disk\"} 1\n", "greenroom_keeper_missing 0\n"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[test]
fn what_would_move_and_why_is_shown_and_then_done() {
    let mut daemon = Daemon::new();
    write_files(&daemon);
    // An origin that takes every connection and never says a word: a device waits, so the keeper gives way.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/image", silent.local_addr().unwrap());
    daemon.image("stuck", &[("kernel", 5000, 5, Some(&url))]);
    daemon.start();
    let mut device = daemon.curl(&format!("/blob/{}", digest(&noise(5, 5000)))).spawn().unwrap();
    until("it waits", || (daemon.json(&["plan", "--dry-run"])["hold"] == "filling").then_some(()));
    assert_eq!(daemon.cache(&["pin", "beta"]).1, 0);
    insta::assert_snapshot!(daemon.cache(&["plan", "--dry-run"]).0);
    insta::assert_snapshot!(daemon.cache(&["explain", "beta/rootfs"]).0);
    let (told, code) = daemon.cache(&["plan"]);
    insta::assert_snapshot!(told);
    assert_eq!((code, daemon.blobs(1)), (0, 3));
    // What the keeper fetched at full speed has been measured.
    let explained = daemon.cache(&["explain", "beta"]).0;
    let measured =
        |line: &str| if line.starts_with("origin") { "origin     (as measured)".into() } else { line.to_owned() };
    insta::assert_snapshot!(explained.lines().map(measured).collect::<Vec<_>>().join("\n"));
    let (status, code) = daemon.cache(&["status"]);
    let lines = status.lines().map(|line| if line.starts_with("coming") { "coming   (as it comes)" } else { line });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    assert_eq!(code, 0);
    drop((device.kill(), device.wait()));
}

#[test]
fn a_blob_is_found_by_what_people_know_of_it_or_they_are_told_what_it_could_be() {
    let mut daemon = Daemon::new();
    write_files(&daemon);
    daemon.start();
    let rootfs = digest(&noise(2, 3 * MIB)).to_string();
    let image = daemon.json(&["explain", "alpha/rootfs"]);
    for text in [&rootfs, &rootfs[..12], &rootfs.to_uppercase()] {
        assert_eq!(daemon.json(&["explain", text]), image, "{text}");
    }
    assert_eq!(daemon.json(&["explain", "alpha"]).as_array().map(Vec::len), Some(2));
    // What two images share is one blob with two names.
    assert_eq!(
        daemon.json(&["explain", "beta/kernel"])[0]["names"],
        serde_json::json!(["alpha/kernel", "beta/kernel"])
    );
    for (text, said) in [
        ("alpa", "no image of the library and no digest of the library or the cache; did you mean alpha?"),
        ("alpha/rotfs", "image alpha has no file `rotfs`: it has kernel, rootfs"),
        ("ffffffffffff", "`ffffffffffff` is no image of the library"),
        ("", "`` is no image"),
        ("../etc/passwd", "`../etc/passwd` is no image"),
    ] {
        let (told, code) = daemon.cache(&["explain", text]);
        assert!(code == 1 && told.contains(said), "{text}: {told}");
    }
    // Of seventeen digests, two begin alike.
    let more: Vec<String> = (10..27).map(|seed| format!("more-{seed}")).collect();
    for (name, seed) in more.iter().zip(10..) {
        daemon.image(name, &[("kernel", 100, seed, None)]);
    }
    let all: Vec<String> = (10..27).map(|seed| digest(&noise(seed, 100)).to_string()).collect();
    let alike = all.iter().find(|one| all.iter().filter(|other| other[..1] == one[..1]).count() > 1).unwrap();
    let told = until("they are in the library", || {
        let (told, code) = daemon.cache(&["explain", &alike[..1]]);
        (code == 1 && told.contains("is the beginning of")).then_some(told)
    });
    assert!(told.contains(&alike[..12]) && told.contains("/kernel)") && told.contains("write more of it"), "{told}");
    assert_eq!(daemon.cache(&["pin", "alpa"]).1, 1);
    assert_eq!(daemon.cache(&["unpin", "alpha"]).1, 1, "it is not pinned");
    assert_eq!(daemon.cache(&["pin", "alpha", "--tier", "moon"]).1, 2);
}

#[test]
fn evicting_says_what_goes_and_what_stays_and_why() {
    let mut daemon = Daemon::new();
    write_files(&daemon);
    daemon.start();
    daemon.cache(&["pin", "alpha"]);
    until("both files are on disk", || (daemon.blobs(1) == 2).then_some(()));
    let (told, code) = daemon.cache(&["evict", "alpha"]);
    assert_eq!((code, told.matches("stays: it is pinned to disk").count()), (1, 2), "{told}");
    assert_eq!(daemon.cache(&["unpin", "alpha"]), ("alpha is not pinned any more\n".into(), 0));
    let (told, code) = daemon.cache(&["evict", "alpha/rootfs"]);
    assert!(code == 0 && told.contains("alpha/rootfs") && told.contains("gone"), "{told}");
    assert_eq!(daemon.blobs(1), 1);
    let (told, code) = daemon.cache(&["evict", "alpha/rootfs", "--tier", "ram"]);
    assert!(code == 1 && told.contains("stays: it is not in the cache"), "{told}");
    // A device that asks has it all the same.
    let rootfs = noise(2, 3 * MIB);
    assert!(daemon.get(&format!("/blob/{}", digest(&rootfs))) == rootfs);
}

#[test]
fn an_origin_that_is_away_shows_in_the_health_until_it_is_back() {
    let mut daemon = Daemon::new();
    write_files(&daemon);
    let lost = daemon.path("lost");
    daemon.image("gone", &[("kernel", 5000, 6, Some(&format!("file:{}", lost.display())))]);
    daemon.start();
    daemon.cache(&["pin", "gone"]);
    daemon.cache(&["pin", "alpha"]);
    let health = || serde_json::from_slice::<Value>(&daemon.get("/healthz")).unwrap();
    let trouble = |health: &Value| health["troubles"]["image cache"].as_str().map(str::to_owned);
    let words = until("it is told", || trouble(&health()));
    assert!(words.contains("gone/kernel cannot be fetched: ") && words.contains("lost"), "{words}");
    until("the others are fetched", || (daemon.blobs(1) == 2).then_some(()));
    let (status, _) = daemon.cache(&["status"]);
    assert!(status.contains("gone/kernel is left alone for "), "{status}");
    put(&lost, &noise(6, 5000));
    let (told, code) = daemon.cache(&["plan"]);
    assert!(code == 0 && told.contains("fetch    gone/kernel"), "{told}");
    until("it is taken back", || trouble(&health()).is_none().then_some(()));
}

fn put(path: &Path, bytes: &[u8]) {
    fs::File::create(path).unwrap().write_all(bytes).unwrap();
}
