//! What the rooms of the model are for: a star alone says which player belongs at which table, the tables alone how many chips he has.
//! Star to table: give up a player. Table to star: released, with these chips. Star to another table: seat him. That table to the star: seated.

use std::collections::BTreeMap;

use protocol::id::RoomId;
use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha20Rng;
use rooms::room::letters::{Body, LetterId, Reference, Said};
use serde::{Deserialize, Serialize};

pub(crate) type Player = u8;

/// Each player brings so much.
pub(crate) const STACK: i64 = 1_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum App {
    Star(Star),
    Table(Table),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Star {
    pub(crate) places: BTreeMap<Player, Place>,
    /// Who is to go where as soon as he is released.
    pub(crate) moves: BTreeMap<Player, RoomId>,
    pub(crate) moved: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Place {
    At(RoomId),
    Sent(RoomId, i64),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) players: BTreeMap<Player, i64>,
    /// Whom the star wants, by which letter.
    pub(crate) wanted: Vec<(Player, LetterId)>,
    /// By which letter of the star a player is here, and what he brought.
    pub(crate) stays: BTreeMap<Player, (LetterId, i64)>,
    /// Chips that were made or lost when the table learned of a release that it had forgotten. Told, not silent.
    pub(crate) adjusted: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Word {
    Give(Player),
    /// With these chips, who came with those.
    Released(Player, i64, i64),
    Seat(Player, i64),
    Seated(Player),
    /// Said at any time, also right after a takeover, and of no consequence.
    Note(u64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Noted,
    Planned {
        player: Player,
        to: RoomId,
    },
    SentOn {
        player: Player,
        stack: i64,
        to: RoomId,
    },
    Arrived {
        player: Player,
        at: RoomId,
    },
    Wanted {
        player: Player,
        by: LetterId,
    },
    Released {
        player: Player,
    },
    Gone,
    Seated {
        player: Player,
        stack: i64,
        by: LetterId,
    },
    Hand {
        loser: Player,
        winner: Player,
        chips: i64,
    },
    /// It had said this before and has forgotten it.
    HadSaid {
        to: RoomId,
        word: Word,
    },
}

/// What was decided.
pub(crate) struct Decided {
    pub(crate) events: Vec<Event>,
    pub(crate) said: Vec<Said>,
}

pub(crate) fn star() -> RoomId {
    RoomId::new("star").unwrap()
}

/// How much of what rooms do of their own accord is a note.
const NOTES: f64 = 0.2;

fn say(to: &RoomId, word: &Word, re: Vec<Reference>) -> Said {
    let body = Body::new(postcard::to_stdvec(word).unwrap()).unwrap();
    Said { to: to.clone(), re, body }
}

fn read(body: &Body) -> Word {
    postcard::from_bytes(body.as_bytes()).unwrap()
}

impl App {
    /// A letter is told.
    pub(crate) fn told(
        &self,
        from: &RoomId,
        id: LetterId,
        body: &Body,
        tables: &[RoomId],
        rng: &mut ChaCha20Rng,
    ) -> Decided {
        let (mut events, mut said) = (Vec::new(), Vec::new());
        match (self, read(body)) {
            (Self::Star(star), Word::Released(player, stack, _)) => {
                let to = star.moves.get(&player).or_else(|| tables.choose(rng)).unwrap().clone();
                let re = vec![Reference { from: from.clone(), letter: id }];
                said.push(say(&to, &Word::Seat(player, stack), re));
                events.push(Event::SentOn { player, stack, to });
            }
            // Else it is old news: the star has learned from a recalled letter that it has sent him on since.
            (Self::Star(star), Word::Seated(player)) => match star.places.get(&player) {
                Some(Place::Sent(to, _)) if to == from => {
                    events.push(Event::Arrived { player, at: from.clone() });
                }
                _ => events.push(Event::Noted),
            },
            (Self::Table(_), Word::Give(player)) => events.push(Event::Wanted { player, by: id }),
            (Self::Table(_), Word::Seat(player, stack)) => {
                said.push(say(&star(), &Word::Seated(player), Vec::new()));
                events.push(Event::Seated { player, stack, by: id });
            }
            (_, Word::Note(_)) => events.push(Event::Noted),
            (_, word) => panic!("{word:?} from {from}"),
        }
        Decided { events, said }
    }

    /// These were said and forgotten.
    pub(crate) fn recalled(&self, letters: &[(RoomId, Body)]) -> Vec<Event> {
        letters.iter().map(|(to, body)| Event::HadSaid { to: to.clone(), word: read(body) }).collect()
    }

    /// Something that nobody asked for.
    pub(crate) fn works(
        &self,
        tables: &[RoomId],
        is_in_touch: impl Fn(&RoomId) -> bool,
        is_stormy: bool,
        rng: &mut ChaCha20Rng,
    ) -> Option<Decided> {
        if is_stormy && rng.random_bool(NOTES) {
            let to = match self {
                Self::Star(_) => tables.choose(rng)?.clone(),
                Self::Table(_) => star(),
            };
            let said = vec![say(&to, &Word::Note(rng.random()), Vec::new())];
            return Some(Decided { events: vec![Event::Noted], said });
        }
        match self {
            Self::Star(_) if !is_stormy => None,
            Self::Star(star) => {
                let here = |(player, place): (&Player, &Place)| match place {
                    Place::At(table) if !star.moves.contains_key(player) => Some((*player, table.clone())),
                    _ => None,
                };
                let there: Vec<_> = star.places.iter().filter_map(here).collect();
                let (player, from) = there.choose(rng)?.clone();
                let to = tables.choose(rng).filter(|to| **to != from)?.clone();
                if !is_in_touch(&from) || !is_in_touch(&to) {
                    return None;
                }
                let said = vec![say(&from, &Word::Give(player), Vec::new())];
                Some(Decided { events: vec![Event::Planned { player, to }], said })
            }
            Self::Table(_) if !is_in_touch(&star()) => None,
            Self::Table(table) => {
                if let Some((player, by)) = table.wanted.first().copied() {
                    let Some(stack) = table.players.get(&player) else {
                        return Some(Decided { events: vec![Event::Gone], said: Vec::new() });
                    };
                    let stay = table.stays.get(&player).copied();
                    let (stay, brought) =
                        (stay.map(|(stay, _)| stay), stay.map_or(STACK, |(_, brought)| brought));
                    let re = [Some(by), stay].into_iter().flatten();
                    let re = re.map(|letter| Reference { from: star(), letter }).collect();
                    let said = vec![say(&star(), &Word::Released(player, *stack, brought), re)];
                    return Some(Decided { events: vec![Event::Released { player }], said });
                }
                let players: Vec<Player> = table.players.keys().copied().collect();
                if players.len() < 2 || !is_stormy {
                    return None;
                }
                let (loser, winner) = (*players.choose(rng)?, *players.choose(rng)?);
                let chips = rng.random_range(0..=table.players[&loser]);
                Some(Decided { events: vec![Event::Hand { loser, winner, chips }], said: Vec::new() })
            }
        }
    }

    /// Whether somebody is on the way.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Star(star) => {
                star.places.values().any(|place| matches!(place, Place::Sent(..))) || !star.moves.is_empty()
            }
            Self::Table(table) => !table.wanted.is_empty(),
        }
    }

    /// Does what the event says. An error is a breach.
    pub(crate) fn apply(&mut self, event: &Event) -> Result<(), String> {
        match (self, event.clone()) {
            (Self::Star(star), Event::Planned { player, to }) => drop(star.moves.insert(player, to)),
            (Self::Star(star), Event::SentOn { player, stack, to }) => {
                star.moves.remove(&player);
                star.places.insert(player, Place::Sent(to, stack));
            }
            (Self::Star(star), Event::Arrived { player, at }) => {
                star.places.insert(player, Place::At(at));
                star.moved += 1;
            }
            (Self::Star(star), Event::HadSaid { to, word: Word::Seat(player, stack) }) => {
                star.moves.remove(&player);
                star.places.insert(player, Place::Sent(to, stack));
            }
            (Self::Table(table), Event::Wanted { player, by }) => table.wanted.push((player, by)),
            (Self::Table(table), Event::Gone) => drop(table.wanted.remove(0)),
            (Self::Table(table), Event::Released { player }) => {
                table.wanted.remove(0);
                table.players.remove(&player);
                table.stays.remove(&player);
            }
            (Self::Table(table), Event::Seated { player, stack, by }) => {
                table.stays.insert(player, (by, stack));
                if table.players.insert(player, stack).is_some() {
                    return Err(format!("player {player} is seated twice"));
                }
            }
            (Self::Table(table), Event::Hand { loser, winner, chips }) => {
                *table.players.get_mut(&loser).unwrap() -= chips;
                *table.players.get_mut(&winner).unwrap() += chips;
            }
            (Self::Table(table), Event::HadSaid { word: Word::Released(player, stack, brought), .. }) => {
                // What was played meanwhile is forgotten, and the others have what they had before.
                table.adjusted += stack - table.players.remove(&player).unwrap_or(brought);
                table.stays.remove(&player);
            }
            (_, Event::Noted | Event::HadSaid { .. }) => {}
            (app, event) => panic!("{event:?} in {app:?}"),
        }
        Ok(())
    }
}
