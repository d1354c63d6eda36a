//! The formats of a device that can be used, the best first.

use cpal::{
    BufferSize, SampleFormat, StreamConfig, SupportedBufferSize, SupportedStreamConfigRange,
};

use super::backend::Fault;

/// The kinds of samples that are converted here, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    F32,
    I16,
    I32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) config: StreamConfig,
    pub(super) kind: Kind,
}

/// Of a device with up to 64 channels mono and stereo are tried, or the fewest channels that it has.
const MOST_CHANNEL_COUNTS: usize = 2;

/// Orders the formats that can be used: 48 kHz before 44.1 and others, mono before stereo before more, float before
/// integers. Each is tried with callbacks of 10 ms, and if none opens, with those that the device likes.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "cpal's enums are open-ended"
)]
pub(super) fn choose(
    supported: impl Iterator<Item = SupportedStreamConfigRange>,
) -> Result<Vec<Format>, Fault> {
    let mut ranked: Vec<_> = supported
        .filter_map(|range| {
            let kind = match range.sample_format() {
                SampleFormat::F32 => Kind::F32,
                SampleFormat::I16 => Kind::I16,
                SampleFormat::I32 => Kind::I32,
                _ => return None,
            };
            Some((range, kind))
        })
        .flat_map(|(range, kind)| {
            [48_000_u32, 44_100].map(|wanted| {
                let hz = wanted.clamp(range.min_sample_rate(), range.max_sample_rate());
                let rank = (hz != 48_000, hz != 44_100, range.channels().max(1), kind);
                let config = StreamConfig {
                    channels: range.channels(),
                    sample_rate: hz,
                    buffer_size: ten_milliseconds(hz, range.buffer_size()),
                };
                (rank, Format { config, kind })
            })
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut short: Vec<Format> = ranked.into_iter().map(|(_, format)| format).collect();
    short.dedup();
    let mut channels: Vec<u16> = short.iter().map(|format| format.config.channels).collect();
    channels.sort_unstable();
    channels.dedup();
    channels.truncate(MOST_CHANNEL_COUNTS);
    short.retain(|format| channels.contains(&format.config.channels));
    let as_liked = short.clone().into_iter().map(|mut format| {
        format.config.buffer_size = BufferSize::Default;
        format
    });
    let formats: Vec<Format> = short.iter().cloned().chain(as_liked).collect();
    if formats.is_empty() {
        return Err(Fault::Unsupported {
            reason: "it has neither 16-bit, 32-bit nor float samples".to_owned(),
        });
    }
    Ok(formats)
}

/// Asks for callbacks of 10 ms where they are possible: the default is up to two seconds of delay.
fn ten_milliseconds(hz: u32, supported: &SupportedBufferSize) -> BufferSize {
    let frames = hz / 100;
    match supported {
        SupportedBufferSize::Range { min, max } if (*min..=*max).contains(&frames) => {
            BufferSize::Fixed(frames)
        }
        SupportedBufferSize::Range { min, .. } if *min > frames => BufferSize::Fixed(*min),
        SupportedBufferSize::Range { .. } => BufferSize::Default,
        SupportedBufferSize::Unknown => BufferSize::Fixed(frames),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_eight_kilohertz_float_mono_is_preferred() {
        let range = |channels, low, high, format| {
            SupportedStreamConfigRange::new(
                channels,
                low,
                high,
                SupportedBufferSize::Unknown,
                format,
            )
        };
        let chosen = choose(
            [
                range(1, 44_100, 44_100, SampleFormat::F32),
                range(8, 48_000, 48_000, SampleFormat::F32),
                range(2, 8_000, 192_000, SampleFormat::I16),
                range(2, 8_000, 192_000, SampleFormat::F32),
                range(1, 48_000, 48_000, SampleFormat::U8),
            ]
            .into_iter(),
        )
        .unwrap()[0]
            .clone();
        assert_eq!(
            (
                chosen.kind,
                chosen.config.channels,
                chosen.config.sample_rate
            ),
            (Kind::F32, 2, 48_000)
        );
        assert_eq!(chosen.config.buffer_size, BufferSize::Fixed(480));
        let only = choose([range(2, 44_100, 44_100, SampleFormat::I32)].into_iter()).unwrap();
        assert_eq!(
            (only[0].kind, only[0].config.sample_rate),
            (Kind::I32, 44_100)
        );
        assert_eq!(only[1].config.buffer_size, BufferSize::Default);
        assert_eq!(only.len(), 2);
        let none = choose([range(1, 48_000, 48_000, SampleFormat::U8)].into_iter());
        assert!(matches!(none, Err(Fault::Unsupported { .. })));
    }
}
