//! Who somebody is, how he is signed in, what he may do, and what has happened.
//!
//! Functions here take an open transaction and the time. They change what they name and nothing else; what belongs together is done in
//! one transaction by who calls them.
//!
//! - [`person`]: guests and members.
//! - [`login`]: a signed-in device; [`refresh`]: its tokens, which are derived and stored nowhere.
//! - [`identity`]: who somebody is elsewhere, by which he signs in; [`visit`]: ways there and back.
//! - [`lockout`]: wrong passwords.
//! - [`one_time`]: links that work once.
//! - [`sanction`]: bans, mutes, and excluding oneself.
//! - [`play_time`]: how long somebody wants to play in a day.
//! - [`report`]: what people say of each other to staff.
//! - [`audit`]: what has happened, as a chain that shows when it was changed.

pub mod audit;
pub mod identity;
pub mod lockout;
pub mod login;
pub mod one_time;
pub mod person;
pub mod play_time;
pub mod refresh;
pub mod report;
pub mod sanction;
pub mod visit;
