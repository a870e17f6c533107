//! A real Chromium, and what a person does with one.
//!
//! One is started for all tests of the process, and they take turns: a start costs seconds, and two at once would fight for the
//! same processors. Whoever has it has a window of their own, without cookies, and a page on which **nothing went wrong**: when a
//! test ends well, there was no error on the console, nothing that the content security policy had to stop, and no request to
//! any host but this one.

use std::{
    fs,
    future::Future,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use thirtyfour::{By, Cookie, WebDriver, WebElement, WindowHandle, common::command::Command, error::WebDriverResult};

use super::chromium::{Chromium, DevTools, SHARED};

/// How long anything may take before the test gives up on it.
pub const LIMIT: Duration = Duration::from_secs(40);
/// How often is looked whether it is there.
const PAUSE: Duration = Duration::from_millis(25);

/// How pages are to look: said again of each new tab.
#[derive(Clone, Copy)]
struct Look {
    width: u32,
    height: u32,
    dark: bool,
    scripts: bool,
}

/// The browser, for one test.
pub struct Browser {
    chromium: MutexGuard<'static, Option<Chromium>>,
    look: Look,
    /// Errors that are not errors: what they contain.
    forgiven: Vec<String>,
    /// What the logs said so far, and where requests went.
    said: Vec<String>,
    asked: Vec<String>,
}

/// Who is signed in where: a site's origin, the cookie's name and value. Cookies know no ports, and each site has its own.
static SESSIONS: Mutex<Vec<(String, String, String)>> = Mutex::new(vec![]);

/// From now on every browser that goes to this origin shows this cookie.
pub fn signed_in(origin: &str, name: &str, value: &str) {
    let mut sessions = SESSIONS.lock().unwrap_or_else(PoisonError::into_inner);
    sessions.retain(|known| known.0 != origin);
    sessions.push((origin.to_owned(), name.to_owned(), value.to_owned()));
}

/// From now on a browser brings to this origin only what it was given there.
pub fn signed_out(origin: &str) {
    SESSIONS.lock().unwrap_or_else(PoisonError::into_inner).retain(|known| known.0 != origin);
}

impl Browser {
    /// Waits until no other test has it. Desktop size, light, with scripts.
    pub fn start() -> Self {
        let mut chromium = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        chromium.get_or_insert_with(Chromium::start);
        let look = Look { width: 1280, height: 900, dark: false, scripts: true };
        let mut browser = Self { chromium, look, forgiven: vec![], said: vec![], asked: vec![] };
        browser.afresh();
        browser
    }

    /// One empty window, and nothing left of the test before.
    fn afresh(&mut self) {
        let mine = self.opened();
        for other in self.tabs() {
            if other != mine {
                self.turn_to(&other);
                self.run(|driver| async move { driver.close_window().await });
            }
        }
        self.turn_to(&mine);
        self.tell("Network.clearBrowserCookies", json!({}));
        self.tell("Network.clearBrowserCache", json!({}));
        self.listen();
        self.said.clear();
        self.asked.clear();
    }

    fn run<T, F: Future<Output = WebDriverResult<T>>>(&self, act: impl FnOnce(WebDriver) -> F) -> T {
        self.may(act).unwrap_or_else(|error| panic!("the browser: {error}"))
    }

    fn may<T, F: Future<Output = WebDriverResult<T>>>(&self, act: impl FnOnce(WebDriver) -> F) -> WebDriverResult<T> {
        let chromium = self.chromium.as_ref().expect("it was started");
        chromium.runtime.block_on(act(chromium.driver.clone()))
    }

    /// Asks until there is an answer.
    fn until<T>(&self, what: &str, mut asked: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(found) = asked() {
                return found;
            }
            if Instant::now() > end {
                panic!("{what}: it never came. {} shows:\n{}", self.url(), self.exec("return document.body.innerText"));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// A command of the DevTools protocol, and what it answers.
    pub fn tell(&self, command: &'static str, parameters: Value) -> Value {
        let command = Command::ExtensionCommand(Box::new(DevTools(command, parameters)));
        self.run(|driver| async move { driver.cmd(command).await?.value() })
    }

    fn opened(&mut self) -> WindowHandle {
        let tab = self.run(|driver| async move { driver.new_tab().await });
        self.turn_to(&tab);
        tab
    }

    /// Opens a tab, and turns to it.
    pub fn tab(&mut self) -> WindowHandle {
        self.opened()
    }

    /// Every tab, in no order.
    pub fn tabs(&self) -> Vec<WindowHandle> {
        self.run(|driver| async move { driver.windows().await })
    }

    /// Turns to a tab.
    pub fn turn_to(&self, tab: &WindowHandle) {
        self.run(|driver| async move { driver.switch_to_window(tab.clone()).await });
        self.dress();
    }

    /// So large, in CSS pixels; below 600 it is a phone.
    pub fn window(&mut self, width: u32, height: u32) {
        (self.look.width, self.look.height) = (width, height);
        self.dress();
    }

    /// A phone, 390 pixels wide.
    pub fn phone(&mut self) {
        self.window(390, 844);
    }

    /// Whether people want dark pages.
    pub fn scheme(&mut self, dark: bool) {
        self.look.dark = dark;
        self.dress();
    }

    /// Whether pages may run scripts.
    pub fn scripts(&mut self, run: bool) {
        self.look.scripts = run;
        self.dress();
    }

    fn dress(&self) {
        let Look { width, height, dark, scripts } = self.look;
        let phone = width < 600;
        let size =
            json!({"width": width, "height": height, "mobile": phone, "deviceScaleFactor": if phone { 2 } else { 1 }});
        self.tell("Emulation.setDeviceMetricsOverride", size);
        let scheme = json!({"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }});
        self.tell("Emulation.setEmulatedMedia", json!({"features": [scheme]}));
        self.tell("Emulation.setScriptExecutionDisabled", json!({"value": !scripts}));
    }

    /// Opens a page, signed in where a site has said how, and waits until it is there with all that it loads.
    pub fn goto(&self, url: &str) {
        let sessions = SESSIONS.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((origin, name, value)) = sessions.iter().find(|(origin, ..)| url.starts_with(origin)) {
            let cookie = json!({"name": name, "value": value, "url": origin, "httpOnly": true, "sameSite": "Strict"});
            self.tell("Network.setCookie", cookie);
        }
        self.run(|driver| async move { driver.goto(url).await });
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.run(|driver| async move { driver.refresh().await });
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.run(|driver| async move { driver.current_url().await }).into()
    }

    /// The title of the page.
    pub fn title(&self) -> String {
        self.run(|driver| async move { driver.title().await })
    }

    /// The first of them that is to be seen now.
    fn seen(&self, by: &By) -> Option<WebElement> {
        let by = by.clone();
        let all = self.may(|driver| async move { driver.find_all(by).await }).ok()?;
        all.into_iter().find(|one| self.may(|_| one.is_displayed()).unwrap_or(false))
    }

    fn find(&self, by: By) -> WebElement {
        self.until(&format!("{by:?}"), || self.seen(&by))
    }

    /// Clicks; live parts may take the element away in between, then it is looked for again.
    fn hit(&self, by: &By) {
        self.until(&format!("{by:?}, to be clicked"), || {
            let one = self.seen(by)?;
            self.may(|_| one.click()).ok()
        });
    }

    /// Waits until something that this selector means is to be seen.
    pub fn wait_for(&self, css: &str) {
        self.find(By::Css(css));
    }

    /// Waits until the page says so.
    pub fn wait_for_text(&self, words: &str) {
        self.until(&format!("\"{words}\""), || self.says(words).then_some(()));
    }

    /// Waits until a script says that it is so: `return document.title === "x"`.
    pub fn wait_until(&self, script: &str) {
        let holds = || self.may(|driver| async move { driver.execute(script, vec![]).await }).ok();
        self.until(script, || holds().filter(|found| found.json() == &json!(true)).map(drop));
    }

    /// Whether the page shows these words now.
    pub fn says(&self, words: &str) -> bool {
        let script = "return document.body ? document.body.innerText : ''";
        let shown = self.may(|driver| async move { driver.execute(script, vec![]).await });
        shown.is_ok_and(|shown| shown.json().as_str().is_some_and(|text| text.contains(words)))
    }

    /// Whether there is something that this selector means, to be seen or not.
    pub fn has(&self, css: &str) -> bool {
        !self.run(|driver| async move { driver.find_all(By::Css(css)).await }).is_empty()
    }

    /// Clicks the first of them that is to be seen.
    pub fn click(&self, css: &str) {
        self.hit(&By::Css(css));
    }

    /// Clicks the link or button that says exactly this.
    pub fn choose(&self, words: &str) {
        let path = format!("//*[self::a or self::button or self::summary or self::label][normalize-space()={words:?}]");
        self.hit(&By::XPath(path));
    }

    /// Writes into a field in place of what is there.
    pub fn type_in(&self, css: &str, text: &str) {
        let field = self.find(By::Css(css));
        self.run(|_| async {
            field.clear().await?;
            field.send_keys(text).await
        });
    }

    /// Presses keys where the focus is: text, or `thirtyfour::Key`s put together with `+`.
    pub fn press(&self, keys: impl Into<thirtyfour::TypingData>) {
        self.run(|driver| async move { driver.action_chain().send_keys(keys).perform().await });
    }

    /// Presses a key while another is held.
    pub fn chord(&self, held: thirtyfour::Key, key: &str) {
        self.run(|driver| async move {
            driver.action_chain().key_down(held.clone()).send_keys(key).key_up(held).perform().await
        });
    }

    /// What the first of them says.
    pub fn text(&self, css: &str) -> String {
        let by = By::Css(css);
        self.until(css, || {
            let one = self.seen(&by)?;
            self.may(|_| one.text()).ok()
        })
    }

    /// What each of them says now, in the order of the page.
    pub fn texts(&self, css: &str) -> Vec<String> {
        let script =
            format!("return [...document.querySelectorAll({})].map((one) => one.innerText.trim())", json!(css));
        serde_json::from_value(self.exec(&script)).unwrap()
    }

    /// What a script returns, with `return`.
    pub fn exec(&self, script: &str) -> Value {
        self.run(|driver| async move { driver.execute(script, vec![]).await }).json().clone()
    }

    /// Says yes to the question that the page asks, and what it asks.
    pub fn accept(&self) -> String {
        let words = self.until("a question", || self.may(|driver| async move { driver.get_alert_text().await }).ok());
        self.run(|driver| async move { driver.accept_alert().await });
        words
    }

    /// Says no to the question that the page asks, and what it asks.
    pub fn dismiss(&self) -> String {
        let words = self.until("a question", || self.may(|driver| async move { driver.get_alert_text().await }).ok());
        self.run(|driver| async move { driver.dismiss_alert().await });
        words
    }

    /// The cookies of the page, those that scripts may not read among them.
    pub fn cookies(&self) -> Vec<Cookie> {
        self.run(|driver| async move { driver.get_all_cookies().await })
    }

    /// Sets a cookie of the page's host.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let url = self.url();
        self.tell("Network.setCookie", json!({"name": name, "value": value, "url": url}));
    }

    /// A picture of the whole page, in `target/pages/NAME.png`; the file.
    pub fn shot(&self, name: &str) -> PathBuf {
        let metrics = self.tell("Page.getLayoutMetrics", json!({}));
        let [width, height] = ["width", "height"].map(|side| metrics["cssContentSize"][side].as_f64().unwrap());
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height.min(6000.0), "scale": 1});
        let picture = self.tell("Page.captureScreenshot", json!({"captureBeyondViewport": true, "clip": clip}));
        let file = pages().join(format!("{name}.png"));
        fs::write(&file, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
        file
    }

    /// What the logs hold since they were last asked: they forget what they told.
    fn listen(&mut self) {
        let logs = ["browser", "performance"].map(|log| self.run(|driver| async move { driver.get_log(log).await }));
        let [console, network] = logs;
        let severe =
            console.into_iter().filter(|entry| entry.level == "SEVERE" || entry.message.contains("Content Security"));
        self.said.extend(severe.map(|entry| entry.message));
        for entry in network {
            let event: Value = serde_json::from_str(&entry.message).unwrap_or_default();
            if event["message"]["method"] == "Network.requestWillBeSent" {
                self.asked.extend(event["message"]["params"]["request"]["url"].as_str().map(str::to_owned));
            }
        }
    }

    /// An error on the console with these words is what the test wants to see, or at least is none: a page that is not found.
    pub fn forgive(&mut self, words: &str) {
        self.forgiven.push(words.to_owned());
    }

    /// Every request since the test began.
    pub fn requests(&mut self) -> &[String] {
        self.listen();
        &self.asked
    }

    /// The errors on the console that are not forgiven.
    pub fn errors(&mut self) -> Vec<String> {
        self.listen();
        let forgiven = |line: &String| self.forgiven.iter().any(|words| line.contains(words));
        self.said.iter().filter(|line| !forgiven(line)).cloned().collect()
    }

    /// All of them, those that are forgiven as well.
    pub fn refused(&mut self) -> Vec<String> {
        self.listen();
        self.said.clone()
    }

    fn nothing_went_wrong(&mut self) {
        let errors = self.errors();
        assert!(errors.is_empty(), "errors on the console: {errors:#?}");
        let ours = ["http://127.0.0.1:", "data:", "blob:", "about:", "chrome:"];
        let known = |url: &String| {
            ours.iter().any(|own| url.starts_with(own)) || self.forgiven.iter().any(|words| url.contains(words))
        };
        let away: Vec<&String> = self.asked.iter().filter(|url| !known(url)).collect();
        assert!(away.is_empty(), "requests to other hosts: {away:#?}");
    }
}

impl Drop for Browser {
    /// A test that failed already has said why.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.nothing_went_wrong();
        }
    }
}

/// Where pictures and reports go.
pub fn pages() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/pages");
    fs::create_dir_all(&folder).unwrap();
    folder
}
