//! What a request brings: its body, who asks, and by what cookie.

use std::{fmt, marker::PhantomData, sync::Arc};

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, header, request::Parts},
};
use protocol::time::UnixMs;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::Offices;
use crate::{
    error::ApiError,
    people::{Asker, Caller, People},
};

/// A JSON body, refused in our own words.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Ok(Json::<Object<T>>::from_request(request, state).await.map(|Json(Object(asked))| Self(asked))?)
    }
}

/// An object with these fields. Left to itself, serde reads them out of an array too, by their places.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// What may be left out of a body. `null` is not nothing: whoever has no time to say must not ban for ever by it.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The largest whole number that everybody who reads JSON reads alike.
pub(crate) const NUMBER_MAX: u64 = 9_007_199_254_740_991;

/// A time in a body, milliseconds since 1970. JSON has one kind of number: `1e12` and `5.0` are whole ones, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct When(pub(super) UnixMs);

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ms = whole(deserializer, NUMBER_MAX)?;
        ms.map(Self)
            .ok_or_else(|| serde::de::Error::custom("a time is a whole number of milliseconds since 1970"))
    }
}

/// How many of something a body says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count(pub(super) u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let count = whole(deserializer, u32::MAX.into())?.and_then(|count| u32::try_from(count).ok());
        count.map(Self).ok_or_else(|| serde::de::Error::custom("a count is a whole number"))
    }
}

/// A whole number, if it is one and not too large.
fn whole<'de, D: Deserializer<'de>>(deserializer: D, most: u64) -> Result<Option<u64>, D::Error> {
    let number = f64::deserialize(deserializer)?;
    let fits = number.fract() == 0.0 && (0.0..=most as f64).contains(&number);
    Ok(fits.then_some(number as u64))
}

/// The name in a path, of somebody or something. One that is no text names nothing.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let named = Path::<String>::from_request_parts(parts, state).await;
        named.map(|Path(name)| Self(name)).map_err(|_| ApiError::NotFound)
    }
}

/// What stands behind the path's `?`.
pub(super) struct Behind<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Behind<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let asked = Query::<T>::from_request_parts(parts, state).await;
        asked.map(|Query(asked)| Self(asked)).map_err(|refused| ApiError::BadRequest(refused.body_text()))
    }
}

/// People, where this house keeps any.
pub(super) struct Kept(pub(super) Arc<People>);

impl FromRequestParts<Offices> for Kept {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, offices: &Offices) -> Result<Self, ApiError> {
        offices.people.clone().map(Self).ok_or(ApiError::NoAccounts)
    }
}

/// From where a request comes.
pub(super) struct From(pub(super) Asker);

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let network = ops::serve::Caller::of(&parts.extensions).network().to_string();
        Ok(Self(Asker { network, agent: agent.unwrap_or_default().into() }))
    }
}

/// The address from which a request comes.
pub(super) struct Address(pub(super) ops::serve::Caller);

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(ops::serve::Caller::of(&parts.extensions)))
    }
}

/// Who asks, by the access token as bearer.
pub(super) struct By(pub(super) Caller);

impl FromRequestParts<Offices> for By {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, offices: &Offices) -> Result<Self, ApiError> {
        let people = offices.people.as_ref().ok_or(ApiError::NoAccounts)?;
        let token = bearer(&parts.headers).ok_or(ApiError::BadToken)?;
        people.caller(token).await.map(Self)
    }
}

/// Who asks, if he says so; who says so badly is refused.
pub(super) struct Perhaps(pub(super) Option<Caller>);

impl FromRequestParts<Offices> for Perhaps {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, offices: &Offices) -> Result<Self, ApiError> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(Self(None));
        }
        By::from_request_parts(parts, offices).await.map(|By(caller)| Self(Some(caller)))
    }
}

/// The access token of a request, if it has one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_whole_number_however_it_is_written() {
        let read = |text: &str| serde_json::from_str::<When>(text).ok().map(|When(ms)| ms);
        for (text, ms) in [
            ("0", 0),
            ("1700000000000", 1_700_000_000_000),
            ("1700000000000.0", 1_700_000_000_000),
            ("1.7e12", 1_700_000_000_000),
            ("9007199254740991", 9_007_199_254_740_991),
        ] {
            assert_eq!(read(text), Some(ms), "{text}");
        }
        for text in
            ["-1", "0.5", "9007199254740992", "6.5e28", "18446744073709551616", "\"0\"", "null", "[0]"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
