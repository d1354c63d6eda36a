//! What the far end shows: a stream for each line on which its pictures come.

use std::collections::BTreeMap;

use super::{Context, Session, State};
use crate::agent::SeenOn;
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::Event;
use crate::door::id::Ticket;
use crate::door::media::VideoCommand;
use crate::door::output::Reply;
use crate::door::video::{VideoCodec, VideoLine, VideoOutput, VideoStream};
use crate::door::warning::Warning;

/// What the far end shows.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// As media said last.
    pub(super) lines: Vec<VideoLine>,
    /// What the application was told of, by its line.
    told: BTreeMap<u32, VideoStream>,
    /// How its pictures come, as media said last; what it says once it says of each stream on the line.
    known: BTreeMap<u32, KnownPictures>,
    /// How many there were.
    count: u32,
    /// Who waits for the output of a line to open.
    opening: BTreeMap<u32, Ticket>,
}

/// How the pictures of a line come.
#[derive(Debug, Clone, Copy, Default)]
struct KnownPictures {
    codec: Option<VideoCodec>,
    size: Option<(u16, u16)>,
}

impl Streams {
    pub(super) fn take_tickets(&mut self) -> Vec<Ticket> {
        std::mem::take(&mut self.opening).into_values().collect()
    }

    fn line_of(&self, stream: &str) -> Option<u32> {
        let mut told = self.told.iter();
        told.find(|(_, told)| told.stream == stream)
            .map(|(line, _)| *line)
    }
}

impl Session {
    /// Media tells of the lines that there are now: those that stopped are told at once, and those that began. Whether one
    /// that is silent stands still because of a hold is known when the description is in force.
    pub(super) fn lines_changed(&mut self, lines: Vec<VideoLine>, ctx: &mut Context<'_>) {
        self.pictures.streams.lines = lines;
        self.forget_streams(true, ctx);
        self.tell_streams(ctx);
        self.see_agreement(ctx);
    }

    /// A description is in force.
    pub(super) fn drive_streams(&mut self, ctx: &mut Context<'_>) {
        let held = self.is_held_somehow();
        self.forget_streams(held, ctx);
    }

    /// A line on which nothing comes while somebody is on hold only stands still.
    fn is_held_somehow(&self) -> bool {
        let asked = match &self.state {
            State::Active(active) => active.holds.hold_waits(),
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => false,
        };
        asked || self.holding.held || self.holding.remote
    }

    /// Tells what the far end shows no more; `keep` what is only silent.
    fn forget_streams(&mut self, keep: bool, ctx: &mut Context<'_>) {
        let streams = &mut self.pictures.streams;
        let lines = &streams.lines;
        let goes_on = |line: &u32, stream: &VideoStream| {
            lines.iter().any(|there| {
                there.line == *line && there.content == stream.content && (there.receives || keep)
            })
        };
        let gone: Vec<u32> = (streams.told.iter())
            .filter(|(line, stream)| !goes_on(line, stream))
            .map(|(line, _)| *line)
            .collect();
        for line in gone {
            self.stream_gone(line, ctx);
        }
    }

    fn stream_gone(&mut self, line: u32, ctx: &mut Context<'_>) {
        let id = self.id;
        let Some(stream) = self.pictures.streams.told.remove(&line) else {
            return;
        };
        if let Some(ticket) = self.pictures.streams.opening.remove(&line) {
            ctx.reply(ticket, Err(no_stream()));
        }
        ctx.seen.remove(id, stream.stream.clone());
        ctx.emit(Event::StreamUnavailable { id, stream });
    }

    fn tell_streams(&mut self, ctx: &mut Context<'_>) {
        let id = self.id;
        let streams = &mut self.pictures.streams;
        let lines = &streams.lines;
        (streams.known).retain(|line, _| lines.iter().any(|there| there.line == *line));
        for line in streams.lines.iter().filter(|line| line.receives) {
            if streams.told.contains_key(&line.line) {
                continue;
            }
            streams.count += 1;
            let stream = VideoStream {
                stream: streams.count.to_string(),
                content: line.content,
            };
            let known = streams.known.get(&line.line).copied().unwrap_or_default();
            let on = SeenOn {
                line: line.line,
                codec: known.codec,
            };
            ctx.seen.put(id, &stream.stream, on);
            let name = stream.stream.clone();
            streams.told.insert(line.line, stream.clone());
            ctx.emit(Event::StreamAvailable { id, stream });
            if let Some((width, height)) = known.size {
                ctx.emit(Event::Resolution {
                    id,
                    stream: name,
                    width,
                    height,
                });
            }
        }
    }

    /// The session is over, and shows nothing any more.
    pub(super) fn end_streams(&mut self, ctx: &mut Context<'_>) {
        self.pictures.streams.lines.clear();
        let lines: Vec<u32> = self.pictures.streams.told.keys().copied().collect();
        // Who waits for an output is told of the session's end instead.
        let waiting = std::mem::take(&mut self.pictures.streams.opening);
        for line in lines {
            self.stream_gone(line, ctx);
        }
        self.pictures.streams.opening = waiting;
    }

    /// Changes where the pictures of a stream go; the reply comes when that is open.
    pub(crate) fn set_video_output(
        &mut self,
        ticket: Ticket,
        stream: &str,
        output: VideoOutput,
        ctx: &mut Context<'_>,
    ) {
        let Some(line) = self.pictures.streams.line_of(stream) else {
            return ctx.reply(ticket, Err(no_stream()));
        };
        if let Some(earlier) = self.pictures.streams.opening.insert(line, ticket) {
            ctx.reply(earlier, Err(overtaken()));
        }
        ctx.media(self.id, VideoCommand::SetVideoOutput { line, output });
    }

    /// Where the pictures of a line go is open, or can't be.
    pub(super) fn video_output(
        &mut self,
        line: u32,
        outcome: Result<(), String>,
        ctx: &mut Context<'_>,
    ) {
        let ticket = self.pictures.streams.opening.remove(&line);
        match (ticket, outcome) {
            (Some(ticket), Ok(())) => ctx.reply(ticket, Ok(Reply::Done)),
            (None, Ok(())) => {}
            (Some(ticket), Err(text)) => {
                ctx.reply(ticket, Err(PhoneError::new(ErrorCode::NoDevice, text)));
            }
            (None, Err(text)) => ctx.emit(Event::warning(self.id, Warning::NoDevice, text)),
        }
    }

    /// The pictures of a line come in another codec.
    pub(super) fn line_codec(&mut self, line: u32, codec: VideoCodec, ctx: &mut Context<'_>) {
        let streams = &mut self.pictures.streams;
        let codec = Some(codec);
        streams.known.entry(line).or_default().codec = codec;
        if let Some(stream) = streams.told.get(&line) {
            ctx.seen
                .put(self.id, &stream.stream, SeenOn { line, codec });
        }
    }

    /// The pictures of a line have another size.
    pub(super) fn resolution(&mut self, line: u32, width: u16, height: u16, ctx: &mut Context<'_>) {
        let known = self.pictures.streams.known.entry(line).or_default();
        known.size = Some((width, height));
        if let Some(stream) = self.pictures.streams.told.get(&line) {
            ctx.emit(Event::Resolution {
                id: self.id,
                stream: stream.stream.clone(),
                width,
                height,
            });
        }
    }
}

/// What a command is told that names a stream which is not there.
pub(crate) fn no_stream() -> PhoneError {
    PhoneError::wrong_state("The session has no stream of this id, or none any more")
}

/// Another choice came before this one was in force.
pub(super) fn overtaken() -> PhoneError {
    let text = "Another was chosen before this one was open";
    PhoneError::new(ErrorCode::Aborted, text)
}
