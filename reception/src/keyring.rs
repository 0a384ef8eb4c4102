//! The keys in force: one signs, all are published, and they are replaced as a whole while requests are served.

use std::sync::{Arc, RwLock};

use axum::body::Bytes;
use tokens::{Claims, KeySet, Signer};

/// A set of keys, of which one signs.
pub struct Keys {
    signer: Signer,
    public: KeySet,
    jwks: Bytes,
}

impl Keys {
    /// The keys `signers`, of which the one at `signing` signs; `None` if there is no such one.
    pub fn new(mut signers: Vec<Signer>, signing: usize) -> Option<Self> {
        if signing >= signers.len() {
            return None;
        }
        let mut public = KeySet::default();
        for signer in &signers {
            public.add(signer);
        }
        let jwks = public.to_json().into();
        Some(Self { signer: signers.swap_remove(signing), public, jwks })
    }

    /// Makes a token with the key that signs.
    pub fn sign(&self, claims: &Claims) -> String {
        self.signer.sign(claims)
    }

    /// Signs something that is no token: see [`Signer::state`].
    pub fn state<T: serde::Serialize>(&self, kind: &str, what: &T) -> String {
        self.signer.state(kind, what)
    }

    /// The public halves of all keys: a token of any of them is good.
    pub fn public(&self) -> &KeySet {
        &self.public
    }

    /// The public halves as JSON (RFC 7517), encoded once.
    pub fn jwks(&self) -> Bytes {
        self.jwks.clone()
    }

    /// The public halves as JSON, as keys that sign what was played.
    pub fn jwks_of_hands(&self) -> String {
        self.public.to_json_with(hands::checkpoint::PURPOSE, &KeySet::default())
    }

    /// The name of the key that signs.
    pub fn signing_kid(&self) -> &str {
        self.signer.kid()
    }
}

/// The [`Keys`] of a process.
pub struct Keyring {
    // Held only to clone or swap the pointer, never over a signature.
    keys: RwLock<Arc<Keys>>,
}

impl Keyring {
    /// Begins with these keys.
    pub fn new(keys: Keys) -> Self {
        metrics::gauge!("reception_keys").set(keys.public.len() as f64);
        Self { keys: RwLock::new(Arc::new(keys)) }
    }

    /// A single new key that lives as long as this process: for the house, where everybody who checks tokens does too.
    pub fn in_memory() -> Self {
        Self::new(Keys::new(vec![Signer::generate()], 0).expect("there is a first key"))
    }

    /// The keys in force now.
    pub fn keys(&self) -> Arc<Keys> {
        self.keys.read().expect("nothing panics while it holds the keys").clone()
    }

    /// Puts other keys in force, and tells the log if they really are others.
    pub fn replace(&self, keys: Keys) {
        let before = self.keys();
        if before.jwks == keys.jwks && before.signing_kid() == keys.signing_kid() {
            return;
        }
        metrics::gauge!("reception_keys").set(keys.public.len() as f64);
        tracing::info!(keys = keys.public.len(), signs = keys.signing_kid(), "the keys have changed");
        *self.keys.write().expect("nothing panics while it holds the keys") = Arc::new(keys);
    }
}
