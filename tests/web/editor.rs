//! The editor, as somebody uses it who writes personas.

use thirtyfour::Key;

use super::{
    browser::Browser,
    stage::{ACCOUNT, Site},
};

/// The caret behind the last character of the text.
fn at_the_end(browser: &Browser) {
    browser.exec(
        "const text = document.getElementById('text'); text.focus(); \
         text.setSelectionRange(text.value.length, text.value.length)",
    );
}

/// The caret behind the first place that says so.
fn behind(browser: &Browser, words: &str) {
    browser.exec(&format!(
        "const text = document.getElementById('text'); const at = text.value.indexOf({words:?}) + {words:?}.length; \
         text.focus(); text.setSelectionRange(at, at)"
    ));
}

fn yaml(browser: &Browser) -> String {
    browser.exec("return document.getElementById('text').value").as_str().unwrap().to_owned()
}

/// Waits until the server has said how the text stands.
fn stands(browser: &Browser, words: &str) {
    browser.wait_until(&format!("return document.getElementById('editor-state').innerText === {words:?}"));
}

fn opened(site: &Site, paper: &str) -> Browser {
    let browser = Browser::start();
    browser.goto(&format!("{}/personas/{paper}/edit", site.url));
    stands(&browser, "as saved");
    browser
}

/// Puts the text back as it was, so that nobody is asked whether they want to leave.
fn forget(browser: &Browser) {
    browser.exec(
        "const text = document.getElementById('text'); text.value = text.defaultValue; \
         text.dispatchEvent(new Event('input'))",
    );
    stands(browser, "as saved");
}

#[test]
fn a_mistake_is_marked_at_its_line_and_mended_by_the_fix_that_is_offered() {
    let site = Site::start();
    let browser = opened(&site, "classroom");
    at_the_end(&browser);
    browser.press("suprsedes: [old-bench]");
    stands(&browser, "1 to mend");
    let line = yaml(&browser).lines().count();
    let told = browser.text("#problems");
    assert!(told.contains(&format!("line {line}, column 1")), "{told}");
    assert!(told.contains("suprsedes is not known here"), "{told}");
    let marked =
        "return [...document.getElementById('text-under').children].findIndex((row) => row.className === 'bad') + 1";
    assert_eq!(browser.exec(marked), line);
    // The problem leads to its place.
    browser.exec("document.getElementById('text').setSelectionRange(0, 0)");
    browser.click("#problems .editor-problem button.quiet");
    let chosen =
        "const text = document.getElementById('text'); return text.value.slice(text.selectionStart, text.selectionEnd)";
    assert_eq!(browser.exec(chosen), "suprsedes");
    // A save is not even tried.
    browser.chord(Key::Control, "s");
    stands(&browser, "not saved: mend this first");
    assert_eq!(site.git(&["status", "--short", "classroom.yaml"]), "");
    browser.shot("editor-problem-desktop-light");
    browser.click("#problems .editor-fix");
    browser.wait_until("return document.getElementById('text').value.endsWith('supersedes: [old-bench]')");
    stands(&browser, "good, not saved");
    // The fix is a step that can be undone, as anything that is typed.
    browser.exec("document.getElementById('text').focus()");
    browser.chord(Key::Control, "z");
    browser.wait_until("return document.getElementById('text').value.endsWith('suprsedes: [old-bench]')");
    forget(&browser);
}

#[test]
fn what_is_done_in_the_form_leaves_the_rest_of_the_text_as_it_was() {
    let site = Site::start();
    let browser = opened(&site, "kiosk-live");
    let before = yaml(&browser);
    browser.type_in("[id='field:description']", "A kiosk for the foyer");
    browser.press(Key::Tab);
    browser.wait_until("return document.getElementById('text').value.includes('description: A kiosk for the foyer')");
    let after = yaml(&browser);
    let others = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("description:")).map(str::to_owned).collect()
    };
    assert_eq!(others(&before), others(&after), "comments, order and everything else stay");
    // And the other way: what is typed shows in the form.
    behind(&browser, "timezone: Europe/Berlin");
    for _ in 0..6 {
        browser.press(Key::Backspace);
    }
    browser.press("Rome");
    browser.wait_until("return document.getElementById('field:preferences.timezone').value === 'Europe/Rome'");
    stands(&browser, "good, not saved");
    browser.shot("editor-form-desktop-light");
    forget(&browser);
    // A field of which nothing is said is behind a button; one that is inherited says so, and can be overridden.
    let browser = {
        drop(browser);
        opened(&site, "server-debian")
    };
    let timezone = "return document.querySelector('[data-key=\"preferences.timezone\"]').innerText";
    assert!(browser.exec(timezone).as_str().unwrap().contains("from fragments/office-en.yaml"));
    browser.exec("document.querySelector('[data-open=\"preferences.timezone\"]').click()");
    browser.wait_until("return document.activeElement.id === 'field:preferences.timezone'");
    browser.press("Europe/Rome");
    browser.press(Key::Tab);
    browser.wait_until("return document.getElementById('text').value.includes('timezone: Europe/Rome')");
    forget(&browser);
}

#[test]
fn keys_and_values_are_completed_by_keyboard() {
    let site = Site::start();
    let browser = opened(&site, "classroom");
    at_the_end(&browser);
    browser.press("resou");
    browser.wait_for("#completions li[aria-selected=true]");
    assert!(browser.text("#completions li[aria-selected=true]").contains("resources"));
    assert_eq!(
        browser.exec("return document.getElementById('text').getAttribute('aria-activedescendant')"),
        "completion-0"
    );
    browser.press(Key::Enter);
    browser.wait_until("return /resources:\\s*$/.test(document.getElementById('text').value)");
    // Tab indents in the text, and leaves it after Escape.
    browser.press(Key::Escape);
    browser.press(Key::Escape);
    browser.press(Key::Tab);
    assert_ne!(browser.exec("return document.activeElement.id"), "text");
    browser.exec("document.getElementById('text').focus()");
    browser.press(Key::F6);
    assert_eq!(browser.exec("return document.getElementById('pane-preview').contains(document.activeElement)"), true);
    forget(&browser);
}

#[test]
fn what_devices_read_and_which_would_change_is_shown_before_it_is_saved() {
    let site = Site::start();
    let mut browser = opened(&site, "kiosk-live");
    behind(&browser, "packages: [tree");
    browser.press(", tmux");
    stands(&browser, "good, not saved");
    browser.wait_for_text("What changes");
    assert!(
        browser.texts("#preview .add").iter().any(|line| line.contains("tmux")),
        "{:?}",
        browser.texts("#preview .add")
    );
    browser.choose("The whole file");
    browser.wait_until("return document.querySelector('#preview pre').innerText.startsWith('#cloud-config')");
    assert!(browser.has("#preview pre .k"), "it has colours");
    browser.wait_for_text("devices boot otherwise next time");
    browser.exec("document.querySelectorAll('.editor-turn').forEach((turn) => { turn.open = true; })");
    let kiosk = super::past::mac(super::past::who::KIOSKS.start).to_string();
    let named = browser.texts("#impact li a");
    assert!(named.len() == 20 && named.contains(&kiosk), "{named:?}");
    let count: usize = browser.text(".editor-turn summary b").parse().unwrap();
    assert!(count >= super::past::who::KIOSKS.len() && browser.says(&format!("and {} more", count - 20)));
    // For one of them.
    browser.click("#impact li button");
    browser.wait_for_text(&format!("As device {} would read it", named[0]));
    browser.shot("editor-preview-desktop-light");
    browser.scheme(true);
    browser.shot("editor-preview-desktop-dark");
    browser.phone();
    browser.choose("Preview");
    assert_eq!(browser.exec("return document.documentElement.scrollWidth"), 390);
    browser.shot("editor-preview-phone-dark");
    browser.scheme(false);
    browser.choose("Form");
    browser.shot("editor-form-phone-light");
    browser.choose("YAML");
    browser.shot("editor-text-phone-light");
    forget(&browser);
}

#[test]
fn a_save_is_a_commit_and_nothing_is_lost_on_the_way() {
    let site = Site::start();
    let browser = opened(&site, "classroom");
    behind(&browser, "packages: [git");
    browser.press(", jq");
    stands(&browser, "good, not saved");
    // The tab is lost; the next one on the same page has it.
    browser.exec("window.addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)");
    browser.reload();
    browser.wait_for_text("You wrote something here");
    browser.choose("Take it up");
    stands(&browser, "good, not saved");
    assert!(yaml(&browser).contains("packages: [git, jq"));
    browser.type_in("#editor-message", "Read JSON in lessons");
    browser.chord(Key::Control, "s");
    browser.wait_until("return location.pathname === '/personas/classroom'");
    let commit = site.git(&["log", "-1", "--format=%s %an", "--", "classroom.yaml"]);
    assert_eq!(commit.trim(), format!("Read JSON in lessons {ACCOUNT}"));
    assert!(site.git(&["show", "HEAD:classroom.yaml"]).contains("packages: [git, jq"));
    browser.wait_for_text("classroom is saved, as commit");
    browser.goto(&format!("{}/personas/classroom/edit", site.url));
    stands(&browser, "as saved");
    assert!(!browser.says("You wrote something here"));
}

#[test]
fn without_scripts_one_writes_and_has_it_checked() {
    let site = Site::start();
    let mut browser = Browser::start();
    browser.scripts(false);
    browser.forgive("422");
    browser.goto(&format!("{}/personas/classroom/edit", site.url));
    browser.type_in("#text", "apiVersion: greenroom/v1\ndescription: x\neffect: epehmeral\nos: {image: debian-live}\n");
    browser.choose("Check and save");
    browser.wait_for_text("line 3, column 9");
    assert!(browser.says("Nothing was saved: 1 to mend first"));
    browser.type_in("#text", "apiVersion: greenroom/v1\ndescription: x\neffect: ephemeral\nos: {image: debian-live}\n");
    browser.choose("Check and save");
    browser.wait_for_text("classroom is saved, as commit");
    assert_eq!(
        site.git(&["show", "HEAD:classroom.yaml"]),
        "apiVersion: greenroom/v1\ndescription: x\neffect: ephemeral\nos: {image: debian-live}\n",
        "line ends are the file's, not the form's"
    );
}

#[test]
fn a_fragment_is_checked_in_the_personas_that_use_it() {
    let site = Site::start();
    let browser = opened(&site, "fragments/office-en");
    behind(&browser, "timezone: Europe/");
    browser.press("Nowhere/");
    browser.wait_for("#problems .bad");
    forget(&browser);
    behind(&browser, "keyboard: gb");
    browser.press(Key::Backspace + Key::Backspace);
    browser.press("fr");
    stands(&browser, "good, not saved");
    browser.wait_for("#preview-files select");
    browser.wait_for_text("This makes a new version of");
    assert!(browser.texts("#preview-files option").contains(&"server-debian".to_owned()));
    forget(&browser);
}

#[test]
fn hostile_texts_cost_an_answer_and_no_more() {
    let site = Site::start();
    let ours = ["-X", "POST", "-H", "sec-fetch-site: same-origin", "-H", "content-type: application/json"];
    let ask = |body: &serde_json::Value| {
        let file = site.dir.path().join("body");
        std::fs::write(&file, body.to_string()).unwrap();
        let data = format!("@{}", file.display());
        let words: Vec<&str> = ours.into_iter().chain(["--data-binary", &data]).collect();
        site.curl("/personas/classroom/draft.json", &words)
    };
    let (status, said) = ask(&serde_json::json!({"text": "x".repeat(10 << 20)}));
    assert_eq!(status, 413, "{said}");
    let level =
        |(before, name): (char, char)| format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", "));
    let bomb = ('a'..='h').zip('b'..='i').map(level).collect::<String>();
    let bomb = format!("a: &a [x, x, x, x, x, x, x, x, x]\n{bomb}");
    for text in [bomb, "[".repeat(100_000), "- ".repeat(50_000), "a: \u{1}".into(), "a: !!python/object x".into()] {
        let (status, said) = ask(&serde_json::json!({"text": text}));
        assert!(status == 200 && said.contains("\"good\":false"), "{status} {said}");
    }
    // From elsewhere, nothing is even checked.
    assert_eq!(site.curl("/personas/classroom/draft.json", &["-X", "POST", "-d", "{}"]).0, 403);
    let browser = opened(&site, "classroom");
    let attack = "\"<img src=x onerror=document.title=1></textarea><script>document.title=2</script>\"";
    behind(&browser, "description: ");
    browser.press(format!("{attack} #"));
    stands(&browser, "good, not saved");
    browser.choose("script.ipxe +2 −2");
    browser.chord(Key::Control, "s");
    browser.wait_until("return location.pathname === '/personas/classroom'");
    browser.goto(&format!("{}/personas/classroom/edit", site.url));
    stands(&browser, "as saved");
    assert!(yaml(&browser).contains("</textarea><script>"));
    assert_eq!(browser.title(), "Edit classroom · Greenroom");
}
