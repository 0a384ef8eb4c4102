//! The ID token: who somebody is by the provider's word, and whether that holds (OpenID Connect Core 1.0, section 3.1.3.7).

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use cage::people::identity::SUBJECT_CHARS_MAX;
use jsonwebtoken::Algorithm;
use protocol::{text::PlayerName, time::UnixMs};
use serde::Deserialize;
use serde_json::{Number, Value};

use super::{
    Refused,
    keys::{Keys, allowed},
};

/// How far clocks may differ, seconds.
pub const LEEWAY_S: u64 = 60;

/// The longest ID token that is looked at, bytes.
const BYTES_MAX: usize = 32 * 1024;

/// The longest address (RFC 5321), characters.
const EMAIL_CHARS_MAX: usize = 254;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// What must be understood; nothing of it is (RFC 7515, section 4.1.11).
    crit: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: Number,
    iat: Number,
    nonce: Option<String>,
    at_hash: Option<String>,
    email: Option<Value>,
    email_verified: Option<Value>,
    nickname: Option<Value>,
    preferred_username: Option<Value>,
    name: Option<Value>,
}

/// What an ID token is held against.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// What came with it.
    pub(super) access_token: &'a str,
    pub(super) now_ms: UnixMs,
}

/// What a good ID token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) subject: String,
    /// In small letters; only if the provider has verified it.
    pub(super) verified_email: Option<String>,
    /// What he is called there, if that can be shown; otherwise empty.
    pub(super) nick: String,
}

/// A token in its parts, whose algorithm is one that is taken.
pub(super) struct Parts<'a> {
    signed: &'a str,
    claims: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    kid: Option<String>,
}

impl<'a> Parts<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, Refused> {
        if token.len() > BYTES_MAX {
            return Err(Refused::Token);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refused::Token)?;
        let (header, claims) = signed.split_once('.').ok_or(Refused::Token)?;
        let Header { alg, kid, crit } = part(header)?;
        if crit.is_some() {
            return Err(Refused::Token);
        }
        Ok(Self { signed, claims, signature, algorithm: allowed(&alg)?, kid })
    }

    /// Whether it is signed with one of these.
    pub(super) fn verify(&self, keys: &Keys) -> Result<(), Refused> {
        let key = keys.find(self.kid.as_deref(), self.algorithm)?;
        match jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, self.algorithm) {
            Ok(true) => Ok(()),
            _ => Err(Refused::Signature),
        }
    }

    /// What it says, if that is for us, for now, and for this sign-in. Its signature is looked at before.
    pub(super) fn check(&self, expected: &Expected<'_>) -> Result<Said, Refused> {
        let claims: Claims = part(self.claims)?;
        if claims.iss != expected.issuer {
            return Err(Refused::Issuer);
        }
        check_audience(&claims, expected.client_id)?;
        let now_s = expected.now_ms / 1_000;
        if seconds(&claims.exp)?.saturating_add(LEEWAY_S) <= now_s {
            return Err(Refused::Expired);
        }
        if seconds(&claims.iat)? > now_s.saturating_add(LEEWAY_S) {
            return Err(Refused::Issued);
        }
        if claims.nonce.as_deref() != Some(expected.nonce) {
            return Err(Refused::Nonce);
        }
        if claims.at_hash.as_ref().is_some_and(|hash| *hash != self.at_hash(expected.access_token)) {
            return Err(Refused::AtHash);
        }
        let is_subject = (1..=SUBJECT_CHARS_MAX).contains(&claims.sub.chars().count());
        if !is_subject || claims.sub.contains('\0') {
            return Err(Refused::Token);
        }
        let verified_email = verified_email(&claims);
        let nick = nick(&claims);
        Ok(Said { subject: claims.sub, verified_email, nick })
    }

    /// The left half of the access token's hash, by the hash function of the signature (section 3.1.3.6).
    fn at_hash(&self, access_token: &str) -> String {
        let function = if self.algorithm == Algorithm::EdDSA { &SHA512 } else { &SHA256 };
        let hash = digest(function, access_token.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
    }
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Refused> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| Refused::Token)?;
    serde_json::from_slice(&json).map_err(|_| Refused::Token)
}

/// Some tell fractions.
fn seconds(number: &Number) -> Result<u64, Refused> {
    let whole = number.as_u64();
    whole.or_else(|| number.as_f64().filter(|s| *s >= 0.0).map(|s| s as u64)).ok_or(Refused::Token)
}

/// For us; if it is for others too, it says that it was given to us.
fn check_audience(claims: &Claims, client_id: &str) -> Result<(), Refused> {
    let several = match &claims.aud {
        Audience::One(one) => std::slice::from_ref(one),
        Audience::Several(several) => several,
    };
    if !several.iter().any(|one| one == client_id) {
        return Err(Refused::Audience);
    }
    match &claims.azp {
        Some(party) if party != client_id => Err(Refused::Party),
        None if several.len() > 1 => Err(Refused::Party),
        _ => Ok(()),
    }
}

/// Only what says plainly that it is verified is: some tell `"true"`, and `"false"` is a text that is there, too. Letters of other alphabets
/// could become the same small letter, so such addresses are none.
fn verified_email(claims: &Claims) -> Option<String> {
    let is_verified = match claims.email_verified.as_ref()? {
        Value::Bool(is) => *is,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    let email = claims.email.as_ref()?.as_str()?;
    let (local, domain) = email.split_once('@')?;
    let is_plain = email.chars().all(|c| c.is_ascii_graphic()) && !domain.contains('@');
    let is_one = is_plain && !local.is_empty() && !domain.is_empty() && email.len() <= EMAIL_CHARS_MAX;
    (is_verified && is_one).then(|| email.to_ascii_lowercase())
}

/// An address is nobody's nick, though some put one there.
fn nick(claims: &Claims) -> String {
    let names = [&claims.nickname, &claims.preferred_username, &claims.name];
    let names = names.into_iter().filter_map(|name| name.as_ref()?.as_str());
    let mut good = names.filter(|name| !name.contains('@')).filter_map(|name| PlayerName::new(name).ok());
    good.next().map(|name| name.as_str().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(more: Value) -> Claims {
        let mut all = json!({ "iss": "https://a", "sub": "1", "aud": "us", "exp": 9, "iat": 1 });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    /// Cognito, JumpCloud and others tell a text (knadh/listmonk#2237); a text that says "false" counted as true elsewhere
    /// (symfony#65912, GHSA-75vm-6w67-gwvp).
    #[test]
    fn an_address_is_verified_only_if_that_is_said_plainly() {
        let said = |verified: Value| {
            verified_email(&claims(json!({ "email": "Ann@X.example", "email_verified": verified })))
        };
        for yes in [json!(true), json!("true"), json!("True")] {
            assert_eq!(said(yes.clone()).as_deref(), Some("ann@x.example"), "{yes}");
        }
        for no in
            [json!(false), json!("false"), json!("no"), json!("1"), json!(1), json!(null), json!([true])]
        {
            assert_eq!(said(no.clone()), None, "{no}");
        }
        assert_eq!(verified_email(&claims(json!({ "email": "ann@x.example" }))), None);
        for none in [
            "ann",
            "@x",
            "ann@",
            "a@b@c",
            "ann\u{212a}@x",
            "a b@x",
            "a@x\n",
            &format!("{}@x", "a".repeat(254)),
        ] {
            let claims = claims(json!({ "email": none, "email_verified": true }));
            assert_eq!(verified_email(&claims), None, "{none}");
        }
    }

    #[test]
    fn an_audience_of_several_says_to_whom_it_was_given() {
        let check = |more| check_audience(&claims(more), "us");
        assert_eq!(check(json!({})), Ok(()));
        assert_eq!(check(json!({ "aud": ["us"] })), Ok(()));
        assert_eq!(check(json!({ "aud": ["us", "them"], "azp": "us" })), Ok(()));
        assert_eq!(check(json!({ "aud": ["us", "them"] })), Err(Refused::Party));
        assert_eq!(check(json!({ "aud": ["us", "them"], "azp": "them" })), Err(Refused::Party));
        assert_eq!(check(json!({ "azp": "them" })), Err(Refused::Party));
        for aud in [json!("them"), json!([]), json!(["them"]), json!("us "), json!("US")] {
            assert_eq!(check(json!({ "aud": aud })), Err(Refused::Audience));
        }
    }

    #[test]
    fn a_nick_is_proposed_that_can_be_shown_and_is_no_address() {
        let said = |more| nick(&claims(more));
        assert_eq!(said(json!({ "name": "Ann Brown", "nickname": "ann" })), "ann");
        assert_eq!(said(json!({ "name": "Ann", "preferred_username": "ann@x.example" })), "Ann");
        assert_eq!(said(json!({ "name": "a".repeat(500), "nickname": 7 })), "");
        assert_eq!(said(json!({})), "");
    }
}
