//! What a provider signs with: its JWKS. Keys that are not known here are left out, and hinder none of the others (RFC 7517, section 5).

use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::Refused;

/// Keys that are looked at.
const KEYS_MAX: usize = 100;

/// What is taken: a signature by a key of which the provider alone has the other half. Neither none nor a shared secret.
const ALLOWED: [(&str, Algorithm); 3] =
    [("RS256", Algorithm::RS256), ("ES256", Algorithm::ES256), ("EdDSA", Algorithm::EdDSA)];

/// The algorithm of this name, if it is taken.
pub(super) fn allowed(name: &str) -> Result<Algorithm, Refused> {
    ALLOWED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, algorithm)| *algorithm)
        .ok_or(Refused::Algorithm)
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The keys of a provider.
pub struct Keys(Vec<Key>);

impl Keys {
    /// Reads a JWKS.
    ///
    /// # Errors
    /// [`Refused::Unclear`] when it is none.
    pub fn read(json: &[u8]) -> Result<Self, Refused> {
        let Document { keys } = serde_json::from_slice(json).map_err(|_| Refused::Unclear)?;
        Ok(Self(keys.iter().take(KEYS_MAX).filter_map(read).collect()))
    }

    /// The key by which something is signed. Without a name it is the only one of its kind.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&DecodingKey, Refused> {
        match kid {
            Some(kid) => {
                let named = || self.0.iter().filter(|key| key.kid.as_deref() == Some(kid));
                match named().find(|key| key.algorithm == algorithm) {
                    Some(key) => Ok(&key.key),
                    None if named().next().is_some() => Err(Refused::Algorithm),
                    None => Err(Refused::Key),
                }
            }
            None => {
                let mut of_kind = self.0.iter().filter(|key| key.algorithm == algorithm);
                match (of_kind.next(), of_kind.next()) {
                    (Some(key), None) => Ok(&key.key),
                    _ => Err(Refused::Key),
                }
            }
        }
    }
}

fn read(jwk: &Value) -> Option<Key> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let (algorithm, key) = match (text("kty")?, text("crv")) {
        ("RSA", _) => (Algorithm::RS256, DecodingKey::from_rsa_components(text("n")?, text("e")?)),
        ("EC", Some("P-256")) => (Algorithm::ES256, DecodingKey::from_ec_components(text("x")?, text("y")?)),
        ("OKP", Some("Ed25519")) => (Algorithm::EdDSA, DecodingKey::from_ed_components(text("x")?)),
        _ => return None,
    };
    // A key is for one algorithm, if it says so.
    if text("alg").is_some_and(|name| allowed(name) != Ok(algorithm)) {
        return None;
    }
    Some(Key { kid: text("kid").map(str::to_owned), algorithm, key: key.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str =
        r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    /// One key that nobody knows took whole sets down elsewhere: coreos/go-oidc#498 (Ed448, X448), spring-security-oauth#1213, #1470.
    #[test]
    fn keys_that_are_not_known_hinder_none_of_the_others() {
        let others = [
            r#"{"kty":"OKP","use":"sig","crv":"Ed448","kid":"a","x":"AAAA"}"#,
            r#"{"kty":"OKP","use":"enc","crv":"X448","kid":"b","x":"AAAA"}"#,
            r#"{"kty":"AKP","alg":"ML-DSA-44","kid":"c","pub":"AAAA"}"#,
            r#"{"kty":"EC","crv":"P-521","kid":"d","x":"AAAA","y":"AAAA"}"#,
            r#"{"kty":"RSA","use":"enc","kid":"e","n":"AAAA","e":"AQAB"}"#,
            r#"{"kty":"oct","kid":"f","k":"c2VjcmV0"}"#,
            r#"{"kty":7}"#,
            "null",
        ];
        let json = format!(r#"{{"keys":[{},{ED}]}}"#, others.join(","));
        let keys = Keys::read(json.as_bytes()).unwrap();
        assert_eq!(keys.0.len(), 1);
        assert!(keys.find(Some("ed"), Algorithm::EdDSA).is_ok());
        for kid in ["a", "b", "c", "d", "e", "f", ""] {
            assert_eq!(keys.find(Some(kid), Algorithm::RS256).err(), Some(Refused::Key), "{kid}");
        }
        assert_eq!(Keys::read(b"{}").err(), Some(Refused::Unclear));
    }

    #[test]
    fn a_key_is_for_its_own_algorithm_and_without_a_name_the_only_one() {
        let keys = Keys::read(format!(r#"{{"keys":[{ED}]}}"#).as_bytes()).unwrap();
        assert_eq!(keys.find(Some("ed"), Algorithm::RS256).err(), Some(Refused::Algorithm));
        assert!(keys.find(None, Algorithm::EdDSA).is_ok());
        let two = Keys::read(format!(r#"{{"keys":[{ED},{ED}]}}"#).as_bytes()).unwrap();
        assert_eq!(two.find(None, Algorithm::EdDSA).err(), Some(Refused::Key));
        for name in ["none", "None", "HS256", "HS512", "RS512", "PS256", "", "rs256"] {
            assert_eq!(allowed(name), Err(Refused::Algorithm), "{name}");
        }
    }
}
