//! What a receiver of pictures asks for: lost packets, key frames, less (RFC 4585, RFC 5104, draft-alvestrand-rmcat-remb).

use super::rtcp::{begin, end, put, word};

pub(super) const TRANSPORT_FEEDBACK: u8 = 205;
pub(super) const PAYLOAD_FEEDBACK: u8 = 206;
const GENERIC_NACK: u8 = 1;
const PICTURE_LOSS: u8 = 1;
const FULL_INTRA: u8 = 4;
const APPLICATION: u8 = 15;
const REMB: [u8; 4] = *b"REMB";
/// The mantissa of a bitrate has so many bits.
const MANTISSA: u32 = 18;
/// RFC 4585 §6.2.1: one entry names a packet and some of the 16 after it.
const REACH: u16 = 16;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feedback<'a> {
    /// Packets are to be sent again (generic NACK, RFC 4585 §6.2.1).
    Missing {
        /// Of this stream,
        media: u32,
        /// these.
        sequences: Sequences<'a>,
    },
    /// A picture was lost (PLI, RFC 4585 §6.3.1).
    PictureLoss {
        /// Of this stream.
        media: u32,
    },
    /// Key frames are wanted (FIR, RFC 5104 §4.3.1).
    FullIntra {
        /// Of these streams.
        requests: Requests<'a>,
    },
    /// Not more is to be sent (REMB).
    Bitrate {
        /// Together so many bit/s,
        bits_per_second: u64,
        /// by these streams.
        streams: LimitedStreams<'a>,
    },
}

/// Sequence numbers still in their packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequences<'a> {
    entries: &'a [u8],
    first: u16,
    /// Those after `first` that are still to be told.
    after: u16,
}

impl Iterator for Sequences<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.after != 0 {
            let bit = self.after.trailing_zeros() as u16;
            self.after &= self.after - 1;
            return Some(self.first.wrapping_add(bit + 1));
        }
        let (entry, rest) = self.entries.split_first_chunk::<4>()?;
        self.entries = rest;
        self.first = u16::from_be_bytes([entry[0], entry[1]]);
        self.after = u16::from_be_bytes([entry[2], entry[3]]);
        Some(self.first)
    }
}

/// Requests for key frames, with the number of each, still in their packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests<'a>(&'a [u8]);

impl Iterator for Requests<'_> {
    type Item = (u32, u8);

    fn next(&mut self) -> Option<(u32, u8)> {
        let (entry, rest) = self.0.split_at_checked(8)?;
        self.0 = rest;
        Some((word(entry, 0)?, *entry.get(4)?))
    }
}

/// Sources still in their packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitedStreams<'a>(&'a [u8]);

impl Iterator for LimitedStreams<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (entry, rest) = self.0.split_at_checked(4)?;
        self.0 = rest;
        word(entry, 0)
    }
}

/// Reads the body of a transport layer's feedback.
pub(super) fn transport(body: &[u8], format: usize) -> Option<Feedback<'_>> {
    (format == usize::from(GENERIC_NACK)).then_some(())?;
    Some(Feedback::Missing {
        media: word(body, 4)?,
        sequences: Sequences {
            entries: body.get(8..)?,
            first: 0,
            after: 0,
        },
    })
}

/// Reads the body of a payload's feedback.
pub(super) fn payload(body: &[u8], format: usize) -> Option<Feedback<'_>> {
    match u8::try_from(format).ok()? {
        PICTURE_LOSS => Some(Feedback::PictureLoss {
            media: word(body, 4)?,
        }),
        FULL_INTRA => Some(Feedback::FullIntra {
            requests: Requests(body.get(8..)?),
        }),
        APPLICATION => bitrate(body.get(8..)?),
        _other => None,
    }
}

fn bitrate(body: &[u8]) -> Option<Feedback<'_>> {
    let rest = body.strip_prefix(&REMB)?;
    let fields = word(rest, 0)?;
    let count = (fields >> 24) as usize;
    let exponent = fields >> MANTISSA & 0x3f;
    let mantissa = u64::from(fields & ((1 << MANTISSA) - 1));
    let fits = mantissa.leading_zeros() >= exponent;
    Some(Feedback::Bitrate {
        bits_per_second: if fits { mantissa << exponent } else { u64::MAX },
        streams: LimitedStreams(rest.get(4..4 + count * 4)?),
    })
}

/// Appends a request to send packets of a stream again; `sequences` in their order.
pub fn write_missing(out: &mut Vec<u8>, ssrc: u32, media: u32, sequences: &[u16]) {
    let start = open(out, GENERIC_NACK, TRANSPORT_FEEDBACK, ssrc, media);
    let mut rest = sequences.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut after = 0;
        while let Some(next) = rest.next_if(|next| reaches(first, *next)) {
            after |= 1 << (next.wrapping_sub(first) - 1);
        }
        put(out, u32::from(first) << 16 | after);
    }
    end(out, start);
}

fn reaches(first: u16, next: u16) -> bool {
    (1..=REACH).contains(&next.wrapping_sub(first))
}

/// Appends that a picture of a stream was lost.
pub fn write_picture_loss(out: &mut Vec<u8>, ssrc: u32, media: u32) {
    let start = open(out, PICTURE_LOSS, PAYLOAD_FEEDBACK, ssrc, media);
    end(out, start);
}

/// Appends a request for a key frame of a stream; a repetition has the same number.
pub fn write_full_intra(out: &mut Vec<u8>, ssrc: u32, media: u32, number: u8) {
    // RFC 5104 §4.3.1.2: the stream stands in the entry, not in the header.
    let start = open(out, FULL_INTRA, PAYLOAD_FEEDBACK, ssrc, 0);
    put(out, media);
    put(out, u32::from(number) << 24);
    end(out, start);
}

/// Appends how much some streams, 255 at most, may send together.
pub fn write_bitrate(out: &mut Vec<u8>, ssrc: u32, bits_per_second: u64, streams: &[u32]) {
    let streams = &streams[..streams.len().min(255)];
    let start = open(out, APPLICATION, PAYLOAD_FEEDBACK, ssrc, 0);
    let length = u64::BITS - bits_per_second.leading_zeros();
    let exponent = length.saturating_sub(MANTISSA);
    let mantissa = (bits_per_second >> exponent) as u32;
    out.extend_from_slice(&REMB);
    put(
        out,
        (streams.len() as u32) << 24 | exponent << MANTISSA | mantissa,
    );
    for stream in streams {
        put(out, *stream);
    }
    end(out, start);
}

fn open(out: &mut Vec<u8>, format: u8, kind: u8, ssrc: u32, media: u32) -> usize {
    let start = begin(out, format, kind);
    put(out, ssrc);
    put(out, media);
    start
}

#[cfg(test)]
mod tests {
    use super::super::rtcp::{Packet, read};
    use super::*;
    use rtc_rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
    use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
    use rtc_rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
    use rtc_rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;

    const LOST: [u16; 6] = [65_530, 65_535, 3, 10, 11, 700];

    fn compound() -> Vec<u8> {
        let mut out = Vec::new();
        write_missing(&mut out, 1, 2, &LOST);
        write_picture_loss(&mut out, 1, 3);
        write_full_intra(&mut out, 1, 4, 200);
        write_bitrate(&mut out, 1, 1_234_567, &[5, 6]);
        out
    }

    fn feedback(bytes: &[u8]) -> Vec<Feedback<'_>> {
        read(bytes)
            .filter_map(|packet| match packet {
                Packet::Feedback { ssrc: 1, feedback } => Some(feedback),
                Packet::Feedback { .. }
                | Packet::Sender { .. }
                | Packet::Receiver { .. }
                | Packet::Goodbye { .. }
                | Packet::Other => None,
            })
            .collect()
    }

    #[test]
    fn what_is_asked_for_reads_back_the_same() {
        let bytes = compound();
        let all = feedback(&bytes);
        let [
            Feedback::Missing {
                media: 2,
                sequences,
            },
            Feedback::PictureLoss { media: 3 },
            Feedback::FullIntra { requests },
            Feedback::Bitrate {
                bits_per_second,
                streams,
            },
        ] = all[..]
        else {
            panic!("{all:?}")
        };
        assert_eq!(sequences.collect::<Vec<_>>(), LOST);
        assert_eq!(requests.collect::<Vec<_>>(), [(4, 200)]);
        assert_eq!(streams.collect::<Vec<_>>(), [5, 6]);
        assert_eq!(bits_per_second, 1_234_567 & !7);
    }

    #[test]
    fn another_implementation_reads_it_too() {
        let mut bytes = bytes::Bytes::from(compound());
        let packets = rtc_rtcp::packet::unmarshal(&mut bytes).unwrap();
        let nack: &TransportLayerNack = packets[0].as_any().downcast_ref().unwrap();
        let lost: Vec<u16> = nack
            .nacks
            .iter()
            .flat_map(|pair| pair.packet_list())
            .collect();
        assert_eq!((nack.media_ssrc, lost), (2, LOST.to_vec()));
        let pli: &PictureLossIndication = packets[1].as_any().downcast_ref().unwrap();
        assert_eq!((pli.sender_ssrc, pli.media_ssrc), (1, 3));
        let fir: &FullIntraRequest = packets[2].as_any().downcast_ref().unwrap();
        assert_eq!((fir.fir[0].ssrc, fir.fir[0].sequence_number), (4, 200));
        let remb: &ReceiverEstimatedMaximumBitrate = packets[3].as_any().downcast_ref().unwrap();
        assert_eq!((remb.bitrate, &remb.ssrcs[..]), (1_234_560.0, &[5, 6][..]));
    }

    #[test]
    fn every_bitrate_can_be_said() {
        for bits in [
            0,
            1,
            0x3_ffff,
            0x4_0000,
            30_000_000,
            u64::from(u32::MAX),
            1 << 62,
        ] {
            let mut out = Vec::new();
            write_bitrate(&mut out, 1, bits, &[]);
            let all = feedback(&out);
            let Feedback::Bitrate {
                bits_per_second, ..
            } = all[0]
            else {
                panic!("{all:?}")
            };
            assert!(bits_per_second <= bits && bits - bits_per_second <= bits >> 17);
        }
        // More than 64 bits can hold.
        let mut out = Vec::new();
        write_bitrate(&mut out, 1, 0, &[]);
        out[17] = 0xff;
        let all = feedback(&out);
        assert!(matches!(
            all[0],
            Feedback::Bitrate {
                bits_per_second: u64::MAX,
                ..
            }
        ));
    }

    #[test]
    fn cut_or_garbled_feedback_never_panics() {
        let bytes = compound();
        let walk = |bytes: &[u8]| {
            for packet in read(bytes) {
                if let Packet::Feedback { feedback, .. } = packet {
                    match feedback {
                        Feedback::Missing { sequences, .. } => {
                            assert!(sequences.count() <= bytes.len() * 17 / 4);
                        }
                        Feedback::PictureLoss { .. } => {}
                        Feedback::FullIntra { requests } => {
                            assert!(requests.count() <= bytes.len() / 8);
                        }
                        Feedback::Bitrate { streams, .. } => assert!(streams.count() <= 255),
                    }
                }
            }
        };
        for end in 0..bytes.len() {
            walk(&bytes[..end]);
        }
        for index in 0..bytes.len() {
            for value in 0..=255 {
                let mut garbled = bytes.clone();
                garbled[index] = value;
                walk(&garbled);
            }
        }
    }
}
