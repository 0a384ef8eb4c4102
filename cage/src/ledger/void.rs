//! Giving a buy-in or top-up up, whatever became of it.

use money::Why;
use protocol::id::ErrandId;

use super::{
    account::{Account, House, move_chips},
    answer::{Answer, Desk},
    in_play,
    request::{self, Kind, New, Verdict},
};
use crate::tx::DbError;

/// Undoes what was posted. What has not come yet is void when it comes: this leaves its tombstone.
pub(super) fn void(desk: &mut Desk<'_>, of: ErrandId) -> Result<Answer, DbError> {
    let name = request::name_of(desk.room, of);
    let Some(known) = request::known(desk.tx, &name)? else {
        let tombstone = New {
            name: &name,
            fingerprint: None,
            kind: Kind::Unseen,
            person: None,
            chips: None,
            place: Some((desk.room, of)),
            hand: None,
            by_hand: None,
            now: desk.new.now,
        };
        request::record(desk.tx, &tombstone, Verdict::Void)?;
        desk.record(Verdict::Posted)?;
        return Ok(Answer::Done(Vec::new()));
    };
    if !known.kind.is_buy() && known.kind != Kind::Unseen {
        return Ok(Answer::Refused(Why::Bad));
    }
    if known.verdict != Verdict::Posted || known.is_undone {
        desk.record(Verdict::Posted)?;
        return Ok(Answer::Done(Vec::new()));
    }
    let (Some(user), Some(currency)) = (known.person, known.currency) else {
        return Err(DbError::Broken("a buy-in is somebody's".into()));
    };
    let (definition, table) = desk.table_with(currency, known.amount)?;
    let to = match known.was_paid {
        // A lost branch has paid these chips to him.
        true => Account::of_house(desk.tx, currency, House::Variance, "")?,
        false => Account::purse(desk.tx, desk.new.now, &user, &definition, desk.room)?,
    };
    desk.record(Verdict::Posted)?;
    request::undo(desk.tx, &name, desk.new.name)?;
    move_chips(desk.tx, desk.new.name, 0, [&table, &to], known.amount)?;
    in_play::follow(desk.tx, desk.room, &user)?;
    Ok(Answer::Done(Vec::new()))
}
