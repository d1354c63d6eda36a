//! The route set and how a request follows it (RFC 3261 §12.1, §12.2.1.1).

use crate::header::{RecordRoute, TypedHeader};
use crate::message::Headers;
use crate::uri::Uri;

/// Which proxies the requests of a dialog pass, nearest first, each as it stands in a Route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RouteSet(Vec<String>);

impl RouteSet {
    /// RFC 3261 §12.1.2: the Record-Route of the answer, reversed.
    pub(super) fn of_caller(mut record_routes: Vec<String>) -> Self {
        record_routes.reverse();
        Self(record_routes)
    }

    /// RFC 3261 §12.1.1: the Record-Route of the request, as it stands.
    pub(super) fn of_callee(record_routes: Vec<String>) -> Self {
        Self(record_routes)
    }

    /// As it was kept.
    pub(super) fn of_record(routes: Vec<String>) -> Self {
        Self(routes)
    }

    pub(super) fn each(&self) -> &[String] {
        &self.0
    }

    /// Where a request goes that takes these.
    pub(super) fn first(&self) -> Option<Uri<'static>> {
        self.0.first().and_then(|first| first_uri(first))
    }

    /// Returns the Request-URI and the Routes of a request to `target`.
    pub(super) fn apply(&self, target: &Uri<'static>) -> (Uri<'static>, Vec<String>) {
        match self
            .0
            .split_first()
            .map(|(first, rest)| (first_uri(first), rest))
        {
            Some((Some(first), rest)) if !first.is_loose_router() => {
                // A strict router is addressed itself; the target becomes the last Route.
                let mut routes = rest.to_vec();
                routes.push(format!("<{target}>"));
                (first.to_request_uri(), routes)
            }
            Some(_) | None => (target.clone(), self.0.clone()),
        }
    }
}

fn first_uri(route: &str) -> Option<Uri<'static>> {
    let route = RecordRoute::parse(route).ok()?;
    Some(route.uri().clone().into_owned())
}

/// Returns each Record-Route as it was written.
pub(super) fn record_routes(headers: &Headers) -> Vec<String> {
    headers
        .list::<RecordRoute>()
        .filter_map(Result::ok)
        .map(|route| route.to_string())
        .collect()
}
