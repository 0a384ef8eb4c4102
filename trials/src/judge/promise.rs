//! What is promised.

/// A promise that was seen broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// A journal is one line: no entry of an older epoch after a claim, no hole that no keyframe mends.
    Linear,
    /// Keyframe and deltas add up to the next keyframe.
    Fold,
    /// Chips add up after every event.
    Chips,
    /// Top-ups and blinds are as the rules of the table say.
    Rules,
    /// An accepted command is applied once.
    Once,
    /// What a room says to another is told once and in order.
    Letters,
    /// An acknowledged command is in the journal.
    Durable,
    /// What a client sees is what the journal holds.
    Equal,
    /// Nobody sees somebody else's part.
    Privacy,
    /// What a client's own referee saw.
    Client,
    /// Once faults stop, every table completes a hand, and every command is answered.
    Live,
    /// What was acknowledged and then lost by the broker is told.
    Told,
    /// No task of the house panics.
    Sound,
    /// What a room has asked of a service is done once, and what it says of that is so.
    Errands,
    /// Where chips are somebody's, the ledger holds for each table what lies on it, and has for each player what he has not brought or has
    /// taken home.
    Money,
    /// What has ended is nowhere.
    Ended,
    /// An answer to a question is what the journal says up to the frame that it names, and nothing that is hidden.
    Answers,
    /// Whoever watches and has no part in a room gets each part for the rail, once and in order; whoever has one gets none.
    Rail,
    /// Never more watch a room at once that have no part in it than may, and nobody is refused while there has been room for longer than a place
    /// holds.
    Viewers,
    /// However many others ask, whoever sits at a table is heard in time, and all others are told.
    Heard,
    /// What waits for a room stays within its bounds.
    Bounded,
    /// Nobody is heard whose token was revoked some seconds ago.
    Revoked,
    /// At a table that a player has opened its host decides who sits there and whether it goes on, and nobody else does.
    Host,
    /// Each seat of an AI player is played by one agent at a time: whoever it was taken from plays there no more.
    OneAgent,
    /// Nobody takes a seat to which another is called, who waits is called in turn, and whoever is called is told.
    Called,
    /// Whoever waits in a queue is sent to one table, once, and that table knows of it.
    Served,
    /// Every entry of a tournament is at exactly one place: at a table, on the way, or out.
    OnePlace,
    /// In a tournament there are as many chips as were given out, wherever they are.
    Issued,
    /// Everybody who took part has a place, as it follows from who went out when.
    Places,
    /// Prizes come to the pool, and each is given once.
    Prizes,
    /// Each hand of a tournament has the blinds of the schedule at its beginning.
    Level,
    /// Where tables play in step none is a hand ahead.
    Step,
    /// Tables of a tournament do not stay uneven.
    Balanced,
    /// A tournament comes to its winner, and is nowhere then.
    Ends,
    /// Nobody directs a tournament who has not the right to.
    Directed,
    /// Each job has one answer, of who has it, and whoever wanted it is told that.
    Answered,
    /// Every hand that has ended is written down and counted once, or told to be lost; and none begins before the last one waits to be written down.
    Kept,
}

impl Promise {
    /// All of them.
    pub fn all() -> [Self; 37] {
        use Promise::{
            Answered, Answers, Balanced, Bounded, Called, Chips, Client, Directed, Durable, Ended, Ends,
            Equal, Errands, Fold, Heard, Host, Issued, Kept, Letters, Level, Linear, Live, Money, Once,
            OneAgent, OnePlace, Places, Privacy, Prizes, Rail, Revoked, Rules, Served, Sound, Step, Told,
            Viewers,
        };
        [
            Linear, Fold, Chips, Rules, Once, Durable, Equal, Privacy, Client, Live, Told, Sound, Letters,
            Errands, Money, Ended, Answers, Rail, Heard, Bounded, Revoked, Host, Called, Served, OnePlace,
            Issued, Places, Prizes, Level, Step, Balanced, Ends, Directed, Kept, OneAgent, Viewers, Answered,
        ]
    }

    /// The name in reports.
    ///
    /// # Panics
    /// Never: it is a name.
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).ok();
        name.as_ref().and_then(|name| name.as_str()).expect("a promise is written as its name").to_owned()
    }
}
