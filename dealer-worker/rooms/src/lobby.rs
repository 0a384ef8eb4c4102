//! Writing the worker's rooms up for the lobby: what has changed once a second, all of them now and then and when a relay asks.
//!
//! A line is told whole once; then only what changes all the time is told, and statistics only when they differ much and not
//! often: every hand changes them, and nobody chooses a table by the last percent.
//!
//! Of a room that is shown to its rail late a line waits here as long as the frame waits that it was written up with: who looks at the lobby is
//! of the rail.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use broker::{
    bus::Receiver,
    channel::Channel,
    lobby::{Line, LineChange, LobbyNews, TableSummary},
    node::{decode, encode},
    ports::Ports,
};
use bytes::Bytes;
use metrics::counter;
use parking_lot::Mutex;
use protocol::id::{NodeId, RoomId};
use tokio::time::{Duration, Instant, MissedTickBehavior, interval};

/// How many lines one message holds.
const LINES_PER_MESSAGE: usize = 128;

/// How many changes one message holds.
const CHANGES_PER_MESSAGE: usize = 512;

/// Statistics of a room are told so often at most.
const STATISTICS_EVERY: Duration = Duration::from_secs(30);

/// From this release on nodes read lines and changes.
const LINES_SINCE: u16 = 3;

/// So many lines of a room wait until they are due; of more the last ones count as one, which is due when the last is.
const WAITING_MAX: usize = 128;

/// Relays of the releases before forget a table of which they have heard nothing for half a minute.
const FULL_FOR_EARLIER: Duration = Duration::from_secs(10);

/// The lines of all rooms of this worker.
#[derive(Default)]
pub struct Board {
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    all: BTreeMap<RoomId, Written>,
    /// Lines that are not due yet, the oldest first, and when they are.
    late: BTreeMap<RoomId, VecDeque<(Instant, Line)>>,
    /// Rooms that differ from what was told of them in more than statistics.
    changed: BTreeSet<RoomId>,
    /// Rooms whose statistics differ much from what was told.
    drifted: BTreeSet<RoomId>,
    /// A relay has asked for all.
    wanted: bool,
}

struct Written {
    now: Line,
    told: Option<Told>,
}

struct Told {
    line: Line,
    /// When its statistics were.
    statistics_at: Instant,
}

/// What is to be told now.
#[derive(Debug, Default, PartialEq)]
struct News {
    whole: Vec<Line>,
    changes: Vec<LineChange>,
}

impl Written {
    /// Whether something else than statistics differs from what was told.
    fn has_changed(&self) -> bool {
        self.told.as_ref().is_none_or(|told| beside_statistics(&self.now) != beside_statistics(&told.line))
    }

    /// Whether statistics differ from what was told by more than a tenth.
    fn has_drifted(&self) -> bool {
        let much = |now: u64, told: u64| now.abs_diff(told).saturating_mul(10) > told;
        self.told.as_ref().is_some_and(|Told { line, .. }| {
            much(self.now.average_pot, line.average_pot)
                || much(self.now.hands_per_hour.into(), line.hands_per_hour.into())
        })
    }

    /// Puts what is to be told of the room into the news: whole, if that is asked for or cannot be said otherwise.
    fn tell(&mut self, whole: bool, now: Instant, news: &mut News) {
        let may_tell = |told: &Told| now.duration_since(told.statistics_at) >= STATISTICS_EVERY;
        let statistics = self.told.as_ref().is_none_or(|told| may_tell(told) && self.has_drifted());
        let (line, statistics_at) = match &self.told {
            Some(told) if !statistics => (with_statistics(&self.now, &told.line), told.statistics_at),
            _ => (self.now.clone(), now),
        };
        let change = self.told.as_ref().filter(|_| !whole).and_then(|told| line.since(&told.line));
        match change {
            Some(change) => news.changes.push(change),
            None => news.whole.push(line.clone()),
        }
        self.told = Some(Told { line, statistics_at });
    }
}

/// All that a line says but for statistics, to be compared.
fn beside_statistics(line: &Line) -> impl PartialEq {
    let Line {
        room,
        kind,
        name,
        game,
        big_blind,
        seats,
        taken,
        average_pot: _,
        hands_per_hour: _,
        starts_ms,
        more,
    } = line;
    ((room, kind, name, game), (big_blind, seats, taken, starts_ms, more))
}

/// The line, with the statistics of another.
fn with_statistics(line: &Line, of: &Line) -> Line {
    Line { average_pot: of.average_pot, hands_per_hour: of.hands_per_hour, ..line.clone() }
}

impl Board {
    /// Writes a room up.
    pub fn put(&self, line: Line) {
        self.lines.lock().put(line);
    }

    /// Writes a room up that is shown late: not before then.
    pub fn put_late(&self, line: Line, due: Instant) {
        let mut lines = self.lines.lock();
        let waiting = lines.late.entry(line.room.clone()).or_default();
        if waiting.len() >= WAITING_MAX {
            waiting.pop_back();
        }
        waiting.push_back((due, line));
    }

    /// Takes a room off: it is another worker's now, or has ended.
    pub fn remove(&self, room: &RoomId) {
        let mut lines = self.lines.lock();
        lines.all.remove(room);
        lines.late.remove(room);
        lines.changed.remove(room);
        lines.drifted.remove(room);
    }

    /// What is to be told now: everything, or what has changed.
    fn take(&self, everything: bool, now: Instant) -> News {
        self.lines.lock().take(everything, now)
    }
}

impl Lines {
    fn put(&mut self, line: Line) {
        let Self { all, changed, drifted, .. } = self;
        let room = line.room.clone();
        let written = match all.get_mut(&room) {
            Some(written) => {
                written.now = line;
                written
            }
            None => all.entry(room.clone()).or_insert(Written { now: line, told: None }),
        };
        for (so, rooms) in [(written.has_changed(), changed), (written.has_drifted(), drifted)] {
            if so {
                rooms.insert(room.clone())
            } else {
                rooms.remove(&room)
            };
        }
    }

    /// Writes up what is due.
    fn release(&mut self, now: Instant) {
        let mut due = Vec::new();
        self.late.retain(|_, waiting| {
            while let Some((_, line)) = waiting.pop_front_if(|(at, _)| *at <= now) {
                due.push(line);
            }
            !waiting.is_empty()
        });
        due.into_iter().for_each(|line| self.put(line));
    }

    fn take(&mut self, everything: bool, now: Instant) -> News {
        self.release(now);
        let Self { all, changed, drifted, wanted, .. } = self;
        let mut news = News::default();
        let everything = std::mem::take(wanted) || everything;
        if everything {
            all.values_mut().for_each(|written| written.tell(true, now, &mut news));
        } else {
            let due = |room: &RoomId| {
                let told = all.get(room).and_then(|written| written.told.as_ref());
                told.is_some_and(|told| now.duration_since(told.statistics_at) >= STATISTICS_EVERY)
            };
            let due: Vec<_> = drifted.iter().filter(|room| due(room)).cloned().collect();
            changed.extend(due);
            for room in changed.iter() {
                if let Some(written) = all.get_mut(room) {
                    written.tell(false, now, &mut news);
                }
            }
        }
        changed.clear();
        drifted.retain(|room| all.get(room).is_some_and(Written::has_drifted));
        news
    }
}

/// Hears relays ask for all rooms. However many ask, they get them once with the next news.
struct Ears(Arc<crate::context::Context>);

impl Receiver for Ears {
    fn deliver(&self, _channel: &str, payload: Bytes) {
        if matches!(decode(&payload), Ok(LobbyNews::Wanted)) {
            self.0.board.lines.lock().wanted = true;
        }
    }

    // The next full set comes by itself.
    fn missed(&self) {}
}

/// Tells the lobby, until it is dropped.
pub async fn run(context: Arc<crate::context::Context>) {
    let (ports, config) = (&context.ports, &context.config);
    let lobby = Channel::lobby();
    let subscription = ports.bus.subscriber(Arc::new(Ears(context.clone())));
    let mut ticks = interval(Duration::from_millis(config.bounds.lobby_ms.max(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let full_every = Duration::from_millis(config.bounds.lobby_full_ms);
    let mut told_all = None;
    let mut all_read_lines = false;
    let mut subscribed = false;
    loop {
        ticks.tick().await;
        if !subscribed {
            subscribed = subscription.subscribe(&lobby).await.is_ok();
        }
        let now = Instant::now();
        // A relay of another release may have come since, who could not read what was said.
        let read_lines = context.membership.borrow().all_speak >= LINES_SINCE;
        let other_words = std::mem::replace(&mut all_read_lines, read_lines) != read_lines;
        let full_every = if read_lines { full_every } else { full_every.min(FULL_FOR_EARLIER) };
        let everything =
            other_words || told_all.is_none_or(|told_at: Instant| now.duration_since(told_at) >= full_every);
        if everything {
            told_all = Some(now);
        }
        // Who does not read changes gets whole lines, each time.
        let news = context.board.take(everything, now);
        let messages = match read_lines {
            true => messages(&config.node, news),
            false => messages_for_earlier(&config.node, &news, &context.board),
        };
        for message in messages {
            tell(ports, &lobby, &message).await;
        }
    }
}

fn messages(node: &NodeId, news: News) -> Vec<LobbyNews> {
    let lines = |lines: &[Line]| LobbyNews::Lines { node: node.clone(), lines: lines.to_vec() };
    let mut messages: Vec<_> = news.whole.chunks(LINES_PER_MESSAGE).map(lines).collect();
    let changes =
        |changes: &[LineChange]| LobbyNews::Changes { node: node.clone(), changes: changes.to_vec() };
    messages.extend(news.changes.chunks(CHANGES_PER_MESSAGE).map(changes));
    messages
}

/// The same as relays of the releases before 3 read it: tables alone, always whole. They find out by themselves what has ended.
fn messages_for_earlier(node: &NodeId, news: &News, board: &Board) -> Vec<LobbyNews> {
    let lines = board.lines.lock();
    let told = |room: &RoomId| lines.all.get(room)?.told.as_ref().map(|told| &told.line);
    let changed = news.changes.iter().filter_map(|change| told(&change.room));
    let tables: Vec<_> = news.whole.iter().chain(changed).filter_map(TableSummary::of).collect();
    let message = |tables: &[TableSummary]| LobbyNews::Tables { node: node.clone(), tables: tables.to_vec() };
    tables.chunks(LINES_PER_MESSAGE).map(message).collect()
}

async fn tell(ports: &Ports, lobby: &Channel, news: &LobbyNews) {
    if ports.bus.publish(lobby, encode(news)).await.is_err() {
        // They come again with the next full set.
        counter!("cardhouse_lobby_news_failed_total").increment(1);
    }
}

#[cfg(test)]
mod tests {
    use broker::lobby::{FIRST_KIND, More};
    use proptest::prelude::*;

    use super::*;

    fn line(room: &str, taken: u32, pot: u64) -> Line {
        Line {
            room: RoomId::new(room).unwrap(),
            kind: FIRST_KIND.into(),
            name: room.into(),
            game: "NL Hold'em".into(),
            big_blind: 2,
            seats: 6,
            taken,
            average_pot: pot,
            hands_per_hour: 100,
            starts_ms: 0,
            more: More::of([
                ("small_blind", 1.into()),
                ("buy_in_min", 80.into()),
                ("buy_in_max", 400.into()),
                ("waiting", 0.into()),
            ]),
        }
    }

    #[test]
    fn statistics_are_told_when_they_differ_by_more_than_a_tenth_and_every_half_minute() {
        let board = Board::default();
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        board.put(line("t1", 3, 100));
        assert_eq!(board.take(false, at(0)).whole, [line("t1", 3, 100)]);
        board.put(line("t1", 3, 200));
        assert_eq!(board.take(false, at(1)), News::default(), "they were told just now");
        board.put(line("t1", 4, 200));
        let changes = board.take(false, at(2)).changes;
        assert_eq!(
            (changes[0].taken, changes[0].average_pot),
            (4, 100),
            "a seat is told at once, without them"
        );
        assert_eq!(board.take(false, at(29)), News::default());
        assert_eq!(
            board.take(false, at(30)).changes[0].average_pot,
            200,
            "though nothing has been put since"
        );
        board.put(line("t1", 4, 220));
        assert_eq!(board.take(false, at(90)), News::default(), "a tenth is not more than a tenth");
        board.put(line("t1", 4, 221));
        assert_eq!(board.take(false, at(90)).changes[0].average_pot, 221);
        assert_eq!(board.take(true, at(91)).whole, [line("t1", 4, 221)]);
    }

    #[test]
    fn lines_of_a_room_that_is_shown_late_wait_and_are_later_where_there_are_too_many_but_never_sooner() {
        let board = Board::default();
        let began = Instant::now();
        let at = |seconds: u64| began + Duration::from_secs(seconds);
        let lines = u64::try_from(2 * WAITING_MAX).unwrap();
        // One a second, each to be told after an hour.
        let due = |second: u64| at(second + 3_600);
        for second in 0..lines {
            board.put_late(line("t1", u32::try_from(second).unwrap(), 100), due(second));
            assert_eq!(board.take(true, at(second)), News::default());
        }
        assert_eq!(board.lines.lock().late[&RoomId::new("t1").unwrap()].len(), WAITING_MAX);
        let mut last = None;
        for second in 3_600..=3_600 + lines {
            let told = board.take(true, at(second)).whole;
            let taken = u64::from(told[0].taken);
            assert!(due(taken) <= at(second), "{taken} is told after {second} seconds");
            last = Some(taken);
        }
        assert_eq!(last, Some(lines - 1), "the last one comes");
        board.put_late(line("t1", 0, 100), at(4_000));
        board.remove(&RoomId::new("t1").unwrap());
        assert_eq!(board.take(true, at(9_999)), News::default(), "what was taken off does not come back");
    }

    #[test]
    fn relays_of_the_releases_before_get_whole_tables_and_nothing_else() {
        let (board, now, node) = (Board::default(), Instant::now(), NodeId::new("w").unwrap());
        board.put(line("t1", 3, 100));
        board.put(Line { kind: "queue".into(), ..line("q1", 3, 100) });
        board.take(true, now);
        board.put(line("t1", 4, 100));
        board.put(Line { kind: "queue".into(), ..line("q1", 4, 100) });
        let news = board.take(false, now);
        assert_eq!((news.whole.len(), news.changes.len()), (0, 2));
        let tables = vec![TableSummary::of(&line("t1", 4, 100)).unwrap()];
        let expected = vec![LobbyNews::Tables { node: node.clone(), tables }];
        assert_eq!(messages_for_earlier(&node, &news, &board), expected);
    }

    proptest! {
        /// Whatever is put, and whenever it is told: who hears it all knows all lines but for statistics, and these to a tenth half
        /// a minute after the last change.
        #[test]
        fn who_hears_the_news_knows_the_board(
            puts in prop::collection::vec((0..5_u8, 0..4_u32, 90..130_u64, 0..20_u64, prop::bool::weighted(0.1)), 1..60),
        ) {
            let board = Board::default();
            let mut now = Instant::now();
            let (mut known, mut truth) = (BTreeMap::new(), BTreeMap::new());
            let mut hear = |board: &Board, everything, now| {
                let News { whole, changes } = board.take(everything, now);
                known.extend(whole.into_iter().map(|line| (line.room.clone(), line)));
                for change in changes {
                    known.get_mut(&change.room).expect("told whole before").take(change);
                }
                known.clone()
            };
            for (room, taken, pot, seconds, everything) in puts {
                let line = line(&format!("t{room}"), taken, pot);
                truth.insert(line.room.clone(), line.clone());
                board.put(line);
                now += Duration::from_secs(seconds);
                let known = hear(&board, everything, now);
                for (room, line) in &truth {
                    prop_assert_eq!(&with_statistics(&known[room], line), line);
                }
            }
            let known = hear(&board, false, now + STATISTICS_EVERY);
            for (room, line) in &truth {
                prop_assert!(line.average_pot.abs_diff(known[room].average_pot) * 10 <= known[room].average_pot);
            }
        }
    }
}
