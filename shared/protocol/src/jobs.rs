//! Rooms in which work waits for whoever does it: what those say who want something done, and those who do it.
//!
//! Such a room is a durable queue: a job is taken with a lease, extended, done or given back, and has one result. `docs/protocol.md` tells it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    id::{Position, RoomId, UserId, spread},
    object::{Object, Part, Unfit, WHOLE_MAX},
    time::UnixMs,
};

/// What such a room is called in keyframes and in the map of rooms.
pub const KIND: &str = "jobs";

/// So many there are. Given once and for ever: where somebody's jobs wait follows from it.
pub const ROOMS: u8 = 4;

/// The longest text of a job, bytes.
pub const TEXT_BYTES_MAX: usize = 2_000;

/// The longest answer, bytes.
pub const ANSWER_BYTES_MAX: usize = 8_000;

/// The longest reason, bytes.
pub const WHY_BYTES_MAX: usize = 200;

/// An agent does so many jobs of a room at once, at most.
pub const MOST_MAX: u8 = 16;

/// An agent names so many kinds of work, at most.
pub const WORKS_MAX: usize = 8;

/// All of them.
///
/// # Panics
/// Never: these are names.
pub fn rooms() -> impl Iterator<Item = RoomId> {
    (0..ROOMS).map(|number| RoomId::new(&format!("jobs-{number}")).expect("a name"))
}

/// Where a user's jobs wait.
///
/// # Panics
/// Never: it is one of them.
pub fn room_of(user: &UserId) -> RoomId {
    let number = usize::try_from(spread(user, u64::from(ROOMS))).expect("it is small");
    rooms().nth(number).expect("it is one of them")
}

/// What is to be done, in a word of the house: 1 to 16 of `a-z 0-9 -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Work(String);

/// Not a kind of [`Work`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a kind of work has 1 to 16 of a-z 0-9 -")]
pub struct BadWork;

impl Work {
    /// Questions that a coach answers, in words.
    pub const COACH: &str = "coach";

    /// # Errors
    /// [`BadWork`].
    pub fn new(word: &str) -> Result<Self, BadWork> {
        let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_word = (1..=16).contains(&word.len()) && word.bytes().all(is_fit);
        is_word.then(|| Self(word.to_owned())).ok_or(BadWork)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Work {
    type Error = BadWork;

    fn try_from(word: String) -> Result<Self, BadWork> {
        Self::new(&word)
    }
}

impl From<Work> for String {
    fn from(work: Work) -> Self {
        work.0
    }
}

impl std::fmt::Display for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `do` of a command. Tag `a`. Written by serde, and read, strictly, by [`JobsCommand::read`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "a", rename_all = "snake_case")]
pub enum JobsCommand {
    /// Wants something done.
    Put {
        /// What.
        work: Work,
        /// In words that whoever does such work reads.
        text: String,
    },
    /// Does not want it any more, or has read what came of it.
    Drop {
        /// Which of one's own.
        job: Position,
    },
    /// Does such work from now on. An agent says it.
    Ready {
        /// Which; none: nothing any more.
        works: Vec<Work>,
        /// At so many jobs at once, at most.
        most: u8,
    },
    /// Has done some of it, and goes on: what the lease is extended by.
    Tell {
        /// Which.
        job: Position,
        /// Of which lease.
        attempt: u32,
        /// What comes behind what was told of it.
        text: String,
    },
    /// Has done it. What was told of it, and this, is the answer.
    Done {
        /// Which.
        job: Position,
        /// Of which lease.
        attempt: u32,
        /// What comes behind what was told of it.
        text: String,
    },
    /// Cannot do it now: another one may, after a pause.
    Nack {
        /// Which.
        job: Position,
        /// Of which lease.
        attempt: u32,
        /// Why: told to who wanted it, if it was the last try.
        why: String,
        /// The pause, milliseconds; nothing: a second after the first time, and twice as long after each further one.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
    },
    /// Will not do it, and nobody else is to try.
    Reject {
        /// Which.
        job: Position,
        /// Of which lease.
        attempt: u32,
        /// Why, for who wanted it.
        why: String,
    },
    /// Has what has failed tried anew. Staff says it.
    Requeue {
        /// Which.
        job: Position,
    },
}

impl JobsCommand {
    /// The tags of all commands.
    pub const TAGS: [&'static str; 8] = ["put", "drop", "ready", "tell", "done", "nack", "reject", "requeue"];

    /// Reads a command: no field may be missing, unknown, doubled or of another type.
    ///
    /// # Errors
    /// [`Unfit`] says what is wrong, in words for whoever writes the client.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("do", "an object"))?;
        let tag: Cow<'_, str> = fields.required("a")?;
        let text = |fields: &mut Object<'_>| fields.required::<Cow<'_, str>>("text").map(Cow::into_owned);
        let why = |fields: &mut Object<'_>| fields.required::<Cow<'_, str>>("why").map(Cow::into_owned);
        let command = match &*tag {
            "put" => Self::Put { work: fields.required("work")?, text: text(&mut fields)? },
            "drop" => Self::Drop { job: fields.required("job")? },
            "ready" => {
                Self::Ready { works: fields.required::<Works>("works")?.0, most: fields.required("most")? }
            }
            "tell" => {
                let (job, attempt) = lease(&mut fields)?;
                Self::Tell { job, attempt, text: text(&mut fields)? }
            }
            "done" => {
                let (job, attempt) = lease(&mut fields)?;
                let text = fields.optional::<Cow<'_, str>>("text")?.unwrap_or_default().into_owned();
                Self::Done { job, attempt, text }
            }
            "nack" => {
                let (job, attempt) = lease(&mut fields)?;
                let retry_ms = fields.optional("retry_ms")?;
                Self::Nack { job, attempt, why: why(&mut fields)?, retry_ms }
            }
            "reject" => {
                let (job, attempt) = lease(&mut fields)?;
                Self::Reject { job, attempt, why: why(&mut fields)? }
            }
            "requeue" => Self::Requeue { job: fields.required("job")? },
            other => return Err(Unfit::unknown_word("a", other)),
        };
        fields.end()?;
        Ok(command)
    }
}

fn lease(fields: &mut Object<'_>) -> Result<(Position, u32), Unfit> {
    Ok((fields.required("job")?, fields.required("attempt")?))
}

/// Several kinds of work.
struct Works(Vec<Work>);

impl Part<'_> for Works {
    const IS: &'static str = "a list of up to 8 kinds of work, each 1 to 16 of a-z 0-9 -";

    fn read(json: &RawValue) -> Option<Self> {
        let works: Vec<Work> = serde_json::from_str(json.get()).ok()?;
        (works.len() <= WORKS_MAX).then_some(Self(works))
    }
}

impl Part<'_> for Work {
    const IS: &'static str = "a kind of work: 1 to 16 of a-z 0-9 -";

    fn read(json: &RawValue) -> Option<Self> {
        Self::new(&<Cow<'_, str>>::read(json)?).ok()
    }
}

/// The name of a job.
impl Part<'_> for Position {
    const IS: &'static str = "a job: [epoch, seq], both whole numbers";

    fn read(json: &RawValue) -> Option<Self> {
        let (epoch, seq) = serde_json::from_str(json.get()).ok()?;
        (epoch <= WHOLE_MAX && seq <= WHOLE_MAX).then(|| Self::new(epoch, seq))
    }
}

/// The `q` of a question. Tag `about`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum JobsQuestion {
    /// How it stands.
    Line,
}

impl JobsQuestion {
    /// The tags of all questions.
    pub const TAGS: [&'static str; 1] = ["line"];

    /// Reads a question, as strictly as a command.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let mut fields = Object::read(text).ok_or_else(|| Unfit::is_not("q", "an object"))?;
        let tag: Cow<'_, str> = fields.required("about")?;
        let question = match &*tag {
            "line" => Self::Line,
            other => return Err(Unfit::unknown_word("about", other)),
        };
        fields.end()?;
        Ok(question)
    }
}

/// The `body` of an answer. Tag `about`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum JobsAnswer {
    /// How it stands.
    Line(JobsView),
}

/// A keyframe's `state`: how it stands. What changes of it is not told; who wants to know asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobsView {
    /// Every kind of work that somebody waits for or does here.
    pub works: Vec<WorkView>,
    /// Who takes a job has it for so long, and again from whatever he tells of it, milliseconds.
    pub lease_ms: u64,
    /// A job that so many have taken and nobody has done has failed.
    pub attempts_max: u32,
    /// What has failed, the newest last: without what it was about and whose it was.
    pub failed: Vec<FailedJob>,
}

/// One kind of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkView {
    /// Which.
    pub work: Work,
    /// So many do it.
    pub agents: u32,
    /// So many jobs wait.
    pub waiting: u32,
    /// So many are being done.
    pub taken: u32,
    /// Since when the oldest of those that wait does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<UnixMs>,
}

/// A job that has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedJob {
    /// Which.
    pub job: Position,
    /// What was to be done.
    pub work: Work,
    /// So many had taken it.
    pub attempts: u32,
    /// When.
    pub at_ms: UnixMs,
}

/// What one user is told: all jobs of his, and all that he does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobsPrivate {
    /// How many parts the user has got, this one included.
    pub k: u64,
    /// What he wants done, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<OwnJob>,
    /// What he has taken, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leases: Vec<Lease>,
}

/// A job of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnJob {
    /// Its name: the frame that took it in.
    pub job: Position,
    /// What is to be done.
    pub work: Work,
    /// As it was put.
    pub text: String,
    /// How it stands.
    pub stage: JobStage,
    /// So many have taken it. With another number what was told of it begins anew.
    pub attempt: u32,
    /// What was told of it so far; of one that is done, the answer.
    pub answer: String,
    /// Of one that has failed, why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStage {
    /// For somebody who does it.
    Waiting,
    /// Somebody does it.
    Taken,
    /// It has its answer.
    Done,
    /// It has none, and will have none unless staff has it tried anew.
    Failed,
}

/// A job that one has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its name.
    pub job: Position,
    /// Whoever speaks of it names this, too.
    pub attempt: u32,
    /// What is to be done.
    pub work: Work,
    /// As it was put.
    pub text: String,
    /// By whom.
    pub user: UserId,
    /// It is somebody else's then, unless one tells something of it.
    pub until_ms: UnixMs,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            (r#"{"a":"take"}"#, "`a` is `take`, which this house does not know"),
            (
                r#"{"a":"put","work":"Coach","text":"?"}"#,
                "`work` is not a kind of work: 1 to 16 of a-z 0-9 -",
            ),
            (r#"{"a":"drop","job":[1]}"#, "`job` is not a job: [epoch, seq], both whole numbers"),
            (r#"{"a":"drop","job":[1,2],"attempt":1}"#, "`attempt` does not belong here"),
            (r#"{"a":"done","job":[1,2]}"#, "`attempt` is missing"),
        ] {
            assert_eq!(JobsCommand::read(text).unwrap_err().to_string(), said, "{text}");
        }
        let many = r#"{"a":"ready","most":1,"works":["a","b","c","d","e","f","g","h","i"]}"#;
        assert!(
            JobsCommand::read(many).unwrap_err().to_string().starts_with("`works` is not a list of up to 8")
        );
    }

    #[test]
    fn everybody_s_jobs_wait_in_one_of_four_rooms() {
        let served: std::collections::BTreeSet<_> =
            (0..100).map(|number| room_of(&UserId::new(&format!("u{number}")).unwrap())).collect();
        assert_eq!(served, rooms().collect());
    }
}
