//! RTCP on the wire: compounds of SR or RR, SDES, feedback and BYE are written; SR, RR, feedback and BYE are read.

use super::feedback::{self, Feedback, PAYLOAD_FEEDBACK, TRANSPORT_FEEDBACK};

/// The most report blocks taken from one packet: its count field has five bits.
pub const MAX_BLOCKS: usize = 31;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CNAME: u8 = 1;

/// What a sender says about its stream (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// 32.32 fixed-point seconds.
    pub ntp: u64,
    /// The RTP timestamp of the same instant.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub bytes: u32,
}

/// What a receiver says about one source (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source.
    pub ssrc: u32,
    /// The share lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost in all, 24 bits signed.
    pub lost: i32,
    /// The highest sequence number, with its cycles in the upper half.
    pub highest_sequence: u32,
    /// In ticks of the RTP clock.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's NTP time, 0 before one came.
    pub last_sender_report: u32,
    /// Since that report, in 1/65536 s.
    pub delay: u32,
}

/// One packet of a compound, as far as we care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A sender's report.
    Sender {
        /// Who reports.
        ssrc: u32,
        /// About its own stream.
        info: SenderInfo,
        /// About what it receives.
        blocks: Blocks<'a>,
    },
    /// A report of someone who sends nothing.
    Receiver {
        /// Who reports.
        ssrc: u32,
        /// About what it receives.
        blocks: Blocks<'a>,
    },
    /// Someone leaves.
    Goodbye {
        /// The first source that leaves; `None` when the packet names none.
        ssrc: Option<u32>,
    },
    /// Someone asks for something.
    Feedback {
        /// Who asks.
        ssrc: u32,
        /// What for.
        feedback: Feedback<'a>,
    },
    /// Anything else.
    Other,
}

/// Report blocks still in their packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks<'a>(&'a [u8]);

impl<'a> Iterator for Blocks<'a> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.0.split_at_checked(24)?;
        self.0 = rest;
        let lost = word(block, 4)? & 0xff_ffff;
        Some(ReportBlock {
            ssrc: word(block, 0)?,
            fraction_lost: *block.get(4)?,
            lost: (lost << 8) as i32 >> 8,
            highest_sequence: word(block, 8)?,
            jitter: word(block, 12)?,
            last_sender_report: word(block, 16)?,
            delay: word(block, 20)?,
        })
    }
}

/// Reads a compound packet; what is malformed ends it.
pub fn read(compound: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut rest = compound;
    std::iter::from_fn(move || {
        let (packet, after) = split(rest)?;
        rest = after;
        Some(packet)
    })
}

fn split(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let header = bytes.get(..4)?;
    if header[0] >> 6 != 2 {
        return None;
    }
    let words = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let (packet, after) = bytes.split_at_checked((words + 1) * 4)?;
    let count = usize::from(header[0] & 0x1f);
    let body = &packet[4..];
    let parsed = match header[1] {
        SENDER_REPORT => sender(body, count),
        RECEIVER_REPORT => receiver(body, count),
        GOODBYE => Some(Packet::Goodbye {
            ssrc: (count > 0).then(|| word(body, 0)).flatten(),
        }),
        TRANSPORT_FEEDBACK => asked(body, feedback::transport(body, count)),
        PAYLOAD_FEEDBACK => asked(body, feedback::payload(body, count)),
        _other => Some(Packet::Other),
    };
    Some((parsed.unwrap_or(Packet::Other), after))
}

fn sender(body: &[u8], count: usize) -> Option<Packet<'_>> {
    Some(Packet::Sender {
        ssrc: word(body, 0)?,
        info: SenderInfo {
            ntp: u64::from(word(body, 4)?) << 32 | u64::from(word(body, 8)?),
            timestamp: word(body, 12)?,
            packets: word(body, 16)?,
            bytes: word(body, 20)?,
        },
        blocks: Blocks(body.get(24..24 + count * 24)?),
    })
}

fn receiver(body: &[u8], count: usize) -> Option<Packet<'_>> {
    Some(Packet::Receiver {
        ssrc: word(body, 0)?,
        blocks: Blocks(body.get(4..4 + count * 24)?),
    })
}

fn asked<'a>(body: &[u8], feedback: Option<Feedback<'a>>) -> Option<Packet<'a>> {
    Some(Packet::Feedback {
        ssrc: word(body, 0)?,
        feedback: feedback?,
    })
}

pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// Appends a sender's report, or a receiver's if there is no `info`; of `blocks` as many as one report has room for.
pub fn write_report(
    out: &mut Vec<u8>,
    ssrc: u32,
    info: Option<SenderInfo>,
    blocks: &[ReportBlock],
) {
    let blocks = &blocks[..blocks.len().min(MAX_BLOCKS)];
    let kind = if info.is_some() {
        SENDER_REPORT
    } else {
        RECEIVER_REPORT
    };
    let start = begin(out, blocks.len() as u8, kind);
    put(out, ssrc);
    if let Some(info) = info {
        out.extend_from_slice(&info.ntp.to_be_bytes());
        put(out, info.timestamp);
        put(out, info.packets);
        put(out, info.bytes);
    }
    for block in blocks {
        put(out, block.ssrc);
        put(
            out,
            u32::from(block.fraction_lost) << 24 | (block.lost as u32 & 0xff_ffff),
        );
        put(out, block.highest_sequence);
        put(out, block.jitter);
        put(out, block.last_sender_report);
        put(out, block.delay);
    }
    end(out, start);
}

/// Appends a source description with a canonical name of at most 255 bytes.
pub fn write_description(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    let name = &cname.as_bytes()[..cname.len().min(255)];
    let start = begin(out, 1, SOURCE_DESCRIPTION);
    put(out, ssrc);
    out.push(CNAME);
    out.push(name.len() as u8);
    out.extend_from_slice(name);
    // RFC 3550 §6.5: one to four zero bytes end the chunk on a word.
    out.push(0);
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
    end(out, start);
}

/// Appends a goodbye.
pub fn write_goodbye(out: &mut Vec<u8>, ssrc: u32) {
    let start = begin(out, 1, GOODBYE);
    put(out, ssrc);
    end(out, start);
}

pub(super) fn begin(out: &mut Vec<u8>, count: u8, kind: u8) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count, kind, 0, 0]);
    start
}

pub(super) fn put(out: &mut Vec<u8>, word: u32) {
    out.extend_from_slice(&word.to_be_bytes());
}

pub(super) fn end(out: &mut [u8], start: usize) {
    let words = (out.len() - start) / 4 - 1;
    out[start + 2..start + 4].copy_from_slice(&(words as u16).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: SenderInfo = SenderInfo {
        ntp: 0x0102_0304_0506_0708,
        timestamp: 9,
        packets: 10,
        bytes: 11,
    };
    const BLOCK: ReportBlock = ReportBlock {
        ssrc: 2,
        fraction_lost: 3,
        lost: -4,
        highest_sequence: 5,
        jitter: 6,
        last_sender_report: 7,
        delay: 8,
    };

    fn compound() -> Vec<u8> {
        let mut out = Vec::new();
        write_report(&mut out, 1, Some(INFO), &[BLOCK]);
        write_description(&mut out, 1, "name");
        write_goodbye(&mut out, 1);
        out
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let bytes = compound();
        let packets: Vec<Packet<'_>> = read(&bytes).collect();
        assert_eq!(packets.len(), 3);
        let Packet::Sender {
            ssrc: 1,
            info,
            blocks,
        } = packets[0]
        else {
            panic!("{packets:?}")
        };
        assert_eq!(info, INFO);
        assert_eq!(blocks.collect::<Vec<_>>(), [BLOCK]);
        assert_eq!(packets[2], Packet::Goodbye { ssrc: Some(1) });
    }

    #[test]
    fn another_implementation_reads_it_too() {
        use rtc_rtcp::packet::unmarshal;
        let mut bytes = bytes::Bytes::from(compound());
        let packets = unmarshal(&mut bytes).unwrap();
        let text: Vec<String> = packets.iter().map(|p| format!("{p}")).collect();
        assert_eq!(packets.len(), 3, "{text:?}");
        let report = packets[0]
            .as_any()
            .downcast_ref::<rtc_rtcp::sender_report::SenderReport>()
            .unwrap();
        assert_eq!(
            (report.ssrc, report.ntp_time, report.packet_count),
            (1, INFO.ntp, 10)
        );
        assert_eq!(report.reports[0].delay, 8);
        let name = packets[1]
            .as_any()
            .downcast_ref::<rtc_rtcp::source_description::SourceDescription>()
            .unwrap();
        assert_eq!(&name.chunks[0].items[0].text[..], b"name");
    }

    #[test]
    fn a_report_has_room_for_31_blocks() {
        let blocks: Vec<ReportBlock> = (0..40).map(|ssrc| ReportBlock { ssrc, ..BLOCK }).collect();
        let mut out = Vec::new();
        write_report(&mut out, 1, None, &blocks);
        let packets: Vec<Packet<'_>> = read(&out).collect();
        let [
            Packet::Receiver {
                ssrc: 1,
                blocks: read,
            },
        ] = packets[..]
        else {
            panic!("{packets:?}")
        };
        assert_eq!(read.collect::<Vec<_>>(), blocks[..31]);
    }

    #[test]
    fn cut_or_garbled_compounds_never_panic() {
        let bytes = compound();
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).count() <= 3);
        }
        for index in 0..bytes.len() {
            for value in [0, 0x1f, 0x80, 0xff] {
                let mut garbled = bytes.clone();
                garbled[index] = value;
                for packet in read(&garbled) {
                    if let Packet::Sender { blocks, .. } | Packet::Receiver { blocks, .. } = packet
                    {
                        assert!(blocks.count() <= MAX_BLOCKS);
                    }
                }
            }
        }
    }
}
