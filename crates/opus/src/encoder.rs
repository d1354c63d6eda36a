use std::ffi::c_int;
use std::ptr::NonNull;

use opusic_sys as sys;

use crate::SampleRate;
use crate::error::{Error, count};

/// What the encoder optimises for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// Speech: intelligibility first.
    Voip,
    /// Music and mixed content: fidelity first.
    Audio,
    /// The lowest delay (5 ms of look-ahead less), without the speech modes and without in-band FEC.
    LowDelay,
}

/// What the encoder should take the signal for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Let the encoder find out.
    Auto,
    /// Speech, which favours the modes that carry in-band FEC.
    Voice,
    /// Music.
    Music,
}

/// The widest audio band that the encoder may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bandwidth {
    /// Up to 4 kHz.
    Narrow,
    /// Up to 6 kHz.
    Medium,
    /// Up to 8 kHz.
    Wide,
    /// Up to 12 kHz.
    SuperWide,
    /// Up to 20 kHz.
    Full,
}

/// Encodes one stream, mono or of two channels.
#[derive(Debug)]
pub struct Encoder {
    state: NonNull<sys::OpusEncoder>,
    rate: SampleRate,
    channels: c_int,
}

// SAFETY: the state is a plain heap block that libopus keeps no thread-local or global reference to, and
// every access goes through `&mut self` or `&self` of an owner that is not `Sync`.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Creates an encoder that takes samples at `rate`.
    pub fn new(rate: SampleRate, application: Application) -> Result<Self, Error> {
        Self::with_channels(rate, application, 1)
    }

    /// Creates an encoder that takes samples of a left and a right channel in turn.
    pub fn stereo(rate: SampleRate, application: Application) -> Result<Self, Error> {
        Self::with_channels(rate, application, 2)
    }

    fn with_channels(
        rate: SampleRate,
        application: Application,
        channels: c_int,
    ) -> Result<Self, Error> {
        let application = match application {
            Application::Voip => sys::OPUS_APPLICATION_VOIP,
            Application::Audio => sys::OPUS_APPLICATION_AUDIO,
            Application::LowDelay => sys::OPUS_APPLICATION_RESTRICTED_LOWDELAY,
        };
        let mut code = 0;
        // SAFETY: `code` outlives the call; rate, channels and application are values that libopus knows.
        let state = unsafe {
            sys::opus_encoder_create(rate.hz() as i32, channels, application, &raw mut code)
        };
        match NonNull::new(state) {
            Some(state) if code == sys::OPUS_OK => Ok(Self {
                state,
                rate,
                channels,
            }),
            Some(_) | None => Err(Error::from_code(code)),
        }
    }

    /// Returns the rate of the samples that `encode` takes.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Encodes one frame of 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms and returns the packet's length in bytes.
    pub fn encode(&mut self, samples: &[i16], packet: &mut [u8]) -> Result<usize, Error> {
        let values = c_int::try_from(samples.len()).map_err(|_| Error::BadArgument)?;
        // An odd value of two channels would be a frame that ends outside of the slice.
        if values % self.channels != 0 {
            return Err(Error::BadArgument);
        }
        let frame = values / self.channels;
        let room = i32::try_from(packet.len()).unwrap_or(i32::MAX);
        // SAFETY: `state` is live until drop; `samples` has `frame` values of each channel, `packet` `room` octets.
        let written = unsafe {
            sys::opus_encode(
                self.state.as_ptr(),
                samples.as_ptr(),
                frame,
                packet.as_mut_ptr(),
                room,
            )
        };
        count(written)
    }

    /// Sets the bitrate in bits per second, 500 to 512,000.
    pub fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), Error> {
        let value = c_int::try_from(bits_per_second).map_err(|_| Error::BadArgument)?;
        self.set(sys::OPUS_SET_BITRATE_REQUEST, value)
    }

    /// Sets the effort, 0 (least CPU) to 10 (best quality).
    pub fn set_complexity(&mut self, complexity: u8) -> Result<(), Error> {
        self.set(sys::OPUS_SET_COMPLEXITY_REQUEST, c_int::from(complexity))
    }

    /// Lets packets carry a low-rate copy of the frame before them (LBRR, RFC 6716 §2.1.7).
    ///
    /// Copies are made only while `set_expected_loss` is above zero.
    pub fn set_inband_fec(&mut self, on: bool) -> Result<(), Error> {
        self.set(sys::OPUS_SET_INBAND_FEC_REQUEST, c_int::from(on))
    }

    /// Tells the encoder the share of packets that the network loses, in percent, 0 to 100.
    pub fn set_expected_loss(&mut self, percent: u8) -> Result<(), Error> {
        self.set(sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, c_int::from(percent))
    }

    /// Lets the encoder send almost nothing in silence (DTX, RFC 6716 §2.1.9).
    pub fn set_dtx(&mut self, on: bool) -> Result<(), Error> {
        self.set(sys::OPUS_SET_DTX_REQUEST, c_int::from(on))
    }

    /// Lets the bitrate follow the signal (on at first), or holds it constant.
    pub fn set_vbr(&mut self, on: bool) -> Result<(), Error> {
        self.set(sys::OPUS_SET_VBR_REQUEST, c_int::from(on))
    }

    /// Says what kind of signal comes.
    pub fn set_signal(&mut self, signal: Signal) -> Result<(), Error> {
        let value = match signal {
            Signal::Auto => sys::OPUS_AUTO,
            Signal::Voice => sys::OPUS_SIGNAL_VOICE,
            Signal::Music => sys::OPUS_SIGNAL_MUSIC,
        };
        self.set(sys::OPUS_SET_SIGNAL_REQUEST, value)
    }

    /// Limits the audio band, as a peer's `maxplaybackrate` asks (RFC 7587 §6.1).
    pub fn set_max_bandwidth(&mut self, bandwidth: Bandwidth) -> Result<(), Error> {
        let value = match bandwidth {
            Bandwidth::Narrow => sys::OPUS_BANDWIDTH_NARROWBAND,
            Bandwidth::Medium => sys::OPUS_BANDWIDTH_MEDIUMBAND,
            Bandwidth::Wide => sys::OPUS_BANDWIDTH_WIDEBAND,
            Bandwidth::SuperWide => sys::OPUS_BANDWIDTH_SUPERWIDEBAND,
            Bandwidth::Full => sys::OPUS_BANDWIDTH_FULLBAND,
        };
        self.set(sys::OPUS_SET_MAX_BANDWIDTH_REQUEST, value)
    }

    /// Returns how far the encoder's output lags its input, in samples.
    pub fn lookahead(&mut self) -> Result<usize, Error> {
        self.read(sys::OPUS_GET_LOOKAHEAD_REQUEST).and_then(count)
    }

    /// Tells whether the packet made last is a DTX packet that need not be sent.
    pub fn in_dtx(&mut self) -> Result<bool, Error> {
        Ok(self.read(sys::OPUS_GET_IN_DTX_REQUEST)? != 0)
    }

    /// Forgets the signal so far, and keeps the settings.
    pub fn reset(&mut self) -> Result<(), Error> {
        // SAFETY: `state` is live; OPUS_RESET_STATE takes no further argument.
        let code = unsafe { sys::opus_encoder_ctl(self.state.as_ptr(), sys::OPUS_RESET_STATE) };
        count(code).map(|_| ())
    }

    fn set(&mut self, request: c_int, value: c_int) -> Result<(), Error> {
        // SAFETY: `state` is live; every `request` passed here takes exactly one `opus_int32` by value.
        let code = unsafe { sys::opus_encoder_ctl(self.state.as_ptr(), request, value) };
        count(code).map(|_| ())
    }

    fn read(&mut self, request: c_int) -> Result<c_int, Error> {
        let mut value: c_int = 0;
        // SAFETY: `state` is live; every `request` passed here writes exactly one `opus_int32`.
        let code = unsafe { sys::opus_encoder_ctl(self.state.as_ptr(), request, &raw mut value) };
        count(code).map(|_| value)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: `state` came from `opus_encoder_create` and is destroyed once, here.
        unsafe { sys::opus_encoder_destroy(self.state.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet;

    fn speech_like(rate: SampleRate, frames: usize) -> Vec<i16> {
        let hz = rate.hz() as f32;
        (0..frames * rate.hz() as usize / 50)
            .map(|n| {
                let t = n as f32 / hz;
                let voiced: f32 = (1..12)
                    .map(|k| (std::f32::consts::TAU * 140.0 * k as f32 * t).sin() / k as f32)
                    .sum();
                (voiced * 6000.0 * (0.6 + 0.4 * (std::f32::consts::TAU * 3.0 * t).sin())) as i16
            })
            .collect()
    }

    #[test]
    fn fec_copies_appear_only_when_loss_is_expected() {
        let samples = speech_like(SampleRate::Hz16000, 50);
        let with_copies = |loss: u8| {
            let mut encoder = Encoder::new(SampleRate::Hz16000, Application::Voip).unwrap();
            encoder.set_bitrate(32_000).unwrap();
            encoder.set_signal(Signal::Voice).unwrap();
            encoder.set_inband_fec(true).unwrap();
            encoder.set_expected_loss(loss).unwrap();
            let mut bytes = [0; crate::MAX_PACKET];
            samples
                .chunks_exact(320)
                .filter(|frame| {
                    let length = encoder.encode(frame, &mut bytes).unwrap();
                    packet::has_fec(&bytes[..length])
                })
                .count()
        };
        assert_eq!(with_copies(0), 0);
        assert!(with_copies(20) > 25);
    }

    #[test]
    fn silence_under_dtx_shrinks_to_packets_that_need_not_be_sent() {
        let mut encoder = Encoder::new(SampleRate::Hz16000, Application::Voip).unwrap();
        encoder.set_dtx(true).unwrap();
        let mut bytes = [0; crate::MAX_PACKET];
        let lengths: Vec<usize> = (0..50)
            .map(|_| encoder.encode(&[0; 320], &mut bytes).unwrap())
            .collect();
        assert!(lengths.iter().filter(|length| **length <= 2).count() > 20);
        assert!(encoder.in_dtx().unwrap());
    }

    #[test]
    fn a_frame_of_odd_length_and_a_setting_out_of_range_are_refused() {
        let mut encoder = Encoder::new(SampleRate::Hz48000, Application::Voip).unwrap();
        let mut bytes = [0; crate::MAX_PACKET];
        assert_eq!(
            encoder.encode(&[0; 479], &mut bytes),
            Err(Error::BadArgument)
        );
        assert_eq!(encoder.encode(&[0; 960], &mut []), Err(Error::BadArgument));
        assert_eq!(encoder.set_complexity(11), Err(Error::BadArgument));
        assert_eq!(encoder.set_expected_loss(101), Err(Error::BadArgument));
    }

    #[test]
    fn two_channels_are_one_packet_that_says_so() {
        let mut encoder = Encoder::stereo(SampleRate::Hz48000, Application::Audio).unwrap();
        let mut bytes = [0; crate::MAX_PACKET];
        let both: Vec<i16> = (0..1_920)
            .map(|n| if n % 2 == 0 { n * 8 } else { 0 })
            .collect();
        let length = encoder.encode(&both, &mut bytes).unwrap();
        assert!(length > 2);
        // RFC 6716 §3.1: the third bit of a packet.
        assert_eq!(bytes[0] & 4, 4);
        assert_eq!(
            encoder.encode(&both[1..], &mut bytes),
            Err(Error::BadArgument)
        );
    }

    #[test]
    fn the_lookahead_is_a_few_milliseconds() {
        let mut encoder = Encoder::new(SampleRate::Hz48000, Application::Voip).unwrap();
        let milliseconds = encoder.lookahead().unwrap() * 1000 / 48_000;
        assert!((1..=10).contains(&milliseconds), "{milliseconds}");
    }

    #[test]
    fn an_encoder_moves_to_another_thread() {
        let mut encoder = Encoder::new(SampleRate::Hz16000, Application::Voip).unwrap();
        let length = std::thread::spawn(move || encoder.encode(&[0; 320], &mut [0; 100]))
            .join()
            .unwrap();
        assert!(length.is_ok());
    }
}
