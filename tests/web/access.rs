//! The pages for everybody: who uses a screen reader, a keyboard, a phone, or dark pages. axe-core finds the faults that a
//! program can find; `make setup` gets it from npm, and nothing of it is in the binary.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use serde_json::Value;
use thirtyfour::Key;

use super::{
    browser::{Browser, pages},
    pages::{explore, found},
    stage::Site,
};

/// What a page's faults come to.
const RUN: &str = "
return axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations.map((fault) => ({
  rule: fault.id, impact: fault.impact, help: fault.help,
  nodes: fault.nodes.slice(0, 4).map((node) => node.target.join(' ') + '  ' + node.html.slice(0, 160) + '  ' + node.failureSummary),
})))";

/// Impacts that keep people out.
const SERIOUS: [&str; 2] = ["serious", "critical"];

fn axe() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/axe/node_modules/axe-core/axe.min.js");
    fs::read_to_string(&file).expect("`make setup` puts axe-core there")
}

/// The serious faults of the page that the browser shows.
pub fn serious(browser: &Browser) -> Vec<Value> {
    browser.exec(&axe());
    let faults = browser.exec(RUN).as_array().unwrap().clone();
    faults.into_iter().filter(|fault| SERIOUS.contains(&fault["impact"].as_str().unwrap_or("unknown"))).collect()
}

#[test]
fn no_page_has_a_serious_fault_in_any_size_or_colour() {
    let site = Site::start();
    let axe = axe();
    let mut browser = Browser::start();
    browser.forgive("404");
    let (mut report, mut serious, mut wide, mut beyond) = (String::new(), vec![], vec![], vec![]);
    for page in found(&site) {
        // The first of a kind in every way; the others, with other states, in one.
        let ways: &[(bool, bool)] =
            if page.first { &[(false, false), (false, true), (true, true), (true, false)] } else { &[(true, false)] };
        let mut last = None;
        for (phone, dark) in ways.iter().copied() {
            if phone {
                browser.phone();
            } else {
                browser.window(1280, 900);
            }
            browser.scheme(dark);
            // Another size is another visit; other colours are only looked at.
            if last.replace(phone) != Some(phone) {
                browser.goto(&format!("{}{}", site.url, page.path));
                browser.exec(&axe);
            }
            let way = format!("{} {}", if phone { "phone" } else { "desktop" }, if dark { "dark" } else { "light" });
            let faults = browser.exec(RUN);
            let faults = faults.as_array().unwrap();
            writeln!(report, "{:<34} {way:<14} {} faults  {}", page.kind, faults.len(), page.path).unwrap();
            for fault in faults {
                let impact = fault["impact"].as_str().unwrap_or("unknown");
                let lines: Vec<&str> = fault["nodes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                let told = format!("  {impact}: {}: {}\n    {}", fault["rule"], fault["help"], lines.join("\n    "));
                writeln!(report, "{told}").unwrap();
                if SERIOUS.contains(&impact) {
                    serious.push(format!("{} ({way})\n{told}", page.path));
                }
            }
            if phone {
                let width = browser.exec("return document.documentElement.scrollWidth").as_f64().unwrap();
                if width > 390.0 {
                    wide.push(format!("{} is {width} pixels wide: {}", page.path, browser.exec(WIDEST)));
                }
                let out_of_reach = browser.exec(BEYOND).as_str().unwrap().to_owned();
                if !out_of_reach.is_empty() {
                    beyond.push(format!("{}: {out_of_reach}", page.path));
                }
            }
            if page.first {
                browser.shot(&format!("{}-{}", page.name, way.replace(' ', "-")));
            }
        }
    }
    fs::write(pages().join("axe.txt"), &report).unwrap();
    assert!(report.lines().count() >= 8, "pages were looked at: {report}");
    assert!(serious.is_empty(), "{} serious faults:\n{}", serious.len(), serious.join("\n"));
    assert!(wide.is_empty(), "pages that scroll sideways on a phone:\n{}", wide.join("\n"));
    assert!(beyond.is_empty(), "what can be done lies beyond the edge of a phone:\n{}", beyond.join("\n"));
}

/// What can be pressed or filled in, and is to be seen only by scrolling a part of the page sideways. The heads of tables, which a
/// phone does not show, stand far outside for those who hear the page.
const BEYOND: &str = "
return [...document.querySelectorAll('button, .button, input, select, textarea, nav a')].filter((one) => {
  if (one.closest('thead') || !one.checkVisibility({visibilityProperty: true})) return false;
  const box = one.getBoundingClientRect();
  return box.width > 0 && (box.left < 0 || box.right > 391);
}).slice(0, 5).map((one) => one.outerHTML.slice(0, 120)).join('\\n')";

/// What sticks out of a phone's page.
const WIDEST: &str = "
const out = [...document.body.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > 391);
return out.slice(0, 5).map((one) => one.outerHTML.slice(0, 120)).join('\\n')";

/// What can have the focus: everything that is to be seen and not in a part that is closed. Of a group of radio buttons, one.
const FOCUSABLE: &str = "
const groups = new Set();
return [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter((one) => {
  if (one.disabled || one.tabIndex < 0 || !one.checkVisibility({visibilityProperty: true})) return false;
  if (one.type === 'hidden') return false;
  if (one.type === 'radio') {
    // One stop for the group: at the chosen one, or else at the first.
    const chosen = document.querySelector(`input[type=radio][name='${one.name}']:checked`);
    const known = groups.has(one.name);
    groups.add(one.name);
    return chosen ? chosen === one : !known;
  }
  return true;
}).map((one, at) => one.dataset.focusTest = String(at)).length";

/// What has the focus, and whether one can see that.
const FOCUSED: &str = "
const one = document.activeElement;
if (!one || one === document.body) return null;
const style = getComputedStyle(one);
const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
const box = one.getBoundingClientRect();
return {at: one.dataset.focusTest ?? null, seen: ring || style.boxShadow !== 'none', there: box.width > 0 && box.height > 0,
        html: one.outerHTML.slice(0, 140)}";

#[test]
fn every_link_and_field_is_reached_by_tab_and_shows_that_it_is() {
    let site = Site::start();
    let mut browser = Browser::start();
    browser.forgive("404");
    let mut looked = 0;
    for page in found(&site).into_iter().filter(|page| page.first) {
        browser.goto(&format!("{}{}", site.url, page.path));
        let all = browser.exec(FOCUSABLE).as_u64().unwrap();
        // A page of a hundred rows has its links four times over; the others stand for it.
        // In the editor's text Tab indents, and Escape before it goes on: its form is drawn anew meanwhile.
        if all > 90 || browser.has(".editor") {
            continue;
        }
        looked += 1;
        let mut reached: BTreeMap<String, String> = BTreeMap::new();
        // A moment is written in seven parts, each a stop of its own.
        let parts = browser.exec("return document.querySelectorAll('input[type=datetime-local]').length * 7");
        for _ in 0..all + 6 + parts.as_u64().unwrap() {
            browser.press(Key::Tab);
            let focused = browser.exec(FOCUSED);
            let Some(at) = focused["at"].as_str() else { continue };
            assert!(focused["seen"] == true, "{}: nobody sees that this has the focus: {}", page.path, focused["html"]);
            assert!(focused["there"] == true, "{}: the focus is on what has no size: {}", page.path, focused["html"]);
            reached.insert(at.to_owned(), focused["html"].to_string());
        }
        assert!(reached.len() as u64 == all, "{}: {} of {all} were reached: {reached:#?}", page.path, reached.len());
    }
    assert!(looked >= 2, "{looked} pages were looked at");
}

#[test]
fn no_link_leads_nowhere() {
    let site = Site::start();
    let (pages, nowhere) = explore(&site);
    assert!(nowhere.is_empty(), "{} pages were found, and links that lead nowhere: {nowhere:#?}", pages.len());
}

#[test]
fn pages_can_be_read_without_scripts() {
    let site = Site::start();
    let mut browser = Browser::start();
    browser.forgive("404");
    browser.scripts(false);
    for page in found(&site).into_iter().filter(|page| page.first) {
        browser.goto(&format!("{}{}", site.url, page.path));
        let (title, heads) = (browser.title(), browser.texts("main h1"));
        assert!(
            title.ends_with("· Greenroom") && heads.len() == 1 && !heads[0].is_empty(),
            "{}: {title}: {heads:?}",
            page.path
        );
    }
}
