//! Who a client is: tokens signed with Ed25519 (JWT, `EdDSA`) by reception, checked by relays, which hold public keys only.
//!
//! Times come in from outside, so that a simulation's clock decides when a token expires.
//!
//! What a person may do can change while a token lives. Then it is revoked ([`Claims::issued_ms`] is what revocations go by). For nothing
//! to fall between the two, whoever signs takes the token's time *before* looking up the rights that it tells, and whoever changes
//! rights takes the revocation's time *after* they are changed: a token that tells what they were is always the older one.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode, errors::ErrorKind,
};
use protocol::{
    id::{LoginId, UserId},
    rights::{Can, Rights, Roles},
    time::UnixMs,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The `iss` of all tokens.
pub const ISSUER: &str = "cardhouse";

/// The `aud` of tokens for playing.
pub const AUDIENCE: &str = "cardhouse.play";

/// How far clocks may differ, seconds: a token is good so long after `exp` and so long before `iat`.
pub const LEEWAY_S: u64 = 5;

/// The longest token that is looked at, bytes.
pub const TOKEN_BYTES_MAX: usize = 2_048;

/// What a token says. What came after the first release may be missing, and is ignored by relays that do not know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who.
    pub sub: UserId,
    /// The name that others see.
    pub name: String,
    /// When it expires, seconds since 1970.
    pub exp: u64,
    /// When it was issued, seconds since 1970.
    pub iat: u64,
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The token's own number, where single tokens can be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// Milliseconds of the time of issue beyond [`iat`](Claims::iat), below 1,000: a token that was made right after a revocation is told from
    /// one that was made right before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub iat_ms: u16,
    /// The login that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<LoginId>,
    /// What the person may do as staff.
    #[serde(default, skip_serializing_if = "Roles::is_none")]
    pub roles: Roles,
    /// What the person may do as everybody, unless it was taken.
    #[serde(default, skip_serializing_if = "Can::is_all")]
    pub can: Can,
    /// When the person may play again whose play time is used up; 0: it is not.
    #[serde(default, skip_serializing_if = "is_none")]
    pub play_from_ms: UnixMs,
}

fn is_zero(milliseconds: &u16) -> bool {
    *milliseconds == 0
}

fn is_none(time: &UnixMs) -> bool {
    *time == 0
}

impl Claims {
    /// Claims of a token that is good from `now_ms` for `lifetime_ms` (rounded up to a second), of somebody who may what everybody may.
    pub fn new(sub: UserId, name: impl Into<String>, now_ms: UnixMs, lifetime_ms: u64) -> Self {
        Self {
            sub,
            name: name.into(),
            exp: (now_ms + lifetime_ms).div_ceil(1_000),
            iat: now_ms / 1_000,
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            jti: None,
            iat_ms: u16::try_from(now_ms % 1_000).expect("it is below 1,000"),
            sid: None,
            roles: Roles::NONE,
            can: Can::ALL,
            play_from_ms: 0,
        }
    }

    /// The same for a login.
    #[must_use]
    pub fn of_login(self, login: LoginId) -> Self {
        Self { sid: Some(login), ..self }
    }

    /// The same for somebody who may do this.
    #[must_use]
    pub fn with(self, Rights { roles, can, play_from_ms }: Rights) -> Self {
        Self { roles, can, play_from_ms, ..self }
    }

    /// What its person may do.
    pub fn rights(&self) -> Rights {
        Rights { roles: self.roles, can: self.can, play_from_ms: self.play_from_ms }
    }

    /// When the token was made. Of those of the first release only the second is known, and it counts as its beginning.
    pub fn issued_ms(&self) -> UnixMs {
        self.iat.saturating_mul(1_000).saturating_add(u64::from(self.iat_ms.min(999)))
    }

    /// When the token expires.
    pub fn expires_ms(&self) -> UnixMs {
        self.exp.saturating_mul(1_000)
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once: get a new one.
    #[error("the token has expired")]
    Expired,
    /// It is not a token, or none of ours.
    #[error("not a token: {0}")]
    Invalid(String),
    /// It names a key that is not in the set: perhaps a new one, so the set is worth fetching again.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
}

/// A key that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 key: {0}")]
pub struct BadKey(pub String);

/// The private key: makes tokens.
pub struct Signer {
    key: EncodingKey,
    pkcs8: Vec<u8>,
    public: PublicKey,
}

impl Signer {
    /// A new key from the system's randomness.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn generate() -> Self {
        let pair = Ed25519KeyPair::generate().expect("the system gives random bytes");
        Self::from_pair(&pair).expect("a generated key can be encoded")
    }

    /// Reads a PKCS#8 private key in PEM, as `openssl genpkey -algorithm ed25519` and [`Signer::to_pem`] write it.
    ///
    /// # Errors
    /// [`BadKey`] when it is something else.
    pub fn from_pem(pem: &str) -> Result<Self, BadKey> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let der = BASE64_STANDARD.decode(body).map_err(|error| BadKey(error.to_string()))?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|e| BadKey(e.to_string()))?;
        Self::from_pair(&pair)
    }

    fn from_pair(pair: &Ed25519KeyPair) -> Result<Self, BadKey> {
        let pkcs8 = pair.to_pkcs8v1().map_err(|error| BadKey(error.to_string()))?.as_ref().to_vec();
        let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Ok(Self { key: EncodingKey::from_ed_der(&pkcs8), pkcs8, public: PublicKey::new(x)? })
    }

    /// The private key in PEM. Whoever has it can be anybody.
    pub fn to_pem(&self) -> String {
        format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64_STANDARD.encode(&self.pkcs8)
        )
    }

    /// The key's name: the thumbprint of its public half (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.public.jwk.kid
    }

    /// A set with the public half alone.
    pub fn public(&self) -> KeySet {
        let mut keys = KeySet::default();
        keys.add(self);
        keys
    }

    /// Makes a token.
    ///
    /// # Panics
    /// Never: claims are always JSON, and the key was checked when it was read.
    pub fn sign(&self, claims: &Claims) -> String {
        let header = Header { kid: Some(self.kid().into()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, claims, &self.key).expect("a checked key signs any claims")
    }

    /// Signs something that is no token: `kind` says what, and stands in the header's `typ`. Whoever takes tokens takes none of these, as they have
    /// neither issuer nor audience. It is written as an object of JSON, which the payload of a JWT always is (RFC 7519): nothing else is read again.
    ///
    /// # Panics
    /// If it cannot be written as JSON.
    pub fn state<T: Serialize>(&self, kind: &str, what: &T) -> String {
        let header =
            Header { kid: Some(self.kid().into()), typ: Some(kind.into()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, what, &self.key).expect("what is stated is JSON")
    }
}

/// A public key as JWKS hold it (RFC 7517, RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

#[derive(Clone)]
struct PublicKey {
    jwk: Jwk,
    key: Arc<DecodingKey>,
}

impl PublicKey {
    fn new(x: String) -> Result<Self, BadKey> {
        // RFC 7638: the required members in the order of their names, without spaces.
        let thumb = digest(&SHA256, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes());
        Self::from_jwk(Jwk {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            x,
            kid: BASE64_URL_SAFE_NO_PAD.encode(thumb),
            alg: Some("EdDSA".into()),
            purpose: Some("sig".into()),
        })
    }

    fn from_jwk(jwk: Jwk) -> Result<Self, BadKey> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&jwk.x).map_err(|error| BadKey(error.to_string()))?;
        if bytes.len() != 32 {
            return Err(BadKey(format!("{} bytes instead of 32", bytes.len())));
        }
        let key = DecodingKey::from_ed_components(&jwk.x).map_err(|error| BadKey(error.to_string()))?;
        Ok(Self { jwk, key: Arc::new(key) })
    }
}

/// Public keys by name: checks tokens. Several, so that a new key can be announced before it is used and an old one
/// stays good until its last token has expired.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: BTreeMap<String, PublicKey>,
}

#[derive(Serialize, Deserialize)]
struct Jwks<K> {
    keys: Vec<K>,
}

impl KeySet {
    /// Reads a JWKS. Keys of other kinds or uses are left out.
    ///
    /// # Errors
    /// [`BadKey`] when it is not a JWKS, or one of its Ed25519 keys is malformed.
    pub fn from_json(text: &str) -> Result<Self, BadKey> {
        Self::from_json_for("sig", text)
    }

    /// The same of keys with this `use`; for `sig`, which is that of tokens, also of those that tell none.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_json_for(purpose: &str, text: &str) -> Result<Self, BadKey> {
        let set: Jwks<serde_json::Value> =
            serde_json::from_str(text).map_err(|error| BadKey(error.to_string()))?;
        let mut keys = BTreeMap::new();
        for value in set.keys {
            let is_ours = value["kty"] == "OKP" && value["crv"] == "Ed25519";
            let is_for = value.get("use").map_or(purpose == "sig", |stated| stated == purpose);
            if !is_ours || !is_for {
                continue;
            }
            let jwk: Jwk = serde_json::from_value(value).map_err(|error| BadKey(error.to_string()))?;
            keys.insert(jwk.kid.clone(), PublicKey::from_jwk(jwk)?);
        }
        Ok(Self { keys })
    }

    /// The JWKS, keys in the order of their names.
    ///
    /// # Panics
    /// Never: the keys are plain text.
    pub fn to_json(&self) -> String {
        let keys = self.keys.values().map(|key| &key.jwk).collect();
        serde_json::to_string(&Jwks { keys }).expect("keys are plain text")
    }

    /// The same keys with another `use`, and with those of `others`: as they are published.
    ///
    /// # Panics
    /// Never: the keys are plain text.
    pub fn to_json_with(&self, purpose: &str, others: &Self) -> String {
        let with = |key: &PublicKey| Jwk { purpose: Some(purpose.into()), ..key.jwk.clone() };
        let keys = others.keys.values().map(|key| key.jwk.clone()).chain(self.keys.values().map(with));
        serde_json::to_string(&Jwks { keys: keys.collect() }).expect("keys are plain text")
    }

    /// What was [stated](Signer::state), and by the key of which name.
    ///
    /// # Errors
    /// [`TokenError`]; never that it has expired.
    pub fn stated<T: DeserializeOwned>(&self, kind: &str, stated: &str) -> Result<(T, String), TokenError> {
        let invalid = |why: &str| TokenError::Invalid(why.into());
        if stated.len() > TOKEN_BYTES_MAX {
            return Err(invalid("too long"));
        }
        let header = decode_header(stated).map_err(|error| TokenError::Invalid(error.to_string()))?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(kind) {
            return Err(invalid("it is something else"));
        }
        let kid = header.kid.ok_or_else(|| invalid("names no key"))?;
        let key = self.keys.get(&kid).ok_or(TokenError::UnknownKey)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_required_spec_claims::<&str>(&[]);
        (rules.validate_exp, rules.validate_aud) = (false, false);
        let what = decode::<T>(stated, &key.key, &rules).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => TokenError::Invalid("bad signature".into()),
            _ => TokenError::Invalid(error.to_string()),
        })?;
        Ok((what.claims, kid))
    }

    /// The names of the keys.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Takes the keys of another set into this one.
    pub fn extend(&mut self, other: Self) {
        self.keys.extend(other.keys);
    }

    /// Takes the public half of a signer into the set.
    pub fn add(&mut self, signer: &Signer) {
        self.keys.insert(signer.kid().into(), signer.public.clone());
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no token can be good.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Checks a token at the time `now_ms`.
    ///
    /// # Errors
    /// [`TokenError::Expired`] only for a token that is otherwise good.
    pub fn verify(&self, token: &str, now_ms: UnixMs) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid("too long".into()));
        }
        let header = decode_header(token).map_err(|error| TokenError::Invalid(error.to_string()))?;
        if header.alg != Algorithm::EdDSA {
            return Err(TokenError::Invalid("not signed with EdDSA".into()));
        }
        let kid = header.kid.ok_or_else(|| TokenError::Invalid("names no key".into()))?;
        let key = self.keys.get(&kid).ok_or(TokenError::UnknownKey)?;

        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        // The library would ask the system's clock; ours is given.
        rules.validate_exp = false;
        let claims = decode::<Claims>(token, &key.key, &rules).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => TokenError::Invalid("bad signature".into()),
            _ => TokenError::Invalid(error.to_string()),
        })?;
        let claims = claims.claims;
        let now_s = now_ms / 1_000;
        if claims.iat > now_s.saturating_add(LEEWAY_S) {
            return Err(TokenError::Invalid("issued in the future".into()));
        }
        if claims.exp.saturating_add(LEEWAY_S) < now_s {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: UnixMs = 1_700_000_000_000;

    fn claims() -> Claims {
        Claims::new(UserId::new("ann").unwrap(), "Ann", NOW_MS, 60_000)
    }

    #[test]
    fn a_signed_token_says_who_it_is() {
        let signer = Signer::generate();
        assert_eq!(signer.public().verify(&signer.sign(&claims()), NOW_MS), Ok(claims()));
    }

    /// As it was in the release before this one. What stands here is for ever.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct ClaimsBefore {
        sub: UserId,
        name: String,
        exp: u64,
        iat: u64,
        iss: String,
        aud: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jti: Option<String>,
    }

    fn before() -> ClaimsBefore {
        let Claims { sub, name, exp, iat, iss, aud, jti, .. } = claims();
        ClaimsBefore { sub, name, exp, iat, iss, aud, jti }
    }

    fn staff() -> Claims {
        let rights =
            Rights { roles: Roles::FLOOR, can: Can::ALL.without(Can::CHAT), play_from_ms: NOW_MS + 1 };
        let login = LoginId::new("l-7kq2").unwrap();
        Claims::new(UserId::new("ann").unwrap(), "Ann", NOW_MS + 250, 60_000).of_login(login).with(rights)
    }

    #[test]
    fn a_token_tells_the_login_and_the_rights_and_when_it_was_made_to_the_millisecond() {
        let signer = Signer::generate();
        let read = signer.public().verify(&signer.sign(&staff()), NOW_MS + 250).unwrap();
        assert_eq!(read, staff());
        assert_eq!(read.issued_ms(), NOW_MS + 250);
        assert!(read.rights().roles.has(Roles::FLOOR) && !read.rights().can.has(Can::CHAT));
    }

    #[test]
    fn a_relay_of_the_release_before_reads_what_it_knows_of_a_token() {
        let told = serde_json::to_value(staff()).unwrap();
        for field in ["sid", "roles", "can", "iat_ms"] {
            assert!(told.get(field).is_some(), "{told}");
        }
        let read: ClaimsBefore = serde_json::from_value(told).unwrap();
        assert_eq!(read, ClaimsBefore { exp: staff().exp, ..before() });
    }

    #[test]
    fn a_token_of_the_release_before_is_good_and_its_person_may_what_everybody_may() {
        let signer = Signer::generate();
        let header = Header { kid: Some(signer.kid().into()), ..Header::new(Algorithm::EdDSA) };
        let token = encode(&header, &before(), &signer.key).unwrap();
        let read = signer.public().verify(&token, NOW_MS).unwrap();
        assert_eq!(read, claims());
        assert_eq!((read.rights(), read.sid.as_ref(), read.issued_ms()), (Rights::default(), None, NOW_MS));
    }

    #[test]
    fn a_token_of_somebody_without_a_login_or_a_role_is_the_one_that_it_was() {
        let (now, then) = (serde_json::to_string(&claims()), serde_json::to_string(&before()));
        assert_eq!(now.unwrap(), then.unwrap());
    }

    #[test]
    fn a_token_expires_after_its_leeway_and_that_is_told_apart_from_a_bad_one() {
        let signer = Signer::generate();
        let (keys, token) = (signer.public(), signer.sign(&claims()));
        let good_until = claims().expires_ms() + LEEWAY_S * 1_000;
        assert!(keys.verify(&token, good_until).is_ok());
        assert_eq!(keys.verify(&token, good_until + 1_000), Err(TokenError::Expired));
        let forged = format!("{}AAAA", &token[..token.len() - 4]);
        assert!(matches!(keys.verify(&forged, good_until + 1_000), Err(TokenError::Invalid(_))));
    }

    #[test]
    fn a_token_of_another_key_issuer_audience_or_algorithm_is_not_good() {
        let (signer, other) = (Signer::generate(), Signer::generate());
        let keys = signer.public();
        assert_eq!(keys.verify(&other.sign(&claims()), NOW_MS), Err(TokenError::UnknownKey));
        for bad in [
            Claims { iss: "else".into(), ..claims() },
            Claims { aud: "else".into(), ..claims() },
            Claims { iat: NOW_MS / 1_000 + 60, ..claims() },
        ] {
            assert!(
                matches!(keys.verify(&signer.sign(&bad), NOW_MS), Err(TokenError::Invalid(_))),
                "{bad:?}"
            );
        }
        let header = Header { kid: Some(signer.kid().into()), ..Header::new(Algorithm::HS256) };
        let hmac = encode(&header, &claims(), &EncodingKey::from_secret(b"public key as a secret")).unwrap();
        assert!(matches!(keys.verify(&hmac, NOW_MS), Err(TokenError::Invalid(_))));
        for garbage in ["", "a.b.c", "é", &"x".repeat(TOKEN_BYTES_MAX + 1)] {
            assert!(matches!(keys.verify(garbage, NOW_MS), Err(TokenError::Invalid(_))));
        }
    }

    #[test]
    fn a_set_of_two_keys_goes_through_json_and_knows_both() {
        let (old, new) = (Signer::generate(), Signer::generate());
        let mut keys = old.public();
        keys.add(&new);
        let keys = KeySet::from_json(&keys.to_json()).unwrap();
        assert_eq!(keys.len(), 2);
        for signer in [old, new] {
            assert!(keys.verify(&signer.sign(&claims()), NOW_MS).is_ok());
        }
    }

    #[test]
    fn a_set_from_elsewhere_may_hold_keys_of_other_kinds() {
        let ours = Signer::generate().public().to_json();
        let mixed = ours.replacen("[{", r#"[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"#, 1);
        assert_eq!(KeySet::from_json(&mixed).unwrap().len(), 1);
        assert!(KeySet::from_json("{}").is_err());
    }

    #[test]
    fn what_is_stated_is_read_by_its_kind_and_its_key_alone_and_is_no_token() {
        let (signer, other) = (Signer::generate(), Signer::generate());
        type Things = BTreeMap<String, u8>;
        let things = Things::from([("one".to_owned(), 1), ("two".to_owned(), 2)]);
        let (keys, stated) = (signer.public(), signer.state("thing", &things));
        assert_eq!(keys.stated::<Things>("thing", &stated), Ok((things.clone(), signer.kid().to_owned())));
        assert!(keys.stated::<Things>("other", &stated).is_err());
        assert_eq!(other.public().stated::<Things>("thing", &stated), Err(TokenError::UnknownKey));
        assert!(keys.verify(&stated, NOW_MS).is_err());
        assert!(keys.verify(&signer.state("JWT", &before()), NOW_MS).is_ok(), "so keys have one purpose");
        assert!(keys.stated::<ClaimsBefore>("thing", &signer.sign(&claims())).is_err());
    }

    #[test]
    fn keys_of_another_purpose_are_published_beside_those_of_tokens_and_taken_for_none() {
        let (tokens, hands) = (Signer::generate(), Signer::generate());
        let json = hands.public().to_json_with("hands", &tokens.public());
        let (read, of_hands) =
            (KeySet::from_json(&json).unwrap(), KeySet::from_json_for("hands", &json).unwrap());
        assert_eq!(read.kids().collect::<Vec<_>>(), [tokens.kid()]);
        assert_eq!(of_hands.kids().collect::<Vec<_>>(), [hands.kid()]);
        assert_eq!(read.verify(&hands.sign(&claims()), NOW_MS), Err(TokenError::UnknownKey));
    }

    #[test]
    fn a_private_key_comes_back_from_pem() {
        let signer = Signer::generate();
        let again = Signer::from_pem(&signer.to_pem()).unwrap();
        assert_eq!(again.kid(), signer.kid());
        assert!(signer.public().verify(&again.sign(&claims()), NOW_MS).is_ok());
        assert!(Signer::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n").is_err());
    }

    /// The key of RFC 8037, appendix A.
    #[test]
    fn the_name_of_a_key_is_its_rfc_7638_thumbprint() {
        let key = PublicKey::new("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into()).unwrap();
        assert_eq!(key.jwk.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
