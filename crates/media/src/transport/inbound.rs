//! A datagram of the peer, from its first byte to the output.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;

use super::direct::Direct;
use super::ice::{BaseId, Pair, Verdict};
use super::packet::{Extensions, HeaderView};
use super::protection::Protection;
use super::srtp::Opened;
use super::{MAX_UNDRAINED, Output, Rtp, Transport};

/// How often media of an unknown address are tried: of a peer that has moved the first packet or so is enough.
const STRANGERS: Duration = Duration::from_millis(100);
/// The same while nothing has come of a peer without ICE: behind a NAT it is such an address.
const UNHEARD: Duration = Duration::from_millis(5);

impl Transport {
    /// RFC 7983 §7: the first byte tells the protocols apart.
    pub(super) fn receive(&mut self, base: BaseId, from: SocketAddr, datagram: &[u8]) {
        match datagram.first() {
            Some(0..=3) => self.receive_stun(base, from, datagram),
            Some(20..=63) => self.receive_dtls(base, from, datagram),
            Some(128..=191) => self.receive_media(base, from, datagram),
            Some(_) | None => self.refused.unknown_protocol += 1,
        }
    }

    fn receive_stun(&mut self, base: BaseId, from: SocketAddr, datagram: &[u8]) {
        match self.ice.handle_stun(base, from, datagram, self.now) {
            Verdict::Accepted | Verdict::TooManyAddresses => {}
            Verdict::Early => self.keep_unjudged(base, from, datagram),
            Verdict::Refused => self.refused.stun += 1,
        }
    }

    fn keep_unjudged(&mut self, base: BaseId, from: SocketAddr, datagram: &[u8]) {
        let kept = self.unjudged.push(base, from, datagram);
        self.refused.early += u64::from(!kept);
    }

    fn receive_dtls(&mut self, base: BaseId, from: SocketAddr, datagram: &[u8]) {
        let is_known = match &self.direct {
            Some(direct) => direct.is_known(from),
            None => self.ice.is_validated(base, from),
        };
        if self.direct.is_none() && self.ice.remote().is_none() {
            self.keep_unjudged(base, from, datagram);
        } else if !is_known {
            self.refused.unknown_source += 1;
        } else {
            let now = self.now;
            let dtls = self.dtls.as_mut();
            let event = dtls.and_then(|dtls| dtls.handle_datagram(datagram, now));
            self.follow_dtls(event);
        }
    }

    pub(super) fn receive_media(&mut self, base: BaseId, from: SocketAddr, datagram: &[u8]) {
        // RFC 5761 §4
        let is_report = matches!(datagram.get(1), Some(192..=223));
        let view = HeaderView::read(datagram).filter(|_| !is_report);
        let is_known = self.is_of_peer((base, from), datagram, view.as_ref());
        if !is_known && !self.may_try_stranger() {
            self.refused.unknown_source += 1;
            return;
        }
        let Some(protection) = self.protection.as_mut() else {
            let kept = self.undecrypted.push(base, from, datagram);
            self.refused.early += u64::from(!kept);
            return;
        };
        let opened = match &view {
            _ if is_report => protection.open_rtcp(datagram),
            Some(view) => protection.open_rtp(datagram, view),
            None => Opened::Forged,
        };
        match opened {
            Opened::Packet(packet) => {
                self.note_source(base, from, view.as_ref());
                self.deliver(packet, view);
            }
            Opened::Forged | Opened::Replayed if !is_known => self.refused.unknown_source += 1,
            Opened::Forged => self.refused.srtp_authentication += 1,
            Opened::Replayed => self.refused.srtp_replay += 1,
        }
    }

    /// Whether a packet comes from where the peer is, as far as that can be known without its keys.
    fn is_of_peer(
        &mut self,
        (base, from): (BaseId, SocketAddr),
        datagram: &[u8],
        view: Option<&HeaderView>,
    ) -> bool {
        let reporter = datagram.get(4..8).and_then(|ssrc| ssrc.try_into().ok());
        let is_plain = self.protection.as_ref().is_some_and(Protection::is_plain);
        match (&mut self.direct, view) {
            (None, _) => self.ice.is_validated(base, from),
            (Some(direct), Some(view)) if is_plain => direct.admits(from, view, self.now),
            (Some(direct), None) if is_plain => {
                direct.admits_report(from, reporter.map(u32::from_be_bytes))
            }
            (Some(direct), _) => direct.is_known(from),
        }
    }

    /// Takes note of where an authentic packet came from.
    fn note_source(&mut self, base: BaseId, from: SocketAddr, view: Option<&HeaderView>) {
        let moved = match (&mut self.direct, view) {
            (Some(direct), Some(view)) => direct.hear(base, from, view, self.now),
            (Some(direct), None) => {
                direct.hear_report(from);
                false
            }
            (None, _) => {
                let pair = Pair { base, remote: from };
                self.ice.heard_media(pair, self.now);
                false
            }
        };
        if moved {
            let selected = self.selected_path();
            self.out.extend(selected.map(Output::SelectedPath));
        }
    }

    /// Whether media of an unknown address may be tried with the peer's keys: its NAT may have given it another one. Anybody can
    /// send some, so it is seldom.
    fn may_try_stranger(&mut self) -> bool {
        let has_keys = self.protection.as_ref().is_some_and(|p| !p.is_plain());
        let may = has_keys && self.next_stranger <= self.now;
        if may {
            let unheard = self.direct.as_ref().is_some_and(Direct::is_unheard);
            let pause = if unheard { UNHEARD } else { STRANGERS };
            self.next_stranger = self.now + pause;
        }
        may
    }

    fn deliver(&mut self, packet: BytesMut, view: Option<HeaderView>) {
        if self.out.len() >= MAX_UNDRAINED {
            self.refused.undrained += 1;
            return;
        }
        super::capture(self.captures, &mut self.out, false, &packet);
        let Some(view) = view else {
            self.out.push_back(Output::Rtcp(packet));
            return;
        };
        let Some(payload) = view.payload(&packet) else {
            self.refused.unknown_protocol += 1;
            return;
        };
        let said = Extensions::new(view.extension_profile, &packet[view.extensions.clone()]);
        let Some(stream) = self.routes.stream(view.ssrc, view.pt, said) else {
            self.refused.unknown_stream += 1;
            return;
        };
        self.out.push_back(Output::Rtp(Rtp {
            stream,
            pt: view.pt,
            seq: view.seq,
            timestamp: view.timestamp,
            ssrc: view.ssrc,
            marker: view.marker,
            packet,
            extensions: view.extensions,
            extension_profile: view.extension_profile,
            payload,
        }));
    }
}
