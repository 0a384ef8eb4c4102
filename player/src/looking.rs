//! What a client sees of the lobby: the view that it asks for, and the page that the relay tells of.

use protocol::{
    ClientIn,
    lobby::{Delta, Seen, View, Whole},
};

/// See the module.
#[derive(Debug)]
pub struct Looking {
    view: View,
    /// Our number of it: news of an earlier view may still be on their way.
    v: u8,
    seen: Option<Seen>,
}

impl Looking {
    /// The number-th look.
    pub(crate) fn new(view: View, number: u8) -> Self {
        Self { view, v: number, seen: None }
    }

    /// What is looked at.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The page as it was told last; `None` before.
    pub fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// What asks for it. A relay of a release before 3, which knows no views, is asked for all it tells.
    pub(crate) fn request(&self, views: bool) -> ClientIn<'static> {
        match views {
            true => ClientIn::Lobby { on: true, v: Some(self.v), view: Some(Box::new(self.view.clone())) },
            false => ClientIn::Lobby { on: true, v: None, view: None },
        }
    }

    /// Takes the page; whether it is the one that was asked for.
    pub(crate) fn begin(&mut self, whole: Whole) -> bool {
        let seen = match whole {
            Whole::Page(page) if page.v == self.v => Seen::begin(page),
            Whole::Page(_) => return false,
            Whole::Tables { tables } => Seen::begin_tables(tables),
        };
        self.seen = Some(seen);
        true
    }

    /// Takes news of the page; whether they are of the one that was asked for.
    pub(crate) fn fold(&mut self, delta: Delta) -> bool {
        match (delta, &mut self.seen) {
            (Delta::Page(delta), Some(seen)) if delta.v == self.v => seen.fold(delta),
            (Delta::Tables { tables, gone }, Some(seen)) => seen.fold_tables(tables, &gone),
            _ => return false,
        }
        true
    }
}
