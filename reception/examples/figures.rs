//! What accounts cost, on this machine: `cargo run --release -p reception --example figures [SECONDS]`
//!
//! Three figures, each of SECONDS (5): refreshes a second on SQLite in a file, passwords hashed a second by one core, and how long a refresh
//! takes while a thousand sign-ins wait. No HTTP: what `reception` does behind it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use broker::clock::Clock;
use cage::{
    Place, Tellers,
    people::refresh::{RefreshKey, RefreshKeys},
};
use ops::outlet::say;
use protocol::text::PlayerName;
use reception::{
    Desk, Keyring, People,
    error::ApiError,
    passwords::{Cost, Secret},
    people::Asker,
    revocations::Nobody,
};
use tokio::{task::JoinSet, time::interval};

/// Devices that refresh at the same time, each one after the other.
const DEVICES: usize = 64;

/// Who wants to sign in at the same time, again and again.
const SIGN_INS: usize = 1_000;

/// One refresh after the other is measured, so often.
const LOOK_EVERY: Duration = Duration::from_millis(10);

fn asker() -> Asker {
    Asker { network: "192.0.2.1".into(), agent: "figures".into() }
}

/// A guest's refresh token.
async fn device(people: &People) -> Secret {
    people.guest(&PlayerName::new("Ann").expect("a name"), &asker()).await.expect("a guest").refresh
}

async fn refresh(people: &People, token: &mut Secret) {
    *token = people.refresh(token, &asker()).await.expect("its own token is good").refresh;
}

async fn refreshes_a_second(people: &Arc<People>, lasts: Duration) -> f64 {
    let mut devices = JoinSet::new();
    let began = Instant::now();
    for _ in 0..DEVICES {
        let people = people.clone();
        devices.spawn(async move {
            let (mut token, mut count) = (device(&people).await, 0_u64);
            while began.elapsed() < lasts {
                refresh(&people, &mut token).await;
                count += 1;
            }
            count
        });
    }
    let count: u64 = devices.join_all().await.into_iter().sum();
    count as f64 / began.elapsed().as_secs_f64()
}

/// By one thread alone.
fn hashes_a_second(lasts: Duration) -> f64 {
    let Cost { memory_kib, passes } = Cost::default();
    let params = argon2::Params::new(memory_kib, passes, 1, None).expect("the cost is one");
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < lasts {
        let mut hash = [0; 32];
        hasher.hash_password_into(b"correct horse battery", b"0123456789abcdef", &mut hash).expect("a hash");
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}

/// How long each refresh took while the others wait, in order, and how many signed in meanwhile.
async fn while_others_sign_in(people: &Arc<People>, lasts: Duration) -> (Vec<Duration>, u64) {
    let mut token = device(people).await;
    let began = Instant::now();
    let mut others = JoinSet::new();
    for number in 0..SIGN_INS {
        let people = people.clone();
        others.spawn(async move {
            let mut count = 0_u64;
            while began.elapsed() < lasts {
                // Handles that nobody has cost the same, and are locked by nobody.
                let (handle, password) = (format!("nobody-{number}-{count}"), "correct horse battery");
                match people.sign_in(&handle, Secret::from(password.to_owned()), None, &asker()).await {
                    Err(ApiError::BadCredentials) => count += 1,
                    // Too many wait: as a client that is told so.
                    Err(ApiError::Busy) => tokio::time::sleep(Duration::from_millis(100)).await,
                    Ok(_) | Err(_) => panic!("nobody signs in, and nobody is locked out"),
                }
            }
            count
        });
    }
    // Until the queue is full, and all the others come again and again.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (mut took, mut looks) = (Vec::new(), interval(LOOK_EVERY));
    while began.elapsed() < lasts {
        looks.tick().await;
        let began = Instant::now();
        refresh(people, &mut token).await;
        took.push(began.elapsed());
    }
    let looked_at = others.join_all().await.into_iter().sum();
    took.sort_unstable();
    (took, looked_at)
}

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).map_or(5, |text| text.parse().expect("a number of seconds"));
    let lasts = Duration::from_secs(seconds);
    let folder = tempfile::tempdir().expect("a folder");
    let tellers = Tellers::open(&Place::File(folder.path().join("people.db"))).expect("a database");
    let desk = Desk::new(Arc::new(Keyring::in_memory()), Clock::system(), 600_000);
    let keys = RefreshKeys::new(RefreshKey::new(rand::random()), Vec::new());
    let people = Arc::new(People::new(tellers, keys, desk, Cost::default(), Arc::new(Nobody)));

    let refreshes = refreshes_a_second(&people, lasts).await;
    say(format_args!("refreshes on SQLite: {refreshes:.0} a second, of {DEVICES} devices at once"));
    let hashes = tokio::task::spawn_blocking(move || hashes_a_second(lasts)).await.expect("hashes");
    say(format_args!("passwords: {hashes:.1} a second by one core"));
    let (took, looked_at) = while_others_sign_in(&people, lasts).await;
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    say(format_args!(
        "a refresh while {SIGN_INS} sign in: p50 {:.1} ms, p99 {:.1} ms, at most {:.1} ms, of {}; {:.1} sign-ins looked at a second",
        at(0.5),
        at(0.99),
        at(1.0),
        took.len(),
        looked_at as f64 / lasts.as_secs_f64(),
    ));
}
