//! Signing in, staying signed in, and being signed out.

use std::fs;

use crate::daemon::{Daemon, PASSWORD};

#[test]
fn a_password_opens_the_pages_and_a_session_is_a_new_one_each_time() {
    let mut daemon = Daemon::with_admin();
    let browser = daemon.browser();
    browser.get("/account?q=1").leads("/sign-in?next=%2Faccount%3Fq%3D1");
    assert_eq!(browser.get("/account.json").status, 401, "programs are told so");
    browser.sign_in("admin", "correct horse batterx").is(401, "The name or the password is not right.");
    browser.sign_in("nobody", PASSWORD).is(401, "The name or the password is not right.");
    browser.sign_in("no such name!", PASSWORD).is(401, "The name or the password is not right.");
    assert_eq!(browser.session(), None);

    let answer = browser.sign_in(" Admin ", PASSWORD);
    answer.leads("/");
    let cookie = answer.field("set-cookie").unwrap();
    for part in ["greenroom-session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    browser.get("/").is(200, "Sign out");
    browser.get("/sign-in?next=/devices").leads("/devices");

    // Fixation: what a browser brings along is never what it has afterwards.
    let first = browser.session().unwrap();
    browser.sign_in("admin", PASSWORD).leads("/");
    let second = browser.session().unwrap();
    assert_ne!(first, second);
    let with =
        |session: &str| daemon.browser().get_with("/account", &[&format!("Cookie: greenroom-session={session}")]);
    assert_eq!(with(&first).status, 303, "the one before is over");
    with("made-up-by-somebody-else").leads("/sign-in?next=%2Faccount");
    let planted = daemon.browser();
    let fields = [("name", "admin"), ("password", PASSWORD)];
    let answer =
        planted.post_with("/sign-in", &fields, &["Sec-Fetch-Site: same-origin", "Cookie: greenroom-session=planted"]);
    assert!(!answer.field("set-cookie").unwrap().contains("planted"));
    assert_eq!(with("planted").status, 303);

    // A restart signs nobody out, and what is kept is nothing to sign in with.
    daemon.crash();
    let browser = daemon.browser();
    let with = |session: &str| browser.get_with("/account", &[&format!("Cookie: greenroom-session={session}")]);
    with(&second).is(200, "this one");
    let kept = fs::read_to_string(daemon.dir.path().join("state/sessions.json")).unwrap();
    assert!(kept.contains("\"admin\"") && !kept.contains(&second), "{kept}");

    // Signing out ends it on the server, and survives a crash as well.
    let header = format!("Cookie: greenroom-session={second}");
    browser.post_with("/sign-out", &[], &["Sec-Fetch-Site: same-origin", &header]).leads("/sign-in");
    assert_eq!(with(&second).status, 303);
    daemon.crash();
    let browser = daemon.browser();
    assert_eq!(browser.get_with("/account", &[&header]).status, 303);

    let audit = daemon.cli(&["audit", "--json"]);
    assert!(audit.contains("account-created") && !audit.contains("argon2"), "{audit}");
    assert!(daemon.log().contains("somebody failed to sign in") && !daemon.log().contains("no such name!"));
    // Neither passwords nor sessions are anywhere.
    let journal = daemon.journal();
    assert!(journal.contains("$argon2id$v=19$m=19456") && journal.contains("account-created"), "{journal}");
    for secret in [PASSWORD, "correct horse batterx", &first, &second] {
        assert!(!daemon.log().contains(secret) && !journal.contains(secret), "{secret}");
    }
}

#[test]
fn only_our_own_pages_send_forms_and_next_leads_nowhere_else() {
    let daemon = Daemon::with_admin();
    let browser = daemon.browser();
    let fields = [("name", "admin"), ("password", PASSWORD)];
    let host = format!("Origin: http://127.0.0.1:{}", daemon.port);
    for headers in [
        &["Sec-Fetch-Site: cross-site"][..],
        &["Sec-Fetch-Site: same-site"],
        &["Sec-Fetch-Site: none"],
        &["Origin: http://evil.example"],
        &["Origin: null"],
        &["Sec-Fetch-Site: cross-site", &host],
        &[],
    ] {
        browser.post_with("/sign-in", &fields, headers).is(403, "does not come from a page of this server");
        browser.post_with("/sign-out", &[], headers).is(403, "Not from here");
    }
    browser.post_with("/sign-in", &fields, &[&host]).leads("/");
    for headers in [&["Sec-Fetch-Site: cross-site"][..], &[]] {
        let add = [("name", "evil"), ("role", "admin")];
        browser.post_with("/accounts", &add, headers).is(403, "Not from here");
    }
    assert!(!daemon.cli(&["account", "list"]).contains("evil"));

    for (next, to) in [
        ("/devices?x=1", "/devices?x=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/%0d%0aSet-Cookie:x", "/%0d%0aSet-Cookie:x"),
        ("/\r\nSet-Cookie: x=y", "/"),
        ("javascript:alert(1)", "/"),
        ("/sign-out", "/"),
    ] {
        let fields = [("name", "admin"), ("password", PASSWORD), ("next", next)];
        let answer = daemon.browser().post("/sign-in", &fields);
        assert_eq!(answer.to(), to, "{next:?}");
        assert_eq!(
            answer.head.matches("et-Cookie").count() + answer.head.matches("et-cookie").count(),
            1 + to.matches("et-Cookie").count()
        );
    }
    let page = daemon.browser().get("/sign-in?next=//evil.example%22%3E%3Cscript%3E");
    assert!(!page.body.contains("evil.example"), "{}", page.body);

    // A link from another site finds the session by way of a page of ours.
    let linked = browser.get_with("/sign-in?next=/devices", &["Sec-Fetch-Site: cross-site", "Cookie: x=y"]);
    linked.leads("/devices");
    let stranger = daemon.browser().get_with("/sign-in?next=/devices", &["Sec-Fetch-Site: cross-site"]);
    stranger.is(200, r#"http-equiv="refresh" content="0;url=/sign-in?next=%2Fdevices""#);
}

#[test]
fn whoever_guesses_waits_and_others_do_not() {
    let daemon = Daemon::with_admin();
    daemon.add("ann", "viewer");
    let home = daemon.browser();
    home.sign_in("admin", PASSWORD).leads("/");
    let guesser = daemon.browser();
    let held = |name: &str, password: &str| {
        (0..40).map(|_| guesser.sign_in(name, password)).find(|answer| answer.status == 429)
    };
    for n in 0..9 {
        assert_eq!(guesser.sign_in("ann", &format!("guess number {n}")).status, 401, "{n}");
    }
    let waits = held("ann", "guess").unwrap();
    waits.is(429, "tried too often");
    assert!(waits.field("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    guesser.sign_in("ann", PASSWORD).is(429, "tried too often");
    assert_eq!(guesser.session(), None, "not even the right one");
    home.get("/").is(200, "Sign out");
    // Names that nobody has are no way around it.
    let names = (0..40).map(|n| guesser.sign_in(&format!("somebody-{n}"), "guess").status);
    assert!(names.into_iter().any(|status| status == 429));
    // The metrics are on the boot port; its number is in the configuration.
    let config = fs::read_to_string(daemon.dir.path().join("greenroom.yaml")).unwrap();
    let port = config.split("http: {port: ").nth(1).unwrap().split('}').next().unwrap();
    let metrics = home.get(&format!("http://127.0.0.1:{port}/metrics")).body;
    for (how, least) in [("good", 1), ("bad", 10), ("held back", 2)] {
        let line = metrics.lines().find(|line| line.contains(&format!("sign_ins_total{{kind=\"{how}\"}}")));
        let count: u64 = line.and_then(|line| line.rsplit(' ').next()).and_then(|n| n.parse().ok()).unwrap_or_default();
        assert!(count >= least, "{how}: {line:?}");
    }
}

#[test]
fn a_session_ends_when_its_account_changes_and_roles_are_kept_to() {
    let daemon = Daemon::with_admin();
    let admin = daemon.browser();
    admin.sign_in("admin", PASSWORD).leads("/");
    let ann = daemon.browser();
    for act in [
        &["account", "role", "ann", "viewer"][..],
        &["account", "role", "ann", "operator"],
        &["account", "remove", "ann"],
        &["account", "password", "ann", "--invite"],
    ] {
        if !daemon.cli(&["account", "list"]).contains("ann") {
            daemon.add("ann", "author");
        }
        ann.sign_in("ann", PASSWORD).leads("/");
        ann.get("/account").is(200, "ann");
        daemon.cli(act);
        ann.get("/account").leads("/sign-in?next=%2Faccount");
    }
    ann.sign_in("ann", PASSWORD).is(401, "not right");

    daemon.cli(&["account", "remove", "ann"]);
    daemon.add("ann", "viewer");
    ann.sign_in("ann", PASSWORD).leads("/");
    ann.get("/accounts").is(403, "ann is signed in as viewer");
    ann.get("/accounts.json").is(403, "You may not do that");
    for path in
        ["/accounts", "/accounts/admin/role", "/accounts/admin/remove", "/accounts/tokens", "/accounts/ann/invite"]
    {
        ann.post(path, &[("name", "x"), ("role", "admin"), ("scope", "arm")]).is(403, "You may not do that");
    }
    assert!(!ann.get("/account").body.contains("href=\"/accounts\""));

    // The last admin stays.
    for act in [&["account", "remove", "admin"][..], &["account", "role", "admin", "viewer"]] {
        let output = daemon.cli_with(act, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("the last admin who can sign in"), "{said}");
    }
    admin.post("/accounts/admin/remove", &[]).leads("/accounts");
    admin.get("/accounts").is(200, "the last admin who can sign in");
}
