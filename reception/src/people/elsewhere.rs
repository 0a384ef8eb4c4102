//! Signing in elsewhere: going there, coming back, and who that is here.

use std::collections::BTreeSet;

use cage::{
    DbError, Tx,
    people::{
        identity::{self, Subject},
        login::{self, Ended, How},
        person::{self, Kind, Membership},
        sanction,
        visit::{self, Arrival, Back, Goer, Purpose, Visit},
    },
};
use protocol::{id::UserId, text::PlayerName};

use super::{Asker, Caller, People, Session, audit, begin, new_login, unless_banned};
use crate::{
    error::ApiError,
    guest,
    oidc::{Found, Provider, Providers, Refused, Way, provider::Answer},
    passwords::Secret,
};

/// Somebody is away for so long at most, milliseconds; and has so long to say what he is called.
pub(crate) const AWAY_MS: u64 = 10 * 60 * 1_000;

/// Somebody is sent to a provider.
pub struct Departure {
    /// Whereto.
    pub url: String,
    /// What the browser keeps.
    pub way: Way,
}

/// Who has come back.
pub enum Came {
    /// Somebody whom the house knows, who is signed in.
    In(Box<Session>),
    /// Who went, with another way to sign in.
    Linked,
    /// Somebody whom it does not know, who is to say what he is called.
    New(Way),
}

/// Who has come back and is to say what he is called.
pub struct Arrived {
    /// From whom.
    pub provider: String,
    /// The provider for people.
    pub label: String,
    /// What is proposed; may be empty.
    pub nick: String,
}

impl People {
    /// The same, whose people may sign in by these providers, too.
    #[must_use]
    pub fn with_providers(self, providers: Providers) -> Self {
        Self { providers, ..self }
    }

    /// By whom people may sign in.
    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// Sends somebody to a provider: to sign in, a guest to become a member, or a member to link what he is there.
    ///
    /// # Errors
    /// [`Refused`]; [`ApiError::NotAMember`]; as for [`ApiError::WrongPassword`].
    pub async fn depart(
        &self,
        provider: &str,
        purpose: Purpose,
        caller: Option<&Caller>,
        password: Option<Secret>,
    ) -> Result<Departure, ApiError> {
        let provider = self.providers.get(provider)?;
        let goer = match (purpose, caller) {
            (Purpose::Link, Some(caller)) if caller.person.kind == Kind::Member => {
                self.confirm_or_lately(caller, password).await?;
                Some(caller)
            }
            (Purpose::Link, Some(_)) => return Err(ApiError::NotAMember),
            (Purpose::Link, None) => return Err(ApiError::BadToken),
            // A member signs in again, as whoever he is there.
            (Purpose::SignIn, caller) => caller.filter(|caller| caller.person.kind == Kind::Guest),
        };
        let goer = goer.map(|who| Goer { person: who.person.id.clone(), login: who.login.clone() });
        let way = Way::new();
        let url = provider.address(&way).await?;
        let (hash, now) = (way.hash(), self.now());
        let visit = Visit { provider: provider.name().into(), purpose, goer };
        let work = move |tx: &mut dyn Tx| visit::begin(tx, &hash, &visit, now.saturating_add(AWAY_MS), now);
        self.tellers.write("visit", work).await?;
        Ok(Departure { url, way })
    }

    /// Takes somebody back from a provider, with what the browser kept.
    ///
    /// # Errors
    /// [`Refused`], [`ApiError::Banned`].
    pub async fn come_back(
        &self,
        provider: &str,
        way: Option<Way>,
        answer: &Answer,
        asker: &Asker,
    ) -> Result<Came, ApiError> {
        let provider = self.providers.get(provider)?;
        let came = self.try_come_back(provider, way, answer, asker).await;
        let result = match &came {
            Ok(Came::In(_)) => "good",
            Ok(Came::Linked) => "linked",
            Ok(Came::New(_)) => "new",
            Err(error) => error.code(),
        };
        let name = provider.name().to_owned();
        metrics::counter!("reception_oidc_total", "provider" => name, "result" => result).increment(1);
        came
    }

    async fn try_come_back(
        &self,
        provider: &Provider,
        way: Option<Way>,
        answer: &Answer,
        asker: &Asker,
    ) -> Result<Came, ApiError> {
        let state = answer.state.as_deref().unwrap_or_default();
        let way = way.filter(|way| way.has_state(state)).ok_or(Refused::State)?;
        // Walked with that, whatever comes of it.
        let (hash, name, now) = (way.hash(), provider.name().to_owned(), self.now());
        let back = self.tellers.write("visit", move |tx| visit::end(tx, &hash, &name, now)).await?;
        let visit = match back {
            Back::From(visit) => visit,
            Back::Again => return Err(Refused::Used.into()),
            Back::Never => return Err(Refused::State.into()),
        };
        let found = provider.found(&way, answer, self.now()).await?;
        match (visit.purpose, visit.goer) {
            (Purpose::Link, Some(goer)) => self.link(provider, &goer, found.subject, asker).await,
            (_, goer) => self.arrive(provider, goer, found, asker).await,
        }
    }

    /// Whom the house knows is signed in; who is new has arrived.
    async fn arrive(
        &self,
        provider: &Provider,
        goer: Option<Goer>,
        found: Found,
        asker: &Asker,
    ) -> Result<Came, ApiError> {
        let (now, subject, told) = (self.now(), found.subject.clone(), asker.clone());
        let by = provider.name().to_owned();
        let trusted: Vec<String> = self.trusted_for_email();
        // The login's person is known when the subject is.
        let nobody = guest::new_member(&mut rand::rng());
        let (new, link) = (new_login(&nobody, How::Oidc, asker), guest::new_id("i-", &mut rand::rng()));
        let about = key_of(&subject);
        let token_ms = self.desk.token_ms();
        let work = move |tx: &mut dyn Tx| {
            let who = match identity::by_subject(tx, &subject.issuer, &subject.subject)? {
                Some(known) => {
                    identity::used(tx, &known.id, subject.email.as_deref(), now)?;
                    Some(known.person)
                }
                None => {
                    let same = by_email(tx, &subject, &trusted)?;
                    match same {
                        Some(person) if identity::add(tx, &link, &person, &subject, now)? => {
                            audit::tell(
                                tx,
                                &person,
                                "linked",
                                format!("{by}, by a verified address"),
                                &told,
                                now,
                            )?;
                            Some(person)
                        }
                        _ => None,
                    }
                }
            };
            let Some(person) = who else { return Ok(Ok(None)) };
            if let Err(banned) = unless_banned(&sanction::that_hold(tx, &person, now)?) {
                return Ok(Err(banned));
            }
            let login = login::NewLogin { person, ..new.clone() };
            let detail = format!("login {}, by {by}", login.id);
            audit::tell(tx, &login.person, "signed_in", detail, &told, now)?;
            Ok(Ok(Some(begin(tx, &login, token_ms, now)?)))
        };
        match self.tellers.write(&about, work).await?? {
            Some(granted) => {
                let device = granted.person.handle.as_deref().map(|handle| self.device(handle));
                Ok(Came::In(Box::new(Session { device, ..self.session(granted, now) })))
            }
            None => {
                let arrival = Arrival {
                    provider: provider.name().into(),
                    subject: found.subject,
                    nick: found.nick,
                    goer,
                };
                let way = Way::new();
                let hash = way.hash();
                let until = now.saturating_add(AWAY_MS);
                self.tellers.write(&about, move |tx| visit::arrive(tx, &hash, &arrival, until, now)).await?;
                Ok(Came::New(way))
            }
        }
    }

    fn trusted_for_email(&self) -> Vec<String> {
        let trusted = self.providers.all().iter().filter(|provider| provider.is_trusted_for_email());
        trusted.map(|provider| provider.issuer().to_owned()).collect()
    }

    /// Who has arrived with this.
    ///
    /// # Errors
    /// [`Refused::NotArrived`].
    pub async fn arrived(&self, way: Option<&Way>) -> Result<Arrived, ApiError> {
        let (hash, now) = (way.ok_or(Refused::NotArrived)?.hash(), self.now());
        let find = move |tx: &mut dyn Tx| {
            let Some(arrival) = visit::arrived(tx, &hash, now)? else { return Ok(None) };
            // A guest is called what he chose.
            let guest = match &arrival.goer {
                Some(goer) => person::by_id(tx, &goer.person)?,
                None => None,
            };
            let nick = guest.map_or(arrival.nick, |guest| guest.nick);
            Ok(Some((arrival.provider, nick)))
        };
        let (name, nick) = self.tellers.read(find).await?.ok_or(Refused::NotArrived)?;
        let provider = self.providers.get(&name).map_err(|_| Refused::NotArrived)?;
        Ok(Arrived { label: provider.label().into(), provider: name, nick })
    }

    /// Makes an account of who has arrived: of the guest who went, if one did, who stays who he is.
    ///
    /// # Errors
    /// [`Refused::NotArrived`], [`Refused::Taken`], [`ApiError::NickTaken`], [`ApiError::NotAGuest`].
    pub async fn settle(
        &self,
        way: Option<&Way>,
        nick: PlayerName,
        asker: &Asker,
    ) -> Result<Session, ApiError> {
        let hash = way.ok_or(Refused::NotArrived)?.hash();
        let (now, told) = (self.now(), asker.clone());
        let id = guest::new_member(&mut rand::rng());
        let (new, link) = (new_login(&id, How::Oidc, asker), guest::new_id("i-", &mut rand::rng()));
        let own = guest::new_id("-", &mut rand::rng());
        let token_ms = self.desk.token_ms();
        let work = move |tx: &mut dyn Tx| {
            let Some(Arrival { provider, subject, goer, .. }) = visit::settle(tx, &hash, now)? else {
                return Ok(Err(Refused::NotArrived.into()));
            };
            let person = goer.as_ref().map_or(&new.person, |goer| &goer.person).clone();
            let login = login::NewLogin { person, ..new.clone() };
            let as_ = Membership { handle: handle(&provider, &own), nick: nick.clone(), hash: None };
            let how = match &goer {
                None => {
                    person::new_member(tx, &login.person, &as_, now)?;
                    "new"
                }
                Some(goer) => {
                    let is_here = login::open(tx, &goer.person, &goer.login, now)?.is_some();
                    if !is_here || !person::upgrade(tx, &goer.person, &as_, now)? {
                        return Ok(Err(ApiError::NotAGuest));
                    }
                    "from a guest"
                }
            };
            // Everything of it goes if somebody else has it: he was quicker.
            if !identity::add(tx, &link, &login.person, &subject, now)? {
                return Err(DbError::Unique("identity".into()));
            }
            // Whoever has a guest's token is not a member by it.
            let ended = login::end_all(tx, &login.person, None, Ended::Password, now)?;
            audit::tell(tx, &login.person, "account_made", format!("{how}, by {provider}"), &told, now)?;
            Ok(Ok((begin(tx, &login, token_ms, now)?, ended, goer)))
        };
        let (granted, mut ended, goer) = self.tellers.write("visit", work).await??;
        let person = granted.person.id.clone();
        // The socket on which he plays goes on: it is his, and refreshes with the new login.
        ended.retain(|login| goer.as_ref().is_none_or(|goer| *login != goer.login));
        self.revoke_logins(&person, ended).await;
        metrics::counter!("reception_tokens_total", "for" => "account").increment(1);
        Ok(self.session(granted, now))
    }
}

/// Jobs about one subject stay in order.
fn key_of(subject: &Subject) -> String {
    format!("{} {}", subject.issuer, subject.subject)
}

/// Who has this address by the word of others who are trusted for it; nobody if that could be two.
fn by_email(tx: &mut dyn Tx, subject: &Subject, trusted: &[String]) -> Result<Option<UserId>, DbError> {
    let Some(email) = &subject.email else { return Ok(None) };
    let found = identity::by_email(tx, email)?.into_iter();
    let trusted = found.filter(|found| trusted.contains(&found.issuer));
    let mut people: BTreeSet<UserId> = trusted.map(|found| found.person).collect();
    Ok(if people.len() == 1 { people.pop_first() } else { None })
}

/// A handle of somebody who chose none: to sign in with if he sets a password one day.
fn handle(provider: &str, own: &str) -> String {
    let provider: String = provider.chars().take(15).collect();
    format!("{provider}{own}")
}
