//! What names a session from end to end, whatever stands between its ends (RFC 7989).

use rand::Rng;

use crate::header::SessionId;
use crate::message::Headers;

/// One UUID of each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionUuids {
    /// Ours.
    pub local: u128,
    /// Theirs, once they have said it.
    pub remote: Option<u128>,
}

impl SessionUuids {
    pub(crate) fn new(local: u128) -> Self {
        let remote = None;
        Self { local, remote }
    }

    /// Reads those of our own request: its sender's half is ours.
    pub(crate) fn of_request(headers: &Headers) -> Option<Self> {
        sender_of(headers).map(Self::new)
    }

    /// Takes the other side's half out of what it sent. It may become another, as in a transfer that a PBX
    /// between us carries out.
    pub(crate) fn learn(&mut self, headers: &Headers) {
        self.remote = sender_of(headers).or(self.remote);
    }

    /// The header's value; the null UUID stands for what is not known.
    pub(crate) fn to_header(self) -> String {
        format!(
            "{:032x};remote={:032x}",
            self.local,
            self.remote.unwrap_or(0)
        )
    }
}

/// Draws a UUID of version 4, which is one of the two that RFC 7989 §4.1 allows.
pub(crate) fn draw(rng: &mut impl Rng) -> u128 {
    let random = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
    random & !(0xf << 76 | 0b11 << 62) | 0x4 << 76 | 0b10 << 62
}

fn sender_of(headers: &Headers) -> Option<u128> {
    let id = headers.typed::<SessionId<'_>>()?.ok()?;
    let uuid = u128::from_str_radix(id.local(), 16).ok()?;
    (uuid != 0).then_some(uuid)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::message::HeaderName;

    #[test]
    fn a_drawn_uuid_is_of_version_4_and_variant_1() {
        let mut rng = StdRng::from_seed([7; 32]);
        let (one, other) = (draw(&mut rng), draw(&mut rng));
        assert_ne!(one, other);
        for uuid in [one, other] {
            let text = format!("{uuid:032x}");
            assert_eq!(&text[12..13], "4", "{text}");
            assert!("89ab".contains(&text[16..17]), "{text}");
        }
    }

    #[test]
    fn the_null_uuid_is_nobodys() {
        let mut headers = Headers::default();
        let null = "00000000000000000000000000000000;remote=ab30317f1a784dc48ff824d0d3715d86";
        headers.push(HeaderName::SessionId, null).unwrap();
        let mut uuids = SessionUuids {
            local: 1,
            remote: Some(2),
        };
        uuids.learn(&headers);
        assert_eq!(uuids.remote, Some(2));
        assert_eq!(SessionUuids::of_request(&headers), None);
    }
}
