//! What a player has taken home from tables, less what he has brought there, by what he is told at them; and whether the house says the same of his
//! account.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard},
};

use protocol::{id::RoomId, table::TableEvent};
use tokio::time::{Duration, Instant, sleep};

use crate::{
    breach::{Breach, Breaches},
    client::{Client, Heard},
    guest::{Guest, NoToken, Reception, Tokens},
};

/// What has left a table is in the account within this; the cage may be away for a while.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// Between two looks at the account.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Added up by the player alone.
#[derive(Debug, Default)]
pub struct Purse {
    won: i64,
    /// Where he sits, by what he was told.
    seats: BTreeMap<RoomId, u8>,
    /// Keyframes that jumped over something, or went back, so far.
    jumps: u64,
    has_come: bool,
    is_unsure: bool,
}

impl Purse {
    /// Takes what the player's client has heard.
    pub fn hear(&mut self, client: &Client, heard: &Heard) {
        match heard {
            // What was asked in a session that is gone may have been done, and is told to nobody.
            Heard::Welcome { resumed: false } => {
                self.is_unsure |= std::mem::replace(&mut self.has_come, true)
            }
            Heard::Frame { room, events, .. } => {
                let Some(me) = client.user() else { return };
                events.iter().for_each(|event| self.event(room, event, |user| user == me));
            }
            Heard::Keyframe { room, .. } => {
                let jumps = client.breaches().jumped + client.breaches().lost;
                let has_jumped = std::mem::replace(&mut self.jumps, jumps) != jumps;
                let me = client.user();
                let seat = me.and_then(|me| client.table(room)?.seat_of(me));
                let sat = self.seats.get(room).copied();
                // Who has not seen everything while he sat does not know with how much he left, or whether he brought more.
                self.is_unsure |= seat != sat || (has_jumped && sat.is_some());
                match seat {
                    Some(seat) => drop(self.seats.insert(room.clone(), seat)),
                    None => drop(self.seats.remove(room)),
                }
            }
            _ => {}
        }
    }

    fn event(&mut self, room: &RoomId, event: &TableEvent, is_me: impl Fn(&protocol::id::UserId) -> bool) {
        let mine = self.seats.get(room).copied();
        match event {
            TableEvent::Seated { seat, user, stack, .. } if is_me(user) => {
                self.seats.insert(room.clone(), *seat);
                self.won -= whole(*stack);
            }
            TableEvent::ToppedUp { seat, amount } if mine == Some(*seat) => self.won -= whole(*amount),
            TableEvent::Left { seat, stack } if mine == Some(*seat) => {
                self.seats.remove(room);
                self.won += whole(*stack);
            }
            _ => {}
        }
    }

    /// What he has won; below 0: lost. `None` while he sits somewhere, and where he has not seen everything.
    pub fn won(&self) -> Option<i64> {
        (!self.is_unsure && self.seats.is_empty()).then_some(self.won)
    }
}

fn whole(chips: u64) -> i64 {
    i64::try_from(chips).expect("tables hold less")
}

/// What somebody has, as the house says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// In his account.
    pub available: u64,
    /// At tables: what he has brought there and not left with.
    pub in_play: u64,
}

/// How many players were judged, and how many do not know themselves what they ought to have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Purses {
    /// Whose account was compared with his own sum.
    pub judged: u64,
    /// Who has no sum.
    pub unsure: u64,
}

impl Purses {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.judged += other.judged;
        self.unsure += other.unsure;
    }
}

/// Tokens of a player whose account in a currency is looked at before he plays and afterwards.
#[derive(Debug)]
pub struct Watched<T> {
    tokens: T,
    reception: Reception,
    currency: String,
    known: Mutex<Option<Known>>,
    settled_within: Duration,
}

#[derive(Debug, Clone)]
struct Known {
    guest: Guest,
    began_with: u64,
}

impl<T: Tokens> Watched<T> {
    /// Of a player of that reception.
    pub fn new(tokens: T, reception: Reception, currency: impl fmt::Display) -> Self {
        let (currency, known) = (currency.to_string(), Mutex::new(None));
        Self { tokens, reception, currency, known, settled_within: SETTLED_WITHIN }
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().expect("nothing panics while it holds what is known")
    }

    /// He has left with this by his own sum, if he knows it: waits until nothing of his is at tables, and counts a breach if he has not what he
    /// ought to.
    pub async fn judge(&self, won: Option<i64>, breaches: &mut Breaches) -> Purses {
        let known = self.known().clone();
        let (Some(won), Some(Known { mut guest, began_with })) = (won, known) else {
            return Purses { judged: 0, unsure: 1 };
        };
        let (due, until) = (whole(began_with) + won, Instant::now() + self.settled_within);
        let wrong = loop {
            let account = self.reception.account(&guest, &self.currency).await;
            let wrong = match account {
                Ok(Account { available, in_play: 0 }) if whole(available) == due => break None,
                Ok(account) => format!("{} has {account:?}, and ought to have {due}", guest.user),
                Err(error) => {
                    // Its token may have ended meanwhile.
                    if let Ok(renewed) = self.tokens.refresh(&guest).await {
                        guest = renewed;
                    }
                    format!("{} is not told what he has: {error}", guest.user)
                }
            };
            if Instant::now() >= until {
                break Some(wrong);
            }
            sleep(LOOK_EVERY).await;
        };
        if let Some(wrong) = wrong {
            breaches.count(Breach::Money, || wrong);
        }
        Purses { judged: 1, unsure: 0 }
    }
}

impl<T: Tokens> Tokens for Watched<T> {
    async fn guest(&self, name: &str) -> Result<Guest, NoToken> {
        let guest = self.tokens.guest(name).await?;
        let Account { available, .. } = self.reception.account(&guest, &self.currency).await?;
        *self.known() = Some(Known { guest: guest.clone(), began_with: available });
        Ok(guest)
    }

    async fn refresh(&self, guest: &Guest) -> Result<Guest, NoToken> {
        let renewed = self.tokens.refresh(guest).await?;
        if let Some(known) = &mut *self.known() {
            known.guest = renewed.clone();
        }
        Ok(renewed)
    }
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, routing::get};
    use protocol::id::UserId;
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;

    fn room() -> RoomId {
        RoomId::new("t1").unwrap()
    }

    /// Sits down with 100, adds 20, and leaves with 150.
    fn played() -> Purse {
        let me = UserId::new("u-ann").unwrap();
        let seated = |seat, user: &str, stack| TableEvent::Seated {
            seat,
            user: UserId::new(user).unwrap(),
            name: "Ann".into(),
            bot: false,
            stack,
            status: protocol::table::SeatStatus::Playing,
            bank_ms: 0,
        };
        let mut purse = Purse::default();
        for event in [
            seated(1, "u-ann", 100),
            seated(2, "u-bob", 500),
            TableEvent::ToppedUp { seat: 1, amount: 20 },
            TableEvent::ToppedUp { seat: 2, amount: 7 },
            TableEvent::Left { seat: 2, stack: 477 },
        ] {
            purse.event(&room(), &event, |user| *user == me);
        }
        assert_eq!(purse.won(), None, "he sits there");
        purse.event(&room(), &TableEvent::Left { seat: 1, stack: 150 }, |user| *user == me);
        purse
    }

    struct Ann;

    impl Tokens for Ann {
        async fn guest(&self, _name: &str) -> Result<Guest, NoToken> {
            let told = json!({ "token": "x", "user": "u-ann", "name": "Ann", "expires_ms": 1 });
            Ok(serde_json::from_value(told)?)
        }

        async fn refresh(&self, _guest: &Guest) -> Result<Guest, NoToken> {
            self.guest("").await
        }
    }

    /// Judged by a reception that says so at the beginning and so at the end.
    async fn judged(before: u64, after: u64, in_play: u64) -> Breaches {
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let answer = move || {
            let first = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            let (available, in_play) = if first { (before, 0) } else { (after, in_play) };
            let in_play: Vec<_> = (0..in_play).map(|_| json!({ "room": "t1", "amount": 1 })).collect();
            let euros = json!({ "currency": "EUR", "available": 5, "in_play": [] });
            let play = json!({ "currency": "PLAY", "available": available, "in_play": in_play });
            async move { Json(json!({ "balances": [euros, play] })) }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api", listener.local_addr().unwrap());
        tokio::spawn(async move {
            axum::serve(listener, Router::new().route("/api/me/balances", get(answer))).await
        });
        let watched = Watched {
            settled_within: Duration::from_millis(500),
            ..Watched::new(Ann, Reception::new(&base), "PLAY")
        };
        watched.guest("Ann").await.unwrap();
        let mut breaches = Breaches::default();
        assert_eq!(watched.judge(played().won(), &mut breaches).await, Purses { judged: 1, unsure: 0 });
        breaches
    }

    #[tokio::test]
    async fn whose_balance_is_off_by_one_is_found() {
        assert_eq!(judged(1_000, 1_030, 0).await, Breaches::default());
        for (before, after, in_play) in
            [(1_000, 1_031, 0), (1_000, 1_029, 0), (1_000, 1_030, 1), (999, 1_030, 0)]
        {
            let breaches = judged(before, after, in_play).await;
            assert_eq!((breaches.money, breaches.total()), (1, 1), "{before} {after} {in_play}");
            assert!(breaches.described[0].contains("u-ann"), "{breaches:?}");
        }
    }
}
