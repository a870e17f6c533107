//! Personas as somebody keeps them on the pages: begun, compared, merged, reverted, deleted; all of it in git.

use std::{fs, process::Command};

use super::{browser::Browser, stage::Site};

/// Who is signed in, as the page says.
fn me(browser: &Browser) -> String {
    browser.text(".who a")
}

fn library(site: &Site, file: &str) -> String {
    fs::read_to_string(site.dir.path().join("library").join(file)).unwrap_or_default()
}

/// A change of a file of the library, and its commit, as somebody at its keyboard makes them.
fn commit(site: &Site, file: &str, change: impl FnOnce(String) -> String) {
    let path = site.dir.path().join("library").join(file);
    let text = change(fs::read_to_string(&path).unwrap_or_default());
    fs::write(&path, text).unwrap();
    site.git(&["add", "--", file]);
    site.git(&["commit", "-q", "-m", "By hand", "--", file]);
}

/// Posts a form as a page of ours does; the status, and where it leads.
fn post(site: &Site, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    site.curl(path, &["-H", "sec-fetch-site: same-origin", "--data-raw", &form.finish()])
}

/// What the editor's text is: set as typing would.
fn write(browser: &Browser, from: &str, to: &str) {
    let script = "const text = document.getElementById('text'); text.value = text.value.replace(FROM, TO); \
                  text.dispatchEvent(new Event('input'))";
    browser.exec(&script.replace("FROM", &format!("{from:?}")).replace("TO", &format!("{to:?}")));
}

#[test]
fn a_persona_begins_as_a_sample_and_each_save_is_a_commit_by_whoever_saved() {
    let site = Site::empty();
    let browser = Browser::start();
    browser.goto(&format!("{}/personas", site.url));
    browser.wait_for_text("There is no persona yet");
    browser.wait_for_text("git init");
    site.git(&["init", "-q"]);
    browser.goto(&format!("{}/personas", site.url));
    browser.choose("Begin with a sample");
    browser.type_in("#name", "first-server");
    browser.click("input[value='sample:server-debian']");
    browser.choose("Begin");
    browser.wait_for_text("first-server begins as the sample server-debian, as commit");
    assert!(browser.url().ends_with("/personas/first-server"), "{}", browser.url());
    // With it came what it extends and the image's manifest; nothing else was left lying.
    let told = site.git(&["log", "-1", "--format=%an|%cn|%s", "--name-only"]);
    let (head, files) = told.split_once("\n\n").unwrap();
    assert_eq!(head, format!("{}|Greenroom|Add first-server, from the sample server-debian", me(&browser)));
    let files: Vec<&str> = files.lines().collect();
    let expected = ["first-server.yaml", "fragments/admin.yaml", "fragments/hardened.yaml", "fragments/monitored.yaml"];
    assert!(expected.iter().all(|file| files.contains(file)), "{files:?}");
    assert!(files.contains(&"images/debian-12-installer.yaml"), "{files:?}");
    assert_eq!(site.git(&["status", "--porcelain"]), "");
    // Devices can have it at once.
    assert_eq!(site.json("/personas/first-server.json")["state"], "good");
    site.ok(&["device", "assign", "52:54:00:77:00:99", "first-server"]);
    super::stage::until("it counts", || {
        (site.json("/personas.json")["rows"][0]["devices"]["assigned"] == 1).then_some(())
    });
    browser.goto(&format!("{}/personas?q=SERVER", site.url));
    assert_eq!(browser.texts(".personas tbody tr td.number"), ["0", "1"], "one is assigned");

    browser.goto(&format!("{}/personas/first-server/duplicate", site.url));
    browser.choose("Duplicate");
    browser.wait_for_text("first-server-2 is a copy of first-server, as commit");
    assert_eq!(library(&site, "first-server-2.yaml"), library(&site, "first-server.yaml"));
}

#[test]
fn two_edits_of_one_file_are_brought_together_and_nothing_is_lost() {
    let site = Site::start();
    let browser = Browser::start();
    let edit = format!("{}/personas/classroom/edit", site.url);
    browser.goto(&edit);
    browser.wait_for("#text");
    // Somebody commits another line meanwhile: what is saved late is shown together with it.
    commit(&site, "classroom.yaml", |text| text.replace("Europe/London", "Europe/Paris"));
    write(&browser, "A classroom's desk, for lessons", "A desk for lessons");
    save(&browser);
    browser.wait_for_text("Your changes and theirs fit together");
    let merged = browser.exec("return document.getElementById('text').value").as_str().unwrap().to_owned();
    assert!(merged.contains("Europe/Paris") && merged.contains("A desk for lessons"), "{merged}");
    assert!(!library(&site, "classroom.yaml").contains("A desk for lessons"), "nothing is saved yet");
    browser.choose("Save this");
    browser.wait_for_text("as commit");
    assert_eq!(library(&site, "classroom.yaml"), merged);
    assert_eq!(site.git(&["log", "-1", "--format=%an"]).trim(), me(&browser));
    // A word of each side at one place: marks, which must go before it is saved.
    browser.goto(&edit);
    browser.wait_for("#text");
    commit(&site, "classroom.yaml", |text| text.replace("A desk for lessons", "Theirs"));
    write(&browser, "A desk for lessons", "Yours");
    save(&browser);
    browser.wait_for_text("In one place it does not");
    let marks = browser.exec("return document.getElementById('text').value").as_str().unwrap().to_owned();
    assert!(marks.contains("<<<<<<< yours\n") && marks.contains("description: \"Theirs\""), "{marks}");
    assert_eq!(
        browser.texts("details summary"),
        ["Yours", "Theirs: the file as it is now", "Before: what you both began with"]
    );
    pictures(browser, "persona-conflict");

    // Without scripts it is the same form.
    let mut browser = Browser::start();
    let (_, answer) = site.curl("/personas/classroom/edit.json", &[]);
    let base = answer.split("\"base\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let text = library(&site, "classroom.yaml");
    let ours = text.replace("Theirs", "Both");
    commit(&site, "classroom.yaml", |text| text.replace("Theirs", "Mine"));
    let (status, answer) = post(&site, "/personas/classroom/edit", &[("base", &base), ("text", &ours)]);
    assert!(status == 409 && answer.contains("&#60;&#60;&#60;&#60;&#60;&#60;&#60; yours"), "{status} {answer}");
    assert!(answer.contains("name=\"base\"") && answer.contains("Mine") && answer.contains("Both"), "{answer}");
    browser.scripts(false);
    browser.goto(&format!("{}/personas/classroom/history", site.url));
    browser.wait_for_text("By hand");
}

/// Saves as the editor's button does.
fn save(browser: &Browser) {
    browser.wait_until("return !document.getElementById('editor-save').disabled");
    browser.click("#editor-save");
}

#[test]
fn versions_are_compared_reverted_deleted_and_brought_back() {
    let mut site = Site::start();
    let mut browser = Browser::start();
    // The server is away for a moment.
    browser.forgive("/live");
    browser.goto(&format!("{}/personas/classroom", site.url));
    assert!(browser.texts(".commits a")[0].contains("Teach Python"), "{:?}", browser.texts(".commits a"));
    browser.choose("Compare versions");
    assert_eq!(browser.texts(".diff .cut, .diff .add").len(), 4, "the label and the package");
    browser.choose("What devices read");
    browser.wait_for_text("python3");
    browser.choose("Composed");
    browser.wait_for_text("tier: gold");

    browser.goto(&format!("{}/personas/classroom/history", site.url));
    browser.choose("Give the classrooms a persona");
    browser.choose("Revert to this");
    browser.wait_for_text("What would change");
    let began = site.git(&["rev-parse", "HEAD"]);
    browser.choose("Revert");
    browser.wait_for_text("classroom is as it was at");
    assert!(!library(&site, "classroom.yaml").contains("python3"));
    assert_eq!(site.git(&["rev-parse", "HEAD~1"]), began, "a revert adds to the history");
    // What somebody edited and did not commit is still theirs.
    assert_eq!(site.git(&["status", "--porcelain"]).trim(), "M exam.yaml");

    // What others are composed of stays.
    browser.goto(&format!("{}/personas/fragments/admin/delete", site.url));
    browser.wait_for_text("It cannot go while others are composed of it");
    assert!(!browser.has("button.danger"));
    browser.goto(&format!("{}/personas/kiosk-live", site.url));
    browser.choose("Delete");
    browser.wait_for_text("kiosks in the foyer");
    browser.type_in("#message", "No more kiosks");
    browser.choose("Delete kiosk-live");
    browser.wait_for_text("kiosk-live is gone, as commit");
    assert_eq!(library(&site, "kiosk-live.yaml"), "");
    assert_eq!(site.git(&["log", "-1", "--format=%an|%s"]).trim(), format!("{}|No more kiosks", me(&browser)));
    assert!(site.json("/personas.json")["rows"].as_array().unwrap().iter().all(|row| row["name"] != "kiosk-live"));

    // Its page says where it is, and from there it comes back, after a restart too.
    site.end();
    site.begin();
    let (status, page) = site.curl("/personas/kiosk-live", &[]);
    assert!(status == 404 && page.contains("can bring it back"), "{page}");
    browser.goto(&format!("{}/personas/kiosk-live/history", site.url));
    browser.choose("Begin with the samples");
    browser.choose("Revert to this");
    browser.choose("Revert");
    browser.wait_for_text("kiosk-live is as it was at");
    assert!(library(&site, "kiosk-live.yaml").contains("A public kiosk"));
}

#[test]
fn what_people_wrote_is_shown_and_never_run() {
    let site = Site::start();
    let evil = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">";
    let text = library(&site, "classroom.yaml");
    let text = text.replace("{room: classroom, tier: gold}", &format!("{{room: {evil:?}}}"));
    fs::write(
        site.dir.path().join("library/classroom.yaml"),
        text.replace("\"A classroom's desk, for lessons\"", &format!("{evil:?}")) + format!("# {evil}\n").as_str(),
    )
    .unwrap();
    let author = format!("--author={} <x@example.org>", evil.replace(['<', '>'], ""));
    site.git(&["commit", "-q", "-am", &format!("{evil} </pre>"), &author]);
    fs::write(site.dir.path().join("library/exam.yaml"), format!("apiVersion: greenroom/v1\n{evil}: 1\n")).unwrap();
    let browser = Browser::start();
    super::stage::until("the edit is seen", || {
        site.json("/personas/classroom.json")["facts"]["description"].as_str()?.contains("script").then_some(())
    });
    let short = site.git(&["log", "-1", "--format=%h", "--abbrev=10", "--", "classroom.yaml"]);
    for page in [
        "/personas",
        "/personas?q=%3Cscript%3Ealert(1)%3C/script%3E&label=%22%3E%3Cscript%3E&sort=%22onload=x",
        "/personas/classroom",
        "/personas/classroom?show=written",
        "/personas/classroom?show=origins",
        "/personas/classroom/history",
        "/personas/classroom/diff",
        "/personas/classroom/diff?show=rendered",
        &format!("/personas/classroom/at/{}", short.trim()),
        "/personas/classroom/delete",
        "/personas/new?from=%22%3E%3Cscript%3E",
    ] {
        browser.goto(&format!("{}{page}", site.url));
        assert!(browser.title().ends_with("· Greenroom"), "{page}: {}", browser.title());
        assert!(!browser.has("main script, main img, main [onerror]"), "{page}");
    }
    assert!(browser.title() == "New persona · Greenroom");
    browser.goto(&format!("{}/personas/classroom/history", site.url));
    browser.wait_for_text("onerror=");
}

#[test]
fn names_and_revisions_are_no_paths_and_no_options() {
    let site = Site::start();
    let secret = "open-sesame";
    for (path, statuses) in [
        ("/personas/..%2f..%2fsecrets%2froot-password", &[404][..]),
        ("/personas/%2e%2e/history", &[404]),
        ("/personas/a%00b", &[404]),
        ("/personas/kiosk-live%2ejson%2e", &[404]),
        ("/personas/fragments/..%2fkiosk-live", &[404]),
        ("/personas/classroom/at/..%2f..%2fetc", &[404, 422]),
        ("/personas/classroom/at/--output=x", &[422]),
        ("/personas/classroom/at/HEAD%00", &[422]),
        ("/personas/classroom/at/HEAD:secrets", &[422]),
        ("/personas/classroom/at/nothing", &[404]),
        ("/personas/classroom/diff?from=--help&to=now", &[422]),
        ("/personas/classroom/diff?from=HEAD..HEAD~1", &[422]),
        ("/personas/none", &[404]),
        ("/personas/none/history", &[404]),
        ("/personas/none/diff", &[404]),
        ("/personas/none/duplicate", &[404]),
        ("/personas/none/delete", &[404]),
        ("/personas/classroom/revert", &[422]),
        ("/personas/classroom/history?page=99999999999999999999", &[200]),
        ("/personas?page=-1&sort=nothing&tab=none&%ff=%ff", &[200]),
    ] {
        for path in [path.to_owned(), json(path)] {
            let (status, answer) = site.curl(&path, &["--path-as-is"]);
            assert!(statuses.contains(&status) && !answer.contains(secret), "{path}: {status} {answer}");
        }
    }
    let head = site.git(&["rev-parse", "HEAD"]);
    let base = "0".repeat(40);
    for (path, fields, expected) in [
        ("/personas/new", &[("name", "../x"), ("start", "sample:kiosk-live")][..], 422),
        ("/personas/new", &[("name", "new"), ("start", "nothing")], 422),
        ("/personas/new", &[("name", "x\u{0}y")], 422),
        ("/personas/new", &[("name", "kiosk-live"), ("start", "sample:kiosk-live")], 409),
        ("/personas/new", &[("name", "x"), ("start", "sample:../../secrets")], 404),
        ("/personas/new", &[("name", "x"), ("start", "persona:../x")], 404),
        ("/personas/new", &[], 422),
        ("/personas/classroom/duplicate", &[("to", "../x")], 422),
        ("/personas/classroom/duplicate", &[("to", "exam")], 409),
        ("/personas/classroom/delete", &[("base", "")], 422),
        ("/personas/classroom/delete", &[("base", &base)], 409),
        ("/personas/classroom/delete", &[("base", "../x")], 422),
        ("/personas/classroom/revert", &[("to", "--help"), ("base", &base)], 422),
        ("/personas/classroom/revert", &[("to", "HEAD~3"), ("base", &base)], 409),
        ("/personas/fragments/admin/delete", &[("base", &base)], 409),
    ] {
        let (status, answer) = post(&site, path, fields);
        assert_eq!(status, expected, "{path} {fields:?}: {answer}");
    }
    // A form of another site changes nothing, whatever it says.
    let (status, _) = site.curl("/personas/classroom/delete", &["-H", "sec-fetch-site: cross-site", "-d", "base=none"]);
    assert_eq!(status, 403);
    assert_eq!(site.git(&["rev-parse", "HEAD"]), head);
}

/// The twin's address.
fn json(path: &str) -> String {
    match path.split_once('?') {
        Some((path, query)) => format!("{path}.json?{query}"),
        None => format!("{path}.json"),
    }
}

#[test]
fn what_is_broken_is_said_with_its_line_and_prints_of_passwords_are_not() {
    let site = Site::start();
    let mut browser = Browser::start();
    browser.goto(&format!("{}/personas", site.url));
    browser.wait_for_text("What is broken, and why");
    let told = browser.text("#problems");
    assert!(told.contains("broken-desk.yaml:6") && told.contains("epehmeral") && told.contains("^"), "{told}");
    assert!(browser.says("dirty") && browser.says("broken: never served"));
    // The boot port shows where, and not what.
    let boot = Command::new("curl").args(["-sS", &site.boot]).output().unwrap();
    let boot = String::from_utf8_lossy(&boot.stdout).into_owned();
    assert!(boot.contains("broken-desk.yaml") && !boot.contains("epehmeral"), "{boot}");
    browser.click("a[href*='label=room']");
    assert_eq!(browser.texts(".personas tbody a b"), ["classroom", "exam"]);
    let all = site.json("/personas.json");
    assert!(all["rows"].as_array().unwrap().len() > 10 && all["errors"].as_u64().unwrap() >= 1, "{all}");
    let classroom = site.json("/personas/classroom.json");
    assert!(classroom["count"]["has"].as_u64().unwrap() > 0 && !classroom["boots"].as_array().unwrap().is_empty());
    assert!(classroom["devices"].as_array().unwrap().len() <= 20);
    browser.window(1280, 900);
    drop(browser);
}

/// A page in the sizes and colours that people have.
fn pictures(mut browser: Browser, name: &str) {
    browser.shot(&format!("{name}-desktop-light"));
    browser.scheme(true);
    browser.shot(&format!("{name}-desktop-dark"));
    browser.phone();
    let wide = browser.exec("return document.documentElement.scrollWidth > innerWidth");
    browser.shot(&format!("{name}-phone-dark"));
    assert_eq!(wide, false, "{name}: the page scrolls sideways on a phone");
    // What was typed is not to be kept.
    browser.forgive("409");
}

#[test]
fn what_a_shell_did_a_moment_ago_is_there_at_the_next_look() {
    let site = Site::start();
    let commits = || {
        let view = site.json("/personas/classroom/history.json");
        let commits = view["commits"].as_array().unwrap();
        let subjects = commits.iter().map(|commit| commit["subject"].as_str().unwrap().to_owned());
        (subjects.collect::<Vec<_>>(), commits[0]["commit"].as_str().unwrap().to_owned())
    };
    let head = || site.git(&["rev-parse", "HEAD"]).trim().to_owned();
    // Asked for, and so kept.
    let mut expected = commits().0;
    for round in 0..3 {
        commit(&site, "classroom.yaml", |text| format!("{text}# {round}\n"));
        expected.insert(0, "By hand".into());
        assert_eq!(commits(), (expected.clone(), head()));
    }
    site.git(&["commit", "-q", "--amend", "-m", "Otherwise"]);
    expected[0] = "Otherwise".into();
    assert_eq!(commits(), (expected, head()));
    // A name that moves means what it means now; the whole name of a commit means that commit.
    let at = |revision: &str| site.json(&format!("/personas/classroom/at/{revision}.json"))["commit"].clone();
    for to in ["HEAD", "HEAD~1"] {
        site.git(&["tag", "-f", "persona/classroom/lesson", to]);
        assert_eq!(at("lesson"), site.git(&["rev-parse", to]).trim());
        assert_eq!(at(to), site.git(&["rev-parse", to]).trim());
        assert_eq!(at(&head()), head());
    }
    // What is in no commit yet.
    let file = site.dir.path().join("library/classroom.yaml");
    for word in ["ink", "paper"] {
        fs::write(&file, format!("{}# {word}\n", fs::read_to_string(&file).unwrap())).unwrap();
        assert!(site.json("/personas/classroom/edit.json")["text"].as_str().unwrap().ends_with(&format!("# {word}\n")));
        let diff = site.json("/personas/classroom/diff.json?from=HEAD&to=now").to_string();
        assert!(diff.contains(&format!("# {word}")), "{diff}");
    }
}
