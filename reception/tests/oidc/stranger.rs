//! Strangers who do with the ways there and back whatever comes to their mind: any order, any browser, two providers, answers of others,
//! answers again, several at once. A judge knows who has truly signed in where: nobody is ever signed in as somebody else, one identity is
//! never two people, nobody has a login without having walked a way, and who has walked one honestly is let in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use broker::clock::Clock;
use cage::{Place, Tellers};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{TestCaseError, TestError, TestRunner},
};
use serde_json::json;

use crate::{
    NOW_MS,
    house::{Browser, House},
    later,
    provider::Provider,
};

/// Browsers, providers, and people at each of them.
const BROWSERS: u8 = 3;
const PROVIDERS: u8 = 2;
const SUBJECTS: u8 = 2;

const NAMES: [&str; PROVIDERS as usize] = ["club", "pub"];

/// Ways are open for ten minutes.
const TOO_LATE_MS: u64 = 10 * 60_000 + 1;

/// Runs, and the most steps of one.
const RUNS: u32 = 48;
const STEPS: usize = 40;

/// What is tried. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    /// All of it: a browser goes, somebody signs in, comes back, again if nothing was forgotten, and says what he is called if he is new.
    Walk {
        browser: u8,
        provider: u8,
        subject: u8,
        links: bool,
        how: How,
    },
    /// A browser goes, as whoever it is, to sign in or to link.
    Go {
        browser: u8,
        provider: u8,
        links: bool,
    },
    /// Somebody signs in at the provider to whom a browser was sent; again and again, if it is to be.
    Authorize {
        way: u8,
        subject: u8,
    },
    /// An answer comes to the house.
    Back {
        answer: u8,
        how: How,
    },
    /// A browser says what it is called.
    Settle {
        browser: u8,
        twice: bool,
    },
    /// A browser becomes a guest, or nobody.
    Guest {
        browser: u8,
    },
    Forget {
        browser: u8,
    },
    /// Time goes by, until ways are closed.
    Wait,
}

/// How an answer comes to the house.
#[derive(Debug, Clone, Copy)]
enum How {
    /// As it should.
    Honestly,
    /// By another browser.
    In(u8),
    /// As one of the other provider's.
    ToTheOther,
    /// With the state, or the code, of another one.
    StateOf(u8),
    CodeOf(u8),
    /// As if another had given it.
    IssuerOfTheOther,
    WithoutCode,
    CalledOff,
    /// By a browser that forgets no cookie.
    Keeping,
    /// Twice at once.
    Twice,
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        6 => Just(How::Honestly),
        2 => any::<u8>().prop_map(How::In),
        1 => Just(How::ToTheOther),
        1 => any::<u8>().prop_map(How::StateOf),
        1 => any::<u8>().prop_map(How::CodeOf),
        1 => Just(How::IssuerOfTheOther),
        1 => Just(How::WithoutCode),
        1 => Just(How::CalledOff),
        2 => Just(How::Keeping),
        1 => Just(How::Twice),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..BROWSERS, 0..PROVIDERS, 0..SUBJECTS, prop::bool::weighted(0.3), how())
            .prop_map(|(browser, provider, subject, links, how)| Step::Walk { browser, provider, subject, links, how }),
        6 => (0..BROWSERS, 0..PROVIDERS, prop::bool::weighted(0.3))
            .prop_map(|(browser, provider, links)| Step::Go { browser, provider, links }),
        6 => (any::<u8>(), 0..SUBJECTS).prop_map(|(way, subject)| Step::Authorize { way, subject }),
        8 => (any::<u8>(), how()).prop_map(|(answer, how)| Step::Back { answer, how }),
        4 => (0..BROWSERS, any::<bool>()).prop_map(|(browser, twice)| Step::Settle { browser, twice }),
        1 => (0..BROWSERS).prop_map(|browser| Step::Guest { browser }),
        1 => (0..BROWSERS).prop_map(|browser| Step::Forget { browser }),
        1 => Just(Step::Wait),
    ]
}

/// What a house could do that the judge must find.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// It lets any browser come back from a way that another has gone.
    AnyBrowser,
    /// It answers what came before as it did then.
    Again,
    /// It takes everybody of a provider for one person.
    OnePerson,
    /// It takes somebody for another one each time.
    NeverTheSame,
    /// It lets nobody in.
    Closed,
}

/// Somebody at a provider.
type Who = (u8, u8);

/// A browser that was sent away.
struct Way {
    browser: u8,
    provider: u8,
    links: bool,
    url: String,
    /// Whom it was, when it went.
    goer: Option<String>,
    since_ms: u64,
}

/// What somebody was sent back with.
struct Sent {
    way: usize,
    subject: u8,
    answer: BTreeMap<String, String>,
}

/// What is true.
#[derive(Default)]
struct Truth {
    /// Who each is here.
    people: BTreeMap<Who, String>,
    /// Whose session each browser has.
    sessions: BTreeMap<u8, String>,
    members: BTreeSet<String>,
    /// Who has arrived in each browser, the guest who went, and when.
    arrived: BTreeMap<u8, (Who, Option<String>, u64)>,
    /// Ways that were walked, and codes that were used.
    walked: BTreeSet<usize>,
    spent: BTreeSet<String>,
    /// Logins by somebody else's word.
    logins: u64,
}

struct World {
    clock: Clock,
    providers: Vec<Provider>,
    browsers: Vec<Browser>,
    ways: Vec<Way>,
    sent: Vec<Sent>,
    truth: Truth,
    breaches: Vec<String>,
    nicks: u32,
    /// How often each thing has come of what was tried.
    reached: BTreeMap<String, u32>,
}

impl World {
    fn breach(&mut self, what: String) {
        self.breaches.push(what);
    }

    async fn token(&mut self, browser: u8) -> Option<String> {
        self.truth.sessions.get(&browser)?;
        Some(self.browsers[usize::from(browser)].refresh().await.body["token"].as_str()?.to_owned())
    }

    /// Whose session the browser has, as the house says.
    async fn is_whose(&mut self, browser: u8) -> Option<String> {
        let told = self.browsers[usize::from(browser)].refresh().await;
        told.body["user"].as_str().map(str::to_owned)
    }

    async fn unchanged(&mut self, browser: u8, after: &str) {
        let (is, was) = (self.is_whose(browser).await, self.truth.sessions.get(&browser).cloned());
        if is != was {
            self.breach(format!("after {after}, browser {browser} has become {is:?}, who was {was:?}"));
        }
    }

    async fn go(&mut self, browser: u8, provider: u8, links: bool) {
        let token = self.token(browser).await;
        let links = links && token.is_some();
        let body = json!({ "link": links });
        let start = self.browsers[usize::from(browser)]
            .start(NAMES[usize::from(provider)], token.as_deref(), body)
            .await;
        if start.status == 200 {
            let goer = self.truth.sessions.get(&browser).cloned();
            let (url, since_ms) = (start.text("url"), self.clock.now_ms());
            self.ways.push(Way { browser, provider, links, url, goer, since_ms });
        }
    }

    fn authorize(&mut self, way: usize, subject: u8) {
        let Way { url, provider, .. } = &self.ways[way];
        let user = json!({ "sub": format!("s{subject}"), "nickname": "Somebody" });
        let answer = self.providers[usize::from(*provider)].sign_in_as(url, Some(user));
        self.sent.push(Sent { way, subject, answer });
    }

    async fn back(&mut self, number: usize, how: How) {
        let Sent { way, answer, .. } = &self.sent[number];
        let (way, mut answer) = (*way, answer.clone());
        let Way { browser, provider, .. } = &self.ways[way];
        let (mut browser, mut to) = (*browser, *provider);
        let other = |index: u8| &self.sent[usize::from(index) % self.sent.len()].answer;
        let mut put = |name: &str, value: String| drop(answer.insert(name.into(), value));
        match how {
            How::In(index) => browser = index % BROWSERS,
            How::ToTheOther => to = (to + 1) % PROVIDERS,
            How::StateOf(index) => put("state", other(index)["state"].clone()),
            How::CodeOf(index) => put("code", other(index)["code"].clone()),
            How::IssuerOfTheOther => {
                put("iss", self.providers[usize::from((to + 1) % PROVIDERS)].issuer().to_owned());
            }
            How::WithoutCode => drop(answer.remove("code")),
            How::CalledOff => {
                put("error", "access_denied".into());
                answer.remove("code");
            }
            How::Honestly | How::Keeping | How::Twice => {}
        }
        // Its state says which way it is of; its code, of which way it is an answer, and who signed in.
        let state = &answer["state"];
        let of = self.sent.iter().find(|sent| sent.answer["state"] == *state).map_or(way, |sent| sent.way);
        let Way { browser: began, provider, links, goer, since_ms, .. } = &self.ways[of];
        let (provider, links, goer) = (*provider, *links, goer.clone());
        let code = answer.get("code").cloned().unwrap_or_default();
        let given = self.sent.iter().find(|sent| sent.answer["code"] == code);
        let subject = given.map_or(0, |sent| sent.subject);
        let of_his = given.is_some_and(|sent| self.ways[sent.way].provider == to);
        let is_as_given = given.is_some_and(|sent| sent.way == of)
            && answer["iss"] == self.providers[usize::from(provider)].issuer()
            && !answer.contains_key("error")
            && (browser, to) == (*began, provider);
        let in_time = self.clock.now_ms() < since_ms + TOO_LATE_MS;
        // Whoever came back before to the wrong place has lost what the browser knew it by.
        let kept = self.browsers[usize::from(browser)].cookies.keys();
        let is_kept = kept.filter_map(|name| name.split_once("-away-")).any(|(_, of)| state.starts_with(of));
        let is_honest = is_as_given
            && is_kept
            && in_time
            && !self.truth.walked.contains(&of)
            && !self.truth.spent.contains(&code);
        let whats = self.comes(browser, to, &answer, how).await;
        whats.iter().for_each(|what| *self.reached.entry(what.clone()).or_default() += 1);
        let after = format!("{how:?} of {:?}", self.sent[number].answer);
        // Only then the house asks the provider, who knows none but codes of its own.
        if is_kept && self.ways[of].provider == to && self.truth.walked.insert(of) && of_his {
            self.truth.spent.insert(code);
        }
        let good = |what: &String| matches!(what.as_str(), "in" | "new" | "linked");
        let count = whats.iter().filter(|what| good(what)).count();
        let what = whats.iter().find(|what| good(what)).unwrap_or(&whats[0]).clone();
        if count > 1 {
            self.breach(format!("{after} was walked twice: {whats:?}"));
        }
        if count > 0 && !is_honest {
            self.breach(format!("{after} was let in without a walk: {what}"));
        }
        if count == 0 && is_honest && !links {
            self.breach(format!("{after} was honest, and is refused: {whats:?}"));
        }
        let who = (provider, subject);
        match what.as_str() {
            "in" => {
                self.truth.logins += 1;
                let (is, should) = (self.is_whose(browser).await, self.truth.people.get(&who).cloned());
                if is != should {
                    self.breach(format!("after {after}, {who:?} is signed in as {is:?}, and is {should:?}"));
                }
                self.truth.sessions.extend(is.map(|user| (browser, user)));
            }
            "new" => {
                if let Some(user) = self.truth.people.get(&who) {
                    let told = format!("after {after}, {who:?} is new, and is {user}");
                    self.breach(told);
                }
                let guest = goer.filter(|user| !self.truth.members.contains(user));
                self.truth.arrived.insert(browser, (who, guest, self.clock.now_ms()));
                self.unchanged(browser, &after).await;
            }
            "linked" => {
                let known = self.truth.people.get(&who).cloned();
                if !links || known.is_some() && known != goer {
                    self.breach(format!("{after} has linked {who:?}, who is {known:?}, to {goer:?}"));
                }
                self.truth.people.extend(goer.map(|user| (who, user)));
                self.unchanged(browser, &after).await;
            }
            _ => self.unchanged(browser, &after).await,
        }
    }

    /// What the house makes of it.
    async fn comes(
        &mut self,
        browser: u8,
        to: u8,
        answer: &BTreeMap<String, String>,
        how: How,
    ) -> Vec<String> {
        let (browser, name) = (&mut self.browsers[usize::from(browser)], NAMES[usize::from(to)]);
        match how {
            How::Keeping => {
                let kept = browser.cookies.clone();
                let what = browser.back(name, answer).await;
                browser.cookies.extend(kept.into_iter().filter(|(name, _)| name.contains("-away-")));
                vec![what]
            }
            How::Twice => {
                let mut again = browser.copy();
                let (one, two) = tokio::join!(browser.back(name, answer), again.back(name, answer));
                if two == "in" || two == "new" {
                    browser.cookies = again.cookies;
                }
                vec![one, two]
            }
            _ => vec![browser.back(name, answer).await],
        }
    }

    async fn settle(&mut self, number: u8, twice: bool) {
        self.nicks += 2;
        let nicks = [format!("Player {}", self.nicks), format!("Player {}", self.nicks + 1)];
        let browser = &mut self.browsers[usize::from(number)];
        let answers = if twice {
            let mut again = browser.copy();
            let (one, two) = tokio::join!(browser.settle(&nicks[0]), again.settle(&nicks[1]));
            if two.status == 201 {
                browser.cookies = again.cookies;
            }
            vec![one, two]
        } else {
            vec![browser.settle(&nicks[0]).await]
        };
        for answer in &answers {
            let what = answer.body["code"].as_str().unwrap_or("settled");
            *self.reached.entry(what.to_owned()).or_default() += 1;
        }
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        let Some(answer) = made.first() else {
            let refusals: Vec<_> = answers.iter().map(|answer| answer.body.to_string()).collect();
            let known = self.truth.arrived.get(&number).cloned();
            let is_honest = known.is_some_and(|(who, goer, at_ms)| {
                !self.truth.people.contains_key(&who)
                    && goer.is_none()
                    && self.clock.now_ms() < at_ms + TOO_LATE_MS
            });
            if is_honest {
                self.breach(format!("browser {number} has arrived, and may not settle: {refusals:?}"));
            }
            return self.unchanged(number, "settling in vain").await;
        };
        let user = answer.text("user");
        if made.len() > 1 {
            self.breach(format!("browser {number} has settled twice"));
        }
        self.truth.logins += 1;
        match self.truth.arrived.remove(&number) {
            None => self.breach(format!("browser {number} has settled without having arrived")),
            Some((who, goer, _)) => {
                if let Some(known) = self.truth.people.get(&who) {
                    let told = format!("{who:?} is {known}, and {user} too");
                    self.breach(told);
                }
                let is_new = goer.is_none_or(|goer| goer == user) && !self.truth.members.contains(&user);
                if !is_new {
                    self.breach(format!("{who:?} has become {user}, who was there"));
                }
                self.truth.people.insert(who, user.clone());
            }
        }
        self.truth.members.insert(user.clone());
        // Logins of the guest before have ended.
        self.truth.sessions.retain(|_, whose| *whose != user);
        self.truth.sessions.insert(number, user);
    }

    async fn does(&mut self, step: &Step) {
        match *step {
            Step::Walk { browser, provider, subject, links, how } => {
                let before = self.ways.len();
                self.go(browser, provider, links).await;
                if self.ways.len() > before {
                    self.authorize(before, subject);
                    let last = self.sent.len() - 1;
                    self.back(last, how).await;
                    if matches!(how, How::Keeping) {
                        self.back(last, how).await;
                    }
                    if self.truth.arrived.contains_key(&browser) {
                        self.settle(browser, false).await;
                    }
                }
            }
            Step::Go { browser, provider, links } => self.go(browser, provider, links).await,
            Step::Authorize { way, subject } if !self.ways.is_empty() => {
                self.authorize(usize::from(way) % self.ways.len(), subject);
            }
            Step::Back { answer, how } if !self.sent.is_empty() => {
                self.back(usize::from(answer) % self.sent.len(), how).await;
            }
            Step::Authorize { .. } | Step::Back { .. } => {}
            Step::Settle { browser, twice } => self.settle(browser, twice).await,
            Step::Guest { browser } => {
                if !self.truth.sessions.contains_key(&browser) {
                    let user = self.browsers[usize::from(browser)].guest("Gus").await.text("user");
                    self.truth.sessions.insert(browser, user);
                }
            }
            Step::Forget { browser } => {
                self.browsers[usize::from(browser)].cookies.clear();
                self.truth.sessions.remove(&browser);
                self.truth.arrived.remove(&browser);
                let ways = self.ways.iter().enumerate().filter(|(_, way)| way.browser == browser);
                self.truth.walked.extend(ways.map(|(number, _)| number));
            }
            Step::Wait => later(TOO_LATE_MS).await,
        }
    }
}

/// What stands between browsers and a house that does it wrong.
#[derive(Clone, Default)]
struct Wrong {
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
    answered: Arc<Mutex<BTreeMap<String, HeaderMap>>>,
}

async fn any_browser(State(wrong): State<Wrong>, mut request: Request, next: Next) -> Response {
    if request.uri().path().ends_with("/callback") {
        let all: Vec<_> =
            wrong.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.headers_mut().insert(header::COOKIE, all.join("; ").parse().unwrap());
    }
    let answer = next.run(request).await;
    for set in answer.headers().get_all(header::SET_COOKIE) {
        let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
        if name.contains("-away-") && !value.is_empty() {
            wrong.cookies.lock().unwrap().insert(name.into(), value.into());
        }
    }
    answer
}

async fn again(State(wrong): State<Wrong>, request: Request, next: Next) -> Response {
    let asked = request.uri().to_string();
    let before = wrong.answered.lock().unwrap().get(&asked).cloned();
    if let Some(headers) = before {
        let mut answer = Response::new(Body::empty());
        (*answer.status_mut(), *answer.headers_mut()) = (StatusCode::SEE_OTHER, headers);
        return answer;
    }
    let answer = next.run(request).await;
    if answer.headers().get(header::LOCATION).is_some_and(|to| to == "/#oidc=in" || to == "/#oidc=new") {
        wrong.answered.lock().unwrap().insert(asked, answer.headers().clone());
    }
    answer
}

async fn closed(request: Request, next: Next) -> Response {
    let comes_back = request.uri().path().ends_with("/callback");
    let mut answer = next.run(request).await;
    if comes_back {
        let headers = answer.headers_mut();
        headers.remove(header::SET_COOKIE);
        headers.insert(header::LOCATION, "/#oidc=bad_state".parse().unwrap());
    }
    answer
}

fn behind(fault: Option<Fault>) -> impl FnOnce(Router) -> Router {
    move |router| match fault {
        Some(Fault::AnyBrowser) => router.layer(from_fn_with_state(Wrong::default(), any_browser)),
        Some(Fault::Again) => router.layer(from_fn_with_state(Wrong::default(), again)),
        Some(Fault::Closed) => router.layer(axum::middleware::from_fn(closed)),
        // What a house would do that reads another claim than it should, providers do here: what they say of people is theirs.
        Some(Fault::OnePerson | Fault::NeverTheSame) | None => router,
    }
}

/// What the judge has found after these steps, and how often each thing has come of them.
async fn played(steps: &[Step], fault: Option<Fault>) -> (Vec<String>, BTreeMap<String, u32>) {
    let clock = Clock::starting_at(NOW_MS);
    let mut providers = Vec::new();
    for _ in 0..PROVIDERS {
        let provider = Provider::start(clock).await;
        let count = AtomicU32::new(0);
        match fault {
            Some(Fault::OnePerson) => {
                provider.is_now(|now| now.lie = Box::new(|claims| claims["sub"] = json!("s")))
            }
            Some(Fault::NeverTheSame) => provider.is_now(|now| {
                now.lie =
                    Box::new(move |claims| claims["sub"] = json!(count.fetch_add(1, Relaxed).to_string()));
            }),
            _ => {}
        }
        providers.push(provider);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cage.db");
    let named = providers.iter().zip(NAMES).map(|(provider, name)| provider.named(name, false)).collect();
    let house = House::open_behind(Place::File(file.clone()), clock, named, behind(fault)).await;
    let browsers = (0..BROWSERS).map(|_| Browser::of(&house)).collect();
    let mut world = World {
        clock,
        providers,
        browsers,
        ways: Vec::new(),
        sent: Vec::new(),
        truth: Truth::default(),
        breaches: Vec::new(),
        nicks: 0,
        reached: BTreeMap::new(),
    };
    for step in steps {
        world.does(step).await;
    }
    // As it stands written.
    let beside = Tellers::open(&Place::FileBeside(file)).unwrap();
    let (logins, identities) = beside
        .read(|tx| {
            let logins = tx.run("SELECT COUNT(*) FROM login WHERE how = 'oidc'", &[])?[0].count(0)?;
            let rows = tx.run("SELECT issuer, subject, person FROM identity", &[])?;
            let identity = |row: &cage::Row| {
                Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.text(2)?.to_owned()))
            };
            Ok((logins, rows.iter().map(identity).collect::<Result<BTreeSet<_>, cage::DbError>>()?))
        })
        .await
        .unwrap();
    if logins != world.truth.logins {
        world.breach(format!("{logins} logins, and {} ways that were walked", world.truth.logins));
    }
    let expected: BTreeSet<_> = world
        .truth
        .people
        .iter()
        .map(|((provider, subject), user)| {
            (world.providers[usize::from(*provider)].issuer().to_owned(), format!("s{subject}"), user.clone())
        })
        .collect();
    if identities != expected {
        world.breach(format!("who is who stands written as {identities:?}, and is {expected:?}"));
    }
    (world.breaches, world.reached)
}

/// What came of random steps: how often each thing, or what the judge has found, with the shortest steps to it.
fn found(fault: Option<Fault>) -> Result<BTreeMap<String, u32>, (Vec<Step>, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig {
        cases: RUNS,
        max_shrink_iters: if fault.is_some() { 0 } else { 200 },
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let all = Mutex::new(BTreeMap::<String, u32>::new());
    let result = TestRunner::new(config).run(&vec(step(), 1..STEPS), |steps| {
        let (breaches, reached) = runtime.block_on(played(&steps, fault));
        let mut all = all.lock().unwrap();
        reached.into_iter().for_each(|(what, count)| *all.entry(what).or_default() += count);
        breaches.first().map_or(Ok(()), |breach| Err(TestCaseError::fail(breach.clone())))
    });
    match result {
        Ok(()) => Ok(all.into_inner().unwrap()),
        Err(TestError::Fail(why, steps)) => Err((steps, why.to_string())),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn whatever_strangers_do_with_the_ways_nobody_is_somebody_else_nor_twice() {
    let reached = found(None).unwrap_or_else(|(steps, why)| panic!("{why}, after {steps:#?}"));
    println!("{reached:?}");
    // Strangers who get nowhere would show nothing.
    for what in ["in", "new", "settled", "linked", "bad_state", "used_state", "not_arrived"] {
        assert!(reached.contains_key(what), "{what} never came of it: {reached:?}");
    }
}

#[test]
fn a_house_that_confuses_browsers_times_or_people_is_found() {
    for fault in [Fault::AnyBrowser, Fault::Again, Fault::OnePerson, Fault::NeverTheSame, Fault::Closed] {
        assert!(found(Some(fault)).is_err(), "{fault:?}");
    }
}
