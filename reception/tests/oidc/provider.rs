//! A made-up provider on a port of its own: honest, until it is told to lie.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use aws_lc_rs::{
    digest::{SHA256, SHA512, digest},
    encoding::{AsBigEndian as _, EcPublicKeyUncompressedBin},
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    },
};
use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use broker::clock::Clock;
use reception::oidc::Named;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

pub(crate) const CLIENT: &str = "the house";
pub(crate) const SECRET: &str = "s3cret: of+the house";

/// A key with which it signs.
pub(crate) enum Key {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl Key {
    pub(crate) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn ec() -> Self {
        Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn ed() -> Self {
        Self::Ed(Ed25519KeyPair::generate().unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::Ec(_) => "ES256",
            Self::Ed(_) => "EdDSA",
        }
    }

    fn jwk(&self, kid: &str) -> Value {
        match self {
            Self::Rsa(key) => {
                let public = key.public_key();
                let n = public.modulus().big_endian_without_leading_zero();
                let e = public.exponent().big_endian_without_leading_zero();
                json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": encoded(n), "e": encoded(e) })
            }
            Self::Ec(key) => {
                let point: EcPublicKeyUncompressedBin<'_> = key.public_key().as_be_bytes().unwrap();
                let (x, y) = point.as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256", "x": encoded(x), "y": encoded(y) })
            }
            Self::Ed(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": encoded(key.public_key().as_ref()) })
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Self::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }
}

/// How an ID token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    Honest,
    /// `alg: none`, and no signature.
    None,
    /// HS256, with what everybody knows as the secret.
    SharedPublicKey,
    /// Says one algorithm and has a key of another.
    OtherAlgorithm,
    /// By another key under the same name.
    OtherKey,
    /// What it says was changed afterwards.
    Changed,
    /// Wants something understood that nobody understands.
    Critical,
}

/// How the token endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answering {
    Honest,
    Away,
    /// Not before it is let.
    Held,
    Huge,
    Nonsense,
    WithoutIdToken,
    Elsewhere,
}

type Lie = Box<dyn Fn(&mut Value) + Send>;

pub(crate) struct Behaviour {
    pub(crate) signing: Signing,
    pub(crate) answering: Answering,
    /// What is not as it should be in what the ID token says.
    pub(crate) lie: Lie,
    /// The same of what it says of itself.
    pub(crate) document: Lie,
    pub(crate) key: Key,
    pub(crate) kid: &'static str,
    /// Published beside.
    pub(crate) others: Vec<Value>,
    /// Whether it publishes the key with which it signs.
    pub(crate) publishes: bool,
    /// Who is signed in there, and what is known of him.
    pub(crate) user: Value,
}

struct Grant {
    challenge: String,
    nonce: String,
    redirect: String,
    /// Who was signed in, where that is not who is when the code is used.
    user: Option<Value>,
}

struct Inner {
    issuer: String,
    clock: Clock,
    behaviour: Mutex<Behaviour>,
    grants: Mutex<BTreeMap<String, Grant>>,
    spent: Mutex<BTreeSet<String>>,
    codes: AtomicU32,
    pub(crate) asked_for_keys: AtomicU32,
    /// How many wait to be answered.
    held: watch::Sender<usize>,
    let_go: watch::Sender<bool>,
}

/// The provider. Its task ends with it.
pub(crate) struct Provider {
    inner: Arc<Inner>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Provider {
    pub(crate) async fn start(clock: Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}/", listener.local_addr().unwrap());
        let behaviour = Behaviour {
            signing: Signing::Honest,
            answering: Answering::Honest,
            lie: Box::new(|_| {}),
            document: Box::new(|_| {}),
            key: Key::ec(),
            kid: "first",
            others: Vec::new(),
            publishes: true,
            user: json!({ "sub": "1" }),
        };
        let inner = Arc::new(Inner {
            issuer,
            clock,
            behaviour: Mutex::new(behaviour),
            grants: Mutex::default(),
            spent: Mutex::default(),
            codes: AtomicU32::new(0),
            asked_for_keys: AtomicU32::new(0),
            held: watch::Sender::new(0),
            let_go: watch::Sender::new(false),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .with_state(inner.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, serving }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// As the house's operator names it.
    pub(crate) fn named(&self, name: &str, trust_email: bool) -> Named {
        Named {
            name: name.into(),
            label: format!("The {name}"),
            issuer: self.inner.issuer.clone(),
            client_id: CLIENT.into(),
            client_secret: Some(SECRET.to_owned().into()),
            scopes: vec!["openid".into(), "email".into()],
            trust_email,
        }
    }

    pub(crate) fn is_now(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.inner.behaviour.lock().unwrap());
    }

    /// What it is asked no more to lie about.
    pub(crate) fn is_honest(&self) {
        self.is_now(|now| {
            (now.signing, now.answering) = (Signing::Honest, Answering::Honest);
            now.lie = Box::new(|_| {});
            now.document = Box::new(|_| {});
        });
    }

    /// So many wait for an answer.
    pub(crate) async fn holds(&self, count: usize) {
        self.inner.held.subscribe().wait_for(|held| *held >= count).await.unwrap();
    }

    pub(crate) fn lets_go(&self) {
        self.inner.let_go.send_replace(true);
    }

    pub(crate) fn asked_for_keys(&self) -> u32 {
        self.inner.asked_for_keys.load(Relaxed)
    }

    /// Signs the user in whom a browser brings with this address: what it is sent back with.
    pub(crate) fn sign_in(&self, url: &str) -> BTreeMap<String, String> {
        self.sign_in_as(url, None)
    }

    /// The same of somebody, whoever comes after.
    pub(crate) fn sign_in_as(&self, url: &str, user: Option<Value>) -> BTreeMap<String, String> {
        let (endpoint, query) = url.split_once('?').unwrap();
        assert_eq!(endpoint, format!("{}authorize", self.inner.issuer));
        let asked = pairs(query);
        assert_eq!((asked["client_id"].as_str(), asked["response_type"].as_str()), (CLIENT, "code"));
        assert_eq!(
            (asked["code_challenge_method"].as_str(), asked["scope"].as_str()),
            ("S256", "openid email")
        );
        // Nobody guesses one, nor is one of one provider one of another.
        let code = format!("code-{}-{:016x}", self.inner.codes.fetch_add(1, Relaxed), rand::random::<u64>());
        let grant = Grant {
            challenge: asked["code_challenge"].clone(),
            nonce: asked["nonce"].clone(),
            redirect: asked["redirect_uri"].clone(),
            user,
        };
        self.inner.grants.lock().unwrap().insert(code.clone(), grant);
        let answer = [("code", code), ("state", asked["state"].clone()), ("iss", self.inner.issuer.clone())];
        answer.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// What a query or a form says.
pub(crate) fn pairs(query: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

async fn document(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", inner.issuer);
    let mut document = json!({
        "issuer": inner.issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"), "jwks_uri": at("jwks"),
        "authorization_response_iss_parameter_supported": true,
    });
    (inner.behaviour.lock().unwrap().document)(&mut document);
    Json(document)
}

async fn jwks(State(inner): State<Arc<Inner>>) -> Json<Value> {
    inner.asked_for_keys.fetch_add(1, Relaxed);
    let behaviour = inner.behaviour.lock().unwrap();
    let own = behaviour.publishes.then(|| behaviour.key.jwk(behaviour.kid));
    let keys: Vec<Value> = behaviour.others.iter().cloned().chain(own).collect();
    Json(json!({ "keys": keys }))
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

/// RFC 6749, section 2.3.1: both are encoded as in a form before they are put together.
fn is_house(headers: &HeaderMap) -> bool {
    let given = headers[header::AUTHORIZATION].to_str().unwrap().strip_prefix("Basic ").unwrap();
    let given = String::from_utf8(BASE64_STANDARD.decode(given).unwrap()).unwrap();
    let (id, secret) = given.split_once(':').unwrap();
    let read = |text: &str| pairs(&format!("x={text}"))["x"].clone();
    (read(id).as_str(), read(secret).as_str()) == (CLIENT, SECRET)
}

async fn token(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: String) -> Response {
    let answering = inner.behaviour.lock().unwrap().answering;
    match answering {
        Answering::Away => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Answering::Held => {
            inner.held.send_modify(|held| *held += 1);
            inner.let_go.subscribe().wait_for(|let_go| *let_go).await.unwrap();
        }
        Answering::Huge => return Body::from(vec![b' '; 64 << 20]).into_response(),
        Answering::Nonsense => return "<html>".into_response(),
        Answering::Elsewhere => return (StatusCode::FOUND, [(header::LOCATION, "/token")]).into_response(),
        Answering::Honest | Answering::WithoutIdToken => {}
    }
    if !is_house(&headers) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let form = pairs(&body);
    assert_eq!(form["grant_type"], "authorization_code");
    let Some(grant) = inner.grants.lock().unwrap().remove(&form["code"]) else {
        let code = &form["code"];
        assert!(inner.spent.lock().unwrap().contains(code) || code == "made up" || code.starts_with("code-"));
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    inner.spent.lock().unwrap().insert(form["code"].clone());
    let challenge = encoded(digest(&SHA256, form["code_verifier"].as_bytes()));
    if grant.challenge != challenge || grant.redirect != form["redirect_uri"] {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    let behaviour = inner.behaviour.lock().unwrap();
    let access = "an access token";
    let mut answer = json!({ "access_token": access, "token_type": "Bearer", "expires_in": 60 });
    if answering == Answering::Honest || answering == Answering::Held {
        answer["id_token"] = json!(id_token(&inner, &behaviour, &grant, access));
    }
    Json(answer).into_response()
}

fn id_token(inner: &Inner, behaviour: &Behaviour, grant: &Grant, access: &str) -> String {
    let now_s = inner.clock.now_ms() / 1_000;
    let hash = if behaviour.key.algorithm() == "EdDSA" { &SHA512 } else { &SHA256 };
    let hash = digest(hash, access.as_bytes());
    let half = &hash.as_ref()[..hash.as_ref().len() / 2];
    let mut claims = json!({
        "iss": inner.issuer, "aud": CLIENT, "exp": now_s + 300, "iat": now_s, "nonce": grant.nonce, "at_hash": encoded(half),
    });
    let user = grant.user.as_ref().unwrap_or(&behaviour.user);
    claims.as_object_mut().unwrap().extend(user.as_object().unwrap().clone());
    (behaviour.lie)(&mut claims);
    let mut header = json!({ "alg": behaviour.key.algorithm(), "kid": behaviour.kid, "typ": "JWT" });
    match behaviour.signing {
        Signing::None => header["alg"] = json!("none"),
        Signing::SharedPublicKey => header["alg"] = json!("HS256"),
        Signing::OtherAlgorithm => header["alg"] = json!("RS256"),
        Signing::Critical => header["crit"] = json!(["exp"]),
        Signing::Honest | Signing::OtherKey | Signing::Changed => {}
    }
    let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let signature = match behaviour.signing {
        Signing::None => Vec::new(),
        Signing::SharedPublicKey => {
            let public = behaviour.key.jwk(behaviour.kid).to_string();
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), signed.as_bytes())
                .as_ref()
                .to_vec()
        }
        Signing::OtherKey => Key::ec().sign(signed.as_bytes()),
        _ => behaviour.key.sign(signed.as_bytes()),
    };
    if behaviour.signing == Signing::Changed {
        claims["sub"] = json!("somebody else");
        let changed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        return format!("{changed}.{}", encoded(signature));
    }
    format!("{signed}.{}", encoded(signature))
}
