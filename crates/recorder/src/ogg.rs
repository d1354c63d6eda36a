//! An Ogg Opus file (RFC 7845) whose pages are whole after each chunk.

use std::time::Duration;

use audio::Rate;
use ogg::writing::{PacketWriteEndInfo as PageEnd, PacketWriter};
use opus::{Application, Encoder, SampleRate};

use crate::{Chunk, Cut};

/// A packet has 20 ms of sound, as players expect it.
const PACKETS_PER_SECOND: u32 = 50;
/// Positions count at 48 kHz, whatever is encoded (RFC 7845 §4).
const CLOCK: u64 = 48_000;
/// For each channel: speech is transparent, and an hour of both legs has 29 MB.
const BITRATE: u32 = 32_000;
/// Half of what the best costs, at a loss that nobody hears at this bitrate.
const COMPLEXITY: u8 = 5;
/// The names and places of some twenty pauses: they come into a room that is there from the beginning.
const COMMENTS: usize = 4096;
/// A file has one stream, so nothing has to be told apart.
const SERIAL: u32 = 0x6f66_686b;

/// An Ogg Opus file that grows.
#[derive(Debug)]
pub(crate) struct OggFile {
    channels: u16,
    /// Its beginning can be written again.
    patched: bool,
    /// Since the first sound.
    stream: Option<Box<Stream>>,
    /// Octets, and packets, up to the last two chunks' ends.
    ends: [(u64, u64); 2],
}

struct Stream {
    encoder: Encoder,
    writer: PacketWriter<'static, Vec<u8>>,
    rate: Rate,
    /// What the decoder leaves out at the beginning, at 48 kHz.
    skipped: u64,
    /// Less than a packet.
    waiting: Vec<i16>,
    /// Values of all channels that were taken.
    taken: u64,
    packets: u64,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("rate", &self.rate)
            .field("packets", &self.packets)
            .finish_non_exhaustive()
    }
}

impl OggFile {
    pub(crate) fn new(channels: u16, patched: bool) -> Self {
        Self {
            channels,
            patched,
            stream: None,
            ends: [(0, 0); 2],
        }
    }

    /// Stores samples, whose channels take turns.
    pub(crate) fn give(&mut self, rate: Rate, samples: &[i16]) -> Chunk {
        let (channels, patched) = (self.channels, self.patched);
        let stream = self.stream.get_or_insert_with(|| {
            let mut stream = Stream::new(rate, channels);
            let head = stream.head(channels);
            put_beginning(&mut stream.writer, head, patched, &[]);
            Box::new(stream)
        });
        stream.taken += samples.len() as u64;
        stream.waiting.extend_from_slice(samples);
        stream.encode(usize::from(channels), None);
        let append = std::mem::take(stream.writer.inner_mut());
        self.end(&append);
        Chunk {
            append,
            begin: Vec::new(),
        }
    }

    /// Ends the stream, and writes what is marked into its comments.
    pub(crate) fn finish(&mut self, marks: &[(Duration, &str)], chunk: &mut Chunk) {
        let channels = self.channels;
        let Some(stream) = &mut self.stream else {
            return;
        };
        let length = stream.taken / u64::from(channels);
        let scale = CLOCK / u64::from(stream.rate.hz());
        // What the encoder holds back comes out, and then to the end of a packet.
        let behind = (stream.skipped / scale + 1) as usize * usize::from(channels);
        stream.waiting.resize(stream.waiting.len() + behind, 0);
        let packet = stream.packet(usize::from(channels));
        let whole = stream.waiting.len().div_ceil(packet) * packet;
        stream.waiting.resize(whole, 0);
        stream.encode(usize::from(channels), Some(stream.skipped + length * scale));
        chunk.append.append(stream.writer.inner_mut());
        if self.patched && !marks.is_empty() {
            let mut writer = PacketWriter::new(Vec::new());
            put_beginning(&mut writer, stream.head(channels), true, marks);
            chunk.begin = writer.into_inner();
        }
        self.end(&chunk.append.clone());
    }

    /// Pages are whole or nothing.
    pub(crate) fn cut(&self, length: u64) -> Cut {
        let whole = |end: &&(u64, u64)| end.0 <= length;
        let (length, packets) = self
            .ends
            .iter()
            .rev()
            .find(whole)
            .copied()
            .unwrap_or((0, 0));
        Cut {
            length,
            begin: Vec::new(),
            duration: Duration::from_millis(packets * 1_000 / u64::from(PACKETS_PER_SECOND)),
        }
    }

    fn end(&mut self, append: &[u8]) {
        let packets = self.stream.as_ref().map_or(0, |stream| stream.packets);
        let (octets, _) = self.ends[1];
        self.ends = [self.ends[1], (octets + append.len() as u64, packets)];
    }
}

impl Stream {
    fn new(rate: Rate, channels: u16) -> Self {
        let encoder_rate = match rate {
            Rate::Hz8000 => SampleRate::Hz8000,
            Rate::Hz16000 => SampleRate::Hz16000,
            Rate::Hz24000 => SampleRate::Hz24000,
            Rate::Hz48000 => SampleRate::Hz48000,
        };
        let encoder = match channels {
            2 => Encoder::stereo(encoder_rate, Application::Audio),
            _ => Encoder::new(encoder_rate, Application::Audio),
        };
        let mut encoder = encoder.expect("libopus knows this rate, and one or two channels");
        let set = encoder
            .set_bitrate(BITRATE * u32::from(channels))
            .and_then(|()| encoder.set_complexity(COMPLEXITY))
            .and_then(|()| encoder.lookahead());
        let lookahead = set.expect("libopus takes such a bitrate and complexity");
        Self {
            encoder,
            writer: PacketWriter::new(Vec::new()),
            rate,
            skipped: lookahead as u64 * CLOCK / u64::from(rate.hz()),
            waiting: Vec::new(),
            taken: 0,
            packets: 0,
        }
    }

    /// Values in a packet.
    fn packet(&self, channels: usize) -> usize {
        (self.rate.hz() / PACKETS_PER_SECOND) as usize * channels
    }

    /// Encodes all whole packets into pages; `end` is where the stream ends with them.
    fn encode(&mut self, channels: usize, end: Option<u64>) {
        let size = self.packet(channels);
        let count = self.waiting.len() / size;
        let waiting = std::mem::take(&mut self.waiting);
        let mut packets = waiting.chunks_exact(size);
        for (index, samples) in packets.by_ref().enumerate() {
            let mut octets = vec![0; opus::MAX_PACKET];
            let length = self.encoder.encode(samples, &mut octets);
            octets.truncate(length.expect("a frame of 20 ms has room"));
            self.packets += 1;
            let position = self.packets * CLOCK / u64::from(PACKETS_PER_SECOND);
            let (page, position) = match (index + 1 == count, end) {
                (false, _) => (PageEnd::NormalPacket, position),
                (true, None) => (PageEnd::EndPage, position),
                (true, Some(end)) => (PageEnd::EndStream, end),
            };
            put(&mut self.writer, octets, page, position);
        }
        self.waiting = packets.remainder().to_vec();
    }

    /// RFC 7845 §5.1.
    fn head(&self, channels: u16) -> Vec<u8> {
        let mut head = b"OpusHead\x01".to_vec();
        head.push(channels as u8);
        head.extend((self.skipped as u16).to_le_bytes());
        head.extend(self.rate.hz().to_le_bytes());
        head.extend([0; 3]);
        head
    }
}

/// The two pages before the sound; of one length whatever is marked, if they can be written again.
fn put_beginning(
    writer: &mut PacketWriter<'static, Vec<u8>>,
    head: Vec<u8>,
    patched: bool,
    marks: &[(Duration, &str)],
) {
    put(writer, head, PageEnd::EndPage, 0);
    put(writer, tags(patched, marks), PageEnd::EndPage, 0);
}

fn put(writer: &mut PacketWriter<'static, Vec<u8>>, octets: Vec<u8>, end: PageEnd, position: u64) {
    writer
        .write_packet(octets, SERIAL, end, position)
        .expect("memory takes it");
}

/// The comments (RFC 7845 §5.2): a chapter begins where the recording pauses, and where it goes on.
fn tags(patched: bool, marks: &[(Duration, &str)]) -> Vec<u8> {
    let vendor = b"offhook";
    let mut comments = Vec::new();
    let mut count = 0_u32;
    for (index, (at, name)) in marks.iter().enumerate() {
        let seconds = at.as_secs();
        let time = format!(
            "{:02}:{:02}:{:02}.{:03}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60,
            at.subsec_millis()
        );
        let number = index + 1;
        let chapter = [
            format!("CHAPTER{number:03}={time}"),
            format!("CHAPTER{number:03}NAME={name}"),
        ];
        let octets: usize = chapter.iter().map(|comment| comment.len() + 4).sum();
        if comments.len() + octets > COMMENTS {
            break;
        }
        for comment in chapter {
            comments.extend((comment.len() as u32).to_le_bytes());
            comments.extend(comment.as_bytes());
            count += 1;
        }
    }
    let mut tags = b"OpusTags".to_vec();
    tags.extend((vendor.len() as u32).to_le_bytes());
    tags.extend(vendor);
    tags.extend(count.to_le_bytes());
    let before = tags.len();
    tags.extend(comments);
    if patched {
        tags.resize(before + COMMENTS, 0);
    }
    tags
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use audio::Frame;
    use audio::detect::Goertzel;
    use audio::tone::{Generator, Sequence};
    use ogg::reading::PacketReader;

    use super::*;
    use crate::{Format, Legs, Recorder, Settings};

    fn settings(legs: Legs, rate: Rate) -> Settings {
        Settings {
            format: Format::OggOpus,
            legs,
            rate: Some(rate),
            patched: true,
        }
    }

    fn write(file: &mut Vec<u8>, chunk: &Chunk) {
        file.extend(&chunk.append);
        file[..chunk.begin.len()].copy_from_slice(&chunk.begin);
    }

    /// So many ticks of 500 Hz here and 900 Hz there.
    fn record(recorder: &mut Recorder, file: &mut Vec<u8>, ticks: u32) {
        let tone = |hz| Generator::new(Sequence::sine(hz, -12.0, None), Rate::Hz16000);
        let (mut near, mut far) = (tone(500.0), tone(900.0));
        for tick in 0..ticks {
            let mut legs = [Frame::silence(Rate::Hz16000); 2];
            near.fill(legs[0].samples_mut());
            far.fill(legs[1].samples_mut());
            recorder.take(
                Duration::from_millis(u64::from(tick) * 10),
                &legs[0],
                &legs[1],
            );
            if let Some(chunk) = recorder.chunk() {
                write(file, &chunk);
            }
        }
    }

    /// The heads, the position of the last page, and the sound at 48 kHz, mixed.
    fn read(file: &[u8]) -> (Vec<u8>, Vec<u8>, u64, Vec<i16>) {
        let mut reader = PacketReader::new(Cursor::new(file));
        let head = reader.read_packet_expected().unwrap().data;
        let tags = reader.read_packet_expected().unwrap().data;
        let mut decoder = opus::Decoder::new(SampleRate::Hz48000).unwrap();
        let (mut position, mut sound) = (0, Vec::new());
        while let Some(packet) = reader.read_packet().unwrap() {
            position = packet.absgp_page();
            let mut samples = [0; 5_760];
            let count = decoder.decode(&packet.data, &mut samples).unwrap();
            sound.extend_from_slice(&samples[..count]);
        }
        let skipped = usize::from(u16::from_le_bytes([head[10], head[11]]));
        (head, tags, position, sound.split_off(skipped))
    }

    fn hears(sound: &[i16], hz: f64) -> bool {
        let mut goertzel = Goertzel::new(Rate::Hz48000, hz);
        goertzel.push(sound);
        goertzel.take().dbov > -35.0
    }

    #[test]
    fn what_is_recorded_is_decoded_again_and_is_as_long() {
        for (legs, rate, channels, heard) in [
            (Legs::Stereo, Rate::Hz48000, 2, [true, true]),
            (Legs::Mix, Rate::Hz16000, 1, [true, true]),
            (Legs::Local, Rate::Hz8000, 1, [true, false]),
            (Legs::Remote, Rate::Hz24000, 1, [false, true]),
        ] {
            let mut recorder = Recorder::new(settings(legs, rate));
            let mut file = Vec::new();
            record(&mut recorder, &mut file, 203);
            write(&mut file, &recorder.finish());
            let (head, tags, position, sound) = read(&file);
            assert_eq!(&head[..8], b"OpusHead");
            assert_eq!(head[9], channels, "{legs:?}");
            assert_eq!(&tags[..8], b"OpusTags");
            let skipped = u64::from(u16::from_le_bytes([head[10], head[11]]));
            assert_eq!(position - skipped, 2_030 * 48, "{legs:?}");
            assert!(sound.len() >= 2_030 * 48);
            let middle = &sound[24_000..72_000];
            assert_eq!(
                [500.0, 900.0].map(|hz| hears(middle, hz)),
                heard,
                "{legs:?}"
            );
        }
    }

    #[test]
    fn a_file_that_is_not_finished_plays_to_its_last_chunk() {
        let mut recorder = Recorder::new(settings(Legs::Stereo, Rate::Hz48000));
        let mut file = Vec::new();
        record(&mut recorder, &mut file, 330);
        let (_, _, position, sound) = read(&file);
        assert_eq!(position, 3_000 * 48, "all but what is not written yet");
        assert!(hears(&sound[sound.len() - 9_600..], 900.0));
    }

    #[test]
    fn pauses_are_chapters_and_the_sound_stays_where_it_is() {
        let mut recorder = Recorder::new(settings(Legs::Mix, Rate::Hz16000));
        let mut file = Vec::new();
        record(&mut recorder, &mut file, 100);
        recorder.pause(Duration::from_secs(1));
        recorder.resume(Duration::from_millis(3_723_004));
        let before = file.clone();
        write(&mut file, &recorder.finish());
        assert_eq!(file[8_000..before.len()], before[8_000..]);
        let (_, tags, _, _) = read(&file);
        let text = String::from_utf8_lossy(&tags);
        assert!(text.contains("CHAPTER001=00:00:01.000") && text.contains("CHAPTER001NAME=paused"));
        assert!(text.contains("CHAPTER002NAME=resumed"), "{text}");
    }

    #[test]
    fn of_a_file_that_can_not_be_written_to_its_end_whole_chunks_are_left() {
        let mut recorder = Recorder::new(settings(Legs::Mix, Rate::Hz16000));
        let mut file = Vec::new();
        record(&mut recorder, &mut file, 100);
        let cut = recorder.cut(file.len() as u64 - 1);
        assert_eq!(cut.duration, Duration::from_millis(500));
        let (_, _, position, _) = read(&file[..cut.length as usize]);
        assert_eq!(position, 500 * 48);
        assert_eq!(
            recorder.cut(file.len() as u64).duration,
            Duration::from_secs(1)
        );
    }

    #[test]
    fn a_recording_of_nothing_is_a_file_that_can_be_read() {
        let mut recorder = Recorder::new(settings(Legs::Stereo, Rate::Hz48000));
        let mut file = Vec::new();
        write(&mut file, &recorder.finish());
        let (head, _, position, _) = read(&file);
        assert_eq!(
            position,
            u64::from(u16::from_le_bytes([head[10], head[11]]))
        );
    }
}
