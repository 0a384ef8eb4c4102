//! Registering, and what directors may do.

use protocol::{
    RefusalCode as Code,
    id::UserId,
    rights::{Can, Rights, Roles},
    text::{Looks, PlayerName},
    tournament::{Phase, TournamentCommand},
};
use rand_chacha::rand_core::Rng;
use rooms::{
    planted::{Fault, is_planted},
    room::Refusal,
};

use super::{
    buying,
    draft::Draft,
    state::{At, Event, Tournament},
};
use crate::{clock, letters::ToTable};

/// Nobody looks like somebody else where so many take part at most; in larger ones names stand beside the number of the entry.
const UNLIKE_MAX: u32 = 100;

/// A director adds so much at once at most, milliseconds.
const ADDED_MS_MAX: u64 = 3_600_000;

/// A penalty is so many hands at most.
const PENALTY_MAX: u32 = 100;

/// Who asks.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) user: &'a UserId,
    pub(super) name: &'a str,
    pub(super) rights: Rights,
}

/// Decides a command, given as the JSON text of its `do`.
///
/// # Errors
/// A [`Refusal`]; nothing is to be committed then.
pub(super) fn decide(
    draft: &mut Draft,
    asker: Asker<'_>,
    body: &[u8],
    rng: &mut dyn Rng,
) -> Result<(), Refusal> {
    let refuse = |why: &dyn std::fmt::Display| {
        Refusal::new(Code::BadCommand, format!("not a command of a tournament: {why}"))
    };
    let text = str::from_utf8(body).map_err(|error| refuse(&error))?;
    let command = TournamentCommand::read(text).map_err(|error| refuse(&error))?;
    match command {
        TournamentCommand::Register => register(draft, asker, rng),
        TournamentCommand::Unregister => unregister(draft, asker),
        TournamentCommand::Pause => {
            directs(asker)?;
            let known = running(&draft.room)?;
            if known.paused {
                return Err(Refusal::new(Code::Unchanged, "the clock stands still already"));
            }
            set_clock(draft, clock::stopped(&known, draft.moment.now, true));
            Ok(())
        }
        TournamentCommand::Resume => {
            directs(asker)?;
            let known = running(&draft.room)?;
            if !known.paused {
                return Err(Refusal::new(Code::Unchanged, "the clock goes already"));
            }
            let going = clock::going(&known, draft.moment.now);
            // Where tables play in step, steps are what moves the clock.
            let goes_on = draft.room.hold.is_none();
            set_clock(draft, if goes_on { going } else { clock::stopped(&going, draft.moment.now, false) });
            Ok(())
        }
        TournamentCommand::AddTime { ms } => {
            directs(asker)?;
            let known = running(&draft.room)?;
            if !(1..=ADDED_MS_MAX).contains(&ms) {
                let why = format!("1 to {ADDED_MS_MAX} milliseconds are added at once");
                return Err(Refusal::new(Code::BadAmount, why));
            }
            set_clock(draft, clock::with_time(&known, i64::try_from(ms).unwrap_or(0)));
            Ok(())
        }
        TournamentCommand::Cancel => {
            directs(asker)?;
            if draft.room.phase != Phase::Registering {
                return Err(Refusal::new(Code::Late, "it has begun, or is over"));
            }
            draft.emit(Event::Cancelled { at_ms: draft.moment.now });
            Ok(())
        }
        TournamentCommand::Penalty { entry, hands } => {
            directs(asker)?;
            let table = plays(draft, entry)?;
            if hands > PENALTY_MAX {
                let why = format!("a penalty is {PENALTY_MAX} hands at most");
                return Err(Refusal::new(Code::BadAmount, why));
            }
            let known = draft.room.directed.get(&entry).map_or(0, |directed| directed.penalty);
            if hands == 0 && known == 0 {
                return Err(Refusal::new(Code::Unchanged, "he has no penalty"));
            }
            draft.emit(Event::Penalized { entry, hands, is_new: true });
            if let Some(table) = table {
                draft.write(table, &ToTable::Penalty { entry, hands }, None);
            }
            Ok(())
        }
        TournamentCommand::Disqualify { entry } => {
            directs(asker)?;
            let table = plays(draft, entry)?;
            if draft.room.directed.get(&entry).is_some_and(|directed| directed.is_expelled) {
                return Err(Refusal::new(Code::Unchanged, "he goes already, when the hand is over"));
            }
            draft.emit(Event::Expels { entry });
            if let Some(table) = table {
                draft.write(table, &ToTable::Expel { entry }, None);
            }
            Ok(())
        }
    }
}

/// Whether an entry has chips in a tournament that is played; and the table to which it belongs.
///
/// # Errors
/// A [`Refusal`].
fn plays(draft: &Draft, entry: u32) -> Result<Option<u32>, Refusal> {
    running(&draft.room)?;
    match draft.room.entrants.get(&entry).map(|entrant| &entrant.at) {
        None | Some(At::Busted | At::Out) => {
            Err(Refusal::new(Code::NotSeated, "nobody plays by that number"))
        }
        Some(At::Waiting { .. }) => Ok(None),
        Some(At::Sent(table) | At::Seated(table)) => Ok(Some(*table)),
    }
}

fn register(draft: &mut Draft, asker: Asker<'_>, rng: &mut dyn Rng) -> Result<(), Refusal> {
    let Asker { user, name, rights } = asker;
    may_play(draft, rights)?;
    let stakes = draft.room.stakes.clone();
    if stakes.as_ref().is_some_and(|stakes| stakes.paying(user).is_some()) {
        return Err(Refusal::new(Code::Unchanged, "you take part as soon as your chips have come"));
    }
    may_register(&draft.room, user)?;
    let Some(stakes) = stakes else {
        enter(draft, user, name);
        return Ok(());
    };
    let taken = draft.room.entered() as usize + stakes.paying.len();
    if taken >= draft.room.config().entries_max as usize {
        return Err(Refusal::for_now(Code::NoSeat, "the last entries wait for their chips", money::RETRY_MS));
    }
    buying::pay(draft, &stakes, (user, name), rng)
}

/// Whether somebody who may play here can take part now.
///
/// # Errors
/// A [`Refusal`].
pub(super) fn may_register(room: &Tournament, user: &UserId) -> Result<(), Refusal> {
    if room.by_user.contains_key(user) {
        return Err(Refusal::new(Code::Unchanged, "you take part already"));
    }
    if room.is_closed || !matches!(room.phase, Phase::Registering | Phase::Running) {
        return Err(Refusal::new(Code::Late, "registration is over"));
    }
    if room.entered() >= room.config().entries_max {
        let why = format!("all {} entries are taken", room.config().entries_max);
        return Err(Refusal::new(Code::NoSeat, why));
    }
    Ok(())
}

/// Somebody takes part.
pub(super) fn enter(draft: &mut Draft, user: &UserId, name: &str) {
    let name = shown(&draft.room, name);
    draft.emit(Event::Registered { entry: room_entry(&draft.room), user: user.clone(), name });
}

fn room_entry(room: &Tournament) -> u32 {
    room.entries + 1
}

fn shown(room: &Tournament, name: &str) -> String {
    let name = PlayerName::salvaged(name);
    if room.config().entries_max > UNLIKE_MAX {
        return name.as_str().to_owned();
    }
    let taken: Vec<Looks> = room.entrants.values().map(|entrant| Looks::of(&entrant.name)).collect();
    name.unlike(&taken).as_str().to_owned()
}

fn unregister(draft: &mut Draft, asker: Asker<'_>) -> Result<(), Refusal> {
    if buying::take_back(draft, asker.user) {
        return Ok(());
    }
    let Some(entry) = draft.room.by_user.get(asker.user).copied() else {
        return Err(Refusal::new(Code::NotSeated, "you do not take part"));
    };
    if draft.room.phase != Phase::Registering {
        return Err(Refusal::new(Code::Late, "it has begun: nobody leaves a tournament"));
    }
    draft.emit(Event::Unregistered { entry });
    buying::give_back(draft, asker.user);
    Ok(())
}

fn may_play(draft: &Draft, rights: Rights) -> Result<(), Refusal> {
    if rights.can.has(Can::PLAY) {
        return Ok(());
    }
    if rights.play_from_ms > draft.moment.now {
        let minutes = (rights.play_from_ms - draft.moment.now).div_ceil(60_000);
        let why = format!("your play time is used up; it begins again in {minutes} minutes");
        return Err(Refusal::new(Code::PlayTimeUsed, why));
    }
    Err(Refusal::new(Code::NotAllowed, "you may not play in this house at the moment"))
}

fn directs(asker: Asker<'_>) -> Result<(), Refusal> {
    let Asker { rights: Rights { roles, .. }, .. } = asker;
    if roles.has(Roles::FLOOR) || roles.has(Roles::ADMIN) || is_planted(Fault::ObeysAnybody) {
        return Ok(());
    }
    Err(Refusal::new(Code::NotAllowed, "only a director of the house may do that"))
}

fn running(room: &Tournament) -> Result<protocol::tournament::Clock, Refusal> {
    let is_running = room.phase == Phase::Running;
    room.clock.filter(|_| is_running).ok_or_else(|| Refusal::new(Code::Illegal, "it is not being played"))
}

fn set_clock(draft: &mut Draft, clock: protocol::tournament::Clock) {
    draft.emit(Event::ClockSet { clock });
    super::progress::tell_clock(draft);
}
