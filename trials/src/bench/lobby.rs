//! `lobby`: thousands of viewers of a lobby of thousands of tables, by some hundred views. Tables are told by this process in place of
//! dealer workers; the floor writes as many bytes in as many frames to plain sockets.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
};

use anyhow::Context;
use broker::{
    bus::Bus,
    channel::Channel,
    lobby::{FIRST_KIND, Line, LobbyNews, More},
    node::encode,
};
use futures_util::{SinkExt, StreamExt, stream};
use player::connect::Socket;
use protocol::{
    ClientIn, ClientOut,
    id::{NodeId, RoomId},
    lobby::{Delta, Seen, Sort, View, Whole},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::{
    task::{AbortHandle, spawn_local},
    time::{Duration, Instant, interval, sleep},
};
use tokio_websockets::Message;

use super::{
    args::BenchArgs,
    connection::{enter, hello},
    figures::Run,
    rail::{Spectators, measure_floor},
    stage::{Stage, Tables},
};

const RELAYS: usize = 2;

/// Connections being opened at the same time.
const OPENING_MAX: usize = 128;

/// After the last connection, before memory is looked at: what was lent for opening is given back.
const SETTLE: Duration = Duration::from_secs(3);

/// Lines in one message, as dealer workers have it.
const LINES_PER_MESSAGE: usize = 128;

/// Each second one table of so many changes: half of them in seats, half in statistics.
const CHANGES_EVERY: usize = 50;

/// One run.
///
/// # Errors
/// When the machine does not allow so many open files, or something breaks.
pub async fn run(args: &BenchArgs) -> anyhow::Result<Run> {
    let tables = *args.tables.first().context("a number of tables")?;
    let stage = Stage::start(RELAYS, Tables::of(0), args.no_build).await?;
    // Until the relays listen.
    sleep(SETTLE).await;
    let mut house = House::open(stage.ports().await?.bus, tables).await?;
    sleep(SETTLE).await;
    let before_bytes = stage.relays_memory_bytes()?;
    let watched = Rc::new(Watched::default());
    let first_pages = watched.open(&stage, args).await?;
    sleep(SETTLE).await;
    let bytes_held = stage.relays_memory_bytes()?.saturating_sub(before_bytes);

    // Until all that the opening has left behind is told.
    house.play(SETTLE).await?;
    watched.count();
    let before = stage.snapshot()?;
    let played = house.play(Duration::from_secs(args.seconds)).await?;
    // What was told last is on its way for a round.
    sleep(Duration::from_millis(1_500)).await;
    let cost = stage.cost_since(&before)?;
    let (deliveries, bytes) = (watched.deliveries.get(), watched.bytes.get());
    let wrong_rows = watched.wrong_rows(&house.lines);
    watched.reading.borrow().iter().for_each(AbortHandle::abort);
    stage.end().await;

    anyhow::ensure!(deliveries > 0, "nobody heard anything");
    let viewers = args.viewers as f64;
    let frame_bytes = bytes / deliveries;
    let floor = measure_floor(
        &Spectators { count: args.viewers, frames_per_s: 1, seconds: args.seconds },
        frame_bytes.max(200),
    )
    .await?;
    let mut run = Run::default();
    run.compare(
        "cpu_us_per_delivery",
        cost.relays.us as f64 / deliveries as f64,
        floor.relay_us_per_delivery,
    );
    run.tell("bytes_per_s_and_viewer", bytes as f64 / cost.seconds / viewers);
    run.tell("deliveries_per_s_and_viewer", deliveries as f64 / cost.seconds / viewers);
    run.tell("delta_bytes", frame_bytes as f64);
    run.tell("first_page_bytes", first_pages.iter().sum::<usize>() as f64 / first_pages.len() as f64);
    run.tell("first_page_bytes_max", first_pages.iter().copied().max().unwrap_or(0) as f64);
    run.tell("rss_bytes_per_viewer", bytes_held as f64 / viewers);
    run.tell("relays_cores", cost.relays.us as f64 / 1e6 / cost.seconds);
    run.tell("changes_per_s", played as f64 / cost.seconds);
    run.tell("wrong_rows", wrong_rows as f64);
    run.tell("generator_cores", cost.generator_cores());
    Ok(run)
}

/// Tables that change, as dealer workers tell of them.
struct House {
    bus: Arc<dyn Bus>,
    node: NodeId,
    lines: BTreeMap<RoomId, Line>,
    rooms: Vec<RoomId>,
    rng: ChaCha8Rng,
}

impl House {
    async fn open(bus: Arc<dyn Bus>, tables: usize) -> anyhow::Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let lines: BTreeMap<RoomId, Line> = (0..tables)
            .map(|index| {
                let line = line(index, &mut rng);
                (line.room.clone(), line)
            })
            .collect();
        let rooms = lines.keys().cloned().collect();
        let house = Self { bus, node: NodeId::new("bench")?, lines, rooms, rng };
        let all: Vec<Line> = house.lines.values().cloned().collect();
        for lines in all.chunks(LINES_PER_MESSAGE) {
            house.tell(&LobbyNews::Lines { node: house.node.clone(), lines: lines.to_vec() }).await?;
        }
        Ok(house)
    }

    async fn tell(&self, news: &LobbyNews) -> anyhow::Result<()> {
        self.bus.publish(&Channel::lobby(), encode(news)).await?;
        Ok(())
    }

    /// Lets tables change for so long; how many changes were told.
    async fn play(&mut self, how_long: Duration) -> anyhow::Result<usize> {
        let end = Instant::now() + how_long;
        let mut seconds = interval(Duration::from_secs(1));
        let mut told = 0;
        while Instant::now() < end {
            seconds.tick().await;
            let mut before = BTreeMap::new();
            for number in 0..(self.rooms.len() / CHANGES_EVERY).max(1) {
                let room = self.rooms[self.rng.random_range(0..self.rooms.len())].clone();
                let line = self.lines.get_mut(&room).context("it is there")?;
                before.entry(room).or_insert_with(|| line.clone());
                if number % 2 == 0 {
                    let comes = line.taken == 0 || (line.taken < line.seats && self.rng.random());
                    line.taken = if comes { line.taken + 1 } else { line.taken - 1 };
                    line.more.0.insert("waiting".into(), self.rng.random_range(0..2_u8).into());
                } else {
                    line.average_pot = line.average_pot * self.rng.random_range(80..125) / 100 + 1;
                    line.hands_per_hour = self.rng.random_range(60..110);
                }
            }
            let change = |(room, before): (RoomId, Line)| self.lines[&room].since(&before);
            let changes: Vec<_> = before.into_iter().filter_map(change).collect();
            told += changes.len();
            self.tell(&LobbyNews::Changes { node: self.node.clone(), changes }).await?;
        }
        Ok(told)
    }
}

const GAMES: [&str; 4] = ["NL Hold'em", "PL Omaha", "PL Omaha 5", "NL Short Deck"];
const BLINDS: [u64; 8] = [2, 4, 10, 20, 50, 100, 200, 1_000];

fn line(index: usize, rng: &mut ChaCha8Rng) -> Line {
    let big_blind = BLINDS[rng.random_range(0..BLINDS.len())];
    let seats = [2, 6, 9][rng.random_range(0..3)];
    Line {
        room: RoomId::new(&format!("t{}", index + 1)).expect("t and digits are a name"),
        kind: FIRST_KIND.into(),
        name: format!("{} {}", ["Aspen", "Mayfair", "Deadwood", "Tombstone"][index % 4], index + 1),
        game: GAMES[rng.random_range(0..GAMES.len())].into(),
        big_blind,
        seats,
        taken: rng.random_range(0..=seats),
        average_pot: big_blind * rng.random_range(5..30),
        hands_per_hour: rng.random_range(60..110),
        starts_ms: 0,
        more: More::of([
            ("small_blind", (big_blind / 2).into()),
            ("buy_in_min", (big_blind * 40).into()),
            ("buy_in_max", (big_blind * 200).into()),
            ("waiting", 0.into()),
        ]),
    }
}

/// Different views: what people choose, and their later pages.
fn views(count: usize) -> Vec<View> {
    let sorts = [Sort::Players, Sort::Blinds, Sort::Pot, Sort::Name, Sort::Speed];
    let view = |number: usize| {
        let of = |choices: usize, before: usize| number / before % choices;
        let stakes = of(5, sorts.len());
        View {
            kind: Some(FIRST_KIND.into()),
            sort: sorts[number % sorts.len()],
            bb: (stakes > 0).then(|| (BLINDS[stakes * 2 - 2], BLINDS[stakes * 2 - 1])),
            free: of(2, 25) as u32,
            game: (of(5, 50) > 0).then(|| GAMES[of(5, 50) - 1].to_owned()),
            from: 30 * (number / 250) as u32,
            ..View::default()
        }
    };
    (0..count).map(view).collect()
}

/// What viewers count.
#[derive(Default)]
struct Watched {
    counts: Cell<bool>,
    deliveries: Cell<u64>,
    bytes: Cell<u64>,
    /// Of one viewer of each view.
    seen: RefCell<BTreeMap<usize, Seen>>,
    reading: RefCell<Vec<AbortHandle>>,
}

impl Watched {
    /// Opens all connections; how long the first pages were, bytes.
    async fn open(self: &Rc<Self>, stage: &Stage, args: &BenchArgs) -> anyhow::Result<Vec<usize>> {
        let views = &views(args.views);
        let opening = stream::iter(0..args.viewers).map(|number| async move {
            let token = stage.token(&format!("viewer{number}"));
            let mut socket = enter(&stage.dialer(number)?, hello(&token, None)).await?.socket;
            let view = Some(Box::new(views[number % views.len()].clone()));
            let look = serde_json::to_string(&ClientIn::Lobby { on: true, v: Some(1), view })?;
            socket.send(Message::text(look)).await?;
            loop {
                let message = socket.next().await.context("ended")??;
                let page = message.as_text().filter(|text| text.starts_with(r#"{"t":"lobby""#));
                if let Some(text) = page {
                    return anyhow::Ok((number, socket, text.to_owned()));
                }
            }
        });
        let mut opening = opening.buffer_unordered(OPENING_MAX);
        let mut first_pages = Vec::with_capacity(args.viewers);
        while let Some(opened) = opening.next().await {
            let (number, socket, page) = opened?;
            first_pages.push(page.len());
            let one_of_its_view = (number < args.views).then_some(number);
            if let Some(number) = one_of_its_view {
                self.fold(number, &page)?;
            }
            let reading = spawn_local(self.clone().read(socket, one_of_its_view));
            self.reading.borrow_mut().push(reading.abort_handle());
        }
        Ok(first_pages)
    }

    async fn read(self: Rc<Self>, mut socket: Socket, folds: Option<usize>) {
        while let Some(Ok(message)) = socket.next().await {
            let Some(text) = message.as_text().filter(|text| text.starts_with(r#"{"t":"lobby"#)) else {
                continue;
            };
            if self.counts.get() {
                self.deliveries.set(self.deliveries.get() + 1);
                self.bytes.set(self.bytes.get() + text.len() as u64);
            }
            if let Some(number) = folds {
                self.fold(number, text).expect("the relay says what can be read");
            }
        }
    }

    fn fold(&self, number: usize, text: &str) -> anyhow::Result<()> {
        let mut seen = self.seen.borrow_mut();
        match serde_json::from_str(text)? {
            ClientOut::Lobby(Whole::Page(page)) => _ = seen.insert(number, Seen::begin(page)),
            ClientOut::LobbyDelta(Delta::Page(delta)) => {
                seen.get_mut(&number).context("a page comes first")?.fold(delta);
            }
            other => anyhow::bail!("not of a page: {other:?}"),
        }
        Ok(())
    }

    fn count(&self) {
        self.counts.set(true);
    }

    /// Rows that the viewers see otherwise than they are.
    fn wrong_rows(&self, lines: &BTreeMap<RoomId, Line>) -> usize {
        let seen = self.seen.borrow();
        let rows = seen.values().flat_map(Seen::rows);
        rows.filter(|row| lines.get(&row.room).is_none_or(|line| line.row() != **row)).count()
    }
}
