//! The host's commands.

use protocol::{
    RefusalCode as Code,
    hosted::{Access, CODE_CHARS_MIN, Choice, HostCommand},
    id::UserId,
    time::UnixMs,
};
use rand_chacha::rand_core::Rng;
use rooms::{
    planted::{Fault, is_planted},
    room::Refusal,
};
use table::{commands::Asker, settings};

use crate::{
    Event, ai, code,
    door::BANNED_MAX,
    draft::Draft,
    entering::{keep_seat, let_in},
};

/// A pause lasts so long at most.
const PAUSE_MS: UnixMs = 30 * 60_000;

/// The shortest time for a turn that a player may choose, milliseconds.
pub const TURN_MS_MIN: u64 = 5_000;

/// The shortest pause between hands, milliseconds: what waits for the hand to end comes before the next one.
const BETWEEN_HANDS_MS_MIN: u64 = 1;

/// Whether a text asks for something that is the host's to ask, or the door's, and may be written wrong.
pub(crate) fn is_asked(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Tag<'a> {
        #[serde(borrow)]
        a: std::borrow::Cow<'a, str>,
    }
    serde_json::from_str::<Tag<'_>>(text).is_ok_and(|tag| HostCommand::TAGS.contains(&&*tag.a))
}

/// Does what the host asks.
///
/// # Errors
/// A [`Refusal`]; also if it is somebody else.
pub(crate) fn command(
    draft: &mut Draft<'_>,
    asker: Asker<'_>,
    command: HostCommand,
    rng: &mut dyn Rng,
) -> Result<(), Refusal> {
    if draft.door.host != *asker.user && !is_planted(Fault::ObeysAnybody) {
        return Err(Refusal::new(Code::NotAllowed, "only the table's host may do that"));
    }
    if draft.door.is_closing {
        return Err(Refusal::new(Code::NotAllowed, "this table closes"));
    }
    match command {
        HostCommand::Knock { .. } => unreachable!("that is anybody's"),
        HostCommand::Approve { user } => {
            if !draft.door.knocking.iter().any(|knocks| knocks.user == user) {
                return Err(Refusal::new(Code::Unchanged, "nobody of that name knocks"));
            }
            admit(draft, &user)
        }
        HostCommand::Deny { user } => {
            if !draft.door.knocking.iter().any(|knocks| knocks.user == user) {
                return Err(Refusal::new(Code::Unchanged, "nobody of that name knocks"));
            }
            draft.emit(Event::Silent { user });
            Ok(())
        }
        HostCommand::Invite { user } if user.is_bot() => {
            Err(Refusal::new(Code::Illegal, "AI players are invited by their level"))
        }
        HostCommand::Invite { user } => admit(draft, &user),
        HostCommand::InviteAi { count, level } => ai::invite(draft, count, level, rng),
        HostCommand::RemoveAi { user } => ai::remove(draft, user.as_ref()),
        HostCommand::Kick { user, .. } if draft.ai.has(&user) => ai::remove(draft, Some(&user)),
        HostCommand::Kick { user, ban } => kick(draft, user, ban),
        HostCommand::Pause if draft.door.paused_ms.is_some() => unchanged("the table pauses already"),
        HostCommand::Pause => {
            let until_ms = draft.now() + PAUSE_MS;
            draft.emit(Event::Paused { until_ms });
            Ok(())
        }
        HostCommand::Resume if draft.door.paused_ms.is_none() => unchanged("the table does not pause"),
        HostCommand::Resume => {
            draft.emit(Event::Resumed);
            Ok(())
        }
        HostCommand::Set { config } => set(draft, config),
        HostCommand::Door { access, code } => door(draft, access, code.as_deref(), rng),
        HostCommand::HandOver { user } if draft.door.host == user => unchanged("you are the host"),
        HostCommand::HandOver { user } if user.is_bot() => {
            Err(Refusal::new(Code::Illegal, "an AI player is no host"))
        }
        HostCommand::HandOver { user } => {
            if draft.table.table().seat_of(&user).is_none() || draft.must_go(&user) {
                return Err(Refusal::new(Code::NotSeated, "only who sits at the table can be its host"));
            }
            draft.emit(Event::Host { user });
            Ok(())
        }
        HostCommand::Close => {
            draft.emit(Event::Closing);
            Ok(())
        }
    }
}

fn unchanged(why: &str) -> Result<(), Refusal> {
    Err(Refusal::new(Code::Unchanged, why))
}

fn admit(draft: &mut Draft<'_>, user: &UserId) -> Result<(), Refusal> {
    if draft.table.table().seat_of(user).is_some() {
        return unchanged("he sits at the table");
    }
    let_in(draft, user);
    keep_seat(draft, user);
    Ok(())
}

fn kick(draft: &mut Draft<'_>, user: UserId, ban: bool) -> Result<(), Refusal> {
    if draft.door.host == user {
        return Err(Refusal::new(Code::Illegal, "the host is not kicked: leave, or hand the table over"));
    }
    let door = &draft.door;
    let is_banned = door.banned.contains(&user);
    if ban && !is_banned && door.banned.len() >= BANNED_MAX {
        let why = format!("a table bans {BANNED_MAX} at most; close it and open another");
        return Err(Refusal::new(Code::TooMany, why));
    }
    let is_here = draft.table.table().seat_of(&user).is_some()
        || door.let_in.contains(&user)
        || door.knocking.iter().any(|knocks| knocks.user == user);
    if (!is_here || door.leaving.contains(&user)) && (!ban || is_banned) {
        return unchanged("he is not here");
    }
    draft.emit(Event::Kicked { user, ban });
    Ok(())
}

fn set(draft: &mut Draft<'_>, choice: Choice) -> Result<(), Refusal> {
    let config = choice.within(draft.table.table().config());
    check(&config, draft.door.big_blind_max)?;
    let seats = draft.table.table().config().seats;
    if config.seats != seats {
        return Err(Refusal::new(
            Code::BadSettings,
            format!("a table keeps its seats: this one has {seats}"),
        ));
    }
    draft.emit(Event::Pending { config: Box::new(config) });
    Ok(())
}

fn door(draft: &mut Draft<'_>, access: Access, code: Option<&str>, rng: &mut dyn Rng) -> Result<(), Refusal> {
    if code.is_some_and(|code| code::plain(code).chars().count() < CODE_CHARS_MIN) {
        let why = format!("a code has {CODE_CHARS_MIN} characters at least, beside dashes and spaces");
        return Err(Refusal::new(Code::BadSettings, why));
    }
    if access == Access::Code && code.is_none() && draft.door.code.is_none() {
        return Err(Refusal::new(Code::BadSettings, "say which code opens the table"));
    }
    if access == draft.door.access && code.is_none() {
        return unchanged("that is how it is");
    }
    let code = code.map(|code| code::Kept::of(code, rng));
    draft.emit(Event::Access { access, code });
    Ok(())
}

/// Whether players may play by these settings in a house with this largest big blind.
///
/// # Errors
/// A [`Refusal`] that says what is wrong.
pub fn check(config: &protocol::table::TableConfig, big_blind_max: u64) -> Result<(), Refusal> {
    let refuse = |why: String| Err(Refusal::new(Code::BadSettings, why));
    if let Err(bad) = settings::check(config) {
        return refuse(bad.to_string());
    }
    if config.big_blind > big_blind_max {
        return refuse(format!("the big blind is at most {big_blind_max} chips here"));
    }
    if config.turn_ms < TURN_MS_MIN {
        return refuse(format!("a turn has {TURN_MS_MIN} milliseconds at least"));
    }
    if config.pause_ms < BETWEEN_HANDS_MS_MIN {
        return refuse("between two hands there is a pause".into());
    }
    Ok(())
}
