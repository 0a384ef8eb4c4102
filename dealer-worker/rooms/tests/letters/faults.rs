//! What a run does to the rooms, and the rules that are taken away to see them missed.

use rooms::planted::LetterRule;

/// How often what happens, of 1.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// An owner dies right after a commit.
    pub(crate) crash_after_commit: f64,
    /// An owner dies, per step.
    pub(crate) crash: f64,
    /// Another worker takes over while the owner lives on, per step.
    pub(crate) zombie: f64,
    /// Of messages.
    pub(crate) drop: f64,
    pub(crate) double: f64,
    /// It comes much later.
    pub(crate) late: f64,
    /// The store refuses to write.
    pub(crate) refuse: f64,
    /// The broker loses the end of a journal, per step.
    pub(crate) lose: f64,
    /// The owner dies in that moment, of such losses.
    pub(crate) lose_and_die: f64,
    /// The owner lives on as a zombie in that moment, of such losses.
    pub(crate) lose_and_linger: f64,
    /// So many losses at most, of so many entries.
    pub(crate) losses_max: usize,
    pub(crate) lose_entries_max: usize,
}

impl Faults {
    /// Everything that the protocol promises to survive but losses.
    pub(crate) const STORM: Self = Self {
        crash_after_commit: 0.01,
        crash: 0.01,
        zombie: 0.006,
        drop: 0.15,
        double: 0.1,
        late: 0.03,
        refuse: 0.01,
        lose: 0.0,
        lose_and_die: 0.0,
        lose_and_linger: 0.0,
        losses_max: 0,
        lose_entries_max: 0,
    };

    /// And the broker loses the ends of journals whose owners live.
    pub(crate) const LOSS: Self =
        Self { lose: 0.004, losses_max: usize::MAX, lose_entries_max: 6, ..Self::STORM };

    /// And once an owner dies in that moment: promised to nobody.
    pub(crate) const DEADLY_LOSS: Self = Self { lose: 0.004, lose_and_die: 1.0, losses_max: 1, ..Self::LOSS };

    /// And again and again.
    pub(crate) const MANY_DEADLY_LOSSES: Self =
        Self { lose: 0.004, losses_max: usize::MAX, ..Self::DEADLY_LOSS };

    /// And again and again, and owners linger too.
    pub(crate) const LOSSES_WITH_ZOMBIES: Self =
        Self { lose_and_die: 0.4, lose_and_linger: 0.4, ..Self::MANY_DEADLY_LOSSES };

    /// Once, and more than is retained.
    pub(crate) const TOO_LONG_A_LOSS: Self = Self { lose: 0.002, lose_entries_max: 200, ..Self::DEADLY_LOSS };
}

/// A rule that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// In the letters themselves.
    Without(LetterRule),
    /// A letter leaves before its entry is durable. Whether the judge looks at what is sent.
    SendsBeforeCommit { is_watched: bool },
    /// What was heard is not in the journal.
    HearsInMemory,
}
