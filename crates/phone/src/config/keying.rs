//! `media`: how media may be protected.

use super::error::ConfigError;
use super::server::Server;
use crate::door::media::KeyingWish;

/// What an array of them has to be.
pub(crate) const EXPECTED: &str =
    "an array of 'dtls', 'sdes', 'sdes-unprotected' and 'rtp', each once";

/// Judges the option, best first; without it media are protected by DTLS-SRTP.
pub(super) fn keyings(
    given: Option<Vec<KeyingWish>>,
    servers: &[Server],
    checks_peers: bool,
    checks_certificates: bool,
) -> Result<Vec<KeyingWish>, ConfigError> {
    let media = given.unwrap_or_else(|| vec![KeyingWish::Dtls]);
    if let Some(fault) = fault(&media) {
        return Err(ConfigError::new("media", EXPECTED, fault));
    }
    let says_openly = media.contains(&KeyingWish::SdesUnprotected);
    let wants_protected = media.contains(&KeyingWish::Sdes) && !says_openly;
    let has_tls = checks_peers || servers.iter().any(Server::is_secure);
    if wants_protected && !(checks_certificates && has_tls) {
        return Err(ConfigError::new(
            "media",
            "'sdes' with TLS to one of servers or at a listen.tls that has a ca, and certificates that are checked, because the keys \
             stand in what is said there; 'sdes-unprotected' lets everybody on the way read them",
            "'sdes' over connections without TLS, or with anybody's certificate",
        ));
    }
    Ok(media)
}

/// What is wrong with such an array.
pub(crate) fn fault(media: &[KeyingWish]) -> Option<&'static str> {
    let is_again = |(index, one): (usize, &KeyingWish)| media[..index].contains(one);
    match media.is_empty() {
        true => Some("an empty array"),
        false => media
            .iter()
            .enumerate()
            .any(is_again)
            .then_some("the same twice"),
    }
}
