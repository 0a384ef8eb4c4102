//! Passwords: which are taken, and their hashes, which cost what they are to cost whoever guesses, on a bounded number of threads.

use std::{fmt, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _},
};
use serde::{Deserialize, Deserializer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization as _;

/// The shortest password, characters.
pub const CHARS_MIN: usize = 8;

/// The longest, characters. Nobody's passphrase is cut.
pub const CHARS_MAX: usize = 128;

/// Passwords of at least [`CHARS_MIN`] characters that were found most often in what was stolen elsewhere: sorted, in small letters, one a line.
const COMMON: &str = include_str!("common_passwords.txt");

/// Those who wait for a thread at most; more are told to come again.
const WAITING_MAX: usize = 64;

/// What is never shown: a password, a token, a link's secret. Gone from memory with its owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(zeroize::Zeroizing<String>);

impl Secret {
    /// What it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Why a password is not taken, in words that go on from "it".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Fewer characters than so many.
    #[error("it has fewer than {CHARS_MIN} characters")]
    Short,
    /// More characters than so many.
    #[error("it has more than {CHARS_MAX} characters")]
    Long,
    /// Everybody guesses it first.
    #[error("it is one of those that everybody guesses first")]
    Common,
    /// It is what everybody sees of the person.
    #[error("it is the handle or the nick")]
    Name,
}

/// A password as it is counted, compared and hashed, however a keyboard has sent it: letters composed (NFC), and any space the plain one. RFC 8265,
/// `OpaqueString`. Some systems send Hangul and accents in parts, others whole: who chose it on one signs in on the other.
fn opaque(password: &Secret) -> Secret {
    let spaces = |c| if is_other_space(c) { ' ' } else { c };
    Secret::from(password.as_str().chars().map(spaces).nfc().collect::<String>())
}

/// A space (`Zs`) beside the plain one.
fn is_other_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Whether a password may be somebody's who is known by these names.
///
/// # Errors
/// [`Weak`] says why not.
pub fn check(password: &Secret, names: &[&str]) -> Result<(), Weak> {
    let password = opaque(password);
    let characters = password.as_str().chars().count();
    if characters < CHARS_MIN {
        return Err(Weak::Short);
    }
    if characters > CHARS_MAX {
        return Err(Weak::Long);
    }
    let folded = password.as_str().to_lowercase();
    if names.iter().any(|name| name.to_lowercase() == folded) {
        return Err(Weak::Name);
    }
    let first = folded.chars().next();
    let is_one_letter = folded.chars().all(|c| Some(c) == first);
    if is_one_letter || is_common(&folded) { Err(Weak::Common) } else { Ok(()) }
}

/// Looks for the line by halves, as the file is sorted by its bytes.
fn is_common(folded: &str) -> bool {
    let mut rest = COMMON;
    while !rest.is_empty() {
        let middle = rest.floor_char_boundary(rest.len() / 2);
        let start = rest[..middle].rfind('\n').map_or(0, |at| at + 1);
        let end = rest[start..].find('\n').map_or(rest.len(), |at| start + at);
        match folded.cmp(&rest[start..end]) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest = &rest[..start],
            std::cmp::Ordering::Greater => rest = rest.get(end + 1..).unwrap_or_default(),
        }
    }
    false
}

/// What a hash costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Times that it is gone over.
    pub passes: u32,
}

impl Default for Cost {
    /// As OWASP recommends for argon2id.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

/// Too many wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// A place among those whose passwords are hashed: given back when it is dropped.
pub struct Turn {
    _waiting: OwnedSemaphorePermit,
}

/// Hashes passwords. Cheap to clone.
#[derive(Clone)]
pub struct Hasher {
    cost: Cost,
    places: Arc<Semaphore>,
    threads: Arc<Semaphore>,
    /// The hash of a password that nobody has: who gives an unknown handle waits for the same work.
    nobodys: Arc<str>,
}

impl Hasher {
    /// As many threads as there are cores but one, so that what is quick does not wait for what is slow.
    ///
    /// # Panics
    /// If the cost is none that argon2 takes.
    pub fn new(cost: Cost) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = cores.saturating_sub(1).max(1);
        let nobodys = hash(cost, &rand::random::<u128>().to_string());
        Self {
            cost,
            places: Arc::new(Semaphore::new(threads + WAITING_MAX)),
            threads: Arc::new(Semaphore::new(threads)),
            nobodys: nobodys.into(),
        }
    }

    /// A place in the queue.
    ///
    /// # Errors
    /// When there is none: before anything of the request was looked at.
    pub fn turn(&self) -> Result<Turn, TooMany> {
        self.places.clone().try_acquire_owned().map(|_waiting| Turn { _waiting }).map_err(|_| TooMany)
    }

    /// The hash of a new password, as a PHC string.
    pub async fn hash(&self, turn: Turn, password: Secret) -> String {
        let cost = self.cost;
        self.work(turn, move || hash(cost, opaque(&password).as_str())).await
    }

    /// Whether the password is that of the hash. Takes the same time if there is no hash: then it never is.
    pub async fn is_right(&self, turn: Turn, password: Secret, hash: Option<String>) -> bool {
        let nobodys = self.nobodys.clone();
        let work = move || {
            let (hash, known) = hash.as_deref().map_or((&*nobodys, false), |hash| (hash, true));
            let password = opaque(&password);
            // Longer ones are nobody's, and are not worth the work.
            let asked = if password.as_str().len() > 4 * CHARS_MAX { "" } else { password.as_str() };
            Argon2::default().verify_password(asked.as_bytes(), hash).is_ok() && known
        };
        self.work(turn, work).await
    }

    async fn work<T: Send + 'static>(&self, turn: Turn, work: impl FnOnce() -> T + Send + 'static) -> T {
        let thread = self.threads.clone().acquire_owned().await.expect("nobody closes it");
        let began = std::time::Instant::now();
        let done = tokio::task::spawn_blocking(move || {
            let _held = (thread, turn);
            work()
        });
        let done = done.await.expect("hashing does not panic");
        metrics::histogram!("reception_password_seconds").record(began.elapsed());
        done
    }
}

fn hash(cost: Cost, password: &str) -> String {
    let params = Params::new(cost.memory_kib, cost.passes, 1, None).expect("argon2 takes the cost");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt: [u8; 16] = rand::random();
    argon2
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("any password and salt have a hash")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[test]
    fn the_list_is_sorted_and_each_of_it_is_refused_in_any_capitals() {
        let lines: Vec<_> = COMMON.lines().collect();
        assert!(lines.is_sorted() && lines.len() > 10_000, "{}", lines.len());
        assert!(lines.iter().all(|line| is_common(line) && line.chars().count() >= CHARS_MIN));
        for common in ["password", "PassWord1", "12345678", "iloveyou", "qwertyuiop", "aaaaaaaaaaaa"] {
            assert_eq!(check(&secret(common), &[]), Err(Weak::Common), "{common}");
        }
    }

    #[test]
    fn lengths_and_names_are_looked_at_and_nothing_else_is_asked_of_a_password() {
        assert_eq!(check(&secret("short"), &[]), Err(Weak::Short));
        assert_eq!(check(&secret(&"ab".repeat(65)), &[]), Err(Weak::Long));
        assert_eq!(check(&secret("Ann.Brown"), &["ann.brown"]), Err(Weak::Name));
        for good in ["correct horse battery staple", "비밀번호로쓰는긴문장", "xkvwqzjp", &"ab".repeat(64)]
        {
            assert_eq!(check(&secret(good), &["ann"]), Ok(()), "{good}");
        }
    }

    #[tokio::test]
    async fn a_password_is_right_for_its_own_hash_alone() {
        let hasher = Hasher::new(CHEAP);
        let hash = hasher.hash(hasher.turn().unwrap(), secret("correct horse")).await;
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        for (password, hash, right) in [
            ("correct horse", Some(hash.clone()), true),
            ("Correct horse", Some(hash.clone()), false),
            ("", Some(hash.clone()), false),
            ("correct horse", Some("$argon2id$nonsense".into()), false),
            ("correct horse", None, false),
        ] {
            assert_eq!(
                hasher.is_right(hasher.turn().unwrap(), secret(password), hash).await,
                right,
                "{password}"
            );
        }
    }

    #[tokio::test]
    async fn a_password_is_the_same_however_a_keyboard_sends_it() {
        let (whole, parts) = ("비밀번호 는 Zoë", "비밀번호\u{a0}는 Zoë".nfd().collect::<String>());
        assert!(whole != parts && parts.chars().count() > whole.chars().count());
        let hasher = Hasher::new(CHEAP);
        for (chosen, typed) in [(whole, &*parts), (&*parts, whole)] {
            let hash = hasher.hash(hasher.turn().unwrap(), secret(chosen)).await;
            assert!(hasher.is_right(hasher.turn().unwrap(), secret(typed), Some(hash)).await);
        }
        assert_eq!(check(&secret(&"비".nfd().collect::<String>().repeat(7)), &[]), Err(Weak::Short));
        let longest: String = "비밀".repeat(CHARS_MAX / 2).nfd().collect();
        assert_eq!(check(&secret(&longest), &[]), Ok(()));
        let hash = hasher.hash(hasher.turn().unwrap(), secret(&longest)).await;
        assert!(hasher.is_right(hasher.turn().unwrap(), secret(&longest), Some(hash)).await);
    }

    #[tokio::test]
    async fn a_full_queue_is_told_and_empties() {
        let hasher = Hasher::new(CHEAP);
        let mut turns = Vec::new();
        while let Ok(turn) = hasher.turn() {
            turns.push(turn);
        }
        assert!(turns.len() > WAITING_MAX);
        hasher.hash(turns.pop().unwrap(), secret("correct horse")).await;
        assert!(hasher.turn().is_ok());
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", secret("hunter22")), "Secret");
    }

    /// Not how long it takes, which a busy machine decides, but what is done: the same cost.
    #[test]
    fn an_unknown_handle_costs_the_same() {
        let hasher = Hasher::new(CHEAP);
        assert!(hasher.nobodys.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert_eq!(Cost::default().memory_kib, 19_456);
    }
}
