//! From captured sound and pressed keys to RTP.

use super::loudness::Loudness;
use super::protection::Protection;
use super::rest::{Rest, Worth};
use super::{MediaEvent, Output, SessionConfig, SessionError, Tone, Tones};
use crate::codec::{Codec, Decoder, Encoder, NoiseDescription, OpusSettings};
use crate::dtmf;
use crate::rtp::red::Copies;
use crate::rtp::rtcp::SenderInfo;
use crate::sdp::PayloadType;
use crate::sdp::negotiate::{Agreed, SendFormat};
use crate::thrift::Thrift;
use crate::transport::{RtpOut, StreamId, Transport};
use audio::Rate;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// After so long without a tick, the RTP clock goes on where the wall clock is.
const PAUSE: Duration = Duration::from_millis(200);
/// W3C webrtc-pc §7.2: how long a key may be held, and the least silence after it.
const KEY_HELD: (Duration, Duration) = (Duration::from_millis(40), Duration::from_secs(6));
const KEY_GAP: (Duration, Duration) = (Duration::from_millis(30), Duration::from_secs(6));

/// What we send.
#[derive(Debug)]
pub(super) struct Outbound {
    opus: OpusSettings,
    first_codec: Codec,
    format: Option<SendFormat>,
    events: Option<(u8, u32)>,
    encoder: Option<Encoder>,
    frame: Vec<i16>,
    payload: Vec<u8>,
    /// The RTP time at which the next tick begins.
    clock: u32,
    last_tick: Instant,
    /// Whether the next packet begins a talkspurt.
    spurt: bool,
    /// Whether what was sent last says that a pause begins.
    pauses: bool,
    /// Finds pauses, if comfort noise is sent of them, and the payload type of that.
    rest: Option<(u8, Rest)>,
    muted: bool,
    thrift: Thrift,
    keys: dtmf::Sender,
    protection: Protection,
    /// Whom it is about.
    peer: Option<String>,
    /// The payload type of packets with copies, if the peer takes such.
    copied: Option<u8>,
    copies: Copies,
    /// A payload with its copies.
    packed: Vec<u8>,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) level: Loudness,
}

impl Outbound {
    pub(super) fn new(config: &SessionConfig, clock: u32, now: Instant) -> Self {
        Self {
            opus: config.opus,
            first_codec: config.codecs.first().copied().unwrap_or(Codec::Opus),
            format: None,
            events: None,
            encoder: None,
            frame: Vec::with_capacity(6 * Rate::Hz48000.samples_per_tick()),
            payload: Vec::with_capacity(1_500),
            clock,
            last_tick: now,
            spurt: true,
            pauses: false,
            rest: None,
            muted: false,
            thrift: Thrift::default(),
            keys: dtmf::Sender::default(),
            protection: Protection::default(),
            peer: None,
            copied: None,
            copies: Copies::default(),
            packed: Vec::with_capacity(1_500),
            packets: 0,
            bytes: 0,
            level: Loudness::default(),
        }
    }

    pub(super) fn rate(&self) -> Rate {
        self.encoder
            .as_ref()
            .map_or_else(|| self.first_codec.rate(&self.opus), Encoder::rate)
    }

    /// How much was captured and waits until its packet is full.
    pub(super) fn unsent(&self) -> Duration {
        self.rate().duration_of(self.frame.len())
    }

    pub(super) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    pub(super) fn set_thrift(&mut self, thrift: Thrift) {
        self.thrift = thrift;
        if let Some(encoder) = &mut self.encoder {
            encoder.set_thrift(thrift);
        }
    }

    pub(super) fn is_muted(&self) -> bool {
        self.muted
    }

    /// Takes over what was agreed; the encoder stays unless it must change.
    pub(super) fn configure(&mut self, config: &SessionConfig, agreed: &Agreed, now: Instant) {
        self.events = agreed
            .audio
            .send_events
            .map(|(payload_type, clock)| (payload_type.value(), clock));
        if self.events.is_none() {
            self.keys.abandon_events();
        }
        let settings = opus_settings(config, &agreed.audio.send);
        let same = self
            .format
            .is_some_and(|f| f.codec == agreed.audio.send.codec)
            && settings == self.opus
            && self.encoder.is_some();
        self.format = Some(agreed.audio.send);
        self.copied = agreed.audio.send_copies.map(PayloadType::value);
        self.copies.clear();
        self.rest_by(agreed.audio.send_noise.filter(|_| config.dtx));
        let peer = agreed.transport.peer();
        if self.peer != peer {
            // Another path, or another peer: what was lost on the one before says nothing of it.
            self.peer = peer;
            self.protection = Protection::default();
        }
        self.protect();
        if !same {
            self.opus = settings;
            self.frame.clear();
            self.spurt = true;
            self.pauses = false;
            self.last_tick = now;
            // A codec that cannot be made sends nothing; its settings were checked when they were given.
            self.encoder = Encoder::new(agreed.audio.send.codec, &settings).ok();
            self.protect();
            self.set_thrift(self.thrift);
        }
    }

    /// Sends comfort noise of pauses under this payload type, or no longer.
    fn rest_by(&mut self, noise: Option<PayloadType>) {
        let known = self.rest.take().map(|(_, rest)| rest);
        self.rest = noise.map(|number| (number.value(), known.unwrap_or_default()));
    }

    /// Queues keys.
    pub(super) fn press(&mut self, tones: &Tones) -> Result<(), SessionError> {
        let keys: Vec<char> = tones.digits.chars().take(dtmf::MAX_KEYS + 1).collect();
        if let Some(bad) = keys
            .iter()
            .find(|k| **k != ',' && Tone::from_char(**k).is_none())
        {
            return Err(SessionError::NotAKey(*bad));
        }
        if keys.len() + self.keys.waiting() > dtmf::MAX_KEYS {
            return Err(SessionError::TooManyKeys(dtmf::MAX_KEYS));
        }
        self.keys.begin_order(tones.order);
        let held = tones.duration.clamp(KEY_HELD.0, KEY_HELD.1);
        let gap = tones.gap.clamp(KEY_GAP.0, KEY_GAP.1);
        for key in keys {
            match Tone::from_char(key) {
                Some(_) if tones.in_band => self.keys.press_in_band(key, held, gap),
                Some(tone) => self.keys.press(tone.event(), held, gap),
                None => self.keys.pause(),
            }
        }
        Ok(())
    }

    /// Forgets what waits of an order of keys.
    pub(super) fn forget_keys(&mut self, order: u64) {
        self.keys.forget(order);
    }

    /// Takes the share of what we send that a report of the peer's says is lost, 0 to 1.
    pub(super) fn tell_loss(&mut self, lost: f64, round_trip: Option<Duration>, now: Instant) {
        self.protection.report(lost, round_trip, now);
        self.protect();
    }

    fn protect(&mut self) {
        if let Some(encoder) = &mut self.encoder {
            let copied = self.copied.is_some() && self.protection.copies() > 0;
            // Every value up to 100 is taken, and every bitrate that was taken before.
            let _taken = encoder.set_expected_loss(self.protection.expected_loss(copied));
            let _taken = encoder.set_bitrate(self.protection.bitrate(self.opus.bitrate, copied));
        }
    }

    /// Sends what 10 ms bring.
    pub(super) fn tick(
        &mut self,
        samples: &[i16],
        transport: &mut Transport,
        outputs: &mut VecDeque<Output>,
        now: Instant,
    ) {
        let Some(format) = self.format else { return };
        let per_tick = format.codec.clock_rate() / 100;
        self.catch_up(per_tick, now);
        self.level.add(samples);
        let begins = self.clock;
        self.clock = self.clock.wrapping_add(per_tick);
        self.send_keys(begins, format, transport, outputs, now);
        if self.keys.is_sounding() {
            // RFC 4733 §2.5.1.2: the event stands for the sound.
            self.frame.clear();
            self.copies.clear();
            self.spurt = true;
            return;
        }
        self.collect(samples);
        let tick = self.rate().samples_per_tick();
        if self.frame.len() >= tick * usize::from(format.ptime / 10) {
            self.send_frame(format, per_tick, transport, now);
        }
    }

    fn catch_up(&mut self, per_tick: u32, now: Instant) {
        let missed = now.saturating_duration_since(self.last_tick);
        if missed > PAUSE {
            let ticks = (missed.as_millis() / 10).saturating_sub(1) as u32;
            self.clock = self.clock.wrapping_add(ticks.wrapping_mul(per_tick));
            self.frame.clear();
            self.spurt = true;
        }
        self.last_tick = now;
    }

    fn collect(&mut self, samples: &[i16]) {
        let tick = self.rate().samples_per_tick();
        let old = self.frame.len();
        if !self.muted {
            self.frame
                .extend_from_slice(&samples[..samples.len().min(tick)]);
        }
        self.frame.resize(old + tick, 0);
        let rate = self.rate();
        // Where it does, what was captured is not heard: a voice over a key would hide it.
        let _filled = self.keys.fill(rate, &mut self.frame[old..]);
    }

    fn send_frame(
        &mut self,
        format: SendFormat,
        per_tick: u32,
        transport: &mut Transport,
        now: Instant,
    ) {
        if self.protection.expire(now) {
            self.protect();
        }
        let length = per_tick * u32::from(format.ptime / 10);
        let timestamp = self.clock.wrapping_sub(length);
        let worth = self.worth();
        if worth != Worth::Sound {
            self.frame.clear();
            self.spurt = true;
            if let Worth::Noise(description) = worth {
                self.send_noise(&description, timestamp, transport, now);
            }
            return;
        }
        let Some(encoder) = &mut self.encoder else {
            return;
        };
        let encoded = encoder.encode(&self.frame, &mut self.payload);
        let pauses = encoder.in_dtx() && Decoder::begins_pause(format.codec, &self.payload);
        self.frame.clear();
        // The first packet of a pause is sent, so that the peer does not take the pause for loss.
        if encoded.is_err() || (pauses && self.pauses) {
            self.spurt = true;
            return;
        }
        self.pauses = pauses;
        let (pt, payload) = match self.copied {
            Some(pt) if self.protection.copies() > 0 => {
                self.add_copies(format, timestamp);
                (pt, &self.packed)
            }
            Some(_) | None => (format.payload_type.value(), &self.payload),
        };
        let packet = RtpOut {
            pt,
            timestamp,
            marker: self.spurt,
            extensions: &[],
            payload,
        };
        let sent = transport.send_rtp(StreamId::AUDIO, packet, now);
        if sent.is_ok() {
            self.packets += 1;
            self.bytes += payload.len() as u64;
        }
        self.spurt = false;
    }

    fn worth(&mut self) -> Worth {
        let length = self.rate().duration_of(self.frame.len());
        match &mut self.rest {
            Some((_, rest)) => rest.judge(&self.frame, length),
            None => Worth::Sound,
        }
    }

    /// Sends how a pause sounds.
    fn send_noise(
        &mut self,
        description: &NoiseDescription,
        timestamp: u32,
        transport: &mut Transport,
        now: Instant,
    ) {
        let Some((pt, _)) = self.rest else { return };
        description.write(&mut self.payload);
        let packet = RtpOut {
            pt,
            timestamp,
            marker: false,
            extensions: &[],
            payload: &self.payload,
        };
        if transport.send_rtp(StreamId::AUDIO, packet, now).is_ok() {
            self.packets += 1;
            self.bytes += self.payload.len() as u64;
        }
    }

    /// Puts copies of what was sent last before what was encoded now.
    fn add_copies(&mut self, format: SendFormat, timestamp: u32) {
        let wanted = self.protection.copies();
        let own = format.payload_type.value();
        self.copies
            .write(wanted, own, timestamp, &self.payload, &mut self.packed);
        self.copies.keep(wanted, timestamp, &self.payload);
    }

    fn send_keys(
        &mut self,
        begins: u32,
        format: SendFormat,
        transport: &mut Transport,
        outputs: &mut VecDeque<Output>,
        now: Instant,
    ) {
        self.send_key(begins, format, transport, now);
        if let Some(order) = self.keys.take_out() {
            outputs.push_back(Output::Event(MediaEvent::DtmfOut { order }));
        }
        if self.keys.take_completed() {
            outputs.push_back(Output::Event(MediaEvent::DtmfSent {
                remaining: self.keys.waiting(),
            }));
        }
    }

    fn send_key(
        &mut self,
        begins: u32,
        format: SendFormat,
        transport: &mut Transport,
        now: Instant,
    ) {
        let audio = format.codec.clock_rate();
        // Without an agreement no event waits, only keys in the sound.
        let (payload_type, event) = self.events.unwrap_or((0, audio));
        let clocks = dtmf::Clocks { audio, event };
        let update = u32::from(format.ptime / 10).max(2);
        for packet in self.keys.tick(begins, clocks, update).into_iter().flatten() {
            let packet = RtpOut {
                pt: payload_type,
                timestamp: packet.timestamp,
                marker: packet.marker,
                extensions: &[],
                payload: &packet.payload,
            };
            if transport.send_rtp(StreamId::AUDIO, packet, now).is_ok() {
                self.packets += 1;
                self.bytes += dtmf::PAYLOAD as u64;
            }
        }
    }

    /// What a sender's report says; `None` before the first packet.
    pub(super) fn sender_info(&self, ntp: u64, now: Instant) -> Option<SenderInfo> {
        let clock = u64::from(self.format?.codec.clock_rate());
        let since = now.saturating_duration_since(self.last_tick);
        let ticks = since.as_micros() as u64 * clock / 1_000_000;
        (self.packets > 0).then(|| SenderInfo {
            ntp,
            timestamp: self.clock.wrapping_add(ticks as u32),
            packets: self.packets as u32,
            bytes: self.bytes as u32,
        })
    }
}

/// Our settings within the peer's wishes (RFC 7587 §6.1).
fn opus_settings(config: &SessionConfig, send: &SendFormat) -> OpusSettings {
    let ours = &config.opus;
    let wishes = send.fmtp;
    OpusSettings {
        bitrate: ours
            .bitrate
            .min(wishes.max_average_bitrate.unwrap_or(u32::MAX)),
        inband_fec: ours.inband_fec && wishes.fec,
        dtx: config.dtx || wishes.dtx,
        constant_bitrate: ours.constant_bitrate || wishes.cbr,
        max_playback_rate: ours
            .max_playback_rate
            .min(wishes.max_playback_rate.unwrap_or(u32::MAX)),
        ..*ours
    }
}
