//! What is known beyond the game, and what each event does to it.

use protocol::{
    hosted::{Access, HostLeaves, HostedView, KeptSeat, Knocking},
    id::{RoomId, UserId},
    table::TableConfig,
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

use crate::{
    Settings,
    ai::{self, Ai},
    code,
    ledger::Ledger,
};

/// So many may knock at a time.
pub const KNOCKING_MAX: usize = 16;

/// So many may have been let in; of more, whoever was first and does not sit there must knock again.
pub const LET_IN_MAX: usize = 64;

/// So many may be banned.
pub const BANNED_MAX: usize = 32;

/// See the module. Changed by [`Door::change`] and by nothing else, but for the ledger, which follows the game.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    pub(crate) host: UserId,
    pub(crate) access: Access,
    pub(crate) code: Option<code::Kept>,
    pub(crate) host_leaves: HostLeaves,
    pub(crate) floor: RoomId,
    pub(crate) idle_ms: u64,
    pub(crate) big_blind_max: u64,
    pub(crate) knocking: Vec<Knocks>,
    pub(crate) let_in: Vec<UserId>,
    pub(crate) banned: Vec<UserId>,
    pub(crate) kept: Vec<KeptSeat>,
    /// Who leaves when the hand has ended.
    pub(crate) leaving: Vec<UserId>,
    pub(crate) pending: Option<Box<TableConfig>>,
    /// No hand begins before, unless the host goes on.
    pub(crate) paused_ms: Option<UnixMs>,
    /// Nobody has sat here since; nothing while somebody does, and before anything has happened.
    pub(crate) empty_since: Option<UnixMs>,
    pub(crate) is_closing: bool,
    pub(crate) is_over: bool,
    pub(crate) ledger: Ledger,
}

/// Somebody at the door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knocks {
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) until_ms: UnixMs,
}

/// One fact, in the words of the journal's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Of the game.
    Table(table::Event),
    /// Somebody is the host from now on.
    Host {
        /// Who.
        user: UserId,
    },
    /// Others may sit down from now on.
    Access {
        /// Who.
        access: Access,
        /// With which code; nothing: the one that there was.
        code: Option<code::Kept>,
    },
    /// Somebody asks to be let in.
    Knocked {
        /// Who.
        user: UserId,
        /// The name to show.
        name: String,
        /// So long the host may answer.
        until_ms: UnixMs,
    },
    /// Somebody knocks no more.
    Silent {
        /// Who.
        user: UserId,
    },
    /// Somebody may sit down.
    LetIn {
        /// Who.
        user: UserId,
        /// Who must knock again because of that, if there are too many.
        instead_of: Option<UserId>,
    },
    /// A seat is kept for somebody.
    Kept {
        /// Which.
        seat: u8,
        /// For whom.
        user: UserId,
        /// Until when.
        until_ms: UnixMs,
    },
    /// It is no more.
    Released {
        /// Which.
        seat: u8,
    },
    /// Somebody is to leave when the hand has ended, and must knock again.
    Kicked {
        /// Who.
        user: UserId,
        /// He may not even knock.
        ban: bool,
    },
    /// He has left.
    Gone {
        /// Who.
        user: UserId,
    },
    /// The table is set otherwise when the hand has ended.
    Pending {
        /// To this.
        config: Box<TableConfig>,
    },
    /// It is, or that did not fit.
    Set,
    /// No hand begins until then.
    Paused {
        /// When the table goes on by itself.
        until_ms: UnixMs,
    },
    /// It goes on.
    Resumed,
    /// The last player has left, or nobody has come yet.
    Empty {
        /// Since when.
        since_ms: UnixMs,
    },
    /// Somebody sits there again.
    Taken,
    /// Everybody leaves when the hand has ended.
    Closing,
    /// The table is no more.
    Over,
    /// Of the AI players.
    Ai(ai::Event),
}

impl Door {
    /// As it was opened.
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { table: _, host, access, host_leaves, floor, idle_ms, big_blind_max, ai: _ } = settings;
        Self {
            host,
            access,
            code: None,
            host_leaves,
            floor,
            idle_ms,
            big_blind_max,
            knocking: Vec::new(),
            let_in: Vec::new(),
            banned: Vec::new(),
            kept: Vec::new(),
            leaving: Vec::new(),
            pending: None,
            paused_ms: None,
            empty_since: None,
            is_closing: false,
            is_over: false,
            ledger: Ledger::default(),
        }
    }

    /// What everybody sees.
    pub(crate) fn view(&self, ai: &Ai) -> HostedView {
        let (ai_seats, ai) = ai.view();
        let knocks = |knocks: &Knocks| Knocking { user: knocks.user.clone(), name: knocks.name.clone() };
        HostedView {
            host: self.host.clone(),
            access: self.access,
            host_leaves: self.host_leaves,
            paused_ms: self.paused_ms,
            closing: self.is_closing,
            pending: self.pending.is_some(),
            knocking: self.knocking.iter().map(knocks).collect(),
            let_in: self.let_in.clone(),
            kept: self.kept.clone(),
            leaving: self.leaving.clone(),
            ai_seats,
            ai,
        }
    }

    /// The seat that is kept for a user.
    pub(crate) fn kept_for(&self, user: &UserId) -> Option<u8> {
        self.kept.iter().find(|kept| kept.user == *user).map(|kept| kept.seat)
    }

    /// Does what an event says that is none of the game.
    pub(crate) fn change(&mut self, event: &Event) {
        match event {
            Event::Table(_) => unreachable!("that is done by the table"),
            Event::Ai(_) => unreachable!("that is none of the door's"),
            Event::Host { user } => self.host = user.clone(),
            Event::Access { access, code } => {
                self.access = *access;
                if code.is_some() {
                    self.code.clone_from(code);
                }
                if !access.is_guarded() {
                    self.knocking.clear();
                }
            }
            Event::Knocked { user, name, until_ms } => {
                let (user, name) = (user.clone(), name.clone());
                self.knocking.push(Knocks { user, name, until_ms: *until_ms });
            }
            Event::Silent { user } => self.knocking.retain(|knocks| knocks.user != *user),
            Event::LetIn { user, instead_of } => {
                self.knocking.retain(|knocks| knocks.user != *user);
                self.banned.retain(|banned| banned != user);
                self.let_in.retain(|known| known != user && Some(known) != instead_of.as_ref());
                self.let_in.push(user.clone());
            }
            Event::Kept { seat, user, until_ms } => {
                self.kept.push(KeptSeat { seat: *seat, user: user.clone(), until_ms: *until_ms });
            }
            Event::Released { seat } => self.kept.retain(|kept| kept.seat != *seat),
            Event::Kicked { user, ban } => {
                self.knocking.retain(|knocks| knocks.user != *user);
                self.let_in.retain(|known| known != user);
                self.kept.retain(|kept| kept.user != *user);
                if !self.leaving.contains(user) {
                    self.leaving.push(user.clone());
                }
                if *ban && !self.banned.contains(user) {
                    self.banned.push(user.clone());
                }
            }
            Event::Gone { user } => self.leaving.retain(|leaving| leaving != user),
            Event::Pending { config } => self.pending = Some(config.clone()),
            Event::Set => self.pending = None,
            Event::Paused { until_ms } => self.paused_ms = Some(*until_ms),
            Event::Resumed => self.paused_ms = None,
            Event::Empty { since_ms } => self.empty_since = Some(*since_ms),
            Event::Taken => self.empty_since = None,
            Event::Closing => {
                self.is_closing = true;
                (self.paused_ms, self.pending) = (None, None);
                self.knocking.clear();
                self.kept.clear();
            }
            Event::Over => self.is_over = true,
        }
    }
}
