//! The pages in a real browser, on a site that has a past.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "what one can do with a browser and a site is there for whichever test comes next"
)]

mod abuse;
mod access;
mod boots;
mod browser;
mod chromium;
mod devices;
mod door;
mod editor;
mod figures;
#[path = "../account/issuer.rs"]
mod issuer;
mod number;
mod origin;
mod pages;
mod past;
mod place;
#[path = "../serve/port.rs"]
mod port;
mod shelf;
mod siege;
mod stage;
mod wire;

use browser::Browser;
use stage::Site;

#[test]
fn a_page_opens() {
    let site = Site::start();
    let mut browser = Browser::start();
    browser.goto(&site.url);
    assert_eq!(browser.title(), "Overview · Greenroom");
    assert!(browser.text("#glance").contains("devices"));
    browser.shot("overview-desktop-light");
    browser.scheme(true);
    browser.phone();
    browser.reload();
    browser.shot("overview-phone-dark");
    assert_eq!(browser.exec("return innerWidth"), 390);
}

/// Not a test: the site for people to look at. `cargo test --test web -- --ignored stay --nocapture` prints its address, and
/// stays for an hour, or until it is ended; `SITE=large` or `SITE=empty` for the others.
#[test]
#[ignore = "for looking around"]
fn stay() {
    let site = match std::env::var("SITE").as_deref() {
        Ok("large") => Site::large(),
        Ok("empty") => Site::empty(),
        _ => Site::start(),
    };
    eprintln!("{}  {}", site.url, site.dir.path().display());
    std::thread::sleep(std::time::Duration::from_secs(3600));
}
