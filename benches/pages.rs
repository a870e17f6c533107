//! The pages at 100,000 devices and 1,000 personas: what the server takes for each, what a browser loads and when it shows
//! something, how soon a fact is on the screen, what the editor is answered as one types, and what the first look at a persona's
//! past costs after a commit. `cargo bench --bench pages [-- KIND...] [--quick]`.
//!
//! Beside each stands nginx, which serves the same bytes as files: what the wire and the browser take anyhow. The two take turns;
//! only the ratios mean anything elsewhere. Missed goals get a mark, and nothing else: a benchmark is no test.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench shows its numbers, and stops at the first oddity; it shares the tests' browser and site"
)]

#[path = "../tests/web/browser.rs"]
mod browser;
#[path = "../tests/web/chromium.rs"]
mod chromium;
#[path = "../tests/web/pages.rs"]
mod pages;
#[path = "../tests/web/past/mod.rs"]
mod past;
#[path = "../tests/web/place.rs"]
mod place;
#[path = "../tests/serve/port.rs"]
mod port;
#[path = "../tests/web/stage.rs"]
mod stage;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use browser::Browser;
use pages::Page;
use port::free_port;
use serde_json::json;
use stage::{Running, Site, until};

/// Milliseconds on the server, kilobytes with everything that is loaded, milliseconds until something is shown, and from a fact
/// to the screen.
const GOALS: [f64; 4] = [50.0, 150.0, 300.0, 250.0];

fn main() {
    // `cargo bench` itself adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let quick = std::env::var_os("GREENROOM_BENCH_QUICK").is_some_and(|said| !said.is_empty())
        || words.iter().any(|word| word == "--quick");
    let kinds: Vec<&String> = words.iter().filter(|word| !word.starts_with("--")).collect();
    let began = Instant::now();
    let site = Site::large();
    println!("100,000 devices and 1,000 personas: made and started in {:.1} s", began.elapsed().as_secs_f64());
    let pages: Vec<Page> = pages::found(&site)
        .into_iter()
        .filter(|page| page.first && (kinds.is_empty() || kinds.iter().any(|kind| page.kind.contains(*kind))))
        .collect();
    let peer = Peer::start(&site, &pages);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut browser = Browser::start();
    browser.forgive("404");
    println!(
        "\n{:<36} {:>23}  {:>9} {:>6}   {:>7}   {:>9} {:>6} {:>6}",
        "", "server, ms", "nginx", "ratio", "weight", "shown, ms", "nginx", "ratio"
    );
    println!("{:<36} {:>7} {:>7} {:>7}  {:>9} {:>6}   {:>7}", "page", "p50", "p99", "max", "p50", "", "kB");
    for page in &pages {
        let (ours, files) = runtime.block_on(served(&site, &peer, page, if quick { 30 } else { 200 }));
        let (weight, shown) = (0..if quick { 3 } else { 7 })
            .map(|_| loaded(&browser, &format!("{}{}", site.url, page.path)))
            .fold((0.0_f64, vec![]), |(weight, mut shown), (kilobytes, millis)| {
                shown.push(millis);
                (weight.max(kilobytes), shown)
            });
        let still: Vec<f64> = (0..if quick { 3 } else { 7 })
            .map(|_| loaded(&browser, &format!("{}{}", peer.url, copy(page))).1)
            .collect();
        let (p50, p99, most) = (percentile(&ours, 50.0), percentile(&ours, 99.0), percentile(&ours, 100.0));
        let (plain, shown, still) = (percentile(&files, 50.0), percentile(&shown, 50.0), percentile(&still, 50.0));
        println!(
            "{:<36} {p50:>7.2} {p99:>6.2}{} {most:>7.2}  {plain:>9.2} {:>6.1}   {weight:>6.1}{}  {shown:>9.0}{} {still:>6.0} {:>5.2}",
            page.kind,
            mark(p99, GOALS[0]),
            p50 / plain,
            mark(weight, GOALS[1]),
            mark(shown, GOALS[2]),
            shown / still,
        );
    }
    if kinds.is_empty() || kinds.iter().any(|kind| kind.starts_with("/personas")) {
        runtime.block_on(typed(&site, if quick { 10 } else { 50 }));
        committed(&site, if quick { 10 } else { 50 });
    }
    live(&site, &browser, if quick { 10 } else { 40 });
    println!("\n! marks what misses its goal: {GOALS:?} (ms at p99, kB, ms, ms)");
}

fn mark(figure: f64, goal: f64) -> char {
    if figure > goal { '!' } else { ' ' }
}

fn percentile(figures: &[f64], percent: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * percent / 100.0) as usize]
}

/// nginx with copies of the pages and of what they load.
struct Peer {
    url: String,
    _running: Running,
    _folder: tempfile::TempDir,
}

/// Where the copy of a page is: its name alone, so that no path means something to nginx.
fn copy(page: &Page) -> String {
    format!("/{}.html", page.name)
}

impl Peer {
    fn start(site: &Site, pages: &[Page]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let www = folder.path().join("www");
        fs::create_dir(&www).unwrap();
        let mut assets = std::collections::BTreeSet::new();
        for page in pages {
            let body = get(site, &format!("{}{}", site.url, page.path));
            let text = String::from_utf8_lossy(&body).into_owned();
            assets.extend(text.split('"').filter(|word| word.starts_with("/static/")).map(str::to_owned));
            fs::write(www.join(copy(page).trim_start_matches('/')), body).unwrap();
        }
        // What modules import is beside them.
        let beside = assets.iter().find_map(|path| Some(path.rsplit_once('/')?.0.to_owned())).unwrap();
        assets.insert(format!("{beside}/live.js"));
        for path in assets {
            let file: PathBuf = www.join(path.trim_start_matches('/'));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, get(site, &format!("{}{path}", site.url))).unwrap();
        }
        let port = free_port();
        Self { url: format!("http://127.0.0.1:{port}"), _running: nginx(folder.path(), port), _folder: folder }
    }
}

fn nginx(folder: &Path, port: u16) -> Running {
    let config = folder.join("nginx.conf");
    let text = format!(
        "daemon off;\nworker_processes 1;\nuser root;\npid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\nhttp {{\n  access_log off;\n  \
         types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; }}\n  keepalive_requests 1000000;\n  \
         client_body_temp_path {folder}/body;\n  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}\n}}\n",
        folder = folder.display()
    );
    fs::write(&config, text).unwrap();
    // In a PID namespace of its own: when its parent there dies, its workers die too.
    let mut command = Command::new("unshare");
    command
        .args(["--pid", "--fork", "--kill-child=KILL", "nginx", "-e"])
        .arg(folder.join("log"))
        .arg("-c")
        .arg(&config);
    let running = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    until("nginx starts", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    running
}

fn get(site: &Site, url: &str) -> Vec<u8> {
    Command::new("curl").args(["-sS", "--max-time", "60", "-H", &site.cookie(), url]).output().unwrap().stdout
}

/// How long the server takes for a page, on a connection that stays open: ours and nginx, in turns, in milliseconds.
async fn served(site: &Site, peer: &Peer, page: &Page, times: usize) -> (Vec<f64>, Vec<f64>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (mut ours, mut files) = (vec![], vec![]);
    let urls = [format!("{}{}", site.url, page.path), format!("{}{}", peer.url, copy(page))];
    for time in 0..times + 3 {
        for (url, took) in urls.iter().zip([&mut ours, &mut files]) {
            let began = Instant::now();
            let answer =
                client.get(url).header("cookie", site.cookie().trim_start_matches("Cookie: ")).send().await.unwrap();
            let length = answer.bytes().await.unwrap().len();
            assert!(length > 100, "{url}: {length} bytes");
            // The first ones open connections.
            if time >= 3 {
                took.push(began.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    (ours, files)
}

/// What the editor asks as one types: what is wrong with a text, and which of the 100,000 devices it would change. Each text is
/// another one.
async fn typed(site: &Site, times: u32) {
    // What few devices are assigned, what a rule gives, and what hundreds of personas could extend.
    let papers =
        [("one persona", "persona-0500"), ("one that a rule gives", "kiosk-live"), ("a fragment", "fragments/admin")];
    println!("\n{:<36} {:>7} {:>7} {:>7}", "as one types, ms", "p50", "p99", "max");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for ask in ["draft", "impact"] {
        for (what, paper) in papers {
            let file = site.dir.path().join("library").join(format!("{paper}.yaml"));
            let text = fs::read_to_string(file).unwrap();
            let mut took = vec![];
            for n in 0..times {
                let changed = match text.contains("labels: {") {
                    true => text.replacen("labels: {", &format!("labels: {{bench: n{n}, "), 1),
                    false => format!("{text}labels: {{bench: n{n}}}\n"),
                };
                let body = json!({ "text": changed });
                let request = client
                    .post(format!("{}/personas/{paper}/{ask}", site.url))
                    .header("cookie", site.cookie().trim_start_matches("Cookie: "))
                    .header("sec-fetch-site", "same-origin")
                    .header("content-type", "application/json")
                    .body(body.to_string());
                let began = Instant::now();
                let answer = request.send().await.unwrap();
                let (status, said) = (answer.status(), answer.text().await.unwrap());
                took.push(began.elapsed().as_secs_f64() * 1e3);
                assert!(status.is_success(), "{status}: {said}");
            }
            answered(&format!("  {ask}: {what}"), &took);
        }
    }
}

/// The first look at a persona's past after somebody committed: nothing that was kept of lists of commits holds any more.
fn committed(site: &Site, times: u32) {
    let (mut history, mut page) = (vec![], vec![]);
    for n in 0..times {
        site.git(&["commit", "-q", "--allow-empty", "-m", &format!("Commit {n}")]);
        for (path, took) in [("/personas/persona-0500/history", &mut history), ("/personas/persona-0501", &mut page)] {
            let url = format!("{}{path}", site.url);
            let words = ["-sS", "-o", "/dev/null", "-w", "%{time_total}", "-H", &site.cookie(), &url];
            let output = Command::new("curl").args(words).output().unwrap();
            took.push(String::from_utf8_lossy(&output.stdout).parse::<f64>().unwrap() * 1e3);
        }
    }
    println!("\n{:<36} {:>7} {:>7} {:>7}", "right after a commit, ms", "p50", "p99", "max");
    answered("  a persona's history", &history);
    answered("  a persona", &page);
}

fn answered(what: &str, took: &[f64]) {
    let [p50, p99, most] = [50.0, 99.0, 100.0].map(|percent| percentile(took, percent));
    println!("{what:<36} {p50:>7.2} {p99:>7.2}{} {most:>6.2}", mark(p99, GOALS[0]));
}

/// What a browser that was never here loads, in kilobytes, and when it shows something, in milliseconds.
fn loaded(browser: &Browser, url: &str) -> (f64, f64) {
    browser.tell("Network.clearBrowserCache", json!({}));
    browser.goto("about:blank");
    browser.goto(url);
    browser.wait_until("return performance.getEntriesByName('first-contentful-paint').length === 1");
    let found = browser.exec(
        "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
         return [all.reduce((sum, one) => sum + one.transferSize, 0) / 1000,
                 performance.getEntriesByName('first-contentful-paint')[0].startTime]",
    );
    (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
}

/// A number that people look at, and what changes it.
struct Number {
    what: &'static str,
    /// The page that shows it.
    page: &'static str,
    /// Where on that page.
    place: &'static str,
    /// What the API is told, the n-th time: the path below a device, and the body.
    fact: fn(u32) -> (String, &'static str),
}

/// Numbers of every kind: what is known without counting, what was counted, and a list that a filter fits.
const NUMBERS: [Number; 6] = [
    Number { what: "overview, devices", page: "/", place: "a.figure[href='/devices'] b", fact: |n| described(n, 0) },
    Number { what: "overview, armed", page: "/", place: "a.figure[href='/devices?q=armed'] b", fact: armed },
    Number {
        what: "devices, never seen",
        page: "/devices",
        place: "nav.chips a:nth-of-type(5) b",
        fact: |n| described(n, 1),
    },
    Number { what: "devices, unassigned", page: "/devices", place: "nav.chips a:nth-of-type(3) b", fact: assigned },
    Number {
        what: "devices of a filter, all",
        page: "/devices?q=role%3Dnew",
        place: "#range",
        fact: |n| described(n, 2),
    },
    Number {
        what: "personas, assigned",
        page: "/personas?q=persona-0007",
        place: "#rows td[data-label=assigned]",
        fact: assigned,
    },
];

/// A device that nobody knew is told of.
fn described(n: u32, of: u32) -> (String, &'static str) {
    (past::mac(200_000 + 10_000 * of + n).to_string(), r#"{"attributes": {"role": "new"}}"#)
}

/// A device is armed.
fn armed(n: u32) -> (String, &'static str) {
    (format!("{}/arm", past::mac(50_000 + n)), "{}")
}

/// A device is given a persona: those with odd numbers had none.
fn assigned(n: u32) -> (String, &'static str) {
    (format!("{}/assignment", past::mac(2 * n + 1)), r#"{"persona": "persona-0007"}"#)
}

/// From a fact to the screen: something is said over the API while a page is open. When the event came, and when the number had
/// changed, since before the request was sent.
fn live(site: &Site, browser: &Browser, times: u32) {
    let token = site.ok(&["token", "create", "--name", "bench", "--scope", "devices:write,assignments:write,arm"]);
    let bearer = format!("Authorization: Bearer {}", token.trim());
    let mut came = vec![];
    let mut next = 0;
    println!("\n{:<36} {:>7} {:>7} {:>7}", "from a fact to the screen, ms", "p50", "p90", "p99");
    for number in &NUMBERS {
        browser.goto(&format!("{}{}", site.url, number.page));
        browser.wait_until("return document.documentElement.dataset.stream === 'open'");
        browser.exec(&format!(
            "window.came = []; window.shown = [];
             const now = () => performance.timeOrigin + performance.now();
             window.number = () => document.querySelector(\"{}\")?.textContent;
             new EventSource('/live').addEventListener('change', () => window.came.push(now()));
             new MutationObserver(() => window.number() !== window.before && window.shown.push(now()))
               .observe(document.body, {{childList: true, subtree: true, characterData: true}})",
            number.place
        ));
        let mut shown = vec![];
        for _ in 0..times {
            std::thread::sleep(Duration::from_millis(400));
            browser.exec("window.before = window.number(); window.came.length = 0; window.shown.length = 0");
            let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64() * 1e3;
            let (path, body) = (number.fact)(next);
            next += 1;
            let url = format!("{}/api/v1/devices/{path}", site.url);
            let told =
                Command::new("curl").args(["-sS", "-f", "-X", "PUT", "-H", &bearer, "--json", body, &url]).output();
            let told = told.unwrap();
            assert!(told.status.success(), "{url}: {}", String::from_utf8_lossy(&told.stderr));
            browser.wait_until("return window.came.length > 0 && window.shown.length > 0");
            let moments = browser.exec("return [window.came[0], window.shown[0]]");
            came.push(moments[0].as_f64().unwrap() - began);
            shown.push(moments[1].as_f64().unwrap() - began);
        }
        line(number.what, &shown);
    }
    line("the event is there", &came);
}

fn line(what: &str, took: &[f64]) {
    let [p50, p90, p99] = [50.0, 90.0, 99.0].map(|percent| percentile(took, percent));
    println!("  {what:<34} {p50:>7.0} {p90:>7.0} {p99:>7.0}{}", mark(p99, GOALS[3]));
}
