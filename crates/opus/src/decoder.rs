use std::ffi::c_int;
use std::ptr::{self, NonNull};

use opusic_sys as sys;

use crate::SampleRate;
use crate::error::{Error, count};

/// Decodes one stream to mono; a stereo packet is mixed down.
#[derive(Debug)]
pub struct Decoder {
    state: NonNull<sys::OpusDecoder>,
    rate: SampleRate,
}

// SAFETY: the state is a plain heap block that libopus keeps no thread-local or global reference to, and
// every access goes through `&mut self` or `&self` of an owner that is not `Sync`.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Creates a decoder that gives samples at `rate`.
    pub fn new(rate: SampleRate) -> Result<Self, Error> {
        let mut code = 0;
        // SAFETY: `code` outlives the call; rate and channels are values that libopus knows.
        let state = unsafe { sys::opus_decoder_create(rate.hz() as i32, 1, &raw mut code) };
        match NonNull::new(state) {
            Some(state) if code == sys::OPUS_OK => Ok(Self { state, rate }),
            Some(_) | None => Err(Error::from_code(code)),
        }
    }

    /// Returns the rate of the samples given.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Decodes a packet and returns how many samples it held; `samples` should have room for 120 ms.
    pub fn decode(&mut self, packet: &[u8], samples: &mut [i16]) -> Result<usize, Error> {
        if packet.is_empty() {
            // libopus takes an empty packet for a lost one and would fill the whole of `samples`.
            return Err(Error::InvalidPacket);
        }
        self.run(Some(packet), samples, false)
    }

    /// Fills `samples`, a multiple of 2.5 ms, with what a lost packet may have sounded like.
    pub fn conceal(&mut self, samples: &mut [i16]) -> Result<usize, Error> {
        self.run(None, samples, false)
    }

    /// Fills `samples`, exactly as long as the lost packet was, from the copy inside the packet after it.
    ///
    /// Without a copy in there (see [`packet::has_fec`](crate::packet::has_fec)) this conceals. The packet
    /// itself must then still be decoded.
    pub fn recover(&mut self, next: &[u8], samples: &mut [i16]) -> Result<usize, Error> {
        if next.is_empty() {
            return self.conceal(samples);
        }
        self.run(Some(next), samples, true)
    }

    /// Sets the effort, 0 to 10: from 5 on lost packets are concealed by the neural model (deep PLC).
    pub fn set_complexity(&mut self, complexity: u8) -> Result<(), Error> {
        let value = c_int::from(complexity);
        // SAFETY: `state` is live; the request takes exactly one `opus_int32` by value.
        let code = unsafe {
            sys::opus_decoder_ctl(self.state.as_ptr(), sys::OPUS_SET_COMPLEXITY_REQUEST, value)
        };
        count(code).map(|_| ())
    }

    /// Forgets the stream so far, as after a change of source, and keeps the settings.
    pub fn reset(&mut self) -> Result<(), Error> {
        // SAFETY: `state` is live; OPUS_RESET_STATE takes no further argument.
        let code = unsafe { sys::opus_decoder_ctl(self.state.as_ptr(), sys::OPUS_RESET_STATE) };
        count(code).map(|_| ())
    }

    fn run(
        &mut self,
        packet: Option<&[u8]>,
        samples: &mut [i16],
        fec: bool,
    ) -> Result<usize, Error> {
        let (data, length) =
            packet.map_or((ptr::null(), 0), |packet| (packet.as_ptr(), packet.len()));
        let length = i32::try_from(length).map_err(|_| Error::InvalidPacket)?;
        let room = c_int::try_from(samples.len()).unwrap_or(c_int::MAX);
        // SAFETY: `state` is live until drop; `data` and `length` describe one slice or are null and zero;
        // one channel, so `room` samples fit.
        let decoded = unsafe {
            sys::opus_decode(
                self.state.as_ptr(),
                data,
                length,
                samples.as_mut_ptr(),
                room,
                c_int::from(fec),
            )
        };
        count(decoded)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: `state` came from `opus_decoder_create` and is destroyed once, here.
        unsafe { sys::opus_decoder_destroy(self.state.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Application, Encoder, MAX_PACKET, Signal};

    const RATE: SampleRate = SampleRate::Hz16000;
    const FRAME: usize = 320;

    fn chirp(frames: usize) -> Vec<i16> {
        (0..frames * FRAME)
            .map(|n| {
                let t = n as f32 / 16_000.0;
                let sweep = 300.0 + 100.0 * (std::f32::consts::TAU * 1.5 * t).sin();
                ((std::f32::consts::TAU * sweep * t).sin() * 9000.0) as i16
            })
            .collect()
    }

    fn packets(samples: &[i16], loss: u8) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(RATE, Application::Voip).unwrap();
        encoder.set_bitrate(32_000).unwrap();
        encoder.set_signal(Signal::Voice).unwrap();
        encoder.set_inband_fec(true).unwrap();
        encoder.set_expected_loss(loss).unwrap();
        samples
            .chunks_exact(FRAME)
            .map(|frame| {
                let mut packet = vec![0; MAX_PACKET];
                let length = encoder.encode(frame, &mut packet).unwrap();
                packet.truncate(length);
                packet
            })
            .collect()
    }

    fn error_energy(a: &[i16], b: &[i16]) -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(i32::from(*a) - i32::from(*b)).powi(2))
            .sum()
    }

    fn play(packets: &[Vec<u8>], lost: usize, recover: bool) -> Vec<i16> {
        let mut decoder = Decoder::new(RATE).unwrap();
        let mut out = Vec::new();
        let mut frame = [0; FRAME];
        for (index, packet) in packets.iter().enumerate() {
            match (index == lost, recover) {
                (false, _) => decoder.decode(packet, &mut frame),
                (true, true) => decoder.recover(&packets[index + 1], &mut frame),
                (true, false) => decoder.conceal(&mut frame),
            }
            .unwrap();
            out.extend_from_slice(&frame);
        }
        out
    }

    #[test]
    fn a_lost_frame_comes_back_closer_through_fec_than_through_concealment() {
        let packets = packets(&chirp(30), 20);
        let whole = play(&packets, usize::MAX, false);
        let gap = 20 * FRAME..21 * FRAME;
        let recovered = error_energy(&play(&packets, 20, true)[gap.clone()], &whole[gap.clone()]);
        let concealed = error_energy(&play(&packets, 20, false)[gap.clone()], &whole[gap]);
        assert!(recovered < concealed, "{recovered} {concealed}");
    }

    #[test]
    fn deep_concealment_is_built_in_and_gives_another_signal_than_the_classic_one() {
        let packets = packets(&chirp(30), 0);
        let conceal = |complexity| {
            let mut decoder = Decoder::new(RATE).unwrap();
            decoder.set_complexity(complexity).unwrap();
            let mut frame = [0; FRAME];
            for packet in &packets {
                decoder.decode(packet, &mut frame).unwrap();
            }
            let mut gap = Vec::new();
            for _ in 0..3 {
                decoder.conceal(&mut frame).unwrap();
                gap.extend_from_slice(&frame);
            }
            gap
        };
        assert_ne!(conceal(0), conceal(5));
    }

    #[test]
    fn hostile_packets_are_refused_and_the_stream_goes_on() {
        let packets = packets(&chirp(3), 0);
        let mut decoder = Decoder::new(RATE).unwrap();
        let mut out = [0; 1920];
        assert_eq!(decoder.decode(&[], &mut out), Err(Error::InvalidPacket));
        assert_eq!(decoder.decode(&[0xff], &mut out), Err(Error::InvalidPacket));
        assert_eq!(
            decoder.decode(&[0x03, 0x3f], &mut out),
            Err(Error::InvalidPacket)
        );
        assert_eq!(
            decoder.decode(&packets[0], &mut out[..10]),
            Err(Error::BufferTooSmall)
        );
        assert_eq!(decoder.decode(&packets[0], &mut out), Ok(FRAME));
    }
}
