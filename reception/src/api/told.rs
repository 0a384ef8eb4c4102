//! What answers say: the shapes of `docs/openapi.json`.

use cage::people::{
    audit::Kept,
    identity::Identity,
    login::Login,
    person::Person,
    play_time::{DAY_MS, Next, PlayTime},
    sanction::Sanction,
};
use protocol::{
    rights::{Can, Roles},
    time::UnixMs,
};
use serde::{Deserialize, Serialize};

use crate::{
    desk::Issued,
    oidc::Providers,
    people::{Caller, Session},
};

/// What staff may do, in words.
const ROLES: [(&str, Roles); 6] = [
    ("host", Roles::HOST),
    ("floor", Roles::FLOOR),
    ("cage", Roles::CAGE),
    ("integrity", Roles::INTEGRITY),
    ("admin", Roles::ADMIN),
    ("agent", Roles::AGENT),
];

pub(super) fn words(roles: Roles) -> Vec<&'static str> {
    ROLES.iter().filter(|(_, role)| roles.has(*role)).map(|(word, _)| *word).collect()
}

fn abilities(can: Can) -> Vec<&'static str> {
    [("play", Can::PLAY), ("chat", Can::CHAT)]
        .into_iter()
        .filter(|(_, what)| can.has(*what))
        .map(|(word, _)| word)
        .collect()
}

/// A role in words.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    Host,
    Floor,
    Cage,
    Integrity,
    Admin,
    Agent,
}

impl Role {
    pub(super) fn all(roles: &[Self]) -> Roles {
        roles.iter().fold(Roles::NONE, |all, role| {
            all.and(match role {
                Self::Host => Roles::HOST,
                Self::Floor => Roles::FLOOR,
                Self::Cage => Roles::CAGE,
                Self::Integrity => Roles::INTEGRITY,
                Self::Admin => Roles::ADMIN,
                Self::Agent => Roles::AGENT,
            })
        })
    }
}

/// A session; with its refresh token, unless a cookie keeps that.
#[derive(Serialize)]
pub(super) struct SessionTold {
    #[serde(flatten)]
    issued: Issued,
    kind: &'static str,
    login: String,
    roles: Vec<&'static str>,
    can: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    play_from_ms: Option<UnixMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    refresh_expires_ms: UnixMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    purse: bool,
    hands: bool,
}

impl SessionTold {
    pub(super) fn new(session: Session, in_cookie: bool) -> Self {
        let told = |secret: crate::passwords::Secret| (!in_cookie).then(|| secret.as_str().to_owned());
        Self {
            kind: session.kind.as_str(),
            login: session.login,
            roles: words(session.rights.roles),
            can: abilities(session.rights.can),
            play_from_ms: (session.rights.play_from_ms > 0).then_some(session.rights.play_from_ms),
            refresh: told(session.refresh),
            refresh_expires_ms: session.refresh_expires_ms,
            device: session.device.and_then(|device| told(device.proof)),
            purse: session.has_purse,
            hands: session.keeps_hands,
            issued: session.issued,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Me {
    user: String,
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    roles: Vec<&'static str>,
    can: Vec<&'static str>,
    created_ms: UnixMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    nick_from_ms: Option<UnixMs>,
    sanctions: Vec<SanctionTold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    play_time: Option<PlayTimeTold>,
}

impl From<Caller> for Me {
    fn from(caller: Caller) -> Self {
        let (rights, person) = (caller.rights(), caller.person);
        let is_kept = person.handle.is_some() && person.nick_changed_ms > 0;
        Self {
            user: person.id.to_string(),
            name: person.nick,
            kind: person.kind.as_str(),
            handle: person.handle,
            roles: words(rights.roles),
            can: abilities(rights.can),
            created_ms: person.created_ms,
            nick_from_ms: is_kept.then(|| person.nick_changed_ms + cage::people::person::NICK_KEPT_MS),
            sanctions: caller.sanctions.into_iter().map(SanctionTold::to_person).collect(),
            play_time: caller.play_time.as_ref().and_then(PlayTimeTold::new),
        }
    }
}

#[derive(Serialize)]
pub(super) struct PlayTimeTold {
    minutes: u32,
    used_ms: u64,
    day_ends_ms: UnixMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    play_from_ms: Option<UnixMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<NextLimitTold>,
}

#[derive(Serialize)]
struct NextLimitTold {
    minutes: u32,
    from_ms: UnixMs,
}

impl PlayTimeTold {
    /// Nothing where there is no limit.
    pub(super) fn new(time: &PlayTime) -> Option<Self> {
        let next = time.next.map(|Next { minutes, from_ms, .. }| NextLimitTold { minutes, from_ms });
        time.is_limited().then(|| Self {
            minutes: time.minutes,
            used_ms: time.used_ms,
            day_ends_ms: time.day_ms.saturating_add(DAY_MS),
            play_from_ms: time.again_ms(),
            next,
        })
    }
}

#[derive(Serialize)]
pub(super) struct LoginTold {
    id: String,
    how: String,
    created_ms: UnixMs,
    used_ms: UnixMs,
    expires_ms: UnixMs,
    network: String,
    agent: String,
    current: bool,
}

impl LoginTold {
    pub(super) fn new(login: Login, current: &str) -> Self {
        let Login { id, how, created_ms, used_ms, expires_ms, network, agent, .. } = login;
        Self { current: id == current, id, how, created_ms, used_ms, expires_ms, network, agent }
    }
}

/// Who somebody is elsewhere; with the provider, while it is one.
#[derive(Serialize)]
pub(super) struct IdentityTold {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    label: String,
    issuer: String,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    created_ms: UnixMs,
    used_ms: UnixMs,
}

impl IdentityTold {
    pub(super) fn new(identity: Identity, providers: &Providers) -> Self {
        let Identity { id, issuer, subject, email, created_ms, used_ms, .. } = identity;
        let provider = providers.of_issuer(&issuer);
        let label = provider.map_or(&*issuer, |provider| provider.label()).to_owned();
        let provider = provider.map(|provider| provider.name().to_owned());
        Self { id, provider, label, issuer, subject, email, created_ms, used_ms }
    }
}

#[derive(Serialize)]
pub(super) struct SanctionTold {
    id: String,
    kind: &'static str,
    from_ms: UnixMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<UnixMs>,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifted_ms: Option<UnixMs>,
}

impl SanctionTold {
    /// Whose it is hears not from whom.
    pub(super) fn to_person(sanction: Sanction) -> Self {
        Self { by: None, ..Self::to_staff(sanction) }
    }

    pub(super) fn to_staff(sanction: Sanction) -> Self {
        let Sanction { id, kind, from_ms, until_ms, reason, by, lifted_ms, .. } = sanction;
        Self { id, kind: kind.as_str(), from_ms, until_ms, reason, by: Some(by.to_string()), lifted_ms }
    }
}

#[derive(Serialize)]
pub(super) struct PersonTold {
    user: String,
    name: String,
    kind: &'static str,
    gone: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    roles: Vec<&'static str>,
    created_ms: UnixMs,
    seen_ms: UnixMs,
}

impl From<Person> for PersonTold {
    fn from(person: Person) -> Self {
        let Person { id, kind, gone, nick, handle, roles, created_ms, seen_ms, .. } = person;
        let (user, kind, roles) = (id.to_string(), kind.as_str(), words(Roles(roles)));
        Self { user, name: nick, kind, gone, handle, roles, created_ms, seen_ms }
    }
}

#[derive(Serialize)]
pub(super) struct EntryTold {
    seq: u64,
    at_ms: UnixMs,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
}

impl From<Kept> for EntryTold {
    fn from(kept: Kept) -> Self {
        let entry = kept.entry;
        Self {
            seq: kept.seq,
            at_ms: entry.at_ms,
            actor: Some(entry.actor),
            action: entry.action,
            subject: entry.subject,
            reason: entry.reason,
            detail: entry.detail,
            network: entry.network,
        }
    }
}

impl EntryTold {
    /// Whom it is about hears who of the house did it, and from where, no more than that it was the house.
    pub(super) fn to_person(kept: Kept, person: &str) -> Self {
        let is_own = kept.entry.actor == person;
        let told = Self::from(kept);
        if is_own { told } else { Self { actor: Some("house".into()), network: None, ..told } }
    }
}
