//! Files of all hands that somebody has played in a period, as he saw them.
//!
//! A file is made while it is sent: a page is read, told, packed and sent, and then the next one. So one of ten thousand hands takes the memory of
//! a page. What is not whole does not end as if it were.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    sync::Arc,
};

use bytes::Bytes;
use cage::{
    Tx,
    history::{
        Period,
        find::{self, Place},
    },
};
use flate2::{Compression, write::GzEncoder};
use futures_util::stream::{Stream, try_unfold};
use hands::{Viewer, told::files};
use parking_lot::Mutex;
use protocol::id::UserId;

use super::{
    Caller, People,
    hands::{KeptHand, told, with_all},
};
use crate::{
    error::ApiError,
    keyring::Keys,
    proof::write::{Known, Trees, Writer, witnesses},
};

/// Hands that are read at once.
const PAGE: u32 = 200;

/// Files that are made at the same time.
const FILES_MAX: usize = 16;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PHH, a table for each hand: `[1]`, `[2]` ...
    Phhs,
    /// Open Hand History, with an empty line behind each hand.
    Ohh,
    /// Text, with an empty line behind each hand.
    Text,
    /// What shows by itself that it is what was played: see [`proof`](crate::proof).
    Proof,
}

impl Format {
    /// How such files' names end.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Phhs => "phhs",
            Self::Ohh => "ohh",
            Self::Text => "txt",
            Self::Proof => "proof.jsonl",
        }
    }

    /// The `number`-th hand of a file.
    fn tell(self, number: u32, hand: &KeptHand) -> String {
        let (seen, about) = (&hand.seen, hand.about());
        let told = match self {
            Self::Phhs => {
                let mut record = files::phh(seen, about);
                record.name = number.to_string();
                record.to_string()
            }
            Self::Ohh => files::ohh(seen, about) + "\n",
            Self::Text => files::text(seen, about),
            Self::Proof => unreachable!("it has a writer"),
        };
        told + "\n"
    }
}

/// Which file.
#[derive(Debug, Clone)]
pub struct FileAsked {
    /// Of hands that ended then.
    pub period: Period,
    /// Behind this one; none: from the first.
    pub after: Option<Place>,
    /// In which form.
    pub format: Format,
    /// Hands in it at most; from 1.
    pub most: u32,
    /// Packed by gzip.
    pub is_packed: bool,
}

/// A file under way.
pub struct HandFile {
    /// Where it ends, if there are more hands.
    pub next: Option<Place>,
    /// Its bytes.
    pub bytes: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, ApiError>> + Send>>,
}

/// Who gets a file now: one for each, and not too many.
#[derive(Debug, Default)]
pub(super) struct Counter(Mutex<BTreeSet<UserId>>);

/// One of them; gone when it is dropped.
struct Getting {
    counter: Arc<Counter>,
    user: UserId,
}

impl Counter {
    fn begin(self: &Arc<Self>, user: &UserId) -> Result<Getting, ApiError> {
        let mut getting = self.0.lock();
        if getting.len() >= FILES_MAX || !getting.insert(user.clone()) {
            return Err(ApiError::Busy);
        }
        Ok(Getting { counter: self.clone(), user: user.clone() })
    }
}

impl Drop for Getting {
    fn drop(&mut self) {
        self.counter.0.lock().remove(&self.user);
    }
}

/// What is to be read yet, and what was told.
struct Making {
    people: Arc<People>,
    asked: FileAsked,
    /// Where the file ends; none: with the period.
    until: Option<Place>,
    packer: Packer,
    told: u32,
    /// Of a file that proves what it tells, with the keys that sign it.
    proof: Option<(Writer, Arc<Keys>)>,
    trees: Trees,
    is_over: bool,
    getting: Getting,
}

impl People {
    /// Hands of a period, the earliest first.
    ///
    /// # Errors
    /// [`ApiError::Busy`] while he gets another, or too many do; and when the database does not answer, also in the midst of it.
    pub async fn hand_file(
        self: &Arc<Self>,
        caller: &Caller,
        asked: FileAsked,
    ) -> Result<HandFile, ApiError> {
        let getting = self.files.begin(&caller.person.id)?;
        let (user, period, after, most) =
            (caller.person.id.clone(), asked.period, asked.after.clone(), asked.most);
        let work = move |tx: &mut dyn Tx| find::end_of_page(tx, &user, period, after.as_ref(), most);
        let until = self.tellers.read(work).await?;
        let mut packer = Packer::new(asked.is_packed);
        let proof = match (asked.format, self.hand_keys()) {
            (Format::Proof, Some(keys)) => {
                let (writer, head) = Writer::begin(caller.person.id.as_str(), &keys.jwks_of_hands());
                packer.write(head.as_bytes());
                Some((writer, keys))
            }
            // Nothing is signed here.
            (Format::Proof, None) => return Err(ApiError::NotFound),
            _ => None,
        };
        let (people, next) = (self.clone(), until.clone());
        let trees = Trees::default();
        let making = Making { people, asked, until, packer, told: 0, proof, trees, is_over: false, getting };
        Ok(HandFile { next, bytes: Box::pin(try_unfold(making, Making::go_on)) })
    }
}

impl Making {
    /// The next bytes, and what is left then.
    async fn go_on(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        if self.is_over {
            return Ok(None);
        }
        let user = self.getting.user.clone();
        let (period, after, until) = (self.asked.period, self.asked.after.clone(), self.until.clone());
        let is_proof = self.proof.is_some();
        let work = move |tx: &mut dyn Tx| {
            let found = find::from(tx, &user, period, after.as_ref(), until.as_ref(), PAGE)?;
            let witnesses = if is_proof { witnesses(tx, &found)? } else { Vec::new() };
            Ok((with_all(tx, found)?, witnesses))
        };
        let (page, witnesses) = self.people.tellers.read(work).await?;
        let known = self.trees.known(&self.people.tellers, witnesses).await?;
        let made = tokio::task::spawn_blocking(move || self.tell(page, &known)).await;
        made.expect("telling does not panic").map(Some)
    }

    fn tell(mut self, page: super::hands::Looked, known: &[Known]) -> Result<(Bytes, Self), ApiError> {
        let found = if self.proof.is_some() { page.hands.clone() } else { Vec::new() };
        let viewer = Viewer::User(&self.getting.user);
        let hands = told(page, viewer);
        self.is_over = hands.len() < PAGE as usize;
        for (at, hand) in hands.iter().enumerate() {
            self.told += 1;
            let told = match &mut self.proof {
                Some((writer, _)) => writer.hand(&found[at], &known[at], viewer, (&hand.seen, hand.about())),
                None => self.asked.format.tell(self.told, hand),
            };
            self.packer.write(told.as_bytes());
        }
        if let Some(last) = hands.last() {
            self.asked.after = Some((last.seen.ended_ms, last.name.clone()));
        }
        if self.is_over
            && let Some((writer, keys)) = self.proof.take()
        {
            self.packer.write(writer.end(&keys, self.people.now()).as_bytes());
        }
        let bytes = self.packer.take(self.is_over);
        Ok((bytes, self))
    }
}

/// Packs, or does not.
enum Packer {
    Plain(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Packer {
    fn new(is_packed: bool) -> Self {
        if is_packed {
            Self::Gzip(GzEncoder::new(Vec::new(), Compression::default()))
        } else {
            Self::Plain(Vec::new())
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let written = match self {
            Self::Plain(into) => into.write_all(bytes),
            Self::Gzip(packer) => packer.write_all(bytes),
        };
        written.expect("memory takes bytes");
    }

    /// What is ready; all of it, once it is over.
    fn take(&mut self, is_over: bool) -> Bytes {
        match self {
            Self::Plain(made) => std::mem::take(made).into(),
            Self::Gzip(packer) => {
                let ended: io::Result<()> = if is_over { packer.try_finish() } else { Ok(()) };
                ended.expect("memory takes bytes");
                std::mem::take(packer.get_mut()).into()
            }
        }
    }
}
