//! Every page that there is: found by following links from the overview, as a visitor would. A page that no link leads to is
//! as good as none.

use std::collections::{BTreeMap, VecDeque};

use super::stage::Site;

/// How many specimens of one kind of page are looked at.
const SPECIMENS: usize = 2;
/// The most pages that are asked for on the way.
const MOST: usize = 600;

/// What there is not: it has a page as well.
const NOWHERE: &str = "/no-such-page";

/// A page, and what kind of page it is.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its path and query.
    pub path: String,
    /// The path with `{}` for what names a device, an attempt, a commit: `/devices/{}`.
    pub kind: String,
    /// For file names: `devices-x`, and `devices-x-2` for the second of its kind.
    pub name: String,
    /// Whether it is the first of its kind.
    pub first: bool,
}

/// Every kind of page, a few specimens of each.
pub fn found(site: &Site) -> Vec<Page> {
    explore(site).0
}

/// The same, and the links that lead nowhere.
pub fn explore(site: &Site) -> (Vec<Page>, Vec<String>) {
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut waiting: VecDeque<String> = ["/", NOWHERE].map(str::to_owned).into();
    let mut nowhere = vec![];
    let mut asked = 0;
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = waiting.pop_front() {
        let kind = kind(&path);
        if !seen.insert(path.clone()) || kinds.get(&kind).is_some_and(|known| known.len() >= SPECIMENS) {
            continue;
        }
        asked += 1;
        assert!(asked < MOST, "pages without an end: {kinds:#?}");
        let (status, answer) = site.curl(&path, &[]);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        assert!(status < 500, "{path}: {status}: {answer}");
        if status != 200 && path != NOWHERE {
            nowhere.push(format!("{path} answers {status}"));
            continue;
        }
        if !head.to_lowercase().contains("content-type: text/html") {
            continue;
        }
        kinds.entry(kind).or_default().push(path);
        waiting.extend(links(body));
    }
    let mut pages = vec![];
    for (kind, paths) in kinds {
        for (at, path) in paths.into_iter().enumerate() {
            let plain: String = kind.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
            let mut name = plain.split_whitespace().collect::<Vec<_>>().join("-");
            if name.is_empty() {
                name = "overview".into();
            }
            if at > 0 {
                name += &format!("-{}", at + 1);
            }
            pages.push(Page { path, kind: kind.clone(), name, first: at == 0 });
        }
    }
    (pages, nowhere)
}

/// Where the links of a page lead, on this server.
fn links(html: &str) -> Vec<String> {
    let hrefs =
        html.split("<a ").skip(1).filter_map(|tag| tag.split('>').next()?.split("href=\"").nth(1)?.split('"').next());
    let plain =
        hrefs.map(|href| href.split('#').next().unwrap_or_default().replace("&amp;", "&").replace("&#38;", "&"));
    plain.filter(|path| path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/static/")).collect()
}

/// The names of things in a path give way to `x`, the values of its query go.
fn kind(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut segments: Vec<&str> = path.split('/').collect();
    let section = segments.get(1).copied().unwrap_or_default();
    for (at, segment) in segments.iter_mut().enumerate().skip(2) {
        // What has a digit in it is a name; so is what comes right after a section whose names are words.
        let word = at == 2 && ["personas", "images", "users", "accounts", "boots"].contains(&section);
        let fixed =
            ["fragments", "new", "samples", "import", "blob", "history", "work", "many", "proposals"].contains(segment);
        if !fixed
            && (word
                || segment.chars().any(|c| c.is_ascii_digit() || c == '%' || c == ':')
                || at == 3 && segments_are_names(path))
        {
            *segment = "x";
        }
    }
    let mut fields: Vec<&str> =
        query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty()).collect();
    fields.sort_unstable();
    fields.dedup();
    let asked = if fields.is_empty() { String::new() } else { format!("?{}", fields.join("&")) };
    segments.join("/") + asked.as_str()
}

/// `/personas/fragments/NAME`, `/images/blob/DIGEST`: the name comes third.
fn segments_are_names(path: &str) -> bool {
    ["/personas/fragments/", "/personas/samples/", "/images/blob/"].iter().any(|start| path.starts_with(start))
}
