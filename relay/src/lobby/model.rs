//! The directory against a list that is filtered and sorted anew each time: whatever rooms do and viewers ask for, each viewer sees
//! the page of the list at the end of each round.

use std::{cmp::Ordering, collections::BTreeMap};

use broker::lobby::{Line, More};
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use protocol::{
    ClientOut,
    id::RoomId,
    lobby::{Delta, Row, Seen, Sort, View, Whole},
    time::UnixMs,
};
use ws::Frame;

use super::{
    directory::{Directory, NotShown},
    planted::{Planted, plant},
    shown::Form,
};
use crate::config::RelayConfig;

const VIEWERS: usize = 4;

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    /// A worker tells of rooms, whole.
    Told(Vec<Line>),
    /// A worker tells what has changed in a room, if it is there.
    Changed {
        room: u8,
        taken: u32,
        pot: u64,
        waiting: Option<u8>,
    },
    Ended(u8),
    /// A viewer asks for a view, with its number of it.
    Looks(usize, View, u8),
    LooksAway(usize),
    /// A viewer reads nothing until it does.
    Stalls(usize, bool),
    /// Time passes, and a round ends.
    Round(UnixMs),
}

fn lines() -> impl Strategy<Value = Line> {
    let names = prop::sample::select(vec!["Aspen 9", "Aspen 10", "aspen 9", "Mayfair", "Bell", "Bell 2"]);
    let games = prop::sample::select(vec!["NL Hold'em", "PL Omaha"]);
    let kinds = prop::sample::select(vec!["table", "queue"]);
    let numbers =
        (0..4_u64, prop::sample::select(vec![2_u32, 6, 9]), 0..10_u32, 0..3_u64, 0..3_u32, 0..3_u64);
    (0..12_u8, names, games, kinds, numbers, 0..2_u8).prop_map(
        |(room, name, game, kind, numbers, waiting)| {
            let (big_blind, seats, taken, average_pot, hands_per_hour, starts_ms) = numbers;
            Line {
                room: self::room(room),
                kind: kind.into(),
                name: name.into(),
                game: game.into(),
                big_blind,
                seats,
                taken: taken.min(seats),
                average_pot,
                hands_per_hour,
                starts_ms,
                more: More::of([("waiting", waiting.into()), ("small_blind", 1.into())]),
            }
        },
    )
}

fn room(number: u8) -> RoomId {
    RoomId::new(&format!("t{number}")).unwrap()
}

fn views() -> impl Strategy<Value = View> {
    let sorts = prop::sample::select(vec![
        Sort::Players,
        Sort::Blinds,
        Sort::Pot,
        Sort::Speed,
        Sort::Name,
        Sort::Starts,
    ]);
    let text = prop::sample::select(vec!["", "", "aspen", "9 ASPEN", "omaha", "bell 2 nl", "nothing"]);
    let filters = (
        prop::option::weighted(0.3, Just("table".to_owned())),
        prop::option::weighted(0.3, Just("pl OMAHA".to_owned())),
        prop::option::weighted(0.3, (0..2_u64, 2..4_u64)),
        prop::collection::vec(prop::sample::select(vec![2_u32, 6, 9]), 0..3),
        0..2_u32,
        text,
    );
    (filters, sorts, prop::option::of(any::<bool>()), 0..6_u32, 1..6_u32).prop_map(
        |((kind, game, bb, seats, free, text), sort, desc, from, count)| View {
            kind,
            game,
            bb,
            seats,
            free,
            text: text.into(),
            sort,
            desc,
            from,
            count,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let changed = (0..12_u8, 0..3_u32, 0..3_u64, prop::option::of(0..2_u8));
    let step = prop_oneof![
        4 => prop::collection::vec(lines(), 1..6).prop_map(Step::Told),
        4 => changed.prop_map(|(room, taken, pot, waiting)| Step::Changed { room, taken, pot, waiting }),
        1 => (0..12_u8).prop_map(Step::Ended),
        3 => (0..VIEWERS, views(), 0..3_u8).prop_map(|(viewer, view, v)| Step::Looks(viewer, view, v)),
        1 => (0..VIEWERS).prop_map(Step::LooksAway),
        2 => (0..VIEWERS, any::<bool>()).prop_map(|(viewer, stalls)| Step::Stalls(viewer, stalls)),
        6 => (0..40_u64).prop_map(Step::Round),
    ];
    prop::collection::vec(step, 1..80)
}

/// All rooms, and when each was heard of last.
#[derive(Default, Clone)]
struct List(BTreeMap<RoomId, (Line, UnixMs)>);

impl List {
    fn told(&mut self, line: Line, now_ms: UnixMs) {
        self.0.insert(line.room.clone(), (line, now_ms));
    }

    fn change(&mut self, room: &RoomId, now_ms: UnixMs, change: impl FnOnce(&mut Line)) {
        if let Some((line, heard_ms)) = self.0.get_mut(room) {
            change(line);
            *heard_ms = now_ms;
        }
    }

    fn fitting(&self, view: &View) -> Vec<&Line> {
        let words: Vec<String> = view.text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let fits = |line: &&Line| {
            let said = format!("{} {}", line.name, line.game).to_lowercase();
            view.kind.as_ref().is_none_or(|kind| line.kind == *kind)
                && view.game.as_ref().is_none_or(|game| line.game.to_lowercase() == game.to_lowercase())
                && view.bb.is_none_or(|(from, to)| from <= line.big_blind && line.big_blind <= to)
                && (view.seats.is_empty() || view.seats.contains(&line.seats))
                && line.taken + view.free <= line.seats
                && words.iter().all(|word| said.contains(word.as_str()))
        };
        let mut lines: Vec<&Line> = self.0.values().map(|(line, _)| line).filter(fits).collect();
        lines.sort_by(|a, b| order(view, a, b));
        lines
    }

    fn seen(&self, view: &View) -> (u64, Vec<Row>) {
        let lines = self.fitting(view);
        let page = lines.iter().skip(view.from as usize).take(view.count as usize);
        (lines.len() as u64, page.map(|line| line.row()).collect())
    }
}

fn order(view: &View, a: &Line, b: &Line) -> Ordering {
    // As people count, in the few names that there are here.
    let name = |line: &Line| {
        let words: Vec<String> = line.name.to_lowercase().split(' ').map(str::to_owned).collect();
        let number = words.get(1).map_or(0, |number| number.parse::<u32>().unwrap());
        (words[0].clone(), number)
    };
    let by_name = (name(a), &a.room).cmp(&(name(b), &b.room));
    let turn = |by: Ordering| if view.falls() { by.reverse() } else { by };
    match view.sort {
        Sort::Players => turn(a.taken.cmp(&b.taken)).then(by_name),
        Sort::Blinds => turn(a.big_blind.cmp(&b.big_blind)).then(by_name),
        Sort::Pot => turn(a.average_pot.cmp(&b.average_pot)).then(by_name),
        Sort::Speed => turn(a.hands_per_hour.cmp(&b.hands_per_hour)).then(by_name),
        Sort::Name => turn(by_name),
        Sort::Starts => {
            let never = (a.starts_ms == 0).cmp(&(b.starts_ms == 0));
            never.then(turn(a.starts_ms.cmp(&b.starts_ms))).then(by_name)
        }
    }
}

struct Viewer {
    view: View,
    key: usize,
    form: Form,
    version: u64,
    seen: Seen,
    stalls: bool,
}

fn message(frame: &Frame) -> ClientOut {
    let bytes = frame.as_bytes();
    let begin = bytes.windows(4).position(|four| four == br#"{"t""#).expect("a message");
    serde_json::from_slice(&bytes[begin..]).unwrap()
}

impl Viewer {
    fn receive(&mut self, frame: &Frame, version: u64) {
        self.version = version;
        let Form::Page(v) = self.form else { unreachable!("the model looks at pages") };
        match message(frame) {
            ClientOut::Lobby(Whole::Page(page)) => {
                assert_eq!(page.v, v);
                self.seen = Seen::begin(page);
            }
            ClientOut::LobbyDelta(Delta::Page(delta)) => {
                assert_eq!(delta.v, v);
                self.seen.fold(delta);
            }
            other => panic!("{other:?}"),
        }
    }

    fn sees(&self, list: &List) -> Result<(), TestCaseError> {
        let rows: Vec<_> = self.seen.rows().cloned().collect();
        prop_assert_eq!(
            (self.seen.total, &rows),
            (list.seen(&self.view).0, &list.seen(&self.view).1),
            "{:?}",
            self.view
        );
        prop_assert_eq!(self.seen.kept(), rows.len(), "nothing else is kept");
        Ok(())
    }
}

/// Plays the steps; at the end of each round everybody who reads sees the list, if all pages could be made.
fn play(steps: &[Step], rows_per_round_max: usize) -> Result<(), TestCaseError> {
    let config = RelayConfig {
        lobby_forget_ms: 100,
        lobby_rows_per_round_max: rows_per_round_max,
        ..RelayConfig::default()
    };
    let is_bounded = rows_per_round_max < 1_000;
    let (mut directory, mut now_ms) = (Directory::default(), 1_000);
    let (mut list, mut shown) = (List::default(), List::default());
    let mut viewers: [Option<Viewer>; VIEWERS] = Default::default();
    let round = |directory: &mut Directory, list: &mut List, viewers: &mut [Option<Viewer>], now_ms| {
        list.0.retain(|_, (_, heard_ms)| now_ms < *heard_ms + config.lobby_forget_ms);
        directory.begin_round(&config, now_ms);
        while directory.look_on() {}
        for viewer in viewers.iter_mut().flatten().filter(|viewer| !viewer.stalls) {
            if let Some((frame, version)) = directory.news_since(viewer.key, viewer.form, viewer.version) {
                viewer.receive(&frame, version);
            }
        }
    };
    for step in steps {
        match step.clone() {
            Step::Told(lines) => {
                lines.iter().for_each(|line| list.told(line.clone(), now_ms));
                directory.hear_lines(lines, &config, now_ms);
            }
            Step::Changed { room: number, taken, pot, waiting } => {
                let room = room(number);
                let Some((line, _)) = list.0.get(&room) else { continue };
                let mut after = Line { taken: taken.min(line.seats), average_pot: pot, ..line.clone() };
                match waiting {
                    Some(waiting) => _ = after.more.0.insert("waiting".into(), waiting.into()),
                    None => _ = after.more.0.remove("waiting"),
                }
                let change = after.since(line).expect("no more than changes");
                list.change(&room, now_ms, |line| *line = after);
                directory.hear_changes(vec![change], now_ms);
            }
            Step::Ended(number) => {
                list.0.remove(&room(number));
                directory.hear_end(&room(number), now_ms);
            }
            Step::Looks(viewer, view, v) => {
                let asked = view.clone().normalised();
                let key = match directory.show(&asked, &config) {
                    Ok(key) => key,
                    Err(NotShown::NotNow) => {
                        prop_assert!(is_bounded);
                        continue;
                    }
                    Err(NotShown::TooMany) => panic!("there are few views"),
                };
                if let Some(before) = viewers[viewer].take() {
                    directory.hide(before.key);
                }
                let (form, seen) = (Form::Page(v), Seen::default());
                let (frame, version) = directory.whole(key, form);
                let mut looking = Viewer { view, key, form, version, seen, stalls: false };
                looking.receive(&frame, version);
                if !is_bounded {
                    looking.sees(&shown)?;
                }
                viewers[viewer] = Some(looking);
            }
            Step::LooksAway(viewer) => {
                if let Some(before) = viewers[viewer].take() {
                    directory.hide(before.key);
                }
            }
            Step::Stalls(viewer, stalls) => {
                if let Some(viewer) = &mut viewers[viewer] {
                    viewer.stalls = stalls;
                }
            }
            Step::Round(ms) => {
                now_ms += ms;
                round(&mut directory, &mut list, &mut viewers, now_ms);
                shown = list.clone();
                for viewer in viewers.iter().flatten().filter(|viewer| !viewer.stalls && !is_bounded) {
                    viewer.sees(&shown)?;
                }
            }
        }
    }
    // Each round brings one page at least, and those who have waited come first.
    for _ in 0..=VIEWERS {
        round(&mut directory, &mut list, &mut viewers, now_ms);
    }
    viewers.iter().flatten().filter(|viewer| !viewer.stalls).try_for_each(|viewer| viewer.sees(&list))?;
    for viewer in viewers.into_iter().flatten() {
        directory.hide(viewer.key);
    }
    prop_assert!(directory.is_bare(), "what nobody looks at costs nothing");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_viewer_sees_the_page_of_a_naive_list_after_every_round(steps in steps()) {
        play(&steps, 1_000_000)?;
    }

    #[test]
    fn pages_that_a_round_has_no_time_for_come_in_the_next_ones(steps in steps(), max in 1..30_usize) {
        play(&steps, max)?;
    }
}

#[test]
fn no_page_waits_for_ever_however_much_changes() {
    let config = |rows| RelayConfig {
        lobby_rows_per_round_max: rows,
        lobby_forget_ms: 1_000,
        ..RelayConfig::default()
    };
    let mut directory = Directory::default();
    let tell = |directory: &mut Directory, taken, config: &RelayConfig| {
        let more = More::of([("waiting", 0.into())]);
        let (kind, name, game) = ("table".into(), "Aspen".into(), "NL Hold'em".into());
        let (big_blind, seats, average_pot, hands_per_hour, starts_ms) = (2, 9, 0, 0, 0);
        let room = room(1);
        let line = Line {
            room,
            kind,
            name,
            game,
            big_blind,
            seats,
            taken,
            average_pot,
            hands_per_hour,
            starts_ms,
            more,
        };
        directory.hear_lines(vec![line], config, 1);
        directory.begin_round(config, 1);
        while directory.look_on() {}
    };
    tell(&mut directory, 0, &config(1_000));
    let views = (1..=4).map(|count| View { count, ..View::default() }.normalised());
    let keys: Vec<usize> =
        views.map(|view| directory.show(&view, &config(1_000)).expect("there is time")).collect();
    for taken in 1..=4 {
        tell(&mut directory, taken, &config(1));
    }
    let versions: Vec<u64> = keys.iter().map(|key| directory.version(*key)).collect();
    assert_eq!(versions, [2; 4], "each round has time for one page, and each page has had its turn");
}

#[test]
fn planted_faults_are_found() {
    for fault in [
        Planted::ForgetsWhatWas,
        Planted::ForgetsWhatCameBefore,
        Planted::TellsLastNewsOnly,
        Planted::KeepsOldPages,
    ] {
        let config = ProptestConfig {
            cases: 4_096,
            max_shrink_iters: 0,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        plant(Some(fault));
        // Always the same cases: whether it is found is no matter of luck.
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let found = TestRunner::new_with_rng(config, rng).run(&steps(), |steps| play(&steps, 1_000_000));
        plant(None);
        assert!(found.is_err(), "{fault:?} is not found");
    }
}
