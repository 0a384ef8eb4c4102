//! What stands on a disk after it failed, and after the machine did, at each of its changes.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::RwLock;
use protocol::id::{Position, RoomId};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::oneshot;

use super::{
    FileStore, OpenError, Unreadable,
    disk::{
        Disk as _,
        made_up::{Failure, Lie, MadeUpDisk},
    },
    frame::{self, Change, frame, head},
    keeper::{Keeper, Request, Shared, Wish},
    log::Log,
};
use crate::{
    clock::Clock,
    store::{AppendError, Store as _, shelf::Shelf},
};

/// Files are replaced all the time.
const GROWTH_MIN: u64 = 2_000;

fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

/// A keeper that is asked by hand, and what must stand.
struct Life {
    disk: MadeUpDisk,
    shared: Arc<Shared>,
    keeper: Keeper,
    /// All that was acknowledged.
    sure: Shelf,
    /// This may stand instead.
    maybe: Option<Shelf>,
}

impl Life {
    fn begin(disk: &MadeUpDisk) -> Result<Self, OpenError> {
        let clock = Clock::starting_at(0);
        let (log, shelf) = Log::open(Box::new(disk.clone()), 0, GROWTH_MIN)?;
        let shared = Arc::new(Shared {
            shelf: RwLock::new(shelf.clone()),
            is_unsettled: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            clock,
        });
        let keeper = Keeper::new(log, shared.clone());
        Ok(Self { disk: disk.clone(), shared, keeper, sure: shelf, maybe: None })
    }

    /// Wishes for this in one group, and notes what it came to.
    fn wish(&mut self, wishes: Vec<Wish>) {
        let mut after = self.sure.clone();
        let (mut waiting, mut answers) = (VecDeque::new(), Vec::new());
        for wish in wishes {
            match &wish {
                Wish::Append { room, at, entry, keep_from, .. } => {
                    after.append(room, *at, entry.clone(), *keep_from);
                }
                Wish::Set { map, field, value, .. } => drop(after.set(map, field, Some(value.clone()))),
                Wish::Remove { map, field } => drop(after.set(map, field, None)),
                Wish::Expire { room, seconds } => {
                    if let Some(at_ms) = after.expiry(room, *seconds, 0) {
                        after.expire(room, at_ms);
                    }
                }
                Wish::Probe => {}
            }
            let (answer, answered) = oneshot::channel();
            waiting.push_back(Request { wish, answer });
            answers.push(answered);
        }
        let generation = self.shared.generation.load(Ordering::SeqCst);
        let mut is_settled = !self.shared.is_unsettled.load(Ordering::SeqCst);
        while !waiting.is_empty() {
            self.keeper.turn(&mut waiting);
        }
        if self.shared.generation.load(Ordering::SeqCst) != generation {
            // Another file tells what is sure, and nothing else.
            (is_settled, self.maybe) = (true, None);
        }
        let answers = answers.into_iter().map(|mut answer| answer.try_recv().unwrap());
        match answers.collect::<Result<Vec<_>, _>>() {
            Ok(_) => (self.sure, self.maybe) = (after, None),
            Err(AppendError::Unavailable(_)) if is_settled => self.maybe = Some(after),
            Err(AppendError::Unavailable(_) | AppendError::Refused(_)) => {}
            Err(error) => panic!("{error}"),
        }
        assert_eq!(*self.shared.shelf.read(), self.sure, "what is read is what stands");
    }

    /// A group of wishes about different things, all of which may be done.
    fn wish_by_chance(&mut self, chance: &mut ChaCha8Rng) {
        let mut wishes = Vec::new();
        for name in ["t1", "t2", "t3"] {
            if chance.random_ratio(1, 2) {
                continue;
            }
            let room = room(name);
            let last = self.sure.journals.get(&room).map_or(0, |journal| journal.last.1.0);
            let at = Position::new(1, last + chance.random_range(1..3));
            let entry = vec![chance.random(); chance.random_range(0..300)].into();
            let keep_from = chance.random_ratio(1, 4).then(|| Position::new(1, last));
            wishes.push(Wish::Append { room, at, entry, keep_from, may_begin: true });
        }
        let (map, field) = ("m".to_owned(), chance.random_range(0..4).to_string());
        wishes.push(match chance.random_range(0..4) {
            0 => Wish::Probe,
            1 => Wish::Remove { map, field },
            2 => Wish::Expire { room: room("t4"), seconds: 1 },
            _ => Wish::Set { map, field, value: vec![chance.random(); 40].into(), only_new: false },
        });
        self.wish(wishes);
    }

    /// The machine crashes, and the folder is opened again. What stands must be what was acknowledged, or that and the last group whole.
    fn crash(self, chance: &mut ChaCha8Rng) -> Self {
        let disk = self.disk.after_crash(chance);
        let next = Self::begin(&disk).expect("what a crash leaves can be read");
        assert!(
            next.sure == self.sure || Some(&next.sure) == self.maybe.as_ref(),
            "what was acknowledged is not what stands"
        );
        next
    }
}

/// Lives of a store with failures by chance, and a crash at the end of each.
fn lives(seed: u64, lie: Option<Lie>) {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let disk = MadeUpDisk::default();
    if let Some(lie) = lie {
        disk.lie(lie);
    }
    let mut life = Life::begin(&disk).unwrap();
    for _ in 0..4 {
        for _ in 0..chance.random_range(1..12) {
            if chance.random_ratio(1, 4) {
                let how = if chance.random_ratio(1, 5) { Failure::Crash } else { Failure::Once };
                life.disk.fail_at(life.disk.changes() + chance.random_range(0..6), how);
            }
            life.wish_by_chance(&mut chance);
        }
        life = life.crash(&mut chance);
    }
}

#[test]
fn whatever_fails_and_crashes_what_was_acknowledged_stands_and_nothing_else() {
    (0..600).for_each(|seed| lives(seed, None));
}

#[test]
fn a_crash_at_each_change_of_the_disk_loses_nothing() {
    let script = |life: &mut Life| {
        let mut chance = ChaCha8Rng::seed_from_u64(7);
        (0..14).for_each(|_| life.wish_by_chance(&mut chance));
    };
    let whole = MadeUpDisk::default();
    let mut life = Life::begin(&whole).unwrap();
    let began = whole.changes();
    script(&mut life);
    assert!(whole.names().unwrap()[0].as_str() > "journals.1", "the file was replaced meanwhile");
    for at in began..whole.changes() {
        for (how, seed) in
            [Failure::Crash, Failure::Once].into_iter().flat_map(|how| (0..4).map(move |seed| (how, seed)))
        {
            let disk = MadeUpDisk::default();
            let mut life = Life::begin(&disk).unwrap();
            disk.fail_at(at, how);
            script(&mut life);
            life.crash(&mut ChaCha8Rng::seed_from_u64(seed));
        }
    }
}

#[test]
fn a_store_that_did_not_sync_would_be_found() {
    for lie in [Lie::Content, Lie::Names] {
        let is_found = |seed| catch_unwind(AssertUnwindSafe(|| lives(seed, Some(lie)))).is_err();
        assert!((0..50).any(is_found), "{lie:?}");
    }
}

/// A file with three groups, the first of which says that all is told.
fn file() -> (Vec<u8>, Vec<usize>) {
    let salt = [9; 16];
    let set =
        |field: &str| Change::Set { map: "m".into(), field: field.into(), value: Bytes::from_static(b"v") };
    let groups = [vec![Change::Whole], vec![set("a")], vec![set("b"), set("c")]];
    let mut bytes = head(&salt);
    let ends = groups.iter().zip(0..).map(|(group, number)| {
        bytes.extend(frame(&salt, number, group));
        bytes.len()
    });
    let ends = ends.collect();
    (bytes, ends)
}

fn fields(bytes: &[u8]) -> Result<usize, Unreadable> {
    frame::read(bytes).map(|shelf| shelf.map_fields("m").len())
}

#[test]
fn a_group_that_is_torn_at_the_end_was_not_written_and_damage_before_is_refused() {
    let (whole, ends) = file();
    assert_eq!(fields(&whole), Ok(3));
    for len in 0..whole.len() {
        let found = fields(&whole[..len]);
        match ends.iter().filter(|end| **end <= len).count() {
            // It had no name yet.
            0 => assert!(matches!(found, Err(Unreadable::Damaged(_))), "{len}: {found:?}"),
            groups => assert_eq!(found, Ok([0, 1, 3][groups - 1]), "{len}"),
        }
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let found = fields(&bytes);
        match at {
            8..10 => assert!(matches!(found, Err(Unreadable::Later(_))), "{at}: {found:?}"),
            // The last group may as well have been torn.
            at if at >= ends[1] => assert_eq!(found, Ok(1), "{at}"),
            _ => assert!(matches!(found, Err(Unreadable::Damaged(_))), "{at}: {found:?}"),
        }
    }
}

#[test]
fn what_people_write_is_not_taken_for_a_group() {
    let (salt, theirs) = ([9; 16], [8; 16]);
    let forged = frame(&theirs, 7, &[Change::Whole]);
    let entry =
        Change::Append { room: room("t1"), at: Position::new(1, 1), entry: forged.into(), keep_from: None };
    let mut bytes = [head(&salt), frame(&salt, 0, &[Change::Whole]), frame(&salt, 1, &[entry])].concat();
    bytes.pop();
    assert_eq!(frame::read(&bytes), Ok(Shelf::default()), "the group is torn, and holds none");
}

/// What the first release has written, byte for byte.
const GOLDEN: &[u8] = include_bytes!("../../../tests/golden/store-v1.bin");

#[test]
fn what_the_first_release_has_written_is_read() {
    let salt = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let at = |seq| Position::new(3, seq);
    let entry = |text: &'static str| Bytes::from_static(text.as_bytes());
    let append = |seq, text, keep_from| Change::Append {
        room: room("t1"),
        at: at(seq),
        entry: entry(text),
        keep_from,
    };
    let groups = [
        vec![
            append(1, "one", None),
            Change::Journal { room: room("t1"), last: at(2), expires_ms: None },
            Change::Journal { room: room("t2"), last: at(9), expires_ms: Some(1_800_000_000_000) },
            Change::Set { map: "rooms".into(), field: "t1".into(), value: entry("x") },
            Change::Set { map: "rooms".into(), field: "t9".into(), value: entry("y") },
            Change::Whole,
        ],
        vec![append(3, "three", None), Change::Remove { map: "rooms".into(), field: "t9".into() }],
        vec![append(4, "four", Some(at(3))), Change::Expire { room: room("t2"), at_ms: 1_900_000_000_000 }],
        vec![
            Change::Journal { room: room("t3"), last: at(1), expires_ms: None },
            Change::Vanish { room: room("t3") },
        ],
    ];
    let frames = groups.iter().zip(0..).flat_map(|(group, number)| frame(&salt, number, group));
    let written: Vec<u8> = head(&salt).into_iter().chain(frames).collect();
    if std::env::var_os("CARDHOUSE_WRITE_GOLDEN").is_some() {
        std::fs::write("tests/golden/store-v1.bin", &written).unwrap();
    }
    assert_eq!(written, GOLDEN, "and is written so for ever");
    let shelf = frame::read(GOLDEN).unwrap();
    let texts: Vec<_> = shelf.read(&room("t1"), None, 9, 0).into_iter().map(|stored| stored.bytes).collect();
    assert_eq!(texts, ["three", "four"]);
    assert_eq!(shelf.journals[&room("t2")].expires_ms, Some(1_900_000_000_000));
    assert!(!shelf.has(&room("t3"), 0));
    assert_eq!(shelf.map_all("rooms"), [("t1".to_owned(), entry("x"))]);
}

#[tokio::test]
async fn a_folder_keeps_what_was_written_and_lets_in_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a").join("b");
    let (t1, at) = (room("t1"), Position::new(1, 1));
    let first = FileStore::open(&path, Clock::system()).unwrap();
    first.append(&t1, at, Bytes::from_static(b"one"), None).await.unwrap();
    assert!(matches!(FileStore::open(&path, Clock::system()), Err(OpenError::InUse)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for entry in std::fs::read_dir(&path).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0, "nobody else's");
        }
    }
    // Whoever holds another handle still writes.
    let second = first.clone();
    drop(first);
    second.map_set("m", "f", Bytes::from_static(b"x")).await.unwrap();
    drop(second);
    let again = FileStore::open(&path, Clock::system()).unwrap();
    assert_eq!(again.read(&t1, None, 9).await.unwrap()[0].bytes, "one");
    assert_eq!(again.map_get("m", "f").await.unwrap().unwrap(), "x");
    drop(again);

    let names = || std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = names().filter(|path| !path.ends_with("lock")).collect();
    let [file] = files.as_slice() else { panic!("one file is left: {files:?}") };
    let mut bytes = std::fs::read(file).unwrap();
    bytes[40] ^= 1;
    std::fs::write(file, &bytes).unwrap();
    let refused = FileStore::open(&path, Clock::system()).err().unwrap();
    assert!(matches!(refused, OpenError::Unreadable { why: Unreadable::Damaged(_), .. }), "{refused}");
    assert_eq!(std::fs::read(file).unwrap(), bytes, "nothing is changed then");
}
