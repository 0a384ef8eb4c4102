//! What is linked to an account: by hand, by an address where that is trusted, and never by less.

use broker::clock::Clock;
use cage::Place;
use serde_json::{Value, json};

use crate::{
    NOW_MS,
    house::{Browser, House, PASSWORD},
    later, open,
    provider::Provider,
};

/// A browser that has come back and is new becomes somebody of this name.
async fn becomes(browser: &mut Browser, provider: &Provider, name: &str, nick: &str) -> String {
    assert_eq!(browser.through(provider, name, None).await, "new");
    let session = browser.settle(nick).await;
    assert_eq!(session.status, 201, "{}", session.body);
    session.text("user")
}

async fn link(browser: &mut Browser, provider: &Provider, token: &str, body: Value) -> String {
    let start = browser.start("club", Some(token), body).await;
    assert_eq!(start.status, 200, "{}", start.body);
    let answer = provider.sign_in(&start.text("url"));
    browser.back("club", &answer).await
}

#[tokio::test]
async fn a_member_links_a_provider_with_the_password_or_soon_after_signing_in_and_signs_in_by_it() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    let ann = browser.member("ann").await;
    let user = ann.text("user");
    assert_eq!(link(&mut browser, &provider, &ann.text("token"), json!({ "link": true })).await, "linked");
    let again = link(&mut browser, &provider, &ann.text("token"), json!({ "link": true })).await;
    assert_eq!(again, "linked", "it is");
    let mut elsewhere = Browser::of(&house);
    assert_eq!(elsewhere.through(&provider, "club", None).await, "in");
    assert_eq!(elsewhere.refresh().await.text("user"), user);

    later(10 * 60_000 + 1).await;
    let token = browser.refresh().await.text("token");
    let start = |body| ("club", Some(token.as_str()), json!(body));
    let (to, by, body) = start(json!({ "link": true }));
    assert_eq!(browser.start(to, by, body).await.refusal(), (403, "sign_in_again"));
    let (to, by, body) = start(json!({ "link": true, "password": "wrong password" }));
    assert_eq!(browser.start(to, by, body).await.refusal(), (403, "wrong_password"));
    let right = json!({ "link": true, "password": PASSWORD });
    provider.is_now(|now| now.user = json!({ "sub": "2" }));
    assert_eq!(link(&mut browser, &provider, &token, right).await, "linked_already", "one of each provider");

    let ways = browser.ask("GET", "/api/me/identities", Some(&token), None).await;
    assert_eq!(
        (&ways.body["password"], ways.body["identities"].as_array().unwrap().len()),
        (&json!(true), 1)
    );
    assert_eq!(
        (&ways.body["identities"][0]["provider"], &ways.body["identities"][0]["subject"]),
        (&json!("club"), &json!("1"))
    );
    let events = house.events(&token).await;
    assert!(events.contains(&"linked: club".into()), "{events:?}");
}

#[tokio::test]
async fn a_subject_that_is_somebody_elses_is_not_linked_and_guests_link_nothing() {
    let (provider, house) = open().await;
    let (mut ann, mut bob, mut gus) = (Browser::of(&house), Browser::of(&house), Browser::of(&house));
    becomes(&mut ann, &provider, "club", "Ann").await;
    let token = bob.member("bob").await.text("token");
    assert_eq!(link(&mut bob, &provider, &token, json!({ "link": true })).await, "identity_taken");
    let guest = gus.guest("Gus").await.text("token");
    let refused = gus.start("club", Some(&guest), json!({ "link": true })).await;
    assert_eq!(refused.refusal(), (409, "not_a_member"));
    assert_eq!(gus.start("club", None, json!({ "link": true })).await.refusal(), (401, "bad_token"));
    // Signed out meanwhile: whoever has the browser now links nothing.
    provider.is_now(|now| now.user = json!({ "sub": "2" }));
    let start = bob.start("club", Some(&token), json!({ "link": true })).await;
    let answer = provider.sign_in(&start.text("url"));
    assert_eq!(bob.ask("DELETE", "/api/sessions/current", Some(&token), None).await.status, 204);
    assert_eq!(bob.back("club", &answer).await, "bad_token");
}

#[tokio::test]
async fn the_last_way_to_sign_in_is_not_unlinked_and_who_has_no_password_may_set_one_and_delete_himself() {
    let (provider, house) = open().await;
    let mut browser = Browser::of(&house);
    becomes(&mut browser, &provider, "club", "Ann").await;
    let token = browser.refresh().await.text("token");
    let ways = browser.ask("GET", "/api/me/identities", Some(&token), None).await;
    assert_eq!(ways.body["password"], false);
    let path = format!("/api/me/identities/{}/unlink", ways.body["identities"][0]["id"].as_str().unwrap());
    let unlink = Some(json!({}));
    assert_eq!(browser.ask("POST", &path, Some(&token), unlink.clone()).await.refusal(), (409, "last_way"));
    let none = browser.ask("POST", "/api/me/identities/i-x/unlink", Some(&token), unlink.clone()).await;
    assert_eq!(none.refusal(), (404, "not_found"));
    // Not for who has an access token that was lying about.
    later(10 * 60_000 + 1).await;
    let late = browser.refresh().await.text("token");
    for (method, path, body) in [
        ("PUT", "/api/me/password", json!({ "new": PASSWORD })),
        ("POST", path.as_str(), json!({})),
        ("POST", "/api/me/deletion", json!({})),
    ] {
        assert_eq!(
            browser.ask(method, path, Some(&late), Some(body)).await.refusal(),
            (403, "sign_in_again"),
            "{path}"
        );
    }
    assert_eq!(browser.through(&provider, "club", Some(&late)).await, "in", "he signs in again");
    let token = browser.refresh().await.text("token");
    let set = browser.ask("PUT", "/api/me/password", Some(&token), Some(json!({ "new": PASSWORD }))).await;
    assert_eq!(set.status, 204, "{}", set.body);
    let wrong = browser
        .ask("PUT", "/api/me/password", Some(&token), Some(json!({ "new": "another one of mine" })))
        .await;
    assert_eq!(wrong.refusal(), (403, "wrong_password"), "now there is one");
    assert_eq!(browser.ask("POST", &path, Some(&token), unlink).await.status, 204);
    let events = house.events(&token).await;
    assert!(events.contains(&"unlinked: club".into()), "{events:?}");
    let mut again = Browser::of(&house);
    assert_eq!(again.through(&provider, "club", None).await, "new", "he is nobody by that any more");
    assert_eq!(again.settle("Another").await.status, 201);
    let other = again.refresh().await.text("token");
    assert_eq!(again.ask("POST", "/api/me/deletion", Some(&other), Some(json!({}))).await.status, 204);
    let mut third = Browser::of(&house);
    assert_eq!(third.through(&provider, "club", None).await, "new", "who is gone leaves nothing there");
}

/// A house that asks two, of whom these are trusted for addresses.
async fn two(trusted: [bool; 2]) -> (Provider, Provider, std::sync::Arc<House>) {
    let clock = Clock::starting_at(NOW_MS);
    let (club, bank) = (Provider::start(clock).await, Provider::start(clock).await);
    let named = vec![club.named("club", trusted[0]), bank.named("bank", trusted[1])];
    let house = House::open(Place::Memory, clock, named).await;
    (club, bank, house)
}

#[tokio::test]
async fn an_address_links_only_if_both_providers_are_trusted_for_it_and_have_verified_it() {
    let verified = json!({ "sub": "1", "email": "Ann@x.example", "email_verified": true });
    let unverified = json!({ "sub": "1", "email": "ann@x.example", "email_verified": "false" });
    let unsaid = json!({ "sub": "1", "email": "ann@x.example" });
    for (trusted, at_club, at_bank, told) in [
        ([true, true], &verified, &verified, "in"),
        ([true, false], &verified, &verified, "new"),
        ([false, true], &verified, &verified, "new"),
        ([false, false], &verified, &verified, "new"),
        ([true, true], &unverified, &verified, "new"),
        ([true, true], &verified, &unverified, "new"),
        ([true, true], &unsaid, &unsaid, "new"),
    ] {
        let (club, bank, house) = two(trusted).await;
        club.is_now(|now| now.user = at_club.clone());
        bank.is_now(|now| now.user = at_bank.clone());
        let mut browser = Browser::of(&house);
        let ann = becomes(&mut browser, &club, "club", "Ann").await;
        let mut elsewhere = Browser::of(&house);
        assert_eq!(elsewhere.through(&bank, "bank", None).await, told, "{trusted:?} {at_club} {at_bank}");
        if told == "in" {
            let session = elsewhere.refresh().await;
            assert_eq!(session.text("user"), ann);
            let events = house.events(&session.text("token")).await;
            assert!(events.contains(&"linked: bank, by a verified address".into()), "{events:?}");
        }
    }
}

#[tokio::test]
async fn an_address_that_two_people_have_links_neither() {
    let (club, bank, house) = two([true, true]).await;
    let of = |subject: &str, email: &str| json!({ "sub": subject, "email": email, "email_verified": true });
    club.is_now(|now| now.user = of("1", "ann@x.example"));
    becomes(&mut Browser::of(&house), &club, "club", "Ann").await;
    club.is_now(|now| now.user = of("2", "bob@x.example"));
    let mut bob = Browser::of(&house);
    becomes(&mut bob, &club, "club", "Bob").await;
    // The address becomes Bob's, too.
    club.is_now(|now| now.user = of("2", "ann@x.example"));
    assert_eq!(Browser::of(&house).through(&club, "club", None).await, "in");
    bank.is_now(|now| now.user = of("3", "ann@x.example"));
    assert_eq!(Browser::of(&house).through(&bank, "bank", None).await, "new");
}

#[tokio::test]
async fn who_is_banned_is_signed_in_nowhere() {
    let clock = Clock::starting_at(NOW_MS);
    let provider = Provider::start(clock).await;
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("cage.db"));
    let house = House::open(place, clock, vec![provider.named("club", false)]).await;
    let mut browser = Browser::of(&house);
    let user = becomes(&mut browser, &provider, "club", "Ann").await;
    house.ban(&user).await;
    let mut elsewhere = Browser::of(&house);
    assert_eq!(elsewhere.through(&provider, "club", None).await, "banned");
    assert!(elsewhere.cookies.is_empty());
}
