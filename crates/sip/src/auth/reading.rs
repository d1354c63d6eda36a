use super::Side;
use super::digest::raw;
use crate::header::{
    AuthenticationInfo, Authorization, Challenge, ProxyAuthenticationInfo, ProxyAuthorization,
    ShownCredentials,
};
use crate::message::{HeaderName, Request, Response};

/// The most challenges that are read of one response.
const MAX_CHALLENGES: usize = 32;

/// The challenges of a response, in whatever lines they are.
pub(super) fn challenges(response: &Response, side: Side) -> Vec<Challenge<'_>> {
    let lines = response.headers().all(side.challenge());
    lines
        .flat_map(Challenge::all)
        .take(MAX_CHALLENGES)
        .collect()
}

/// The credentials in a request.
pub(super) fn answers(request: &Request, side: Side) -> Vec<ShownCredentials<'_>> {
    let headers = request.headers();
    match side {
        Side::Server => headers
            .list::<Authorization>()
            .flatten()
            .map(|a| a.0)
            .collect(),
        Side::Proxy => headers
            .list::<ProxyAuthorization>()
            .flatten()
            .map(|a| a.0)
            .collect(),
    }
}

/// The nonce that a server wants next.
pub(super) fn next_nonce(response: &Response, side: Side) -> Option<String> {
    debug_assert!(matches!(
        side.info(),
        HeaderName::AuthenticationInfo | HeaderName::ProxyAuthenticationInfo
    ));
    let headers = response.headers();
    let params = match side {
        Side::Server => headers.typed::<AuthenticationInfo>()?.ok()?.0,
        Side::Proxy => headers.typed::<ProxyAuthenticationInfo>()?.ok()?.0,
    };
    raw(&params, "nextnonce")
        .filter(|nonce| !nonce.is_empty())
        .map(str::to_owned)
}
