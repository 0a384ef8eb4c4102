//! A person at a window: a headless Chromium of its own, driven over WebDriver, which sees and clicks what people do.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use axum::http::Method;
use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::CmdError,
    wd::{TimeoutConfiguration, WebDriverCompatibleCommand, WindowHandle},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use url::Url;

/// Far longer than anything here takes; what fails should fail, not hang.
const SOON: Duration = Duration::from_secs(60);

/// How often the page is looked at.
const LOOK: Duration = Duration::from_millis(30);

/// A window with a profile of its own. Dropping it ends the browser.
pub(crate) struct Window {
    client: Client,
    /// In the order in which they were opened; the driver promises none.
    tabs: Mutex<Vec<WindowHandle>>,
    // In this order: the browser ends before its folder goes.
    _driver: Driver,
    _profile: tempfile::TempDir,
}

/// Chromedriver in a process group of its own, together with the browser that it starts.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

/// Chromium with nothing around the page, where it is installed: it takes a fifth of the time until it is there.
fn headless_shell() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("chromium-headless-shell"))
        .find(|file| file.exists())
}

impl Window {
    /// Opens a window of this size, in a browser that wishes for English.
    pub(crate) async fn open(width: u32, height: u32) -> Self {
        Self::open_in("en-US", width, height).await
    }

    /// Opens a window in a browser that wishes for this language.
    pub(crate) async fn open_in(language: &str, width: u32, height: u32) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver");
        // Where it puts the browser's profile.
        let driver = driver.arg("--port=0").env("TMPDIR", profile.path());
        let driver = driver.stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).spawn();
        let mut driver = Driver(driver.expect("chromedriver is installed (Debian: chromium-driver)"));
        let said = BufReader::new(driver.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut ports = said.filter_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = ports.next().expect("chromedriver says its port");
        // Read on, so that it never waits for us.
        std::thread::spawn(move || ports.for_each(drop));

        let args = [
            "--headless=new".into(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--disable-dev-shm-usage".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            format!("--accept-lang={language}"),
            format!("--window-size={width},{height}"),
        ];
        let mut wishes =
            json!({ "goog:chromeOptions": { "args": args }, "goog:loggingPrefs": { "browser": "ALL" } });
        if let Some(shell) = headless_shell() {
            wishes["goog:chromeOptions"]["binary"] = json!(shell);
        }
        let Value::Object(wishes) = wishes else { unreachable!("it was written as an object") };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wishes)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("chromium starts");
        let tabs = Mutex::new(vec![client.window().await.unwrap()]);
        Self { client, tabs, _driver: driver, _profile: profile }
    }

    /// Goes to a page.
    pub(crate) async fn go(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Loads the page anew.
    pub(crate) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// Opens another tab of this browser, and turns to it.
    pub(crate) async fn open_tab(&self) {
        let tab = self.client.new_window(true).await.unwrap().handle;
        self.tabs.lock().unwrap().push(tab.clone());
        self.client.switch_to_window(tab).await.unwrap();
    }

    /// Turns to the tab that was opened as the `nth`, from 0.
    pub(crate) async fn turn_to_tab(&self, nth: usize) {
        let tab = self.tabs.lock().unwrap()[nth].clone();
        self.client.switch_to_window(tab).await.unwrap();
    }

    /// Whether the element of this test id is shown.
    pub(crate) async fn sees(&self, testid: &str) -> bool {
        self.shown(&format!("[data-testid={testid}]")).await.is_some()
    }

    /// Waits for it, and clicks it.
    pub(crate) async fn press(&self, testid: &str) {
        self.until(&format!("{testid} is pressed"), async || self.click(testid).await).await;
    }

    /// Clicks it; false when it is not there, or goes in the same moment, or something else lies on it.
    pub(crate) async fn click(&self, testid: &str) -> bool {
        match self.shown(&format!("[data-testid={testid}]")).await {
            Some(element) => self.hit(&element).await,
            None => false,
        }
    }

    /// Clicks an element until it hears of it: a click right after the buttons have changed does nothing, by design. False when it goes
    /// in the same moment: the clock has acted, or the page has.
    async fn hit(&self, element: &Element) -> bool {
        let listen = "window.isPressed = false; \
                      arguments[0].addEventListener('click', () => { window.isPressed = true; }, { once: true });";
        let began = Instant::now();
        loop {
            let it = serde_json::to_value(element).unwrap();
            if self.client.execute(listen, vec![it]).await.is_err() || element.click().await.is_err() {
                return false;
            }
            // Another page knows nothing of it: the click has led there.
            if self.ask("return window.isPressed !== false").await == true {
                return true;
            }
            assert!(began.elapsed() < SOON, "it hears no click: {}", self.text("body").await);
            sleep(LOOK).await;
        }
    }

    /// Goes to the house and picks a name; ends in the lobby.
    pub(crate) async fn enter(&self, url: &str, name: &str) {
        self.go(url).await;
        self.give_name(name).await;
        self.see("lobby-row").await;
    }

    /// Answers the question for a name.
    pub(crate) async fn give_name(&self, name: &str) {
        self.see("name-input").await.send_keys(name).await.unwrap();
        self.press("name-ok").await;
    }

    /// Goes to the first table of the lobby.
    pub(crate) async fn go_to_the_table(&self) {
        let way = "[data-testid=lobby-row] a";
        self.until("the table is gone to", async || match self.shown(way).await {
            Some(link) => self.hit(&link).await,
            None => false,
        })
        .await;
        self.see("table").await;
    }

    /// Sits down there with the buy-in that the page proposes, and answers it.
    pub(crate) async fn sit(&self, seat: u8) -> u64 {
        self.press(&format!("sit-{seat}")).await;
        let buy_in = self.see("buy-in").await.prop("value").await.unwrap().unwrap().parse().unwrap();
        self.press("sit-ok").await;
        self.until("the seat is mine", async || {
            self.shown(&format!("[data-testid=seat-{seat}].mine")).await.is_some()
        })
        .await;
        buy_in
    }

    /// Takes the first of these actions that is offered; answers whether one was.
    pub(crate) async fn act(&self, kinds: &[&str]) -> bool {
        for kind in kinds {
            let button = self.shown(&format!("[data-testid=action-{kind}]:not([disabled])")).await;
            if let Some(button) = button
                && self.hit(&button).await
            {
                return true;
            }
        }
        false
    }

    /// Whether it is this player's turn: an action is offered.
    pub(crate) async fn has_turn(&self) -> bool {
        self.shown(".actions .action:not([disabled])").await.is_some()
    }

    /// What a script hands to its last argument, a function.
    pub(crate) async fn ask_later(&self, script: &str) -> Value {
        self.client.execute_async(script, vec![]).await.unwrap()
    }

    /// Lets scripts run for longer than a busy machine needs.
    pub(crate) async fn be_patient(&self) {
        self.client.update_timeouts(TimeoutConfiguration::new(Some(SOON), None, None)).await.unwrap();
    }

    /// The number of the hand on the table; `None` before the first.
    pub(crate) async fn hand(&self) -> Option<u64> {
        let number = self.client.find(Locator::Css("[data-testid=hand-number]")).await.ok()?;
        number.attr("data-hand").await.ok()??.parse().ok()
    }

    /// `online`, `connecting` or `offline`.
    pub(crate) async fn connection(&self) -> Option<String> {
        let badge = self.client.find(Locator::Css("[data-testid=connection]")).await.ok()?;
        badge.attr("data-state").await.ok()?
    }

    /// Waits until the house is heard.
    pub(crate) async fn online(&self) {
        self.until("it is online", async || self.connection().await.as_deref() == Some("online")).await;
    }

    /// The text of the first element that fits a CSS selector; empty, if there is none.
    pub(crate) async fn text(&self, css: &str) -> String {
        let script = "const it = document.querySelector(arguments[0]); \
                      return it ? it.textContent : ''";
        self.run(script, vec![json!(css)]).await.as_str().unwrap_or_default().to_owned()
    }

    /// Asks Chromium itself, by a command of its DevTools protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.try_devtools(command, parameters).await.unwrap()
    }

    /// The same of something that may have gone meanwhile.
    pub(crate) async fn try_devtools(&self, command: &str, parameters: Value) -> Result<Value, CmdError> {
        self.client.issue_cmd(DevTools(json!({ "cmd": command, "params": parameters }))).await
    }

    /// What Chromium counts of this page under these names.
    pub(crate) async fn counted<const N: usize>(&self, names: [&str; N]) -> [f64; N] {
        let told = self.devtools("Performance.getMetrics", json!({})).await;
        let metrics = told["metrics"].as_array().unwrap();
        names.map(|name| {
            let metric = metrics.iter().find(|metric| metric["name"] == name);
            metric.and_then(|metric| metric["value"].as_f64()).expect("Chromium counts that")
        })
    }

    /// Runs a script in each document before the page's own.
    pub(crate) async fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// What a script answers.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.run(script, vec![]).await
    }

    /// Runs a script once more in the page that comes, if the one goes in which it was to run.
    async fn run(&self, script: &str, args: Vec<Value>) -> Value {
        let began = Instant::now();
        loop {
            match self.client.execute(script, args.clone()).await {
                Ok(answer) => return answer,
                Err(error) if goes(&error) && began.elapsed() < SOON => sleep(LOOK).await,
                Err(error) => panic!("{error}: {script}"),
            }
        }
    }

    /// Waits for the element of this test id to be shown.
    pub(crate) async fn see(&self, testid: &str) -> Element {
        let css = format!("[data-testid={testid}]");
        let began = Instant::now();
        loop {
            if let Some(element) = self.shown(&css).await {
                return element;
            }
            assert!(began.elapsed() < SOON, "waited for {css}: {}", self.text("body").await);
            sleep(LOOK).await;
        }
    }

    async fn shown(&self, css: &str) -> Option<Element> {
        let element = self.client.find(Locator::Css(css)).await.ok()?;
        element.is_displayed().await.ok()?.then_some(element)
    }

    /// Looks at the page again and again until it is so.
    pub(crate) async fn until(&self, what: &str, mut is_it: impl AsyncFnMut() -> bool) {
        let began = Instant::now();
        while !is_it().await {
            assert!(began.elapsed() < SOON, "waited until {what}: {}", self.text("body").await);
            sleep(LOOK).await;
        }
    }
}

/// Whether a script has not run because its page went.
fn goes(error: &CmdError) -> bool {
    let CmdError::Standard(error) = error else { return false };
    let said = &error.message;
    ["document unloaded", "Cannot find context", "execution context", "navigated"]
        .iter()
        .any(|it| said.contains(it))
}

/// A command that only Chromium's driver knows.
#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}
