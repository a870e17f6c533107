//! The real binary: its configuration, its TLS, and what survives its end.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::port::free_port;

/// How long anything may take before the test gives up on it.
const LIMIT: Duration = Duration::from_secs(60);

struct Daemon {
    child: Child,
    dir: TempDir,
    port: u16,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn run(dir: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).current_dir(dir).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

fn spawn(dir: &Path) -> Child {
    let log = fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(["serve", "--config", "greenroom.yaml"]).current_dir(dir).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

impl Daemon {
    /// A daemon that speaks HTTP only; `api` is what its configuration says of the API, beside the port.
    fn start(api: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        fs::create_dir_all(dir.path().join("nbps")).unwrap();
        fs::create_dir_all(dir.path().join("personas")).unwrap();
        fs::write(dir.path().join("nbps/undionly.kpxe"), "not run here, but it must be something").unwrap();
        let persona = "apiVersion: greenroom/v1\ndescription: of the test\neffect: ephemeral\nos: {image: tiny}\n\
                       security: {users: [{name: labadmin, password_hash: $6$salt$hash}]}\n";
        fs::write(dir.path().join("personas/lab.yaml"), persona).unwrap();
        fs::create_dir_all(dir.path().join("personas/images")).unwrap();
        let image = format!(
            "name: tiny\narch: x64\nfiles: {{kernel: {{sha256: {}, origins: ['file:/none']}}}}\n",
            "0".repeat(64)
        );
        fs::write(dir.path().join("personas/images/tiny.yaml"), image).unwrap();
        let certificate = run(
            dir.path(),
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-keyout",
                "key.pem",
                "-out",
                "cert.pem",
                "-days",
                "30",
                "-subj",
                "/CN=greenroom",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ],
        );
        assert!(certificate.status.success(), "{}", text(&certificate.stderr));
        let config = format!(
            "state_dir: state\nlibrary: personas\nadmin_socket: admin.sock\ndhcp: {{mode: 'off'}}\ntftp: {{enabled: false}}\n\
             http: {{port: {}}}\nboot: {{nbp_dir: nbps}}\napi: {{listen: '127.0.0.1:{port}'{api}}}\n",
            free_port()
        );
        fs::write(dir.path().join("greenroom.yaml"), config).unwrap();
        let child = spawn(dir.path());
        let daemon = Self { child, dir, port };
        daemon.wait(1);
        daemon
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    fn wait(&self, starts: usize) {
        let began = Instant::now();
        while self.log().matches("greenroom is ready").count() < starts {
            assert!(began.elapsed() < LIMIT, "the daemon does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Ends it without a word, and starts it again.
    fn crash(&mut self, starts: usize) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.dir.path());
        self.wait(starts);
    }

    fn cli(&self, arguments: &[&str]) -> String {
        let output =
            run(self.dir.path(), env!("CARGO_BIN_EXE_greenroom"), &[&["--socket", "admin.sock"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// curl: the status, and the head and body that came.
    fn curl(&self, url: &str, arguments: &[&str]) -> (String, String) {
        let output = run(self.dir.path(), "curl", &[&["-sS", "-i", "-w", "\n%{http_code}", url], arguments].concat());
        let said = text(&output.stdout);
        let (body, status) = said.rsplit_once('\n').unwrap_or_default();
        (status.to_owned(), format!("{body}{}", text(&output.stderr)))
    }
}

#[test]
fn tokens_and_what_was_done_once_survive_a_crash() {
    let mut daemon = Daemon::start("");
    let token = daemon.cli(&["token", "create", "--name", "desk", "--scope", "assignments:write,audit:read"]);
    let url = format!("http://127.0.0.1:{}/api/v1/devices/52:54:00:77:00:02/assignment", daemon.port);
    let bearer = format!("Authorization: Bearer {token}");
    let body = r#"{"persona": "lab", "reason": "ticket 7"}"#;
    let put = ["-X", "PUT", "-H", &bearer, "-H", "Idempotency-Key: ticket-7", "--json", body];
    let (status, said) = daemon.curl(&url, &put);
    assert_eq!(status, "201", "{said}");
    daemon.crash(2);
    let (status, said) = daemon.curl(&url, &put);
    assert!(status == "200" && said.contains("idempotency-replayed: true"), "{said}");
    daemon.cli(&["device", "unassign", "52:54:00:77:00:02"]);
    daemon.crash(3);
    let (status, said) = daemon.curl(&url, &put);
    assert!(status == "404" && said.contains("has no assignment"), "done once, and taken back since: {said}");
    let audit = format!("http://127.0.0.1:{}/api/v1/audit?by=token:desk", daemon.port);
    let (_, said) = daemon.curl(&audit, &["-H", &bearer]);
    assert_eq!((said.matches("persona-assigned").count(), said.matches("\"seq\"").count()), (1, 1), "{said}");
    daemon.cli(&["token", "revoke", "desk"]);
    daemon.crash(4);
    assert_eq!(daemon.curl(&audit, &["-H", &bearer]).0, "401", "revoked stays revoked");
}

#[test]
fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let daemon = Daemon::start(", cert: cert.pem, key: key.pem");
    let token = daemon.cli(&["token", "create", "--name", "reader", "--scope", "read"]);
    let url = format!("https://127.0.0.1:{}/api/v1/health", daemon.port);
    let bearer = format!("Authorization: Bearer {token}");
    let (status, said) = daemon.curl(&url, &["--cacert", "cert.pem", "-H", &bearer]);
    assert_eq!(status, "200", "{said}");
    assert_ne!(daemon.curl(&url, &["-H", &bearer]).0, "200", "a stranger's certificate is no certificate");
    let plain = url.replace("https", "http");
    assert_ne!(daemon.curl(&plain, &["-H", &bearer]).0, "200");
    assert_eq!(daemon.curl(&url, &["--cacert", "cert.pem", "-H", &bearer]).0, "200", "it goes on");
}

#[test]
fn a_configuration_that_would_show_tokens_to_everybody_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let check = |api: &str| {
        fs::write(dir.path().join("greenroom.yaml"), format!("api: {api}\n")).unwrap();
        let output =
            run(dir.path(), env!("CARGO_BIN_EXE_greenroom"), &["config", "check", "--config", "greenroom.yaml"]);
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    for good in [
        "{}",
        "{listen: '[::1]:8008'}",
        "{listen: '0.0.0.0:8008', insecure: true}",
        "{listen: '0.0.0.0:8443', cert: a.pem, key: b.pem}",
    ] {
        assert!(check(good).0, "{good}: {}", check(good).1);
    }
    for (bad, code, words) in [
        ("{listen: '0.0.0.0:8008'}", "GR180", "for everybody to read"),
        ("{listen: '[::]:8008'}", "GR180", "insecure: true"),
        ("{cert: a.pem}", "GR181", "without its key"),
        ("{listen: '127.0.0.1:0'}", "GR182", "port 0"),
        ("{listen: localhost}", "", "localhost"),
        ("{token_rate: 0}", "GR183", "no rate"),
        ("{listn: '127.0.0.1:1'}", "", "listen"),
    ] {
        let (good, said) = check(bad);
        assert!(!good && said.contains(code) && said.contains(words), "{bad}: {said}");
    }
}
