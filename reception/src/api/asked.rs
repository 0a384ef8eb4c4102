//! What a request brings: its body, who asks, and by what cookie.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, header, request::Parts},
};
use serde::de::DeserializeOwned;

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
        Ok(Json::<T>::from_request(request, state).await.map(|Json(asked)| Self(asked))?)
    }
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

/// The access token of a request, if it has one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
