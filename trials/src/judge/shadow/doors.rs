//! Who may do what at a table that a player has opened: from what its journal shows and the commands that it has accepted, told anew and by
//! other means than the table itself has.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    floor::FloorPrivate,
    hosted::{Access, AiSeats, HostCommand, HostedView},
    id::{Position, RoomId, SessionId, UserId},
    table::{TableCommand, TableEvent},
};
use tokio::time::{Duration, Instant};

use super::Promise;

/// Nobody is told more often at once, by one owner, that a code is wrong; one of them may have been on its way for long.
const WRONG_AT_ONCE: usize = 6;

/// And once more after so long.
const WRONG_EVERY: Duration = Duration::from_secs(12);

/// So many tables a player may have.
const TABLES_MAX: usize = 4;

/// See the module.
#[derive(Default)]
pub(super) struct Doorkeeper {
    /// As it was told last; nothing before the first keyframe.
    hosted: Option<HostedView>,
    /// It is public, or was once.
    was_public: bool,
    code: Option<String>,
    let_in: BTreeSet<UserId>,
    banned: BTreeSet<UserId>,
    kicked: BTreeSet<UserId>,
    /// Who plays for each AI player, and who has before.
    agents: BTreeMap<UserId, (SessionId, BTreeSet<SessionId>)>,
    seats: BTreeMap<u8, UserId>,
    /// When users were told that their code was wrong, by the epoch of who told.
    wrong: BTreeMap<(UserId, u64), Vec<Instant>>,
}

/// What is read of a keyframe.
#[derive(serde::Deserialize)]
struct State {
    hosted: HostedView,
    seats: Vec<Option<Seat>>,
}

#[derive(serde::Deserialize)]
struct Seat {
    user: UserId,
}

/// An entry's public part.
#[derive(serde::Deserialize)]
struct Text {
    #[serde(default)]
    events: Vec<TableEvent>,
    state: Option<State>,
}

/// A part of a user's own of a room of the floor.
#[derive(serde::Deserialize)]
struct OwnPart {
    private: FloorPrivate,
}

impl Doorkeeper {
    /// Takes an entry, and the command that it has accepted, if it is known who said which.
    pub(super) fn take(
        &mut self,
        (room, at): (&RoomId, Position),
        by: Option<(&UserId, SessionId)>,
        said: Option<(&UserId, &str)>,
        public: &[u8],
        broken: &mut Vec<(Promise, String)>,
    ) {
        let Ok(Text { events, state }) = serde_json::from_slice::<Text>(public) else { return };
        if let Some((user, session)) = by.filter(|(user, _)| user.is_bot())
            && !self.plays(user, session)
        {
            let what = format!("{room} {at}: {user} is played by whom the seat was taken from");
            broken.push((Promise::OneAgent, what));
        }
        let mut accuse = |what: String| broken.push((Promise::Host, format!("{room} {at}: {what}")));
        if let Some(State { hosted, seats }) = state {
            if self.hosted.as_ref().is_some_and(|known| *known != hosted) {
                accuse("the keyframe's `hosted` is not what was told".into());
            }
            self.is_now(hosted);
            let taken = (0..).zip(seats).filter_map(|(at, seat)| Some((at, seat?.user)));
            self.seats = taken.collect();
            return;
        }
        let Some(before) = self.hosted.clone() else { return };
        if let Some((user, text)) = said {
            match HostCommand::read(text) {
                Ok(Some(HostCommand::Knock { code })) => self.knocked(user, code, &before, &mut accuse),
                Ok(Some(command)) => {
                    if before.host != *user {
                        accuse(format!("{user} is not the host, and was obeyed: {text}"));
                    }
                    self.obeyed(command, &before);
                }
                _ => {}
            }
        }
        for event in &events {
            match event {
                TableEvent::Seated { seat, user, .. } => {
                    let asked = said.filter(|(by, _)| *by == user);
                    let asked = asked.and_then(|(_, text)| TableCommand::read(text).ok());
                    if !matches!(asked, Some(TableCommand::Sit { .. })) {
                        accuse(format!("{user} has a seat without asking for one"));
                    }
                    let is_invited = before.ai.iter().any(|player| player.user == *user);
                    let is_known = match user.is_bot() {
                        true => is_invited && before.ai_seats == AiSeats::Marked,
                        false => {
                            !before.access.is_guarded() || before.host == *user || self.let_in.contains(user)
                        }
                    };
                    let kept = before.kept.iter().any(|kept| kept.seat == *seat && kept.user != *user);
                    if !is_known || self.banned.contains(user) || before.closing || kept {
                        accuse(format!("{user} sits down, and may not"));
                    }
                    self.seats.insert(*seat, user.clone());
                }
                TableEvent::Left { seat, .. } => {
                    if let Some(user) = self.seats.remove(seat) {
                        self.kicked.remove(&user);
                    }
                }
                TableEvent::HandStarted { seats, .. } => {
                    let paused = self.hosted.as_ref().is_some_and(|hosted| hosted.paused_ms.is_some());
                    if paused || self.hosted.as_ref().is_some_and(|hosted| hosted.closing) {
                        accuse("a hand begins, though the host wants none".into());
                    }
                    let dealt = seats.iter().filter_map(|seat| self.seats.get(seat));
                    for user in dealt.filter(|user| self.kicked.contains(*user)) {
                        accuse(format!("{user} was kicked, and is dealt in"));
                    }
                }
                TableEvent::Hosted { hosted } => self.is_now((**hosted).clone()),
                _ => {}
            }
        }
        // Whoever was kicked without a seat has nothing to leave.
        self.kicked.retain(|user| self.seats.values().any(|seated| seated == user));
    }

    fn knocked(
        &mut self,
        user: &UserId,
        code: Option<String>,
        before: &HostedView,
        accuse: &mut impl FnMut(String),
    ) {
        if self.banned.contains(user) {
            accuse(format!("{user} is banned, and is heard"));
        }
        if before.access != Access::Code {
            return;
        }
        let plain = |code: &str| code.replace(['-', ' '], "").to_lowercase();
        let is_right = code.as_deref().map(plain) == self.code.as_deref().map(plain);
        if code.is_none() || !is_right {
            accuse(format!("{user} was let in by {code:?}, and the code is {:?}", self.code));
        }
        self.let_in.insert(user.clone());
    }

    /// Whether this session may play for an AI player: it does, or no other has since it did last.
    fn plays(&mut self, user: &UserId, session: SessionId) -> bool {
        let (playing, before) = self.agents.entry(user.clone()).or_insert((session, BTreeSet::new()));
        if *playing != session {
            before.insert(std::mem::replace(playing, session));
        }
        !before.contains(&session)
    }

    fn obeyed(&mut self, command: HostCommand, before: &HostedView) {
        match command {
            HostCommand::RemoveAi { user } => {
                let players = before.ai.iter().map(|player| &player.user);
                let removed = players.filter(|known| user.as_ref().is_none_or(|user| user == *known));
                self.kicked.extend(removed.cloned());
            }
            HostCommand::Approve { user } | HostCommand::Invite { user } => {
                self.banned.remove(&user);
                self.let_in.insert(user);
            }
            HostCommand::Kick { user, ban } => {
                self.let_in.remove(&user);
                self.kicked.insert(user.clone());
                if ban {
                    self.banned.insert(user);
                }
            }
            HostCommand::Door { code: Some(code), .. } => self.code = Some(code),
            _ => {}
        }
    }

    /// Somebody was told in this epoch that a code is wrong, by one of so many `owners`; answers whether that is too often.
    pub(super) fn guessed_wrong(&mut self, user: &UserId, epoch: u64, owners: u128) -> bool {
        let now = Instant::now();
        let times = self.wrong.entry((user.clone(), epoch)).or_default();
        times.push(now);
        let since = |first: Instant| now.duration_since(first).as_millis() / WRONG_EVERY.as_millis();
        let counted = times.iter().rev().zip(1_usize..);
        counted
            .into_iter()
            .any(|(first, count)| count as u128 > owners * (WRONG_AT_ONCE as u128 + since(*first)))
    }

    fn is_now(&mut self, hosted: HostedView) {
        self.was_public |= hosted.access == Access::Public;
        self.hosted = Some(hosted);
    }

    /// Whether the table may stand in the lobby. One that was public and is not any more may for a while: an earlier owner that has not
    /// heard of the later one shows it as it was.
    pub(super) fn may_be_listed(&self) -> bool {
        self.was_public || self.hosted.is_none()
    }

    /// How many AI players were played for, and how many of them by several, one after the other.
    pub(super) fn agents(&self) -> (u64, u64) {
        let several = self.agents.values().filter(|(_, before)| !before.is_empty()).count();
        (self.agents.len() as u64, several as u64)
    }

    /// Whether nobody sits there.
    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }
}

/// How many tables somebody has, by what a room of the floor tells him; too many are accused.
pub(super) fn tables_told(
    (room, at): (&RoomId, Position),
    user: &UserId,
    part: &[u8],
    broken: &mut Vec<(Promise, String)>,
) -> usize {
    let Ok(OwnPart { private }) = serde_json::from_slice::<OwnPart>(part) else { return 0 };
    let tables = private.tables.len();
    if tables > TABLES_MAX {
        broken.push((Promise::Host, format!("{room} {at}: {user} has {tables} tables")));
    }
    tables
}
