//! The evening's ledger: who has brought and taken what.

use protocol::{
    hosted::{HostedAnswer, LedgerLine, OtherLines},
    id::UserId,
};
use serde::{Deserialize, Serialize};
use table::{Event, Table};

/// So many are told one by one; of more, whoever came first and has gone is told together with others.
pub const LINES_MAX: usize = 100;

/// See the module. With what lies on the table it adds up: brought is taken, raked, or lies there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    lines: Vec<Line>,
    others: OtherLines,
    /// How often somebody has sat down.
    sat: u64,
}

/// One player's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    user: UserId,
    name: String,
    brought: u64,
    took: u64,
    /// The how manieth it was to sit down, the last time.
    since: u64,
}

impl Ledger {
    /// Takes what happens at a table, before it does.
    pub(crate) fn take(&mut self, table: &Table, event: &Event) {
        match event {
            Event::Seated { user, name, stack, .. } => {
                self.sat += 1;
                let since = self.sat;
                let line = self.line(table, user);
                (line.name, line.since) = (name.clone(), since);
                line.brought += stack;
            }
            Event::ToppedUp { seat, amount } => {
                if let Some(player) = table.seated(*seat) {
                    self.line(table, &player.user).brought += amount;
                }
            }
            Event::Left { seat, .. } => {
                if let Some(player) = table.seated(*seat) {
                    self.line(table, &player.user).took += player.stack;
                }
            }
            _ => {}
        }
    }

    fn line(&mut self, table: &Table, user: &UserId) -> &mut Line {
        if let Some(at) = self.lines.iter().position(|line| line.user == *user) {
            return &mut self.lines[at];
        }
        let has_gone = |line: &Line| table.seat_of(&line.user).is_none();
        if self.lines.len() >= LINES_MAX
            && let Some(at) = self.lines.iter().position(has_gone)
        {
            let Line { brought, took, .. } = self.lines.remove(at);
            self.others.brought += brought;
            self.others.took += took;
        }
        let (user, name) = (user.clone(), String::new());
        self.lines.push(Line { user, name, brought: 0, took: 0, since: self.sat });
        self.lines.last_mut().expect("it was just put there")
    }

    /// Who of the people that sit there has sat for longest.
    pub(crate) fn senior(&self, table: &Table) -> Option<UserId> {
        let people = self.lines.iter().filter(|line| !line.user.is_bot());
        let seated = people.filter(|line| table.seat_of(&line.user).is_some());
        seated.min_by_key(|line| line.since).map(|line| line.user.clone())
    }

    /// What is told to who asks.
    pub(crate) fn answer(&self, table: &Table) -> HostedAnswer {
        let stack = |user: &UserId| {
            let player = table.seat_of(user).and_then(|seat| table.seated(seat))?;
            Some(player.stack + player.bet)
        };
        let line = |line: &Line| LedgerLine {
            user: line.user.clone(),
            name: line.name.clone(),
            brought: line.brought,
            took: line.took,
            stack: stack(&line.user),
        };
        HostedAnswer::Ledger { lines: self.lines.iter().map(line).collect(), others: self.others }
    }
}
