//! Each lie has its own answer, and nobody gets in by it.

use aws_lc_rs::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use crate::{
    house::Browser,
    later, open,
    provider::{Answering, Key, Provider, Signing},
};

/// What comes of a sign-in while the provider lies so; nothing is left of it.
async fn told(provider: &Provider, browser: &mut Browser) -> String {
    let told = browser.through(provider, "club", None).await;
    assert!(browser.cookies.is_empty(), "nobody is signed in: {told} {:?}", browser.cookies);
    told
}

#[tokio::test]
async fn an_id_token_that_is_not_for_us_not_now_or_not_of_this_sign_in_is_refused() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    let now_s = crate::NOW_MS / 1_000;
    let lies: [(&'static str, Value, &str); 22] = [
        ("iss", json!("http://evil.example/"), "bad_issuer"),
        ("iss", json!(provider.issuer().trim_end_matches('/')), "bad_issuer"),
        ("iss", Value::Null, "bad_id_token"),
        ("aud", json!("another house"), "bad_audience"),
        ("aud", json!([]), "bad_audience"),
        ("aud", json!(["the house", "another"]), "bad_party"),
        ("azp", json!("another house"), "bad_party"),
        ("exp", json!(now_s - 61), "id_token_expired"),
        ("exp", json!(0), "id_token_expired"),
        ("exp", json!(-1), "bad_id_token"),
        ("exp", json!("never"), "bad_id_token"),
        ("exp", Value::Null, "bad_id_token"),
        ("iat", json!(now_s + 3_600), "id_token_early"),
        ("iat", Value::Null, "bad_id_token"),
        ("nonce", json!("another"), "bad_nonce"),
        ("nonce", Value::Null, "bad_nonce"),
        ("nonce", json!(7), "bad_id_token"),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA"), "bad_at_hash"),
        ("sub", json!(""), "bad_id_token"),
        ("sub", json!("x".repeat(256)), "bad_id_token"),
        ("sub", json!("a\u{0}b"), "bad_id_token"),
        ("sub", Value::Null, "bad_id_token"),
    ];
    for (claim, value, code) in lies {
        let lie = value.clone();
        provider.is_now(|now| now.lie = Box::new(move |claims| claims[claim] = lie.clone()));
        assert_eq!(told(&provider, &mut browser).await, code, "{claim}: {value}");
    }
    // What some do and is no lie.
    for (claim, value) in [
        ("exp", json!(now_s as f64 + 60.5)),
        ("aud", json!(["the house"])),
        ("azp", json!("the house")),
        ("exp", json!(now_s - 30)),
        ("email_verified", json!("false")),
    ] {
        provider.is_now(|now| now.lie = Box::new(move |claims| claims[claim] = value.clone()));
        assert_eq!(browser.through(&provider, "club", None).await, "new", "{claim}");
    }
}

#[tokio::test]
async fn a_signature_that_anybody_could_make_is_none() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    for (signing, code) in [
        (Signing::None, "bad_algorithm"),
        (Signing::SharedPublicKey, "bad_algorithm"),
        (Signing::OtherAlgorithm, "bad_algorithm"),
        (Signing::OtherKey, "bad_signature"),
        (Signing::Changed, "bad_signature"),
        (Signing::Critical, "bad_id_token"),
    ] {
        provider.is_now(|now| now.signing = signing);
        assert_eq!(told(&provider, &mut browser).await, code, "{signing:?}");
    }
    provider.is_honest();
    assert_eq!(browser.through(&provider, "club", None).await, "new");
}

#[tokio::test]
async fn a_state_that_is_not_this_browsers_is_refused_and_a_way_is_walked_once() {
    let (provider, house) = open().await;
    let (mut ann, mut eve) = (Browser::of(&house), Browser::of(&house));
    let answer = provider.sign_in(&ann.start("club", None, json!({})).await.text("url"));
    // Eve's browser was not sent there: neither with Ann's answer, nor with her own state and Ann's code.
    assert_eq!(eve.back("club", &answer).await, "bad_state");
    let hers = provider.sign_in(&eve.start("club", None, json!({})).await.text("url"));
    let mut mixed = hers.clone();
    mixed.insert("code".into(), answer["code"].clone());
    assert_eq!(eve.back("club", &mixed).await, "bad_code", "the code is for Ann's verifier");
    for state in ["", "x", "state-of-nobody", &answer["state"][..20]] {
        let mut wrong = answer.clone();
        wrong.insert("state".into(), state.into());
        assert_eq!(ann.back("club", &wrong).await, "bad_state", "{state}");
    }
    // A browser that keeps what it was to forget, and comes twice.
    let kept = ann.cookies.clone();
    assert_eq!(kept.len(), 1);
    let again = provider.sign_in(&ann.start("club", None, json!({})).await.text("url"));
    let kept_too = ann.cookies.clone();
    assert_eq!(ann.back("club", &again).await, "new");
    ann.cookies = kept_too;
    assert_eq!(ann.back("club", &again).await, "used_state", "a callback comes once");
    // A fresh way with a code that was used.
    let mut fresh = provider.sign_in(&ann.start("club", None, json!({})).await.text("url"));
    fresh.insert("code".into(), again["code"].clone());
    assert_eq!(ann.back("club", &fresh).await, "bad_code", "a code comes once");
    // Too late.
    let late = provider.sign_in(&ann.start("club", None, json!({})).await.text("url"));
    later(10 * 60_000).await;
    assert_eq!(ann.back("club", &late).await, "bad_state");
}

#[tokio::test]
async fn who_answers_is_who_was_asked() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    for (issuer, told) in [
        (Some("http://evil.example/".to_owned()), "bad_issuer"),
        (None, "bad_issuer"),
        (Some(provider.issuer().trim_end_matches('/').to_owned()), "bad_issuer"),
        (Some(provider.issuer().to_owned()), "new"),
    ] {
        let mut answer = provider.sign_in(&browser.start("club", None, json!({})).await.text("url"));
        answer.remove("iss");
        answer.extend(issuer.clone().map(|issuer| ("iss".to_owned(), issuer)));
        assert_eq!(browser.back("club", &answer).await, told, "{issuer:?}");
    }
    for (error, told) in [
        ("access_denied", "called_off"),
        ("temporarily_unavailable", "provider_away"),
        ("invalid_scope\nX: y", "provider_refused"),
    ] {
        let mut answer = provider.sign_in(&browser.start("club", None, json!({})).await.text("url"));
        answer.remove("code");
        answer.insert("error".into(), error.into());
        assert_eq!(browser.back("club", &answer).await, told);
    }
}

#[tokio::test]
async fn a_provider_that_says_it_is_another_is_not_asked() {
    for (field, value, code) in [
        ("issuer", json!("http://127.0.0.1:1/"), "bad_issuer"),
        ("token_endpoint", json!("http://evil.example/token"), "provider_unclear"),
        ("jwks_uri", json!("file:///etc/passwd"), "provider_unclear"),
        ("jwks_uri", Value::Null, "provider_unclear"),
    ] {
        let (provider, house) = open().await;
        provider.is_now(|now| now.document = Box::new(move |document| document[field] = value.clone()));
        let refused = Browser::of(&house).start("club", None, json!({})).await;
        assert_eq!(refused.refusal().1, code, "{field}");
    }
}

/// The issuer is the provider's to the letter, slash and all (zitadel/oidc#122, modelcontextprotocol/php-sdk#507); its document has one slash.
/// Here the made-up provider's issuer ends with one.
#[tokio::test]
async fn an_issuer_that_ends_with_a_slash_is_asked_and_compared_as_it_is() {
    let (provider, house) = open().await;
    assert!(provider.issuer().ends_with('/'));
    assert_eq!(Browser::of(&house).through(&provider, "club", None).await, "new");
}

#[tokio::test]
async fn a_new_key_works_at_once_an_old_one_no_more_and_made_up_ones_ask_no_more_often() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    assert_eq!(browser.through(&provider, "club", None).await, "new");
    assert_eq!(provider.asked_for_keys(), 1);
    let old = std::sync::Arc::new(std::sync::Mutex::new(None));
    let kept = old.clone();
    provider.is_now(move |now| {
        *kept.lock().unwrap() = Some(std::mem::replace(&mut now.key, Key::rsa()));
        now.kid = "second";
    });
    assert_eq!(browser.through(&provider, "club", None).await, "new", "it is asked again");
    assert_eq!(browser.through(&provider, "club", None).await, "new");
    assert_eq!(provider.asked_for_keys(), 2);
    // Whoever has the old key signs with it still; a provider that publishes it no more is believed.
    let published = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "third", "x": public(&Ed25519KeyPair::generate().unwrap()) });
    provider.is_now(|now| {
        now.key = old.lock().unwrap().take().unwrap();
        (now.kid, now.publishes, now.others) = ("first", false, vec![published]);
    });
    browser.cookies.clear();
    for _ in 0..5 {
        assert_eq!(told(&provider, &mut browser).await, "unknown_key");
    }
    assert_eq!(provider.asked_for_keys(), 2, "not so soon again");
    later(11_000).await;
    for _ in 0..5 {
        assert_eq!(told(&provider, &mut browser).await, "unknown_key");
    }
    assert_eq!(provider.asked_for_keys(), 3, "once in a while");
}

fn public(key: &Ed25519KeyPair) -> String {
    use aws_lc_rs::signature::KeyPair as _;
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(key.public_key().as_ref())
}

#[tokio::test]
async fn a_key_that_is_published_no_more_is_good_for_ten_minutes_at_most() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    assert_eq!(browser.through(&provider, "club", None).await, "new");
    provider.is_now(|now| now.publishes = false);
    later(10 * 60_000).await;
    browser.cookies.clear();
    assert_eq!(told(&provider, &mut browser).await, "unknown_key");
}

#[tokio::test]
async fn a_provider_that_is_away_slow_or_endless_is_told_as_that() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    for (answering, code) in [
        (Answering::Away, "provider_away"),
        (Answering::Huge, "provider_unclear"),
        (Answering::Nonsense, "provider_unclear"),
        (Answering::WithoutIdToken, "provider_unclear"),
        (Answering::Elsewhere, "provider_unclear"),
    ] {
        provider.is_now(|now| now.answering = answering);
        assert_eq!(told(&provider, &mut browser).await, code, "{answering:?}");
    }
    // One that does not answer is waited for no longer than a minute, here.
    provider.is_now(|now| now.answering = Answering::Held);
    let answer = provider.sign_in(&browser.start("club", None, json!({})).await.text("url"));
    let waiting = tokio::spawn(async move { (browser.back("club", &answer).await, browser) });
    provider.holds(1).await;
    assert!(!waiting.is_finished());
    later(60_000).await;
    let (told, mut browser) = waiting.await.unwrap();
    assert_eq!(told, "provider_away");
    provider.is_honest();
    assert_eq!(browser.through(&provider, "club", None).await, "new");
    drop(provider);
    let start = browser.start("club", None, json!({})).await;
    assert_eq!(start.status, 200, "what it says of itself is known");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_holds_nobody_else_up() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    provider.is_now(|now| now.answering = Answering::Held);
    let mut held = Vec::new();
    for _ in 0..32 {
        let mut one = Browser::of(&house);
        let answer = provider.sign_in(&one.start("club", None, json!({})).await.text("url"));
        held.push((one, answer));
    }
    let waiting: Vec<_> = held
        .into_iter()
        .map(|(mut one, answer)| tokio::spawn(async move { one.back("club", &answer).await }))
        .collect();
    provider.holds(32).await;
    assert_eq!(
        browser.start("club", None, json!({})).await.refusal(),
        (503, "provider_busy"),
        "one more is told so"
    );
    // And nobody else waits: a guest, and who signs in by a password.
    assert_eq!(browser.guest("Gus").await.status, 201);
    browser.member("ann").await;
    assert!(waiting.iter().all(|one| !one.is_finished()), "they were answered while the provider was asked");
    provider.lets_go();
    for one in waiting {
        assert_eq!(one.await.unwrap(), "new");
    }
    provider.is_honest();
    assert_eq!(browser.through(&provider, "club", None).await, "new");
}
