//! Before there is an account.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use crate::daemon::{Browser, Daemon, PASSWORD};

fn token(daemon: &Daemon) -> String {
    fs::read_to_string(daemon.dir.path().join("state/first-sign-in")).unwrap().trim().to_owned()
}

#[test]
fn with_the_token_of_the_first_start_somebody_makes_the_first_account_and_only_that() {
    let mut daemon = Daemon::new("listen: '127.0.0.1:{port}'");
    let file = daemon.dir.path().join("state/first-sign-in");
    daemon.until("the token is written", || file.exists());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = token(&daemon);
    assert!(!daemon.log().contains(&before), "the log holds no secret");
    assert!(
        daemon.log().contains("first-sign-in") && daemon.log().contains("greenroom account add"),
        "{}",
        daemon.log()
    );
    daemon.crash();
    daemon.until("there is another token", || token(&daemon) != before);
    let token = token(&daemon);

    let browser = daemon.browser();
    browser.get("/account").leads("/sign-in?next=%2Faccount");
    browser.get("/sign-in").is(200, "Make the first account");
    let make = |token: &str, name: &str, password: &str, again: &str| {
        browser.post("/sign-in/first", &[("token", token), ("name", name), ("password", password), ("again", again)])
    };
    make(&before, "admin", PASSWORD, PASSWORD).is(401, "not the token");
    make("", "admin", PASSWORD, PASSWORD).is(401, "not the token");
    make(&token, "admin", "short", "short").is(422, "12 characters at least");
    make(&token, "admin", "adminadmin26", "adminadmin26").is(422, "account&#39;s name");
    make(&token, "admin", PASSWORD, "correct horse batterx").is(422, "not the same");
    make(&token, "Ad min", PASSWORD, PASSWORD).is(422, "cannot name an account");
    assert!(file.exists() && browser.session().is_none());
    make(&token, "admin", PASSWORD, PASSWORD).leads("/");
    browser.get("/accounts.json").is(200, r#""name":"admin","role":"admin""#);
    daemon.until("the token's file is gone", || !file.exists());

    let other = daemon.browser();
    let again = other
        .post("/sign-in/first", &[("token", &token), ("name", "second"), ("password", PASSWORD), ("again", PASSWORD)]);
    assert!([401, 422].contains(&again.status), "{again:?}");
    assert_eq!(daemon.cli(&["account", "list", "--json"]).matches("\"name\"").count(), 1);
    daemon.crash();
    daemon.browser().get("/sign-in").is(200, "Password").is(200, "Lost your password?");
    assert!(!file.exists(), "no token is given out once there is an account");
}

#[test]
fn on_a_terminal_the_token_is_said_there_and_written_nowhere() {
    let mut daemon = Daemon::with_admin();
    daemon.stop();
    let folder = daemon.dir.path();
    // The same configuration with a state of its own: nobody was ever there.
    let config =
        fs::read_to_string(folder.join("greenroom.yaml")).unwrap().replace("state_dir: state", "state_dir: fresh");
    fs::write(folder.join("fresh.yaml"), config).unwrap();
    let serve = format!("timeout 4 {} serve --config fresh.yaml", env!("CARGO_BIN_EXE_greenroom"));
    let output = Command::new("script").args(["-qec", &serve, "/dev/null"]).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, rest) = said.split_once("make the first account with").unwrap_or_else(|| panic!("{said}"));
    let token = rest.split_whitespace().next().unwrap();
    assert!(token.len() == 29 && token.matches('-').count() == 4, "{said}");
    assert!(!folder.join("fresh/first-sign-in").exists());
}

/// A peer that is not this machine: in a network namespace of its own, on the other end of a cable.
struct Elsewhere {
    name: String,
    outside: String,
    address: String,
}

impl Elsewhere {
    fn new() -> Self {
        let number = std::process::id() % 200 + 20;
        let (name, outside) = (format!("door-{number}"), format!("door{number}a"));
        let inside = format!("door{number}b");
        let address = format!("10.97.{number}.1");
        let elsewhere = Self { name: name.clone(), outside: outside.clone(), address: address.clone() };
        for words in [
            format!("ip netns add {name}"),
            format!("ip link add {outside} type veth peer name {inside} netns {name}"),
            format!("ip address add {address}/24 dev {outside}"),
            format!("ip link set {outside} up"),
            format!("ip -n {name} address add 10.97.{number}.2/24 dev {inside}"),
            format!("ip -n {name} link set {inside} up"),
        ] {
            let mut words = words.split(' ');
            assert!(Command::new(words.next().unwrap()).args(words).status().unwrap().success());
        }
        elsewhere
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        drop(Command::new("ip").args(["link", "del", &self.outside]).status());
        drop(Command::new("ip").args(["netns", "del", &self.name]).status());
    }
}

#[test]
fn until_there_is_an_account_the_pages_open_on_this_machine_only() {
    let elsewhere = Elsewhere::new();
    let daemon = Daemon::new("listen: '0.0.0.0:{port}', insecure: true");
    let mut there = Browser::of(&daemon, format!("http://{}:{}", elsewhere.address, daemon.port));
    there.wrap = ["ip", "netns", "exec", &elsewhere.name].map(str::to_owned).to_vec();
    for path in ["/", "/sign-in", "/devices", "/accounts", "/live", "/invitation/x"] {
        there.get(path).is(403, "greenroom account add");
    }
    there.get("/sign-in.json").is(403, "greenroom account add");
    let fields =
        [("token", token(&daemon)), ("name", "evil".into()), ("password", PASSWORD.into()), ("again", PASSWORD.into())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    there.post("/sign-in/first", &fields).is(403, "Not open yet");
    assert_eq!(there.get("/api/v1/health").status, 401, "the API has its own door");
    let here = daemon.browser();
    here.get("/sign-in").is(200, "Make the first account");
    here.get_with("/sign-in", &["X-Forwarded-For: 192.0.2.7"]).is(403, "Not open yet");
    daemon.add("admin", "admin");
    there.get("/sign-in").is(200, "Lost your password?");
    there.sign_in("admin", PASSWORD).leads("/");
    there.get("/accounts").is(200, "10.97.");
}
