//! What tables of which nothing was left have paid, against what their players have brought there and won in the hands that were recorded: another
//! sum than the ledger's own, which goes by what the last hand left them.

use std::collections::BTreeMap;

use cage::{DbError, Tx};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// How many tables were settled that had chips.
    pub tables: u64,
    /// How many players were paid.
    pub paid: u64,
    /// Who was paid something else than he was owed.
    pub wrong: Vec<String>,
}

/// A place in a journal.
type Place = (i64, i64);

/// Goes through all tables that began anew.
///
/// # Errors
/// Of the database.
pub fn judge_settled(tx: &mut dyn Tx) -> Result<Settled, DbError> {
    let anew = tx.run(
        "SELECT room, epoch, request FROM cut_now WHERE follows_epoch = 0 AND follows_seq = 0 ORDER BY room, epoch",
        &[],
    )?;
    let (mut settled, mut before) = (Settled::default(), (String::new(), 0));
    for row in &anew {
        let (room, epoch, request) = (row.text(0)?.to_owned(), row.int(1)?, row.text(2)?);
        let since = if before.0 == room { before.1 } else { 0 };
        let owed = owed(tx, &room, since, epoch)?;
        let entries = tx.run(
            "SELECT a.name, e.change FROM entry e JOIN account a ON a.id = e.account WHERE e.request = $1 AND a.kind = 'player'",
            &[request.into()],
        )?;
        let mut paid = BTreeMap::new();
        for entry in &entries {
            paid.insert(entry.text(0)?.to_owned(), entry.int(1)?);
        }
        settled.tables += u64::from(!owed.is_empty());
        settled.paid += paid.len() as u64;
        if owed != paid {
            settled.wrong.push(format!("{room} in {epoch}: owed {owed:?}, paid {paid:?}"));
        }
        before = (room, epoch);
    }
    Ok(settled)
}

/// What everybody was owed who had chips at a table in these epochs.
fn owed(tx: &mut dyn Tx, room: &str, since: i64, until: i64) -> Result<BTreeMap<String, i64>, DbError> {
    let of_the_table = [room.into(), since.into(), until.into()];
    let requests = tx.run(
        "SELECT person, kind, amount, epoch, seq FROM request r WHERE room = $1 AND epoch >= $2 AND epoch < $3 AND outcome = 'posted' \
         AND person IS NOT NULL AND NOT EXISTS (SELECT 1 FROM undone_now u WHERE u.request = r.name) ORDER BY epoch, seq, n",
        &of_the_table,
    )?;
    let mut brought: BTreeMap<String, (Place, i64)> = BTreeMap::new();
    for row in &requests {
        let (person, amount, at) = (row.text(0)?.to_owned(), row.int(2)?, (row.int(3)?, row.int(4)?));
        match row.text(1)? {
            "buy_in" | "top_up" => brought.entry(person).or_insert((at, 0)).1 += amount,
            "return" => brought.entry(person).or_insert((at, 0)).1 -= amount,
            _ => drop(brought.remove(&person)),
        }
    }
    let hands = tx.run(
        "SELECT person, epoch, seq, net FROM hand_player WHERE room = $1 AND epoch >= $2 AND epoch < $3 AND void = 0",
        &of_the_table,
    )?;
    for row in &hands {
        let at = (row.int(1)?, row.int(2)?);
        if let Some((since, sum)) = brought.get_mut(row.text(0)?)
            && at > *since
        {
            *sum += row.int(3)?;
        }
    }
    Ok(brought.into_iter().map(|(person, (_, sum))| (person, sum)).filter(|(_, sum)| *sum > 0).collect())
}
