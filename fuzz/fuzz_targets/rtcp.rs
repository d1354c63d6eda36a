//! Any bytes as RTCP: no panic, no more than the packet holds, and what is asked for is written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use media::rtp::feedback::{self, Feedback};
use media::rtp::rtcp::{self, MAX_BLOCKS, Packet};
use offhook_fuzz::without_leak;

fuzz_target!(|bytes: &[u8]| without_leak(|| read(bytes)));

fn read(bytes: &[u8]) {
    let mut octets = 0;
    for packet in rtcp::read(bytes) {
        octets += 4;
        match packet {
            Packet::Sender { blocks, .. } | Packet::Receiver { blocks, .. } => {
                let blocks: Vec<_> = blocks.collect();
                assert!(blocks.len() <= MAX_BLOCKS);
                let mut out = Vec::new();
                rtcp::write_report(&mut out, 1, None, &blocks);
                let again = rtcp::read(&out).find_map(|packet| match packet {
                    Packet::Receiver { blocks, .. } => Some(blocks.collect::<Vec<_>>()),
                    _other => None,
                });
                assert_eq!(again, Some(blocks));
            }
            Packet::Feedback { ssrc, feedback } => write(ssrc, &feedback, bytes.len()),
            Packet::Goodbye { .. } | Packet::Other => {}
        }
    }
    assert!(octets <= bytes.len());
}

fn write(ssrc: u32, feedback: &Feedback<'_>, most: usize) {
    let mut out = Vec::new();
    match *feedback {
        Feedback::Missing { media, sequences } => {
            let sequences: Vec<u16> = sequences.collect();
            assert!(sequences.len() <= most * 17 / 4);
            feedback::write_missing(&mut out, ssrc, media, &sequences);
            match again(&out) {
                Some(Feedback::Missing { sequences: read, .. }) => assert_eq!(in_order(read), in_order(sequences)),
                other => panic!("{other:?}"),
            }
        }
        Feedback::PictureLoss { media } => {
            feedback::write_picture_loss(&mut out, ssrc, media);
            assert_eq!(again(&out), Some(Feedback::PictureLoss { media }));
        }
        Feedback::FullIntra { requests } => {
            for (media, number) in requests {
                out.clear();
                feedback::write_full_intra(&mut out, ssrc, media, number);
                match again(&out) {
                    Some(Feedback::FullIntra { mut requests }) => assert_eq!(requests.next(), Some((media, number))),
                    other => panic!("{other:?}"),
                }
            }
        }
        Feedback::Bitrate { bits_per_second, streams } => {
            let streams: Vec<u32> = streams.collect();
            feedback::write_bitrate(&mut out, ssrc, bits_per_second, &streams);
            match again(&out) {
                Some(Feedback::Bitrate { bits_per_second: read, streams: all }) => {
                    assert!(read <= bits_per_second && bits_per_second - read <= bits_per_second >> 17);
                    assert_eq!(all.collect::<Vec<_>>(), streams);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A peer may name them in any order, and more than once.
fn in_order(sequences: impl IntoIterator<Item = u16>) -> Vec<u16> {
    let mut sequences: Vec<u16> = sequences.into_iter().collect();
    sequences.sort_unstable();
    sequences.dedup();
    sequences
}

fn again(written: &[u8]) -> Option<Feedback<'_>> {
    rtcp::read(written).find_map(|packet| match packet {
        Packet::Feedback { feedback, .. } => Some(feedback),
        _other => None,
    })
}
