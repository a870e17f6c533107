//! Every number of the overview is a link, and what it leads to lists as many: on the page, and in its twin.

use serde_json::Value;

use super::{
    browser::Browser,
    stage::{Site, until},
};

/// A number of the overview, as its page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Number {
    name: String,
    shown: String,
    link: String,
}

fn numbers(browser: &Browser, site: &Site) -> Vec<Number> {
    browser.goto(&site.url);
    let script = "return [...document.querySelectorAll('#glance a.figure')].map((one) => \
                  [one.querySelector('span').firstChild.textContent, one.querySelector('b').textContent, one.getAttribute('href')])";
    let all: Vec<[String; 3]> = serde_json::from_value(browser.exec(script)).unwrap();
    all.into_iter().map(|[name, shown, link]| Number { name, shown, link }).collect()
}

/// The twin of a page.
fn twin(site: &Site, link: &str) -> Value {
    let link = link.split('#').next().unwrap();
    let (path, query) = link.split_once('?').map_or((link, String::new()), |(path, query)| (path, format!("?{query}")));
    site.json(&format!("{path}.json{query}"))
}

/// What the twin says, and how many it lists, page by page; what it says twice when it lists nothing of the kind.
fn listed(site: &Site, number: &Number) -> (String, String) {
    let said = twin(site, &number.link);
    let (count, key, next) = match number.link.split(['?', '#']).next().unwrap() {
        "/boots" => (&said["count"], "boots", "before"),
        "/devices" => (&said["count"], "rows", "page"),
        "/predictions/proposals" => (&said["waiting"], "rows", "page"),
        "/images" => {
            let shown = said["day"]["at_hand"].as_str().unwrap_or("\u{2013}").to_owned();
            return (shown.clone(), shown);
        }
        "/predictions" if number.link.ends_with("#coverage") => {
            let rows = said["coverage"]["rows"].as_array().unwrap();
            let acts = rows.iter().find(|row| row[1] == "act").unwrap()[2].as_str().unwrap();
            let acts = acts.split(' ').next().unwrap().to_owned();
            return (acts.clone(), acts);
        }
        "/predictions" => {
            let words = said["by_lesson"]["said"].as_str();
            let shown = words.map_or("\u{2013}".to_owned(), |words| words.split(" right").next().unwrap().to_owned());
            return (shown.clone(), shown);
        }
        other => panic!("{other} is not known here: {number:?}"),
    };
    let count = count.as_u64().unwrap_or_else(|| panic!("{number:?}: {said}"));
    let mut rows = said[key].as_array().unwrap().len() as u64;
    let mut page = said;
    while rows < count {
        let at = match next {
            "before" => page["next"].as_u64().unwrap(),
            _ => page["page"].as_u64().unwrap() + 1,
        };
        let more = if number.link.contains('?') { '&' } else { '?' };
        page = twin(site, &format!("{}{more}{next}={at}", number.link));
        let more = page[key].as_array().unwrap().len() as u64;
        assert!(more > 0, "{number:?}: {rows} of {count} are listed");
        rows += more;
    }
    (count.to_string(), rows.to_string())
}

/// What the page says where it counts.
fn told(browser: &Browser, site: &Site, number: &Number) -> bool {
    browser.goto(&format!("{}{}", site.url, number.link));
    if let Some((_, part)) = number.link.split_once('#') {
        let seen = format!(
            "const part = document.getElementById('{part}'); return !!part && part.getClientRects().length > 0"
        );
        assert_eq!(browser.exec(&seen), true, "{number:?}: there is no such part");
    }
    let words = match (number.link.split(['?', '#']).next().unwrap(), number.shown.as_str()) {
        (_, "\u{2013}") => return true,
        ("/boots", "0") => "No attempt fits.".to_owned(),
        ("/boots", "1") => "1 attempt fits".to_owned(),
        ("/boots", shown) => format!("{shown} attempts fit"),
        ("/devices", "0") => "No device fits".to_owned(),
        ("/devices", shown) => format!(" of {shown}"),
        ("/predictions/proposals", "0") => "Nothing waits for an answer.".to_owned(),
        ("/predictions/proposals", shown) => format!("{shown} proposals, page 1 of"),
        ("/images", shown) => format!("{shown} of the files were at hand"),
        (_, shown) if number.link.ends_with("#coverage") => {
            return browser
                .exec("return document.querySelector('#coverage').textContent")
                .as_str()
                .unwrap()
                .contains(&format!("{shown} act"));
        }
        (_, shown) => format!("{shown} right at the first guess"),
    };
    browser.says(&words)
}

#[test]
fn every_number_leads_to_as_many() {
    let site = Site::start();
    until("a lesson is over", || {
        site.json("/predictions.json")["lessons"].as_array().map(Vec::len).filter(|lessons| *lessons > 0)
    });
    let browser = Browser::start();
    let names: Vec<String> = numbers(&browser, &site).into_iter().map(|number| number.name).collect();
    assert_eq!(names.len(), 14, "{names:?}");
    let mut many = 0;
    for name in names {
        let now = || numbers(&browser, &site).into_iter().find(|number| number.name == name).unwrap();
        // The day moves on, and the next lesson comes, while one counts: what stays the same meanwhile is held against the list.
        until(&format!("{name} twice the same"), || {
            let number = now();
            let ((said, rows), on_page) = (listed(&site, &number), told(&browser, &site, &number));
            if now() != number {
                return None;
            }
            assert_eq!((&said, &rows), (&number.shown, &number.shown), "{number:?}");
            assert!(on_page, "{number:?}: its page shows\n{}", browser.text("main"));
            many += usize::from(number.shown.parse().is_ok_and(|count: u64| count > 50));
            Some(())
        });
    }
    assert!(many >= 2, "some of them have more than one page");
}

#[test]
fn what_stands_beside_the_numbers_leads_to_the_same() {
    let site = Site::start();
    let browser = Browser::start();
    browser.goto(&site.url);
    // The bars are the boots of a day.
    let (bars, list) = until("the same boots twice", || {
        let count = || {
            let said = site.json("/overview.json")["hours"]["said"].as_str().unwrap().to_owned();
            said.split(' ').next().unwrap().parse::<u64>().unwrap()
        };
        let (before, list) = (count(), site.json("/boots.json?since=1d")["count"].as_u64().unwrap());
        (before == count()).then_some((before, list))
    });
    assert_eq!(bars, list);
    // The bytes are those that the images' page tells, with how they were found.
    let (overview, images) = (site.json("/overview.json"), site.json("/images.json"));
    assert_eq!(overview["served"]["rows"], images["day"]["served"]["rows"]);
    assert_eq!(overview["tiers"]["rows"], images["tiers"]["rows"]);
    for words in ["These boots", "How they were found", "What is where, and why"] {
        browser.goto(&site.url);
        browser.choose(words);
        browser.wait_until("return location.pathname !== '/'");
    }
    // What somebody should look at is as much as is said, where it is said to be.
    let care = overview["care"].as_array().unwrap().clone();
    assert!(!care.is_empty());
    for one in care.iter().filter(|one| one["link"].is_string()) {
        let (what, link) = (one["what"].as_str().unwrap(), one["link"].as_str().unwrap());
        let page = twin(&site, link);
        let (count, kind) = what.split_once(' ').unwrap_or_default();
        let count: u64 = count.parse().unwrap_or_default();
        match kind {
            "broken persona" | "broken personas" => assert_eq!(page["count"].as_u64(), Some(count), "{one}: {page}"),
            "error in the library" | "errors in the library" => {
                assert_eq!(page["errors"].as_u64(), Some(count), "{one}");
            }
            _ => browser.goto(&format!("{}{link}", site.url)),
        }
    }
    // Tiles that stand beside one another end at the same height.
    browser.goto(&site.url);
    let heights = browser.exec(
        "return [...document.querySelectorAll('.beside .figures')].map((one) => one.getBoundingClientRect().bottom)",
    );
    assert_eq!(heights[0], heights[1]);
    let tiles = browser
        .exec("return new Set([...document.querySelectorAll('.beside a.figure')].map((one) => one.offsetHeight)).size");
    assert_eq!(tiles, 1, "and are of one height");
}
