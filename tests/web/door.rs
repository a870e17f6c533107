//! How people get in, and out: the first account, passwords, invitations, an issuer; and what each may see and do.

use std::{fs, os::unix::fs::PermissionsExt};

use super::{
    access::serious,
    browser::{Browser, signed_out},
    issuer::Issuer,
    pages::{explore, found},
    port::free_port,
    stage::{PASSWORD, Site},
};

/// Who is signed in, as the page shows it.
fn who(browser: &Browser) -> String {
    browser.text(".who a")
}

/// Fills the form of `/sign-in` in, and sends it.
fn sign_in(browser: &Browser, name: &str, password: &str) {
    browser.type_in("#name", name);
    browser.type_in("#password", password);
    browser.choose("Sign in");
}

/// Pictures of a page of the door in every way, and no fault that keeps people out of it.
fn looked_at(browser: &mut Browser, name: &str) {
    for (size, width) in [("desktop", 1280), ("phone", 390)] {
        browser.window(width, 900);
        for (scheme, dark) in [("light", false), ("dark", true)] {
            browser.scheme(dark);
            browser.shot(&format!("door-{name}-{size}-{scheme}"));
            let faults = serious(browser);
            assert!(faults.is_empty(), "{name}, {size}, {scheme}: {faults:#?}");
        }
        assert_eq!(browser.exec("return document.documentElement.scrollWidth <= innerWidth"), true, "{name}, {size}");
    }
    browser.scheme(false);
    browser.window(1280, 900);
}

#[test]
fn the_first_account_is_made_with_the_token_of_the_first_start() {
    let site = Site::unopened("");
    let file = site.dir.path().join("state/first-sign-in");
    super::stage::until("there is a token", || file.exists().then_some(()));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let token = fs::read_to_string(&file).unwrap();
    let mut browser = Browser::start();
    browser.forgive("401");
    browser.forgive("422");
    browser.goto(&format!("{}/devices", site.url));
    assert_eq!(browser.title(), "Make the first account · Greenroom");
    assert!(browser.says("the file first-sign-in of its state directory"));
    looked_at(&mut browser, "first");
    let fill = |token: Option<&str>, password: &str, again: &str| {
        token.into_iter().for_each(|token| browser.type_in("#token", token));
        browser.type_in("#name", "Ann");
        browser.type_in("#password", password);
        browser.type_in("#again", again);
        browser.choose("Make the account and sign in");
    };
    fill(Some("abcde-abcde-abcde-abcde-abcde"), PASSWORD, PASSWORD);
    browser.wait_for_text("This is not the token that the server gave out when it was started last.");
    // The browser itself says what is too short; what it cannot know, the server says, and keeps what was right.
    fill(Some(token.trim()), "too short", "too short");
    assert_eq!(browser.exec("return document.querySelector('#password').validity.tooShort"), true);
    fill(None, PASSWORD, "correct horse batterx");
    browser.wait_for_text("The two passwords are not the same.");
    assert_eq!(browser.exec("return document.querySelector('#token').value"), token.trim());
    fill(None, PASSWORD, PASSWORD);
    browser.wait_for_text("First steps");
    assert_eq!((who(&browser).as_str(), browser.title().as_str()), ("ann", "Overview · Greenroom"));
    super::stage::until("the token is gone", || (!file.exists()).then_some(()));

    // Out, and in again by the password: where one wanted to go.
    browser.choose("Sign out");
    browser.wait_for_text("You are signed out.");
    assert!(browser.cookies().iter().all(|cookie| cookie.name != "greenroom-session"), "nothing is left of it");
    browser.goto(&format!("{}/boots?state=stuck", site.url));
    assert_eq!(browser.title(), "Sign in · Greenroom");
    looked_at(&mut browser, "sign-in");
    sign_in(&browser, "ann", "correct horse batterx");
    browser.wait_for_text("The name or the password is not right.");
    assert_eq!(
        browser.exec("return [document.activeElement.id, document.querySelector('#name').value].join()"),
        "password,ann"
    );
    looked_at(&mut browser, "wrong");
    browser.type_in("#password", PASSWORD);
    browser.choose("Sign in");
    browser.wait_until("return location.pathname + location.search === '/boots?state=stuck'");
    let cookies = browser.cookies();
    let session = cookies.iter().find(|cookie| cookie.name == "greenroom-session").unwrap();
    assert_eq!(browser.exec("return document.cookie"), "", "scripts do not see {session:?}");
}

#[test]
fn whoever_guesses_reads_how_long_to_wait() {
    let site = Site::unopened("");
    site.add("ann", "viewer");
    let guess = || site.curl("/sign-in", &["-d", "name=ann&password=guess", "-H", "Sec-Fetch-Site: same-origin"]).0;
    let mut browser = Browser::start();
    browser.forgive("401");
    browser.forgive("429");
    browser.goto(&format!("{}/sign-in", site.url));
    sign_in(&browser, "ann", "another guess");
    browser.wait_for_text("The name or the password is not right.");
    browser.type_in("#password", PASSWORD);
    // Somebody at this address goes on guessing, until the server has had enough.
    assert!((0..40).any(|_| guess() == 429), "it never has");
    browser.choose("Sign in");
    browser.wait_for_text("That was tried too often: try again in ");
    let told = browser.text("[role=alert]");
    let seconds = told.split_whitespace().find_map(|word| word.parse::<u32>().ok()).unwrap();
    assert!((1..=30).contains(&seconds), "{told}");
    looked_at(&mut browser, "held-back");
}

#[test]
fn who_is_invited_chooses_a_password_by_the_link() {
    let site = Site::unopened("");
    site.add("ann", "admin");
    let mut browser = Browser::start();
    browser.forgive("404");
    browser.forgive("422");
    browser.goto(&format!("{}/accounts", site.url));
    sign_in(&browser, "ann", PASSWORD);
    browser.wait_for_text("Invite somebody");
    browser.type_in("form[aria-labelledby=invite] input[name=name]", "bob");
    browser.exec("document.querySelector('#role').value = 'author'");
    browser.choose("Invite");
    browser.wait_for_text("An invitation for bob");
    let link = browser.text("pre.secret");
    assert!(link.starts_with(&format!("{}/invitation/", site.url)), "{link}");
    looked_at(&mut browser, "invitation");
    browser.choose("I have kept it");
    browser.wait_for_text("invited");
    assert!(!browser.exec("return document.documentElement.outerHTML").as_str().unwrap().contains(&link), "shown once");
    browser.choose("Sign out");
    browser.wait_for_text("You are signed out.");

    browser.goto(&link);
    assert_eq!(browser.text("h1"), "Welcome, bob");
    assert!(browser.says("You are invited to sign in here as author"));
    looked_at(&mut browser, "welcome");
    let choose = |password: &str, again: &str| {
        browser.type_in("#password", password);
        browser.type_in("#again", again);
        browser.choose("Set the password and sign in");
    };
    choose("four words and more", "four words and mere");
    browser.wait_for_text("The two passwords are not the same.");
    choose("bob-2026-4711", "bob-2026-4711");
    browser.wait_for_text("must not be made of the account's name");
    choose("four words and more", "four words and more");
    browser.wait_for_text("First steps");
    assert_eq!(who(&browser), "bob");
    // It opened once. Whoever comes late is told, and shown the way.
    browser.goto(&link);
    browser.wait_for_text("This invitation opens nothing");
    browser.choose("Sign out");
    browser.wait_for_text("You are signed out.");
    browser.goto(&link);
    browser.wait_for_text("This invitation opens nothing");
    looked_at(&mut browser, "late");
    browser.click("main a.button");
    sign_in(&browser, "bob", "four words and more");
    browser.wait_until("return location.pathname === '/'");
    assert_eq!(who(&browser), "bob");
}

#[test]
fn a_session_outlives_a_restart_and_not_its_account() {
    let mut site = Site::unopened("");
    site.add("ann", "admin");
    site.add("bob", "operator");
    let mut browser = Browser::start();
    // While the daemon is away, and when nobody is signed in any more, the stream of what happens breaks off.
    for words in ["/live", "ERR_", "EventSource"] {
        browser.forgive(words);
    }
    browser.goto(&format!("{}/devices", site.url));
    sign_in(&browser, "bob", PASSWORD);
    browser.wait_until("return location.pathname === '/devices'");
    site.end();
    site.begin();
    browser.reload();
    assert_eq!((who(&browser).as_str(), browser.title().as_str()), ("bob", "Devices · Greenroom"));
    browser.wait_until("return document.documentElement.dataset.stream === 'open'");
    // Whoever is removed elsewhere sees it on the page that is open, without a click.
    site.ok(&["account", "remove", "bob"]);
    browser.wait_until("return location.pathname === '/sign-in'");
    assert!(browser.exec("return location.search").as_str().unwrap().contains("next=%2Fdevices"));
    browser.goto(&format!("{}/devices", site.url));
    assert_eq!(browser.title(), "Sign in · Greenroom");
}

/// What each role is offered, by the words of a link or button: on which page, and from which role on.
const OFFERS: [(&str, &str, usize); 12] = [
    ("/devices/{mac}", "Assign…", 1),
    ("/devices/{mac}", "Forget…", 1),
    ("/devices/{mac}", "All of it", 3),
    ("/devices", "Import…", 1),
    ("/devices", "Describe…", 1),
    ("/images/memtest86", "Pin to the disk", 1),
    ("/predictions", "Learn now", 1),
    ("/personas", "New persona", 2),
    ("/personas/kiosk-live", "Edit", 2),
    ("/", "Audit", 3),
    ("/", "Accounts", 3),
    ("/", "Sign out", 0),
];

/// What only operators, authors and admins do.
const ACTS: [(&str, &str, usize); 16] = [
    ("/devices/{mac}/assign", "persona=kiosk-live", 1),
    ("/devices/{mac}/arm", "", 1),
    ("/devices/{mac}/forget", "", 1),
    ("/devices/many", "act=arm&all=1", 1),
    ("/users", "name=eve", 1),
    ("/images/memtest86/pin", "tier=ram", 1),
    ("/images/memtest86/evict", "", 1),
    ("/predictions/learn", "", 1),
    ("/predictions/proposals/answer", "answer=accept&proposal=x", 1),
    ("/personas/new", "name=eve", 2),
    ("/personas/kiosk-live/edit", "text=x", 2),
    ("/personas/kiosk-live/delete", "", 2),
    ("/personas/kiosk-live/duplicate", "name=eve", 2),
    ("/accounts", "name=eve&role=admin", 3),
    ("/accounts/ann/remove", "", 3),
    ("/accounts/tokens", "name=eve&lasts=1d&scope=arm", 3),
];

#[test]
fn each_role_is_shown_what_it_may_do_and_kept_from_the_rest() {
    let mut site = Site::start();
    let mac = super::past::mac(super::past::who::SERVERS.start).to_string();
    site.ok(&["device", "assign", &mac, "kiosk-live", "--why", "a deed to be seen"]);
    let roles = ["viewer", "operator", "author"];
    let mut browser = Browser::start();
    browser.forgive("403");
    browser.forgive("404");
    for (rank, role) in roles.into_iter().enumerate() {
        site.add(role, role);
        site.enter(role);
        // No link leads to what they may not see.
        let (pages, nowhere) = explore(&site);
        assert!(pages.len() > 20 && nowhere.is_empty(), "{role}: {} pages, and {nowhere:#?}", pages.len());
        for (page, words, from) in OFFERS {
            browser.goto(&format!("{}{}", site.url, page.replace("{mac}", &mac)));
            assert_eq!(who(&browser), role);
            let offered = browser.texts("a, button").iter().any(|text| text == words);
            assert_eq!(offered, rank >= from, "{role}: {words} on {page}");
        }
        for (path, fields, from) in ACTS.into_iter().filter(|(.., from)| rank < *from) {
            let path = path.replace("{mac}", &mac);
            let (status, said) = site.curl(&path, &["-d", fields, "-H", "Sec-Fetch-Site: same-origin"]);
            assert!(status == 403 && said.contains("You may not do that"), "{role}, {from}, {path}: {status}: {said}");
        }
    }
    // By a link that somebody sent: one reads why not, and that it can be changed.
    site.enter("viewer");
    browser.goto(&format!("{}/devices/{mac}/assign", site.url));
    browser.wait_for_text("You may not do that");
    assert!(browser.says("viewer is signed in as viewer, and this takes the role operator."));
    assert!(browser.says("An admin can give you another role."));
    looked_at(&mut browser, "not-allowed");
    // No form of any page of theirs changes anything but their own session and password.
    for page in found(&site).into_iter().filter(|page| page.first) {
        browser.goto(&format!("{}{}", site.url, page.path));
        let forms = browser.exec(
            "return [...document.querySelectorAll('form[method=post]')].map((one) => new URL(one.action).pathname)",
        );
        for form in forms.as_array().unwrap() {
            let form = form.as_str().unwrap();
            assert!(form == "/sign-out" || form.starts_with("/account/"), "{}: {form}", page.path);
        }
    }
    let audit = site.ok(&["audit", "--json"]);
    assert!(roles.iter().all(|role| !audit.contains(&format!("account:{role}"))), "nobody did anything: {audit}");
}

/// People of the issuer: one who may do all, one whom nobody knows here, one without a name that people read.
const PEOPLE: &str = r#"[{"sub": "u-1", "preferred_username": "ann", "groups": ["staff", "it"]},
    {"sub": "u-2", "preferred_username": "bob", "groups": ["cleaning"]}, {"sub": "u-3", "groups": "desk"}]"#;

/// A site that lets the people of an issuer in, which is another site for browsers.
fn of_issuer(port: u16) -> Site {
    let site = Site::unopened(&format!(
        "url: '{{url}}', oidc: {{issuer: 'http://localhost:{port}', label: Lab login, client_id: greenroom, \
         client_secret: oidc-client, roles: {{claim: groups, viewer: [staff], operator: [desk], admin: [it]}}}}"
    ));
    fs::write(site.dir.path().join("secrets/oidc-client"), "s3cret of the client\n").unwrap();
    site
}

#[test]
fn an_issuers_people_go_to_its_page_and_come_back() {
    let port = free_port();
    let mut site = of_issuer(port);
    let _issuer = Issuer::start(site.dir.path(), port, PEOPLE);
    let mut browser = Browser::start();
    let theirs = format!("http://localhost:{port}/");
    // Their page wants a style sheet from elsewhere, and does without.
    for words in [&theirs, "cdn.jsdelivr.net", "ERR_", "400", "403"] {
        browser.forgive(words);
    }
    let there = |browser: &Browser, button: &str| {
        browser.choose("Sign in with Lab login");
        browser.wait_for_text("Authorize Client");
        assert!(browser.url().starts_with(&theirs), "{}", browser.url());
        browser.click(button);
    };
    browser.goto(&format!("{}/devices?q=seen", site.url));
    browser.wait_for_text("Sign in with Lab login");
    looked_at(&mut browser, "issuer");
    there(&browser, "button[name=sub][value=u-1]");
    browser.wait_until("return location.pathname + location.search === '/devices?q=seen'");
    let name = format!("ann@localhost:{port}");
    assert_eq!(who(&browser), name);
    browser.choose(&name);
    browser.wait_for_text("You are signed in as admin");
    assert!(browser.says("Your issuer says who you are") && !browser.has("#current"), "its password is not ours");
    looked_at(&mut browser, "of-issuer");
    browser.goto(&format!("{}/accounts", site.url));
    browser.wait_for_text("Whoever Lab login knows may sign in as well");
    // Across a restart, and out.
    site.end();
    site.begin();
    browser.reload();
    assert_eq!(who(&browser), name);
    browser.choose("Sign out");
    browser.wait_for_text("You are signed out.");
    browser.goto(&site.url);
    assert_eq!(browser.title(), "Sign in · Greenroom");

    there(&browser, "button[name=sub][value=u-3]");
    browser.wait_until("return location.pathname === '/'");
    assert_eq!(who(&browser), format!("u-3@localhost:{port}"));
    assert_eq!(browser.exec("return document.querySelector('.who a').title"), "Your account: operator");
    browser.choose("Sign out");
    browser.wait_for_text("You are signed out.");

    // It breaks on the way back, which leads over another site: the words come along.
    fs::write(site.dir.path().join("fault"), "token 500").unwrap();
    there(&browser, "button[name=sub][value=u-1]");
    browser.wait_for_text("The issuer has trouble of its own");
    assert!(browser.says("Try again in a moment") && browser.has("#password") && browser.url().starts_with(&site.url));
    fs::remove_file(site.dir.path().join("fault")).unwrap();

    // Whom the issuer knows, and nobody here; and who changes their mind there.
    there(&browser, "button[name=sub][value=u-2]");
    browser.wait_for_text("You may not come in");
    assert!(browser.says("nobody has said what you may do here") && browser.says("cleaning"));
    looked_at(&mut browser, "unknown");
    browser.choose("Sign in another way");
    there(&browser, "button[name=action][value=deny]");
    // This issuer says no without the state that it was asked with: whose answer that is nobody knows.
    browser.wait_for_text("That did not work out");
    looked_at(&mut browser, "refused");
    browser.click("main a.button");
    browser.wait_for_text("Sign in with Lab login");
    browser.goto(&site.url);
    assert_eq!(browser.title(), "Sign in · Greenroom", "neither of them is in");
}

#[test]
fn an_issuer_that_is_away_is_told_with_another_way_in() {
    let port = free_port();
    let site = of_issuer(port);
    site.add("ann", "admin");
    let mut browser = Browser::start();
    browser.goto(&site.url);
    browser.choose("Sign in with Lab login");
    browser.wait_for_text("The issuer does not answer");
    assert!(browser.says("or sign in with a password") && browser.title() == "Sign in · Greenroom");
    looked_at(&mut browser, "away");
    sign_in(&browser, "ann", PASSWORD);
    browser.wait_until("return location.pathname === '/'");
    assert_eq!(who(&browser), "ann");
    // Nothing of what another test signed in with is brought along here.
    signed_out(&site.url);
}
