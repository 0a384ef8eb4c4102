//! Keys that come from reception and change.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use arc_swap::ArcSwap;
use axum::{Router, http::StatusCode, routing::get};
use relay::{Keys, RelayConfig};
use serde_json::json;
use tokens::{Claims, KeySet, Signer};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::stage::{Client, Stage, user};

/// Gives out a set of keys, or fails.
struct Reception {
    answer: Arc<ArcSwap<Option<String>>>,
    asked: Arc<AtomicUsize>,
    url: String,
    _serving: AbortOnDropHandle<()>,
}

impl Reception {
    async fn new(keys: &KeySet) -> Self {
        let answer = Arc::new(ArcSwap::from_pointee(Some(keys.to_json())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (own, count) = (answer.clone(), asked.clone());
        let jwks = get(async move || {
            count.fetch_add(1, SeqCst);
            match own.load_full().as_ref() {
                Some(keys) => (StatusCode::OK, keys.clone()),
                None => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let serving = axum::serve(listener, Router::new().route("/jwks", jwks)).into_future();
        let serving = AbortOnDropHandle::new(tokio::spawn(async move { serving.await.unwrap() }));
        Self { answer, asked, url, _serving: serving }
    }

    fn gives(&self, keys: Option<&KeySet>) {
        self.answer.store(Arc::new(keys.map(KeySet::to_json)));
    }
}

async fn stage(reception: &Reception) -> Stage {
    let config = RelayConfig { keys_refresh_min_ms: 50, ..RelayConfig::default() };
    let stage = Stage::with_keys(config, Keys::fetched(reception.url.parse().unwrap())).await;
    stage.until("the keys are there", |stage| !stage.keys.is_empty()).await;
    stage
}

/// Says hello with this signer's token: the close code, or `None` when welcome.
async fn try_hello(stage: &Stage, signer: &Signer) -> Option<u16> {
    let token = signer.sign(&Claims::new(user("ann"), "ann", stage.clock.now_ms(), 60_000));
    let mut client = Client::connect(stage.address).await;
    client.say(&json!({"t": "hello", "token": token})).await;
    client.hear_welcome_or_close().await
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_and_a_removed_one_is_forgotten() {
    let (old, new) = (Signer::generate(), Signer::generate());
    let reception = Reception::new(&old.public()).await;
    let stage = stage(&reception).await;
    assert_eq!(try_hello(&stage, &old).await, None);
    reception.gives(Some(&new.public()));
    // Come again, the relay says, until it has the key.
    loop {
        match try_hello(&stage, &new).await {
            None => break,
            Some(code) => assert!(matches!(code, 1013 | 4002), "{code}"),
        }
    }
    assert!(matches!(try_hello(&stage, &old).await, Some(1013 | 4002)));
}

#[tokio::test]
async fn the_last_good_keys_stay_while_reception_is_away() {
    let (known, unknown) = (Signer::generate(), Signer::generate());
    let reception = Reception::new(&known.public()).await;
    let stage = stage(&reception).await;
    reception.gives(None);
    let asked = reception.asked.load(SeqCst);
    while reception.asked.load(SeqCst) < asked + 3 {
        assert!(matches!(try_hello(&stage, &unknown).await, Some(1013 | 4002)));
    }
    reception.gives(Some(&KeySet::default()));
    let asked = reception.asked.load(SeqCst);
    while reception.asked.load(SeqCst) < asked + 3 {
        assert!(matches!(try_hello(&stage, &unknown).await, Some(1013 | 4002)));
    }
    assert_eq!(try_hello(&stage, &known).await, None);
}

#[tokio::test]
async fn unknown_keys_do_not_have_reception_flooded() {
    let reception = Reception::new(&Signer::generate().public()).await;
    let config = RelayConfig { keys_refresh_min_ms: 3_600_000, ..RelayConfig::default() };
    let stage = Stage::with_keys(config, Keys::fetched(reception.url.parse().unwrap())).await;
    stage.until("the keys are there", |stage| !stage.keys.is_empty()).await;
    for _ in 0..20 {
        assert_eq!(try_hello(&stage, &Signer::generate()).await, Some(4002));
    }
    assert_eq!(reception.asked.load(SeqCst), 1);
}
