//! Why somebody who signs in elsewhere does not get in.

use axum::http::StatusCode;

/// A refusal, told to the page by its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody is called so.
    #[error("nobody of that name is asked here who you are")]
    NoProvider,
    /// The page is open at another address than the one to which people come back.
    #[error("open the house by its own address to sign in so")]
    OtherAddress,
    /// Not sent from this browser, or too long ago.
    #[error("this browser was not sent there, or too long ago; sign in again")]
    State,
    /// Walked before.
    #[error("this way back was used; sign in again")]
    Used,
    /// The person said no.
    #[error("it was called off there")]
    Denied,
    /// The provider refuses, for a reason that the operator has to mend.
    #[error("the provider refused")]
    Provider,
    /// It does not answer, or not in time.
    #[error("the provider does not answer; try again in a moment")]
    Away,
    /// Too many are being asked about.
    #[error("too many sign in at once; try again in a moment")]
    Busy,
    /// What it answers is too long, or is not what was asked for.
    #[error("the provider's answer is not what it should be")]
    Unclear,
    /// It speaks for somebody else.
    #[error("the answer is another provider's")]
    Issuer,
    /// The code was used, or is another browser's.
    #[error("the provider does not know the code any more; sign in again")]
    Code,
    /// The ID token is none.
    #[error("the ID token cannot be read")]
    Token,
    /// Its algorithm is not allowed, or not its key's.
    #[error("the ID token is signed in a way that is not taken")]
    Algorithm,
    /// Its key is not published.
    #[error("the ID token is signed with a key that the provider does not publish")]
    Key,
    /// Its signature is wrong.
    #[error("the ID token's signature is wrong")]
    Signature,
    /// It is for somebody else.
    #[error("the ID token is for another house")]
    Audience,
    /// It was given to somebody else.
    #[error("the ID token was given to another house")]
    Party,
    /// It is over.
    #[error("the ID token has expired")]
    Expired,
    /// It is of another time.
    #[error("the ID token is of another time")]
    Issued,
    /// It is of another sign-in.
    #[error("the ID token is of another sign-in")]
    Nonce,
    /// It does not belong to the access token that came with it.
    #[error("the ID token does not belong to what came with it")]
    AtHash,
    /// Somebody else signs in by it.
    #[error("somebody else has it linked")]
    Taken,
    /// The account has another one of this provider.
    #[error("another one of this provider is linked")]
    Another,
    /// Then nobody could sign in any more.
    #[error("it is the last way to sign in; set a password or link another before")]
    LastWay,
    /// Too long ago.
    #[error("sign in again, or give the password")]
    SignInAgain,
    /// Nobody has come back who is to say what he is called.
    #[error("sign in again: that was too long ago, or is done")]
    NotArrived,
}

impl Refused {
    /// Status and code.
    pub fn status_and_code(self) -> (StatusCode, &'static str) {
        match self {
            Self::NoProvider => (StatusCode::NOT_FOUND, "no_provider"),
            Self::OtherAddress => (StatusCode::CONFLICT, "other_address"),
            Self::State => (StatusCode::FORBIDDEN, "bad_state"),
            Self::Used => (StatusCode::FORBIDDEN, "used_state"),
            Self::Denied => (StatusCode::FORBIDDEN, "called_off"),
            Self::Provider => (StatusCode::BAD_GATEWAY, "provider_refused"),
            Self::Away => (StatusCode::SERVICE_UNAVAILABLE, "provider_away"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "provider_busy"),
            Self::Unclear => (StatusCode::BAD_GATEWAY, "provider_unclear"),
            Self::Issuer => (StatusCode::FORBIDDEN, "bad_issuer"),
            Self::Code => (StatusCode::FORBIDDEN, "bad_code"),
            Self::Token => (StatusCode::FORBIDDEN, "bad_id_token"),
            Self::Algorithm => (StatusCode::FORBIDDEN, "bad_algorithm"),
            Self::Key => (StatusCode::FORBIDDEN, "unknown_key"),
            Self::Signature => (StatusCode::FORBIDDEN, "bad_signature"),
            Self::Audience => (StatusCode::FORBIDDEN, "bad_audience"),
            Self::Party => (StatusCode::FORBIDDEN, "bad_party"),
            Self::Expired => (StatusCode::FORBIDDEN, "id_token_expired"),
            Self::Issued => (StatusCode::FORBIDDEN, "id_token_early"),
            Self::Nonce => (StatusCode::FORBIDDEN, "bad_nonce"),
            Self::AtHash => (StatusCode::FORBIDDEN, "bad_at_hash"),
            Self::Taken => (StatusCode::CONFLICT, "identity_taken"),
            Self::Another => (StatusCode::CONFLICT, "linked_already"),
            Self::LastWay => (StatusCode::CONFLICT, "last_way"),
            Self::SignInAgain => (StatusCode::FORBIDDEN, "sign_in_again"),
            Self::NotArrived => (StatusCode::UNAUTHORIZED, "not_arrived"),
        }
    }

    /// Whether waiting helps.
    pub fn passes(self) -> bool {
        matches!(self, Self::Away | Self::Busy)
    }
}
