//! Reading such a file, and saying in sentences what is wrong with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, Read as _},
};

use aws_lc_rs::digest::{Context, SHA256};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hands::{
    HandRecord, Hash, Name, Seen, Viewer,
    checkpoint::{self, Checkpoint},
    hex::{self, digits},
    merkle,
    record::{Public, chained_bytes},
    told::{About, Money, json},
    utc::Utc,
    witness::{self, Place},
};
use holdem::{Event, HoleCards};
use protocol::id::RoomId;
use serde::Deserialize;
use serde_json::Value;
use tokens::{KeySet, TokenError};

use super::{ALL, End, KIND, VERSION};

/// A line is no longer than this, bytes.
const LINE_MAX: u64 = 4 << 20;

/// So much is said to be wrong; what is more is counted.
const FINDINGS_MAX: usize = 50;

/// What a file comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What is wrong, a sentence each: at most so many, the rest is counted.
    pub findings: Vec<String>,
    /// How much is wrong.
    pub wrong: usize,
    /// What is to be known beside, a sentence each.
    pub notes: Vec<String>,
    /// How many hands it holds.
    pub hands: u64,
    /// Of how many tables.
    pub tables: usize,
    /// So many of them are under a signed checkpoint.
    pub signed: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_right(&self) -> bool {
        self.wrong == 0
    }
}

#[derive(Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Line {
    Hands { version: u64, of: String },
    Keys { keys: Value },
    Checkpoint { stated: String },
    Hand(Box<HandLine>),
    End { stated: String },
}

#[derive(Deserialize)]
struct HandLine {
    hand: Value,
    public: Option<String>,
    cards: Option<Vec<SeatLine>>,
    checkpoint: Option<u64>,
    path: Option<Vec<merkle::Step>>,
}

#[derive(Deserialize)]
struct SeatLine {
    seat: u8,
    salt: Option<String>,
    cards: Option<Vec<String>>,
    commitment: Option<String>,
}

/// The last hand of a table.
struct Last {
    number: u64,
    hash: Hash,
}

struct Reader<'k> {
    trusted: Option<&'k KeySet>,
    own: KeySet,
    is_of_all: bool,
    checkpoints: BTreeMap<u64, (Checkpoint, Hash)>,
    kids: BTreeSet<String>,
    last: BTreeMap<RoomId, Last>,
    report: Report,
    /// Hands that are not under a checkpoint, and those of which nothing can be looked at.
    unsigned: u64,
    nameless: u64,
    /// Hands between those of the file that somebody else has played.
    between: u64,
}

/// Reads a file. By the keys that are trusted, if there are some; else by those that it names itself.
///
/// # Errors
/// When it cannot be read at all: it is no such file, or one that a later release has made.
pub fn verify(mut file: impl BufRead, trusted: Option<&KeySet>) -> Result<Report, String> {
    let mut reader = Reader {
        trusted,
        own: KeySet::default(),
        is_of_all: false,
        checkpoints: BTreeMap::new(),
        kids: BTreeSet::new(),
        last: BTreeMap::new(),
        report: Report::default(),
        unsigned: 0,
        nameless: 0,
        between: 0,
    };
    let mut sum = Context::new(&SHA256);
    let (mut number, mut end) = (0_u64, None);
    loop {
        let mut text = Vec::new();
        let read = file.by_ref().take(LINE_MAX).read_until(b'\n', &mut text);
        if read.map_err(|error| error.to_string())? == 0 {
            break;
        }
        number += 1;
        let line: Line = match serde_json::from_slice(&text) {
            Ok(line) => line,
            Err(_) if number == 1 => return Err("this is no file of hands that proves anything".into()),
            Err(error) => {
                reader.wrong(format!("Line {number} cannot be read: {error}."));
                sum.update(&text);
                continue;
            }
        };
        if number == 1 && !matches!(line, Line::Hands { .. }) {
            return Err("this is no file of hands that proves anything: its beginning is missing".into());
        }
        if end.is_some() {
            reader.wrong(format!("Line {number} stands behind the end."));
        }
        match line {
            Line::Hands { version, of } => {
                if version != VERSION {
                    return Err(format!("the file has version {version}; this release reads {VERSION}"));
                }
                reader.is_of_all = of == ALL;
            }
            Line::Keys { keys } => reader.keys(&keys),
            Line::Checkpoint { stated } => reader.checkpoint(&stated),
            Line::Hand(line) => reader.hand(&line),
            Line::End { stated } => {
                end = Some((stated, digits(sum.clone().finish().as_ref())));
                continue;
            }
        }
        sum.update(&text);
    }
    reader.end(end);
    Ok(reader.finish())
}

impl Reader<'_> {
    fn wrong(&mut self, what: String) {
        self.report.wrong += 1;
        if self.report.findings.len() < FINDINGS_MAX {
            self.report.findings.push(what);
        }
    }

    fn keys(&mut self, keys: &Value) {
        let text = serde_json::json!({ "keys": keys }).to_string();
        match KeySet::from_json_for(checkpoint::PURPOSE, &text) {
            Ok(keys) => self.own.extend(keys),
            Err(error) => self.wrong(format!("The keys in the file are none: {error}.")),
        }
    }

    /// What was signed; or what is wrong with it, about `what`.
    fn stated<T: serde::de::DeserializeOwned>(&mut self, kind: &str, what: &str, stated: &str) -> Option<T> {
        let keys = self.trusted.unwrap_or(&self.own);
        let read = keys.stated::<T>(kind, stated);
        match read {
            Ok((value, kid)) => {
                self.kids.insert(kid);
                Some(value)
            }
            Err(TokenError::UnknownKey) => {
                let keys = if self.trusted.is_some() { "those that you trust" } else { "those in the file" };
                self.wrong(format!("{what} is signed by a key that is not among {keys}."));
                None
            }
            Err(_) => {
                self.wrong(format!("{what} is forged: its signature is not the house's."));
                None
            }
        }
    }

    fn checkpoint(&mut self, stated: &str) {
        let claimed = claimed_number(stated);
        let name = claimed.map_or_else(|| "A checkpoint".into(), |n| format!("Checkpoint {n}"));
        let Some(checkpoint) = self.stated::<Checkpoint>(checkpoint::KIND, &name, stated) else { return };
        let hash = checkpoint::hash(stated);
        let n = checkpoint.n;
        let before = n.checked_sub(1).and_then(|before| self.checkpoints.get(&before));
        if before.is_some_and(|(_, before)| *before != checkpoint.prev) {
            self.wrong(format!(
                "Checkpoint {n} does not follow checkpoint {}, which stands in the file.",
                n - 1
            ));
        }
        self.checkpoints.insert(n, (checkpoint, hash));
    }

    fn hand(&mut self, line: &HandLine) {
        self.report.hands += 1;
        let hand = &line.hand;
        let name = hand["id"].as_str().and_then(|id| id.parse::<Name>().ok());
        let hashes = (hand["prev"].as_str().and_then(hex::hash), hand["hash"].as_str().and_then(hex::hash));
        let (Some(name), (Some(prev), Some(hash)), Some(number)) = (name, hashes, hand["number"].as_u64())
        else {
            return self
                .wrong(format!("The {}. hand of the file has no name, number or hash.", self.report.hands));
        };
        let table = hand["table"].as_str().unwrap_or_default();
        let what = format!("Hand {number} of {table} ({name})");
        match &line.public {
            Some(public) => {
                if let Err(why) = self.look_at(line, public, (&name, prev, hash)) {
                    self.wrong(format!("{what} {why}."));
                }
            }
            None => self.nameless += 1,
        }
        self.follow(&what, table, (name.room, number, prev, hash));
    }

    /// Whether a hand is what its hash, its players' cards and its checkpoint are made of.
    fn look_at(
        &mut self,
        line: &HandLine,
        public: &str,
        (name, prev, hash): (&Name, Hash, Hash),
    ) -> Result<(), &'static str> {
        const CHANGED: &str = "was changed: it is not what its hash was made of";
        let bytes = BASE64_STANDARD.decode(public).map_err(|_| CHANGED)?;
        if chained_bytes(&prev, &bytes) != hash {
            return Err(CHANGED);
        }
        let told = &line.hand;
        let mut record = Public::read(&bytes).map_err(|_| CHANGED)?.record(prev, hash);
        record.table = told["table"].as_str().unwrap_or_default().into();
        record.seats = told["seats"].as_u64().and_then(|seats| u8::try_from(seats).ok()).unwrap_or(0);
        record.currency = told["currency"].as_str().map(str::to_owned);
        let commitments = match &line.cards {
            Some(cards) => Some(opened(&mut record, cards)?),
            None => None,
        };
        if !is_told_as_it_was(&record, told, name) {
            return Err("was changed: it is told otherwise than it was played");
        }
        let (Some(commitments), Some(n)) = (commitments, line.checkpoint) else {
            self.unsigned += 1;
            return Ok(());
        };
        let Some((checkpoint, _)) = self.checkpoints.get(&n) else {
            return Err("is said to be under a checkpoint that the file does not hold");
        };
        let place = Place {
            name,
            table: &record.table,
            seats: record.seats,
            currency: record.currency.as_deref(),
            prev: &prev,
            hash: &hash,
        };
        let leaf = witness::leaf(place, &commitments);
        if merkle::climb(&leaf, line.path.as_deref().unwrap_or_default()) != checkpoint.root {
            return Err("is not what its checkpoint has signed");
        }
        self.report.signed += 1;
        Ok(())
    }

    /// Whether it stands behind the one that it followed.
    fn follow(&mut self, what: &str, table: &str, (room, number, prev, hash): (RoomId, u64, Hash, Hash)) {
        let begins_anew = prev == [0; 32];
        let Some(last) = self.last.insert(room, Last { number, hash }) else { return };
        if prev == last.hash {
            return;
        }
        let before = last.number;
        if begins_anew && number == 1 {
            self.report.notes.push(format!(
                "The hands of {table} begin anew behind hand {before}: the house had lost the table."
            ));
        } else if number <= before {
            self.wrong(format!("{what} stands behind hand {before}: the order was changed."));
        } else if number == before + 1 {
            self.wrong(format!(
                "{what} does not follow from hand {before}: one of them is not what was played."
            ));
        } else if self.is_of_all {
            let missing = match number - before - 1 {
                1 => format!("hand {} is", before + 1),
                _ => format!("hands {} to {} are", before + 1, number - 1),
            };
            self.wrong(format!("Of {table} {missing} missing: behind hand {before} comes {number}."));
        } else {
            self.between += number - before - 1;
        }
    }

    fn end(&mut self, end: Option<(String, String)>) {
        let Some((stated, sum)) = end else {
            return self.wrong("The file has no end: something is missing.".into());
        };
        let Some(End { hands, sha256, .. }) = self.stated::<End>(KIND, "The end of the file", &stated) else {
            return;
        };
        let holds = self.report.hands;
        if hands > holds {
            self.wrong(format!(
                "The file was made with {hands} hands and holds {holds}: {} missing.",
                are(hands - holds)
            ));
        } else if hands < holds {
            self.wrong(format!(
                "The file was made with {hands} hands and holds {holds}: {} too many.",
                are(holds - hands)
            ));
        } else if sha256 != sum {
            self.wrong(
                "The file is not the one that the house has made: lines were changed or moved.".into(),
            );
        }
    }

    fn finish(mut self) -> Report {
        self.report.tables = self.last.len();
        let mut notes = Vec::new();
        if let (Some((_, (first, _))), Some((_, (last, _)))) =
            (self.checkpoints.first_key_value(), self.checkpoints.last_key_value())
        {
            notes.push(format!(
                "{} under checkpoints {} to {}, signed from {} to {}.",
                are_hands(self.report.signed),
                first.n,
                last.n,
                Utc::of(first.at_ms),
                Utc::of(last.at_ms)
            ));
        }
        if self.unsigned > 0 {
            notes.push(format!(
                "{} under no checkpoint: younger than the next one, or older than the first. For these only the signature of the file holds.",
                are_hands(self.unsigned)
            ));
        }
        if self.nameless > 0 {
            notes.push(format!(
                "{} with somebody who has deleted himself: of these, too, only the signature of the file holds.",
                are_hands(self.nameless)
            ));
        }
        if self.between > 0 {
            notes.push(format!(
                "{} played between these at their tables, by others.",
                are_hands(self.between)
            ));
        }
        for kid in &self.kids {
            notes.push(match self.trusted {
                Some(_) => format!("Signed by the key {kid}, which you trust."),
                None => format!(
                    "Signed by the key {kid}, of which the file alone says that it is the house's: compare it with the house's /.well-known/jwks.json, or name \
                     the keys that you trust (--keys)."
                ),
            });
        }
        self.report.notes.splice(0..0, notes);
        self.report
    }
}

fn are(count: u64) -> String {
    if count == 1 { "one is".into() } else { format!("{count} are") }
}

fn are_hands(count: u64) -> String {
    if count == 1 { "One hand is".into() } else { format!("{count} hands are") }
}

/// Which checkpoint something says to be, before it is known whether it is one.
fn claimed_number(stated: &str) -> Option<u64> {
    let payload = stated.split('.').nth(1)?;
    let payload = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice::<Value>(&payload).ok()?["n"].as_u64()
}

/// Turns the cards face up that are shown with their salts; the commitments to all.
fn opened(record: &mut HandRecord, seats: &[SeatLine]) -> Result<Vec<(u8, Hash)>, &'static str> {
    const UNREADABLE: &str = "was changed: the commitments to its cards cannot be read";
    let mut commitments = Vec::new();
    for SeatLine { seat, salt, cards, commitment } in seats {
        let committed = match (salt, cards, commitment) {
            (Some(salt), Some(cards), None) => {
                let mut dealt = HoleCards::NONE;
                // More than there can be are no cards.
                for card in cards.iter().take(6) {
                    dealt.push(Some(card.parse().map_err(|_| UNREADABLE)?));
                }
                for (_, event) in &mut record.events {
                    if let Event::HoleDealt { seat: of, cards } = event
                        && of.get() == *seat
                    {
                        *cards = dealt;
                    }
                }
                witness::commitment(&hex::hash(salt).ok_or(UNREADABLE)?, *seat, &dealt)
            }
            (None, None, Some(commitment)) => hex::hash(commitment).ok_or(UNREADABLE)?,
            _ => return Err(UNREADABLE),
        };
        commitments.push((*seat, committed));
    }
    let dealt: Vec<u8> = witness::dealt(record).into_iter().map(|(seat, _)| seat).collect();
    if !commitments.iter().map(|(seat, _)| *seat).eq(dealt) {
        return Err("was changed: it has not the commitments to the cards of those who were dealt in");
    }
    Ok(commitments)
}

/// Whether what is told of a hand is what is told of this record.
fn is_told_as_it_was(record: &HandRecord, told: &Value, name: &Name) -> bool {
    let you = told["you"].as_u64();
    let viewer = match record.players.iter().find(|player| Some(u64::from(player.seat)) == you) {
        Some(player) => Viewer::User(&player.user),
        // Cards that are face down here are so to anybody.
        None => Viewer::Integrity,
    };
    let Some(digits) = told["digits"].as_u64().and_then(|digits| u8::try_from(digits).ok()) else {
        return false;
    };
    let is_void = told["void"] == Value::Bool(true);
    let about = About { name, money: Money::Play { digits }, is_void };
    json::hand(&Seen::of(record, viewer), about) == *told
}
