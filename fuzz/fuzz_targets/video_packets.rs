//! Any bytes as the packets of a picture: no panic, no frame that is none, bounds on what is kept and asked for.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use media::video::{Assembler, VideoPacket};
use offhook_fuzz::without_leak;
use video::{EncodedFrame, VideoCodec};

fuzz_target!(|bytes: &[u8]| without_leak(|| assemble(bytes)));

/// The first octet says what was agreed to; then each packet has four octets that say where it belongs and how long it
/// is, and its payload.
fn assemble(bytes: &[u8]) {
    let Some((traits, mut rest)) = bytes.split_first() else {
        return;
    };
    let mut assembler = Assembler::default();
    assembler.set_resends(traits & 1 != 0);
    assembler.set_round_trip(Duration::from_millis(u64::from(traits >> 1)));
    let mut now = Instant::now();
    let (mut sequence, mut timestamp) = (65_500_u16, 0_u32);
    let mut list = Vec::new();
    while let Some(([ahead, what, later, length], after)) = rest.split_first_chunk::<4>() {
        let (payload, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        sequence = match what & 0x30 {
            0x30 => u16::from(*ahead) << 8,
            _near => sequence.wrapping_add_signed(i16::from(*ahead as i8)),
        };
        timestamp = timestamp.wrapping_add(u32::from(what & 0x0c) * 750);
        now += Duration::from_millis(u64::from(*later));
        let packet = VideoPacket {
            ssrc: u32::from(what & 0x40),
            codec: if what & 1 == 0 { VideoCodec::Vp8 } else { VideoCodec::H264 },
            sequence,
            timestamp,
            marker: what & 2 != 0,
            payload,
        };
        let _read = assembler.push(packet, now);
        while let Some(given) = assembler.pop(now) {
            let frame = given.frame;
            let read = EncodedFrame::read(frame.codec, frame.timestamp, frame.data.clone());
            assert_eq!(read.expect("it was read before"), frame);
        }
        assembler.missing(&mut list, now);
        assert!(list.len() <= 256);
        assembler.wants_key_frame(now);
        assembler.deadline();
        assert!(assembler.octets() <= 1_600_000);
    }
}
