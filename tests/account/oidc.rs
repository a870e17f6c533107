//! Signing in with an issuer that we did not write: oidc-provider-mock, from PyPI.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::{
    daemon::{Answer, Browser, Daemon, PASSWORD},
    issuer::Issuer,
    port::free_port,
};

const PEOPLE: &str = r#"[{"sub": "u-1", "preferred_username": "ann", "groups": ["staff", "it"]},
    {"sub": "u-2", "preferred_username": "bob", "groups": ["cleaning"]},
    {"sub": "u-3", "groups": "desk"}]"#;

/// A daemon that lets an issuer's people in, and the issuer.
fn started() -> (Daemon, Issuer) {
    let port = free_port();
    let api = format!(
        "listen: '127.0.0.1:{{port}}', url: 'http://127.0.0.1:{{port}}', oidc: {{issuer: 'http://127.0.0.1:{port}', \
         label: Lab login, client_id: greenroom, client_secret: oidc-client, \
         roles: {{claim: groups, viewer: [staff], operator: [desk], admin: [it]}}}}"
    );
    let daemon = Daemon::with(&api, |dir| {
        fs::create_dir(dir.join("secrets")).unwrap();
        fs::write(dir.join("secrets/oidc-client"), "s3cret of the client\n").unwrap();
    });
    let issuer = Issuer::start(daemon.dir.path(), port, PEOPLE);
    (daemon, issuer)
}

/// As far as the issuer's page, and what it sends the browser back with.
fn at_issuer(browser: &Browser<'_>, issuer: &Issuer, sub: &str, next: &str) -> String {
    let sent = browser.get(&format!("/sign-in/oidc?next={next}"));
    assert_eq!(sent.status, 303, "{sent:?}");
    let to = sent.to().to_owned();
    assert!(to.starts_with(&issuer.url), "{to}");
    for part in
        ["response_type=code", "client_id=greenroom", "code_challenge_method=S256", "state=", "nonce=", "scope=openid"]
    {
        assert!(to.contains(part), "{part}: {to}");
    }
    let back = browser.post_with(&to, &[("sub", sub)], &[]);
    assert!([302, 303].contains(&back.status), "{back:?}");
    back.to().to_owned()
}

fn through(browser: &Browser<'_>, issuer: &Issuer, sub: &str) -> Answer {
    let back = at_issuer(browser, issuer, sub, "/devices");
    // Browsers say that they come from another site.
    browser.get_with(&back, &["Sec-Fetch-Site: cross-site"])
}

#[test]
fn an_issuers_people_come_in_with_the_role_that_their_claims_give() {
    let (mut daemon, issuer) = started();
    let browser = daemon.browser();
    browser.get("/sign-in").is(200, "Sign in with Lab login");
    let answer = through(&browser, &issuer, "u-1");
    answer.is(200, r#"http-equiv="refresh" content="0;url=/devices""#);
    let session = answer.field("set-cookie").unwrap();
    assert!(session.contains("SameSite=Strict") && session.contains("HttpOnly"), "{session}");
    let host = issuer.url.trim_start_matches("http://");
    browser.get("/account").is(200, &format!("ann@{host}")).is(200, "<b>admin</b>");
    browser.get("/accounts").is(200, "ann@").is(200, "No account was made here");
    browser
        .post("/account/password", &[("current", "x"), ("password", PASSWORD), ("again", PASSWORD)])
        .leads("/account");
    browser.get("/account").is(200, "Your password is your issuer&#39;s");
    // What they do is told as theirs, and no account that is made here can be called so.
    browser.post("/accounts", &[("name", "ann"), ("role", "viewer")]).is(200, "An invitation for ann");
    assert!(daemon.cli(&["audit", "--json"]).contains(&format!("account:ann@{host}")));
    let output = daemon.cli_with(&["account", "add", &format!("ann@{host}"), "--role", "admin", "--invite"], "");
    assert!(!output.status.success());

    let third = daemon.browser();
    through(&third, &issuer, "u-3").is(200, "Go on");
    third.get("/account").is(200, &format!("u-3@{host}")).is(200, "<b>operator</b>");
    let second = daemon.browser();
    through(&second, &issuer, "u-2").is(403, "nobody has said what you may do here").is(403, "cleaning");
    second.get("/account").leads("/sign-in?next=%2Faccount");
    second.get("/sign-in/oidc/callback?error=access_denied&state=x").is(400, "not the answer to what was asked");

    // The code was given for the token by whoever knows the client's secret and the verifier.
    let asked = fs::read_to_string(daemon.dir.path().join("asked")).unwrap();
    assert!(asked.contains("'code_verifier': '") && asked.to_lowercase().contains("basic"), "{asked}");
    assert!(!daemon.log().contains("s3cret"), "{}", daemon.log());
    let session = browser.session().unwrap();
    daemon.crash();
    let cookie = format!("Cookie: greenroom-session={session}");
    daemon.browser().get_with("/account", &[&cookie]).is(200, "ann@");
}

#[test]
fn what_the_issuer_did_not_say_to_this_browser_for_this_server_is_not_believed() {
    let (daemon, issuer) = started();
    let fault = |name: &str| fs::write(daemon.dir.path().join("fault"), name).unwrap();
    for (name, words) in [
        ("nonce", "its nonce is another"),
        ("no nonce", "its nonce is another"),
        ("aud", "for somebody else"),
        ("azp", "for somebody else"),
        ("iss", "another issuer"),
        ("exp", "it has expired"),
        ("no exp", "exp"),
        ("exp text", "cannot be believed"),
        ("key", "its signature is not the issuer"),
        ("unknown key", "no key that its token names"),
        ("none", "cannot be believed"),
        ("shared", "cannot be believed"),
    ] {
        fault(name);
        let browser = daemon.browser();
        let answer = through(&browser, &issuer, "u-1");
        assert!(answer.status == 401 && answer.body.contains(words), "{name}: {answer:#?}");
        browser.get("/account").leads("/sign-in?next=%2Faccount");
        assert_eq!(browser.session(), None, "{name}");
        // Each costs a try of this address: so that all can be tried, a good one gives them back in between.
        fault("good again");
        through(&daemon.browser(), &issuer, "u-1").is(200, "Go on");
    }

    // Another browser's answer, a state that is none, and the same answer a second time.
    let (mine, other) = (daemon.browser(), daemon.browser());
    let back = at_issuer(&mine, &issuer, "u-1", "//evil.example");
    other.get(&back).is(400, "not the answer to what was asked by this browser");
    at_issuer(&other, &issuer, "u-1", "/");
    other.get(&back).is(400, "not the answer to what was asked by this browser");
    mine.get(&back.replace("state=", "state=x")).is(400, "not the answer");
    mine.get(&back).is(200, r#"content="0;url=/""#);
    let again = mine.get(&back);
    assert_ne!(again.status, 200, "{again:?}");

    // Keys change: a token that is signed with a new one is believed once the issuer shows it.
    fault("rotate");
    let began = Instant::now();
    loop {
        let answer = through(&daemon.browser(), &issuer, "u-1");
        if answer.status == 200 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{answer:#?}");
        std::thread::sleep(Duration::from_secs(2));
    }
}

/// The page for signing in, as somebody sees it whom the issuer could not let in.
fn back_with(browser: &Browser<'_>, answer: &Answer, words: &str) {
    answer.leads("/sign-in?next=%2Fdevices");
    let page = browser.get(answer.to());
    page.is(200, words).is(200, "Try again in a moment, or sign in with a password").is(200, "Sign in with Lab login");
    assert!(!browser.get(answer.to()).body.contains(words), "it is said once");
}

#[test]
fn whoever_an_issuer_cannot_let_in_reads_why_where_there_is_another_way_in() {
    let (daemon, issuer) = started();
    daemon.add("admin", "admin");
    // From now on it is known.
    through(&daemon.browser(), &issuer, "u-1").is(200, "Go on");
    // For some seconds it is not asked for new keys: the drops take longer.
    for (fault, words) in [
        ("token 500", "The issuer has trouble of its own: asked for a token, it answers 500"),
        ("token drip", "The issuer does not answer, asked for a token: not within 10 seconds"),
        ("keys 500", "The issuer has trouble of its own: asked for its keys, it answers 500"),
    ] {
        fs::write(daemon.dir.path().join("fault"), fault).unwrap();
        let browser = daemon.browser();
        let answer = through(&browser, &issuer, "u-1");
        back_with(&browser, &answer, words);
        browser.get("/account").leads("/sign-in?next=%2Faccount");
    }

    // It dies while somebody is on its page.
    let browser = daemon.browser();
    let back = at_issuer(&browser, &issuer, "u-1", "/devices");
    drop(issuer);
    let answer = browser.get_with(&back, &["Sec-Fetch-Site: cross-site"]);
    back_with(&browser, &answer, "The issuer does not answer, asked for a token: ");
    // For some seconds it is thought to be there; then nobody is sent to where a browser has nothing but a page of its own.
    let began = Instant::now();
    let answer = loop {
        let answer = browser.get("/sign-in/oidc?next=/devices");
        if answer.to().starts_with('/') {
            break answer;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{answer:#?}");
        std::thread::sleep(Duration::from_secs(4));
    };
    back_with(&browser, &answer, "The issuer does not answer, asked for who it is: ");
    browser.sign_in("admin", PASSWORD).leads("/");

    // The log says where it was asked, and nothing that opens anything.
    let log = daemon.log();
    assert!(log.contains("/oauth2/token") && log.contains("/jwks"), "{log}");
    let code = back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
    assert!(code.len() > 8 && !log.contains(code) && !log.contains("s3cret"), "{log}");
}

#[test]
fn an_issuer_that_is_away_keeps_nobody_else_out() {
    let port = free_port();
    let api = format!(
        "listen: '127.0.0.1:{{port}}', url: 'http://127.0.0.1:{{port}}', oidc: {{issuer: 'http://127.0.0.1:{port}', \
         client_id: greenroom, roles: {{claim: groups, admin: [it]}}}}"
    );
    let daemon = Daemon::new(&api);
    let browser = daemon.browser();
    browser.get("/sign-in").is(200, &format!("Sign in with 127.0.0.1:{port}"));
    browser.get("/sign-in/oidc").leads("/sign-in?next=%2F");
    browser.get("/sign-in?next=%2F").is(200, "The issuer does not answer");
    daemon.add("admin", "admin");
    browser.sign_in("admin", PASSWORD).leads("/");
}

#[test]
fn a_configuration_that_would_let_nobody_or_everybody_in_is_refused() {
    let daemon = Daemon::with_admin();
    let check = |api: &str| {
        fs::write(daemon.dir.path().join("other.yaml"), format!("api: {api}\n")).unwrap();
        let output = daemon.cli_with(&["config", "check", "--config", "other.yaml"], "");
        (
            output.status.success(),
            [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat(),
        )
    };
    let oidc = "issuer: 'https://id.example', client_id: x, roles: {claim: groups, admin: [it]}";
    let good = format!("{{url: 'https://boot.example', session: {{idle: 30m, most: 12h}}, oidc: {{{oidc}}}}}");
    assert!(check(&good).0, "{}", check(&good).1);
    for (bad, code) in [
        ("{url: 'boot.example'}".to_owned(), "GR184"),
        ("{url: 'https://boot.example/greenroom'}".to_owned(), "GR184"),
        (format!("{{oidc: {{{oidc}}}}}"), "GR184"),
        ("{session: {idle: 1m}}".to_owned(), "GR185"),
        ("{session: {idle: 8d}}".to_owned(), "GR185"),
        (good.replace("https://id", "http://id"), "GR186"),
        (good.replace("client_id: x", "client_id: ''"), "GR187"),
        (good.replace("client_id: x", "client_id: x, client_secret: ../x"), "GR188"),
        (good.replace("admin: [it]", "admin: []"), "GR189"),
    ] {
        let (fits, said) = check(&bad);
        assert!(!fits && said.contains(code), "{bad}: {said}");
    }
}
