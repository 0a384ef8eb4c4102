//! AI players: which the host has invited, who is asked to play for them, and when they go.
//!
//! ```text
//!  invite_ai            sits down, is connected
//! ----------> wanted -----------------------------> here
//!               ^  |                                |  |
//!               |  +- nobody in 5 s: ask again      |  +- leaves, is removed, people wait, no person sits there
//!               +------- its connection is gone ----+
//! ```
//!
//! The table asks the [agency](seats) for somebody who plays, and sees by the seat whether somebody does: so an agency that dies is noticed like any
//! player whose connection is gone, and another is asked, who goes on with the seat as it is. Whoever is asked for five times in vain is given up.

use protocol::{
    RefusalCode as Code,
    hosted::{AiLevel, AiPlayer, AiSeats},
    id::UserId,
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::room::Refusal;
use seats::Wanted;
use serde::{Deserialize, Serialize};
use table::{
    seating::{self, shown_name},
    waiting,
};

use crate::draft::Draft;

/// Whoever is asked has so long to come, before another is.
const COMES_MS: UnixMs = 5_000;

/// So often somebody is asked for in vain.
const ASKS_MAX: u8 = 5;

/// Who has played for so long has not come in vain.
const STAYED_MS: UnixMs = 60_000;

/// A seat is kept for as long as somebody is asked for.
const KEPT_MS: UnixMs = COMES_MS * ASKS_MAX as UnixMs;

/// RFC 4648's base32 in small letters, and how many of them make a user.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const USER_CHARS: u32 = 12;

/// What they are called, each with its level.
const NAMES: [&str; 24] = [
    "Ada", "Bram", "Cleo", "Dario", "Edda", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Lev", "Mina",
    "Nils", "Olga", "Pia", "Quinn", "Rosa", "Sami", "Tara", "Umar", "Vera", "Wim", "Yuki",
];

/// See the module. Changed by [`Ai::change`] and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ai {
    seats: AiSeats,
    players: Vec<Player>,
    /// How many were invited since the table was opened.
    invited: u32,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Player {
    user: UserId,
    name: String,
    level: AiLevel,
    /// It has sat down.
    has_come: bool,
    /// How often somebody was asked for, the last times in vain.
    asks: u8,
    /// Somebody has been there since, or is to come by then.
    there: There,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum There {
    Since(UnixMs),
    By(UnixMs),
    /// Nobody is asked any more: it goes when the hand has ended.
    Nobody,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The host has invited somebody.
    Invited {
        /// Whom.
        user: UserId,
        /// The name to show.
        name: String,
        /// How strong it is.
        level: AiLevel,
    },
    /// Somebody is asked to play for it.
    Asked {
        /// For whom.
        user: UserId,
        /// By when.
        by_ms: UnixMs,
    },
    /// Somebody does.
    Here {
        /// For whom.
        user: UserId,
        /// Since when.
        since_ms: UnixMs,
    },
    /// Nobody is asked any more.
    GivenUp {
        /// For whom.
        user: UserId,
    },
    /// It plays here no more.
    Gone {
        /// Who.
        user: UserId,
    },
}

impl Ai {
    /// At a table that is opened.
    pub(crate) fn new(seats: AiSeats) -> Self {
        Self { seats, players: Vec::new(), invited: 0 }
    }

    /// Whether it is one of those who were invited.
    pub(crate) fn has(&self, user: &UserId) -> bool {
        self.users().any(|known| known == user)
    }

    /// All of them, the first first.
    pub(crate) fn users(&self) -> impl DoubleEndedIterator<Item = &UserId> {
        self.players.iter().map(|player| &player.user)
    }

    /// Whether any may sit here, and what everybody sees of them.
    pub(crate) fn view(&self) -> (AiSeats, Vec<AiPlayer>) {
        let seen = |player: &Player| AiPlayer {
            user: player.user.clone(),
            name: player.name.clone(),
            level: player.level,
            here: matches!(player.there, There::Since(_)),
        };
        (self.seats, self.players.iter().map(seen).collect())
    }

    /// When the first of those who are asked has not come.
    pub(crate) fn deadline(&self) -> Option<UnixMs> {
        let by = |player: &Player| match player.there {
            There::By(by_ms) => Some(by_ms),
            There::Since(_) | There::Nobody => None,
        };
        self.players.iter().filter_map(by).min()
    }

    /// Does what an event says.
    pub(crate) fn change(&mut self, event: &Event) {
        match event {
            Event::Invited { user, name, level } => {
                let (user, name, level) = (user.clone(), name.clone(), *level);
                let there = There::By(0);
                self.players.push(Player { user, name, level, has_come: false, asks: 0, there });
                self.invited += 1;
            }
            Event::Asked { user, by_ms } => self.with(user, |player| {
                player.asks = player.asks_in_vain(by_ms - COMES_MS) + 1;
                player.there = There::By(*by_ms);
            }),
            Event::Here { user, since_ms } => self.with(user, |player| {
                player.has_come = true;
                player.there = There::Since(*since_ms);
            }),
            Event::GivenUp { user } => self.with(user, |player| player.there = There::Nobody),
            Event::Gone { user } => self.players.retain(|player| player.user != *user),
        }
    }

    fn with(&mut self, user: &UserId, change: impl FnOnce(&mut Player)) {
        if let Some(player) = self.players.iter_mut().find(|player| player.user == *user) {
            change(player);
        }
    }
}

impl Player {
    fn asks_in_vain(&self, now: UnixMs) -> u8 {
        match self.there {
            There::Since(since_ms) if since_ms + STAYED_MS <= now => 0,
            _ => self.asks,
        }
    }
}

/// The host wants some.
///
/// # Errors
/// A [`Refusal`].
pub(crate) fn invite(
    draft: &mut Draft<'_>,
    count: u8,
    level: AiLevel,
    rng: &mut dyn Rng,
) -> Result<(), Refusal> {
    if draft.ai.seats == AiSeats::None {
        let why = "no AI player sits at this table: that was said when it was opened";
        return Err(Refusal::new(Code::NotAllowed, why));
    }
    if draft.table.table().seat_of(&draft.door.host).is_none() {
        return Err(Refusal::new(Code::NotSeated, "sit down first: AI players come to who plays"));
    }
    for _ in 0..count {
        let user = new_user(rng);
        let kept = |seat| draft.door.kept.iter().any(|kept| kept.seat == seat);
        let seat = seating::free_seat(draft.table.table(), &user, None, kept).map_err(|_| {
            let free = draft.free_seats();
            Refusal::new(Code::NoSeat, format!("there are {free} free seats"))
        })?;
        let at = usize::try_from(draft.ai.invited).unwrap_or(0) % NAMES.len();
        let name = format!("{} {}", NAMES[at], level.word());
        let name = shown_name(draft.table.table(), &user, &name);
        draft.emit_ai(Event::Invited { user: user.clone(), name, level });
        let until_ms = draft.now() + KEPT_MS;
        draft.emit(crate::Event::Kept { seat, user: user.clone(), until_ms });
        ask(draft, &user);
    }
    Ok(())
}

/// A name that nobody else has.
fn new_user(rng: &mut dyn Rng) -> UserId {
    let bits = rng.next_u64();
    let digits = (0..USER_CHARS).map(|at| char::from(BASE32[(bits >> (5 * at)) as usize & 31]));
    let name: String = UserId::BOT_PREFIX.chars().chain(digits).collect();
    UserId::new(&name).expect("base32 is within the characters of a name")
}

/// The host wants one of them to go, or all.
///
/// # Errors
/// A [`Refusal`]: there is none.
pub(crate) fn remove(draft: &mut Draft<'_>, user: Option<&UserId>) -> Result<(), Refusal> {
    let is_meant = |known: &&UserId| user.is_none_or(|user| user == *known) && !draft.must_go(known);
    let whom: Vec<UserId> = draft.ai.users().filter(is_meant).cloned().collect();
    if whom.is_empty() {
        return Err(Refusal::new(Code::Unchanged, "no such AI player is here"));
    }
    whom.iter().for_each(|user| dismiss(draft, user));
    Ok(())
}

/// The agency has no players.
pub(crate) fn refused(draft: &mut Draft<'_>, body: &[u8]) {
    for Wanted { user, .. } in seats::read(body).unwrap_or_default() {
        let is_awaited = |player: &Player| player.user == user && matches!(player.there, There::By(_));
        if draft.ai.players.iter().any(is_awaited) {
            dismiss(draft, &user);
        }
    }
}

/// Whoever is late is asked for again, or given up.
pub(crate) fn time_over(draft: &mut Draft<'_>) {
    let now = draft.now();
    let is_late = |player: &&Player| matches!(player.there, There::By(by_ms) if by_ms <= now);
    let late: Vec<Player> = draft.ai.players.iter().filter(is_late).cloned().collect();
    late.iter().for_each(|player| ask_again(draft, player));
}

/// Sees who is there and who is not, and has them all go where no person sits.
pub(crate) fn follow(draft: &mut Draft<'_>) {
    for player in draft.ai.players.clone() {
        let Player { user, has_come, there, .. } = &player;
        let seat = draft.table.table().seat_of(user);
        let is_away = seat.and_then(|seat| draft.table.table().seated(seat)).map(|player| player.away);
        match (is_away, there) {
            (Some(false), There::By(_) | There::Nobody) => {
                let since_ms = draft.now();
                draft.emit_ai(Event::Here { user: user.clone(), since_ms });
            }
            (Some(true), There::Since(_)) => ask_again(draft, &player),
            (None, _) if *has_come || draft.door.is_closing => forget(draft, user),
            _ => {}
        }
    }
    let table = draft.table.table();
    let has_people = table.public().seats.iter().flatten().any(|seat| !seat.user.is_bot());
    if !has_people {
        let all: Vec<UserId> = draft.ai.users().cloned().collect();
        all.iter().for_each(|user| dismiss(draft, user));
    }
}

/// People go first: for each who waits for a seat an AI player goes, the last one that came first; who has not come yet at once.
pub(crate) fn make_room(draft: &mut Draft<'_>) {
    let (_, waiting) = waiting::count(draft.table.table());
    let going = draft.ai.users().filter(|user| draft.must_go(user)).count();
    let last_first = draft.ai.players.iter().rev().filter(|player| !draft.must_go(&player.user));
    let mut whom: Vec<Player> = last_first.cloned().collect();
    whom.sort_by_key(|player| draft.table.table().seat_of(&player.user).is_some());
    for Player { user, .. } in whom.into_iter().take(waiting.saturating_sub(going)) {
        dismiss(draft, &user);
    }
}

/// Somebody else is asked for, unless it goes anyhow, or that was done too often.
fn ask_again(draft: &mut Draft<'_>, player: &Player) {
    let user = &player.user;
    if !draft.must_go(user) && player.asks_in_vain(draft.now()) < ASKS_MAX {
        return ask(draft, user);
    }
    draft.emit_ai(Event::GivenUp { user: user.clone() });
    dismiss(draft, user);
}

fn ask(draft: &mut Draft<'_>, user: &UserId) {
    let Some(Player { name, level, .. }) = draft.ai.players.iter().find(|player| player.user == *user) else {
        return;
    };
    let until_ms = draft.now() + COMES_MS;
    let wanted = Wanted { user: user.clone(), name: name.clone(), level: *level, until_ms };
    draft.wanted.push(wanted);
    draft.emit_ai(Event::Asked { user: user.clone(), by_ms: until_ms });
}

/// It goes: when the hand has ended, if it has a seat.
fn dismiss(draft: &mut Draft<'_>, user: &UserId) {
    if draft.table.table().seat_of(user).is_none() {
        forget(draft, user);
    } else if !draft.must_go(user) {
        draft.emit(crate::Event::Kicked { user: user.clone(), ban: false });
    }
}

fn forget(draft: &mut Draft<'_>, user: &UserId) {
    if let Some(seat) = draft.door.kept_for(user) {
        draft.emit(crate::Event::Released { seat });
    }
    draft.wanted.retain(|wanted| wanted.user != *user);
    draft.emit_ai(Event::Gone { user: user.clone() });
}
