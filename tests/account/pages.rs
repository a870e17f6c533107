//! `/account` and `/accounts`, as people use them.

use crate::daemon::{Daemon, PASSWORD};

/// What stands between these two in a text.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before:?} is not in {text}"));
    rest.split_once(after).unwrap().0
}

#[test]
fn an_admin_invites_somebody_who_chooses_a_password_once() {
    let mut daemon = Daemon::with_admin();
    let admin = daemon.browser();
    admin.sign_in("admin", PASSWORD).leads("/");
    let shown = admin.post("/accounts", &[("name", "Ann"), ("role", "author")]);
    let link = between(&shown.is(200, "An invitation for ann").body, "<pre class=\"secret\" tabindex=\"0\">", "</pre>");
    let link = link.replace("&#x2F;", "/");
    assert!(link.starts_with(&admin.base), "{link}");
    let code = link.rsplit('/').next().unwrap();
    assert!(!daemon.log().contains(code));
    admin.get("/accounts").is(200, "invited");
    let ann = daemon.browser();
    ann.sign_in("ann", "").is(401, "not right");
    ann.get(&link).is(200, "Welcome, ann").is(200, "author");
    ann.post(&link, &[("password", "short"), ("again", "short")]).is(422, "12 characters");
    ann.post(&link, &[("password", PASSWORD), ("again", "other")]).is(422, "not the same");
    let chosen = "four words and more";
    ann.post(&link, &[("password", chosen), ("again", chosen)]).leads("/");
    ann.get("/account").is(200, "You are signed in as <b>author</b>");
    let late = daemon.browser();
    late.get(&link).is(404, "This invitation opens nothing");
    late.post(&link, &[("password", PASSWORD), ("again", PASSWORD)]).is(404, "opens nothing");
    late.get("/invitation/nonsense").is(404, "opens nothing");

    // By the command line, too: the link alone is on standard output.
    let link = daemon.cli(&["account", "password", "ann", "--invite"]);
    assert!(link.starts_with(&format!("{}/invitation/", admin.base)) && !link.contains('\n'), "{link}");
    ann.get("/account").leads("/sign-in?next=%2Faccount");
    late.get(&link).is(200, "Welcome, ann");
    let codes = [code.to_owned(), link.rsplit('/').next().unwrap().to_owned()];
    let journal = daemon.journal();
    assert!(codes.iter().all(|code| !journal.contains(code)) && journal.contains("invitation"), "{journal}");
}

#[test]
fn whoever_changes_the_password_stays_and_everybody_else_goes() {
    let daemon = Daemon::with_admin();
    let (here, there) = (daemon.browser(), daemon.browser());
    here.sign_in("admin", PASSWORD).leads("/");
    there.sign_in("admin", PASSWORD).leads("/");
    let view: serde_json::Value = serde_json::from_str(&here.get("/account.json").body).unwrap();
    assert_eq!(view["sessions"].as_array().unwrap().len(), 2, "{view}");
    assert_eq!(view["sessions"][0]["browser"], "curl");
    let next = "another good one";
    let change = |current: &str, password: &str, again: &str| {
        here.post("/account/password", &[("current", current), ("password", password), ("again", again)])
            .leads("/account");
        here.get("/account").body
    };
    assert!(change("wrong", next, next).contains("The current password is not right."));
    assert!(change(PASSWORD, next, "other").contains("not the same"));
    assert!(change(PASSWORD, "short", "short").contains("12 characters at least"));
    let before = here.session();
    assert!(change(PASSWORD, next, next).contains("Your password is changed"));
    assert_ne!(here.session(), before);
    there.get("/account").leads("/sign-in?next=%2Faccount");
    there.sign_in("admin", PASSWORD).is(401, "not right");
    there.sign_in("admin", next).leads("/");

    let view: serde_json::Value = serde_json::from_str(&here.get("/account.json").body).unwrap();
    let other = view["sessions"].as_array().unwrap().iter().find(|session| session["this"] == false).unwrap();
    here.post("/account/sessions/end", &[("session", other["id"].as_str().unwrap())]).leads("/account");
    there.get("/account").leads("/sign-in?next=%2Faccount");
    there.sign_in("admin", next).leads("/");
    here.post("/account/sessions/end-others", &[]).leads("/account");
    there.get("/account").leads("/sign-in?next=%2Faccount");
    here.get("/account").is(200, "this one");
}

#[test]
fn an_admin_sees_who_is_here_and_makes_tokens() {
    let daemon = Daemon::with_admin();
    daemon.add("ann", "operator");
    let (admin, ann) = (daemon.browser(), daemon.browser());
    admin.sign_in("admin", PASSWORD).leads("/");
    ann.sign_in("ann", PASSWORD).leads("/");
    let view: serde_json::Value = serde_json::from_str(&admin.get("/accounts.json").body).unwrap();
    let whose = |name: &str| view["sessions"].as_array().unwrap().iter().filter(|s| s["who"] == name).count();
    assert_eq!((whose("admin"), whose("ann")), (1, 1), "{view}");
    admin.post("/accounts/ann/end", &[]).leads("/accounts");
    ann.get("/account").leads("/sign-in?next=%2Faccount");
    ann.sign_in("ann", PASSWORD).leads("/");
    admin.post("/accounts/ann/role", &[("role", "author")]).leads("/accounts");
    ann.get("/account").leads("/sign-in?next=%2Faccount");
    admin.get("/accounts/ann/remove").is(200, "cannot sign in again");
    admin.post("/accounts/ann/remove", &[]).leads("/accounts");
    assert!(!admin.get("/accounts.json").body.contains("\"ann\""));

    admin.post("/accounts/tokens", &[("name", "desk"), ("lasts", "30d")]).leads("/accounts");
    let fields = [("name", "desk"), ("lasts", "30d"), ("scope", "read"), ("scope", "audit:read")];
    let shown = admin.post("/accounts/tokens", &fields);
    let token =
        between(&shown.is(200, "The token desk").body, "<pre class=\"secret\" tabindex=\"0\">", "</pre>").to_owned();
    assert!(token.starts_with("greenroom_"), "{token}");
    let bearer = format!("Authorization: Bearer {token}");
    let audit = daemon.browser().get_with("/api/v1/audit", &[&bearer]);
    audit.is(200, "\"account:admin\"").is(200, "token-created");
    assert!(!audit.body.contains("argon2"), "{}", audit.body);
    assert!(!admin.get("/accounts").body.contains(&token), "shown once");
    admin.post("/accounts/tokens/desk/revoke", &[]).leads("/accounts");
    assert_eq!(daemon.browser().get_with("/api/v1/health", &[&bearer]).status, 401);
}

#[test]
fn over_tls_the_cookie_is_for_this_server_alone() {
    let daemon = Daemon::with("listen: '127.0.0.1:{port}', cert: cert.pem, key: key.pem", |dir| {
        let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 30 \
                         -subj /CN=greenroom -addext subjectAltName=IP:127.0.0.1";
        let mut openssl = std::process::Command::new("openssl");
        assert!(openssl.args(arguments.split_whitespace()).current_dir(dir).output().unwrap().status.success());
    });
    daemon.add("admin", "admin");
    let mut browser = daemon.browser();
    browser.base = browser.base.replace("http:", "https:");
    browser.more = vec!["--cacert".into(), "cert.pem".into()];
    let answer = browser.sign_in("admin", PASSWORD);
    let cookie = answer.leads("/").field("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-greenroom=") && cookie.contains("; Secure") && cookie.contains("Path=/;"),
        "{cookie}"
    );
    browser.get("/account").is(200, "this one");
}

#[test]
fn the_command_line_says_what_it_does() {
    let daemon = Daemon::with_admin();
    let list = daemon.cli(&["account", "list"]);
    assert!(list.starts_with("ACCOUNT") && list.contains("admin") && list.contains("yes"), "{list}");
    for (arguments, input, words) in [
        (
            &["account", "add", "admin", "--role", "admin", "--password-stdin"][..],
            PASSWORD,
            "there is an account admin already",
        ),
        (&["account", "add", "bob", "--role", "admin", "--password-stdin"], "bob", "12 characters at least"),
        (
            &["account", "add", "bob", "--role", "boss", "--invite"],
            "",
            "possible values: viewer, operator, author, admin",
        ),
        (&["account", "add", "b o b", "--role", "admin", "--invite"], "", "cannot name an account"),
        (&["account", "add", "bob", "--role", "admin"], "", "--password-stdin or --invite"),
        (&["account", "password", "bob", "--password-stdin"], PASSWORD, "there is no account bob"),
        (&["account", "role", "bob", "viewer"], "", "there is no account bob"),
        (&["account", "remove", "bob"], "", "there is no account bob"),
    ] {
        let output = daemon.cli_with(arguments, input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{arguments:?}: {said}");
    }
    let made = daemon.cli(&["--json", "account", "add", "bob", "--role", "viewer", "--invite"]);
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert!(made["invitation"].as_str().unwrap().contains("/invitation/") && made["name"] == "bob", "{made}");
    assert!(daemon.cli(&["account", "list"]).contains("invited until"));
}
