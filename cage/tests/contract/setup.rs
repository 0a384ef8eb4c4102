//! A cage for a test, and people in it.

use std::sync::Arc;

use cage::{
    DbError, Place, Tellers, Tx,
    people::{
        login::{self, How, NewLogin},
        person::{self, Membership},
    },
};
use protocol::{id::UserId, text::PlayerName};

pub(crate) const NOW: u64 = 1_700_000_000_000;
pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const DAY: u64 = 24 * 60 * MINUTE;

/// The tellers of a test. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cage(Arc<Tellers>, bool);

impl Cage {
    pub(crate) fn open(place: &Place) -> Self {
        Self(Arc::new(Tellers::open(place).unwrap()), matches!(place, Place::Postgres(_)))
    }

    /// PostgreSQL's client may not be made where tasks run.
    pub(crate) async fn open_apart(place: Place) -> Self {
        tokio::task::spawn_blocking(move || Self::open(&place)).await.unwrap()
    }

    pub(crate) async fn try_write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        self.0.write("test", work).await
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, DbError> + Send + 'static,
    ) -> T {
        self.try_write(work).await.unwrap()
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, DbError> + Send + 'static,
    ) -> T {
        self.0.read(work).await.unwrap()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.1
    }

    pub(crate) fn into_tellers(self) -> Arc<Tellers> {
        self.0
    }

    pub(crate) fn tellers(&self) -> &Arc<Tellers> {
        &self.0
    }

    pub(crate) async fn guest(&self, name: &str) -> UserId {
        let id = UserId::new(&format!("g-{name}")).unwrap();
        let nick = PlayerName::new(name).unwrap();
        let made = id.clone();
        self.write(move |tx| person::new_guest(tx, &made, &nick, NOW)).await;
        id
    }

    pub(crate) async fn member(&self, name: &str) -> UserId {
        let id = UserId::new(&format!("u-{name}")).unwrap();
        let as_ = membership(&name.to_lowercase(), name);
        let made = id.clone();
        self.write(move |tx| person::new_member(tx, &made, &as_, NOW)).await;
        id
    }

    pub(crate) async fn login(&self, person: &UserId, number: u8, how: How, at: u64) -> NewLogin {
        let login = new_login(person, number, how);
        let made = login.clone();
        self.write(move |tx| login::begin(tx, &made, at)).await;
        login
    }
}

pub(crate) fn membership(handle: &str, nick: &str) -> Membership {
    Membership {
        handle: handle.into(),
        nick: PlayerName::new(nick).unwrap(),
        hash: Some("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA".into()),
    }
}

pub(crate) fn new_login(person: &UserId, number: u8, how: How) -> NewLogin {
    NewLogin {
        key: [number; 16],
        id: format!("l-{number}"),
        person: person.clone(),
        how,
        network: "192.0.2.1".into(),
        agent: "a test".into(),
    }
}
