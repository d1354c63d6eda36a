//! Which stream a packet of the peer's belongs to (RFC 9143 §9.2).

use super::config::StreamId;

/// Sources beyond these are not remembered; SRTP knows no more at once either.
const MOST_SOURCES: usize = 256;

/// What one stream is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The stream.
    pub stream: StreamId,
    /// What its packets say in the header extension for it (RFC 9143 §15), and the extension's number.
    pub mid: Option<(u8, String)>,
    /// The SSRCs that the peer has named.
    pub sources: Vec<u32>,
    /// The payload types that it may have.
    pub payload_types: Vec<u8>,
}

/// The streams of a transport; while there are no routes, all is sound.
#[derive(Debug, Default)]
pub(super) struct Routes {
    routes: Vec<Route>,
    /// Where packets of a source went last: a line that is gone is not mistaken for another. The one that is silent longest
    /// comes first.
    sources: Vec<(u32, StreamId)>,
}

impl Routes {
    pub(super) fn set(&mut self, routes: Vec<Route>) {
        for route in &routes {
            for ssrc in &route.sources {
                self.learn(*ssrc, route.stream);
            }
        }
        self.routes = routes;
    }

    /// The stream of a packet: what it says itself, then where its source belongs, then what its payload type can only be.
    pub(super) fn stream<'a>(
        &mut self,
        ssrc: u32,
        payload_type: u8,
        extensions: impl Iterator<Item = (u8, &'a [u8])>,
    ) -> Option<StreamId> {
        if self.routes.is_empty() {
            return Some(StreamId::AUDIO);
        }
        let known = || {
            let mut sources = self.sources.iter();
            sources.find(|(source, _)| *source == ssrc).map(|s| s.1)
        };
        let only = || self.only_one_with(payload_type);
        let stream = match self.said(extensions) {
            Said::Stream(stream) => Some(stream),
            Said::Nothing => known().or_else(only),
            // Servers between us may name sections as in another description. A picture in the place of another is worse
            // than none, but nothing else can be taken for sound.
            Said::Unknown => known().or_else(|| only().filter(|only| *only == StreamId::AUDIO)),
        }?;
        self.learn(ssrc, stream);
        Some(stream)
    }

    fn said<'a>(&self, extensions: impl Iterator<Item = (u8, &'a [u8])>) -> Said {
        for (id, value) in extensions {
            let mut is_mid = false;
            for route in &self.routes {
                if let Some((number, mid)) = &route.mid
                    && *number == id
                {
                    is_mid = true;
                    if mid.as_bytes() == value {
                        return Said::Stream(route.stream);
                    }
                }
            }
            if is_mid {
                return Said::Unknown;
            }
        }
        Said::Nothing
    }

    fn only_one_with(&self, payload_type: u8) -> Option<StreamId> {
        let has = |route: &&Route| route.payload_types.contains(&payload_type);
        let mut routes = self.routes.iter().filter(has);
        let first = routes.next()?;
        routes.next().is_none().then_some(first.stream)
    }

    fn learn(&mut self, ssrc: u32, stream: StreamId) {
        let known = self.sources.iter().position(|(known, _)| *known == ssrc);
        let full = self.sources.len() >= MOST_SOURCES;
        if let Some(index) = known.or_else(|| full.then_some(0)) {
            self.sources.remove(index);
        }
        self.sources.push((ssrc, stream));
    }
}

/// What a packet's header extensions say.
enum Said {
    Nothing,
    Stream(StreamId),
    /// A section that there is not.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAMERA: StreamId = StreamId(3);
    const SCREEN: StreamId = StreamId(5);
    type Extension<'a> = (u8, &'a [u8]);

    fn routes() -> Routes {
        let video = |stream, mid: &str, ssrc| Route {
            stream,
            mid: Some((4, mid.to_owned())),
            sources: vec![ssrc],
            payload_types: vec![96, 97],
        };
        let mut routes = Routes::default();
        routes.set(vec![
            Route {
                stream: StreamId::AUDIO,
                mid: Some((4, "0".to_owned())),
                sources: Vec::new(),
                payload_types: vec![111, 0],
            },
            video(CAMERA, "1", 100),
            video(SCREEN, "2", 200),
        ]);
        routes
    }

    fn stream(routes: &mut Routes, ssrc: u32, pt: u8, said: &[Extension<'_>]) -> Option<StreamId> {
        routes.stream(ssrc, pt, said.iter().copied())
    }

    #[test]
    fn without_routes_all_is_sound() {
        let mut routes = Routes::default();
        let said: [Extension<'_>; 1] = [(4, b"1")];
        assert_eq!(stream(&mut routes, 1, 96, &said), Some(StreamId::AUDIO));
    }

    #[test]
    fn what_a_packet_says_goes_before_its_source_and_that_before_its_payload_type() {
        let mut routes = routes();
        assert_eq!(stream(&mut routes, 100, 96, &[]), Some(CAMERA));
        assert_eq!(stream(&mut routes, 100, 96, &[(4, b"2")]), Some(SCREEN));
        assert_eq!(
            stream(&mut routes, 100, 96, &[]),
            Some(SCREEN),
            "it has moved"
        );
        assert_eq!(stream(&mut routes, 7, 111, &[]), Some(StreamId::AUDIO));
        // A source that is known keeps its place whatever it sends.
        assert_eq!(stream(&mut routes, 7, 13, &[]), Some(StreamId::AUDIO));
    }

    #[test]
    fn a_payload_type_of_two_sections_says_nothing() {
        let mut routes = routes();
        assert_eq!(stream(&mut routes, 300, 96, &[]), None);
        assert_eq!(stream(&mut routes, 300, 96, &[(4, b"1")]), Some(CAMERA));
        assert_eq!(stream(&mut routes, 300, 96, &[(9, b"2")]), Some(CAMERA));
        assert_eq!(stream(&mut routes, 301, 34, &[]), None);
    }

    #[test]
    fn sound_that_names_its_section_is_sound() {
        let mut routes = routes();
        let said: [Extension<'_>; 1] = [(4, b"0")];
        assert_eq!(stream(&mut routes, 7, 111, &said), Some(StreamId::AUDIO));
        assert_eq!(stream(&mut routes, 8, 96, &said), Some(StreamId::AUDIO));
    }

    #[test]
    fn of_a_section_that_there_is_not_known_sources_are_taken_and_what_can_only_be_sound() {
        let mut routes = routes();
        let said: [Extension<'_>; 1] = [(4, b"x")];
        assert_eq!(stream(&mut routes, 7, 111, &said), Some(StreamId::AUDIO));
        assert_eq!(stream(&mut routes, 100, 96, &said), Some(CAMERA));
        assert_eq!(stream(&mut routes, 300, 96, &said), None);
        // With one line left its payload types are its own, but not what another line's last packets are.
        let mut left = routes.routes.clone();
        left.truncate(2);
        routes.set(left);
        assert_eq!(stream(&mut routes, 300, 96, &[(4, b"2")]), None);
        assert_eq!(stream(&mut routes, 300, 96, &[]), Some(CAMERA));
    }

    #[test]
    fn a_line_that_is_gone_is_not_mistaken_for_another() {
        let mut routes = routes();
        let mut left = routes.routes.clone();
        left.truncate(2);
        routes.set(left);
        assert_eq!(stream(&mut routes, 200, 96, &[]), Some(SCREEN));
        assert_eq!(stream(&mut routes, 300, 96, &[]), Some(CAMERA));
    }

    #[test]
    fn no_more_sources_are_remembered_than_srtp_takes() {
        let mut routes = routes();
        let said: [Extension<'_>; 1] = [(4, b"1")];
        stream(&mut routes, 20_000, 96, &said);
        for ssrc in 1_000..10_000 {
            stream(&mut routes, ssrc, 111, &[]);
            // Nobody else has this payload type alone: it is its source that says what it is.
            assert_eq!(stream(&mut routes, 20_000, 96, &[]), Some(CAMERA));
        }
        assert_eq!(routes.sources.len(), MOST_SOURCES);
    }
}
