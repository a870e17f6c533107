//! The directory: a SCIM server that we did not write, and one that breaks as no good one would.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use super::{
    port::free_port,
    stage::{Daemon, Running, until},
};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/validators/bin/python");
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The configuration of a directory that is asked when the test says so.
fn directory(url: &str) -> String {
    format!(
        "directory:\n  url: {url}\n  token_secret: directory-token\n  every: 1h\n  attributes:\n    role: title\n    \
         location: addresses[type eq \"work\"].locality\n    department: {ENTERPRISE}:department\n"
    )
}

/// `scim2-server` with a token.
struct Server {
    url: String,
    _process: Running,
}

impl Server {
    fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(PYTHON);
        command.args(["-c", "from scim2_server.testserver.cli import main; main()", "--port", &port.to_string()]);
        command.args(["--bearer-token", "open-sesame"]).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Running(command.spawn().expect("`make setup` installs scim2-server"));
        until("the SCIM server starts", || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { url: format!("http://127.0.0.1:{port}/v2/Users"), _process: process }
    }

    fn curl(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let mut command = Command::new("curl");
        command.args(["-sS", "-f", "-X", method, "-H", "authorization: Bearer open-sesame"]);
        if let Some(body) = body {
            command.args(["-H", "content-type: application/scim+json", "-d", &body.to_string()]);
        }
        let output = command.arg(format!("{}{path}", self.url)).output().unwrap();
        assert!(output.status.success(), "{method} {path}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Adds somebody; their id.
    fn add(&self, name: &str, title: &str) -> String {
        let person = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE], "userName": name, "title": title,
            "active": true, "addresses": [{"type": "home", "locality": "Potsdam"}, {"type": "work", "locality": "Berlin"}],
            ENTERPRISE: {"department": "Tours", "employeeNumber": "701984"}
        });
        self.curl("POST", "", Some(&person))["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn people_of_a_real_directory_are_taken_over_and_only_their_changes_after_that() {
    let server = Server::start();
    let ann = server.add("ann@lab.example", "Developer");
    let bob = server.add("bob@lab.example", "Ops");
    let daemon = Daemon::start(&directory(&server.url));
    daemon.ok(&["user", "set", "carl", "role=guest"]);
    until("the first pull", || daemon.ok(&["user", "list"]).contains("bob@lab.example").then_some(()));
    let shown = daemon.ok(&["user", "show", "ann@lab.example"]);
    let shown: Vec<String> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in ["active yes", "role Developer", "location Berlin", "department Tours", &format!("scim.id {ann}")] {
        assert!(shown.contains(&line.to_owned()), "{line}: {shown:?}");
    }
    let before = daemon.facts();
    assert!(daemon.ok(&["user", "pull"]).contains("0 new, 0 changed, 2 unchanged"));
    assert_eq!(daemon.facts(), before, "no change is no fact");

    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "title", "value": "Lead"}]
    });
    server.curl("PATCH", &format!("/{ann}"), Some(&patch));
    server.curl("DELETE", &format!("/{bob}"), None);
    let tried = daemon.ok(&["user", "pull", "--dry-run"]);
    let words: Vec<String> = tried.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(words.contains(&"changed ann@lab.example role Developer Lead".to_owned()), "{tried}");
    assert!(words.contains(&"changed bob@lab.example active yes no".to_owned()), "{tried}");
    assert_eq!(daemon.facts(), before);
    assert!(daemon.ok(&["user", "pull"]).contains("0 new, 2 changed"));
    assert!(daemon.ok(&["user", "show", "bob@lab.example"]).contains("active       no"), "inactive, not forgotten");
    assert!(
        daemon.ok(&["user", "show", "carl"]).contains("active       yes"),
        "whom an operator described is left alone"
    );

    // A wrong token is told, shows in /healthz, and is nowhere in the log; nor is the right one.
    fs::write(daemon.dir.path().join("secrets/directory-token"), "shut-sesame").unwrap();
    let (code, said) = daemon.run(&["user", "pull"]);
    assert!(code == 1 && said.contains("401 Unauthorized: check the token that `token_secret` names"), "{said}");
    assert!(daemon.health().contains("401 Unauthorized"), "{}", daemon.health());
    fs::write(daemon.dir.path().join("secrets/directory-token"), "open-sesame").unwrap();
    daemon.ok(&["user", "pull"]);
    assert!(!daemon.health().contains("directory"), "{}", daemon.health());
    assert!(!daemon.log().contains("sesame"), "a token is in the log");
}

#[test]
fn a_directory_of_several_pages_is_read_to_its_end() {
    let server = Server::start();
    let fill = "import sys, json, urllib.request\n\
        for n in range(450):\n\
        \x20 body = json.dumps({'schemas': ['urn:ietf:params:scim:schemas:core:2.0:User'], 'userName': f'user-{n}', 'title': 't'})\n\
        \x20 head = {'authorization': 'Bearer open-sesame', 'content-type': 'application/scim+json'}\n\
        \x20 urllib.request.urlopen(urllib.request.Request(sys.argv[1], body.encode(), head))\n";
    assert!(Command::new(PYTHON).args(["-c", fill, &server.url]).status().unwrap().success());
    let daemon = Daemon::start(&directory(&server.url));
    until("the first pull", || daemon.ok(&["user", "list"]).contains("user-449").then_some(()));
    assert!(daemon.ok(&["user", "pull"]).contains("0 new, 0 changed, 450 unchanged"));
}

/// What a broken directory answers: a status and a body for each `startIndex`.
type Answer = Box<dyn Fn(u64, &str) -> (u16, String) + Send>;

/// A server of our own, which answers as it is told.
struct Broken {
    url: String,
    answer: Arc<Mutex<Answer>>,
    /// The heads of the requests.
    heard: Arc<Mutex<Vec<String>>>,
}

impl Broken {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/Users", listener.local_addr().unwrap());
        let answer: Arc<Mutex<Answer>> = Arc::new(Mutex::new(Box::new(|_, _| (200, people(1, 30, 30)))));
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answers, hears) = (answer.clone(), heard.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(&stream);
                let mut head = String::new();
                while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
                let start = head.split("startIndex=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok());
                let (status, body) = answers.lock().unwrap()(start.unwrap_or(0), &head);
                hears.lock().unwrap().push(head);
                let tag = if status == 200 { "etag: \"v1\"\r\n" } else { "" };
                let length = body.len();
                let reply = format!(
                    "HTTP/1.1 {status} x\r\ncontent-type: application/scim+json\r\n{tag}location: http://elsewhere/\r\n\
                     connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                );
                drop((&stream).write_all(reply.as_bytes()));
            }
        });
        Self { url, answer, heard }
    }

    fn answers(&self, answer: impl Fn(u64, &str) -> (u16, String) + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }
}

/// A page with people from this number on.
fn people(start: u64, count: u64, total: u64) -> String {
    let person = |n: u64| json!({"id": format!("i{n}"), "userName": format!("user-{n}"), "title": "t", "active": true});
    let resources: Vec<Value> = (start..start + count).map(person).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": total, "startIndex": start,
        "itemsPerPage": count, "Resources": resources
    })
    .to_string()
}

#[test]
fn a_pull_that_fails_changes_nothing_and_shows_in_healthz() {
    let server = Broken::start();
    let daemon = Daemon::start(&directory(&server.url));
    until("the first pull", || daemon.ok(&["user", "list"]).contains("user-30").then_some(()));
    let before = daemon.facts();
    type Case = (&'static str, fn(u64) -> (u16, String));
    let cases: [Case; 9] = [
        ("the directory answered 503", |_| (503, "try later".into())),
        ("the directory sends us to http://elsewhere/", |_| (302, String::new())),
        ("the answer is no JSON", |_| (200, "<html>".into())),
        ("the answer is no SCIM list of users", |_| (200, "{\"totalResults\": 30}".into())),
        ("says that it has 30 people, and gave 20", |start| match start {
            1 => (200, people(1, 20, 30)),
            _ => (200, people(start, 0, 30)),
        }),
        ("the list changed while it was read: 30 people, then 31", |start| match start {
            1 => (200, people(1, 20, 30)),
            _ => (200, people(start, 11, 31)),
        }),
        ("names user-5 twice", |start| match start {
            1 => (200, people(1, 20, 30)),
            _ => (200, people(5, 10, 30).replace("\"startIndex\":5", "\"startIndex\":21")),
        }),
        ("was asked for people from 21 on, and gave others", |_| (200, people(1, 20, 30))),
        ("3 active people, and had 30", |_| (200, people(1, 3, 3))),
    ];
    for (told, answer) in cases {
        server.answers(move |start, _| answer(start));
        let (code, said) = daemon.run(&["user", "pull"]);
        assert_eq!((code, said.contains(told)), (1, true), "{told}: {said}");
        let health: Value = serde_json::from_str(&daemon.health()).unwrap();
        assert!(health["troubles"]["directory"].as_str().is_some_and(|words| words.contains(told)), "{health}");
        assert_eq!(daemon.facts(), before, "{told}");
    }
    let forced = daemon.ok(&["user", "pull", "--force"]);
    assert!(forced.contains("0 new, 27 changed, 3 unchanged"), "{forced}");
    assert!(!daemon.health().contains("\"directory\""), "{}", daemon.health());
    server.answers(|_, _| (200, people(1, 30, 30).replace("user-7\"", "user 7\"")));
    let back = daemon.ok(&["user", "pull"]);
    assert!(back.contains("note: 1 of the directory's people are left out: userName \"user 7\""), "{back}");
    assert!(back.contains("26 changed"), "{back}");
}

#[test]
fn a_directory_that_has_not_changed_need_not_say_so_at_length() {
    let server = Broken::start();
    let page = |start: u64, head: &str| match head.to_lowercase().contains("if-none-match: \"v1\"") {
        true => (304, String::new()),
        false => (200, people(start, 15, 30)),
    };
    server.answers(page);
    let daemon = Daemon::start(&directory(&server.url));
    until("the first pull", || daemon.ok(&["user", "list"]).contains("user-30").then_some(()));
    server.heard.lock().unwrap().clear();
    assert!(daemon.ok(&["user", "pull"]).contains("30 unchanged"));
    let heard = server.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 2, "both pages were asked for");
    assert!(
        heard.iter().all(|head| head.to_lowercase().contains("if-none-match") && head.contains("Bearer open-sesame"))
    );
}
