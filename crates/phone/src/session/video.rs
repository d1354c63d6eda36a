//! What the far end sees of this machine: chosen, agreed with the peer, opened, muted.

use super::offer::NO_ANSWER;
use super::pictures::{CONTENTS, PATIENCE, Version, VideoChange};
use super::streams::overtaken;
use super::{Context, Session, State};
use crate::door::error::{ErrorCode, PhoneError, SipStatus};
use crate::door::event::SessionChanges;
use crate::door::id::Ticket;
use crate::door::media::{StreamCommand, VideoCommand};
use crate::door::output::Reply;
use crate::door::video::{VideoContent, VideoInput};

/// The peer has agreed to an offer without this line.
pub(super) const NOT_TAKEN: &str = "the other party does not take it";

impl Session {
    /// Tells media what is wanted, before the first description; of a call without video it hears nothing.
    pub(super) fn wish_video(&mut self, ctx: &mut Context<'_>) {
        let wishes = self.pictures.wishes(ctx.seen);
        if !wishes.is_empty() {
            ctx.media(self.id, StreamCommand::WishVideo { wishes });
        }
    }

    /// Opens what was chosen for the far end to see, but for what another call still has.
    pub(super) fn start_video(&mut self, ctx: &mut Context<'_>) {
        self.drive_shown(ctx);
        let waiting = self.waits_for_video();
        for content in CONTENTS {
            if self.pictures.slot(content).sends() && !waiting.contains(&content) {
                self.open_video(content, ctx);
            }
        }
    }

    /// Lets media open what is wanted now.
    pub(super) fn open_video(&mut self, content: VideoContent, ctx: &mut Context<'_>) {
        let slot = self.pictures.slot(content);
        let input = slot.input.clone().unwrap_or(VideoInput::None);
        let Some(stream) = slot.stream() else {
            return ctx.media(self.id, VideoCommand::SetVideo { content, input });
        };
        match ctx.seen.get(&stream) {
            Some(on) => {
                let (session, line) = (stream.session(), on.line);
                let command = VideoCommand::ShowLine {
                    content,
                    session,
                    line,
                };
                ctx.media(self.id, command);
            }
            None => self.stream_over(content, ctx),
        }
    }

    /// Changes what the far end sees, or stops the line. What goes is not seen any more from now on; the reply comes when the
    /// peer has agreed, if it has to, and the new input is open.
    pub(crate) fn set_video(
        &mut self,
        ticket: Ticket,
        content: VideoContent,
        input: Option<VideoInput>,
        ctx: &mut Context<'_>,
    ) {
        let is_active = matches!(self.state, State::Active(_));
        let troubled = self.near_end.devices.is_troubled(content.into());
        let differs = self.pictures.differs(content, input.as_ref(), ctx.seen);
        let slot = self.pictures.slot(content);
        let is_same = slot.input == input;
        let is_shown = !(troubled && slot.sends());
        match &mut slot.change {
            Some(change) if is_same => return change.tickets.push(ticket),
            None if is_same && is_shown => return ctx.reply(ticket, Ok(Reply::Done)),
            Some(_) | None => {}
        }
        let asked = slot
            .change
            .as_ref()
            .is_some_and(|change| change.asks.is_some());
        let asks = asked || differs;
        if asks && !is_active {
            let text = "Video can be begun or stopped only while the session is active";
            return ctx.reply(ticket, Err(PhoneError::wrong_state(text)));
        }
        let opening = input.as_ref().is_some_and(VideoInput::sends);
        let had = std::mem::replace(&mut slot.input, input);
        let before = match slot.change.take() {
            Some(earlier) => {
                for ticket in earlier.tickets {
                    ctx.reply(ticket, Err(overtaken()));
                }
                lesser(earlier.before, had)
            }
            None => had,
        };
        let asks = asks.then(|| self.renew_wishes(ctx));
        self.pictures.slot(content).change = Some(VideoChange {
            tickets: vec![ticket],
            before,
            asks,
            opening,
            until: ctx.now + PATIENCE,
            put_off: None,
        });
        self.drive_shown(ctx);
        self.open_video(content, ctx);
        if let State::Active(active) = &mut self.state {
            active.offerer.hurry();
        }
        self.drive_offer(ctx);
    }

    /// Sends no pictures of the camera, or sends them again; asking for the state it is in does nothing.
    pub(crate) fn mute_video(&mut self, muted: bool, ctx: &mut Context<'_>) {
        self.chose_video_muted();
        if std::mem::replace(&mut self.pictures.muted, muted) == muted {
            return;
        }
        self.drive_shown(ctx);
        let changes = SessionChanges {
            video_muted: Some(muted),
            ..SessionChanges::default()
        };
        self.show(ctx, changes);
    }

    /// Lets the far end see what it shall: nothing before the call is answered, nothing while it is on hold, and nothing of a
    /// muted camera.
    pub(super) fn drive_shown(&mut self, ctx: &mut Context<'_>) {
        let answered = matches!(self.state, State::Active(_));
        for content in CONTENTS {
            let muted = content == VideoContent::Camera && self.pictures.muted;
            let muted = muted || self.holding.hears_music || !answered;
            let slot = self.pictures.slot(content);
            if slot.input.is_some() && std::mem::replace(&mut slot.hidden, muted) != muted {
                ctx.media(self.id, StreamCommand::MuteVideo { content, muted });
            }
        }
    }

    /// Shows what the call showed at last whose place this one has taken.
    pub(super) fn take_video(
        &mut self,
        content: VideoContent,
        input: Option<VideoInput>,
        ctx: &mut Context<'_>,
    ) {
        let differs = self.pictures.differs(content, input.as_ref(), ctx.seen);
        self.pictures.slot(content).input = input;
        if differs {
            self.renew_wishes(ctx);
            self.owe_renewal();
        }
        self.open_video(content, ctx);
        self.drive_offer(ctx);
    }

    pub(super) fn renew_wishes(&mut self, ctx: &mut Context<'_>) -> Version {
        let version = self.pictures.renew();
        let wishes = self.pictures.wishes(ctx.seen);
        ctx.media(self.id, StreamCommand::WishVideo { wishes });
        version
    }

    /// The peer has answered an offer of ours that said these wishes.
    pub(super) fn video_agreed(&mut self, offered: Version, ctx: &mut Context<'_>) {
        if offered != self.pictures.version() {
            self.owe_renewal();
        }
        for content in CONTENTS {
            let taken = self.has_line(content);
            let slot = self.pictures.slot(content);
            let stops = slot.input.is_none();
            match &mut slot.change {
                Some(change) if change.is_told_by(Some(offered)) => match taken || stops {
                    true => {
                        change.asks = None;
                        self.settle_video(content, ctx);
                    }
                    false => {
                        self.video_failed(content, ErrorCode::VideoFailed, NOT_TAKEN, ctx);
                    }
                },
                Some(_) | None => {}
            }
        }
    }

    /// The lines may be as somebody waits for them to be, because of an offer of the peer's.
    pub(super) fn see_agreement(&mut self, ctx: &mut Context<'_>) {
        for content in CONTENTS {
            let line = self.line_of(content);
            let slot = self.pictures.slot(content);
            let is_so = match (&slot.input, line) {
                (Some(input), Some(line)) => line.sends || !input.sends(),
                (Some(_), None) => false,
                (None, line) => line.is_none(),
            };
            if let (true, Some(change)) = (is_so, &mut slot.change) {
                change.asks = None;
                self.settle_video(content, ctx);
            }
        }
    }

    pub(super) fn line_of(&self, content: VideoContent) -> Option<crate::door::video::VideoLine> {
        let mut lines = self.pictures.streams.lines.iter();
        lines.find(|line| line.content == content).copied()
    }

    fn has_line(&self, content: VideoContent) -> bool {
        self.line_of(content).is_some()
    }

    /// What was chosen is open.
    pub(super) fn video_opened(&mut self, content: VideoContent, ctx: &mut Context<'_>) {
        if let Some(change) = &mut self.pictures.slot(content).change {
            change.opening = false;
            self.settle_video(content, ctx);
        }
    }

    fn settle_video(&mut self, content: VideoContent, ctx: &mut Context<'_>) {
        let settled = self.pictures.slot(content).take_settled();
        for ticket in settled.into_iter().flat_map(|change| change.tickets) {
            ctx.reply(ticket, Ok(Reply::Done));
        }
    }

    /// The peer, or media, did not agree to an offer of ours that said these wishes.
    pub(super) fn video_refused(
        &mut self,
        offered: Option<Version>,
        text: &str,
        sip: Option<SipStatus>,
        ctx: &mut Context<'_>,
    ) {
        for content in CONTENTS {
            let change = &mut self.pictures.slot(content).change;
            if let Some(change) = change.as_mut().filter(|change| change.is_told_by(offered)) {
                change.put_off = sip.clone();
                self.video_failed(content, ErrorCode::VideoFailed, text, ctx);
            }
        }
    }

    /// The peer can't take our offer now.
    pub(super) fn video_put_off(&mut self, offered: Option<Version>, status: &SipStatus) {
        for content in CONTENTS {
            let change = &mut self.pictures.slot(content).change;
            if let Some(change) = change.as_mut().filter(|change| change.is_told_by(offered)) {
                change.put_off = Some(status.clone());
            }
        }
    }

    /// A change has not come about: what was before comes back. But what was to stop stays stopped: a peer that refuses that
    /// opens nothing.
    pub(super) fn video_failed(
        &mut self,
        content: VideoContent,
        code: ErrorCode,
        text: &str,
        ctx: &mut Context<'_>,
    ) {
        let slot = self.pictures.slot(content);
        let Some(change) = slot.change.take() else {
            return;
        };
        let remains = lesser(change.before, slot.input.clone());
        if slot.input != remains {
            slot.input.clone_from(&remains);
            if self.pictures.differs(content, remains.as_ref(), ctx.seen) {
                self.renew_wishes(ctx);
                // The peer has agreed to it already.
                if change.asks.is_none() {
                    self.owe_renewal();
                }
            }
            self.open_video(content, ctx);
        }
        // What the peer does not take of a stream that has changed its codec, nobody waits for.
        if change.tickets.is_empty() {
            self.device_failed(content.into(), text, ctx);
        }
        let message = format!("Unable to change video: {text}");
        let error = PhoneError::new(code, message).with_sip(change.put_off);
        for ticket in change.tickets {
            ctx.reply(ticket, Err(error.clone()));
        }
        self.drive_offer(ctx);
    }

    /// The time of a change is up. An offer of it that is out is withdrawn; a peer that takes it all the same is told what
    /// holds.
    pub(super) fn video_timeout(&mut self, ctx: &mut Context<'_>) {
        for content in CONTENTS {
            let now = ctx.now;
            let change = &self.pictures.slot(content).change;
            let Some(change) = change.as_ref().filter(|change| change.until <= now) else {
                continue;
            };
            let (asks, put_off) = (change.asks.is_some(), change.put_off.is_some());
            let is_out = match &self.state {
                State::Active(active) => {
                    active.offerer.is_offering() && change.is_told_by(active.offerer.purpose.video)
                }
                State::Pending(_)
                | State::Answering(_)
                | State::Offering(_)
                | State::Dialing(_)
                | State::Ending
                | State::Ended => false,
            };
            let text = match (asks, is_out, put_off) {
                (false, ..) => "what was chosen did not open",
                _ if !ctx.agent.is_usable_for(self.usage) => "there is no connection",
                (true, true, _) => NO_ANSWER,
                (true, false, true) => "the other party puts it off",
                (true, false, false) => "the other party leaves no moment for it",
            };
            if is_out {
                self.withdraw_offer(ctx);
            }
            self.video_failed(content, ErrorCode::VideoFailed, text, ctx);
        }
    }

    pub(super) fn owe_renewal(&mut self) {
        if let State::Active(active) = &mut self.state {
            active.offerer.owed.renewal = true;
        }
    }
}

/// Which of what was before and what was chosen after it may be shown if more can't be: the choice that shows less counts, and
/// of two alike the one before.
fn lesser(before: Option<VideoInput>, after: Option<VideoInput>) -> Option<VideoInput> {
    match (&before, &after) {
        (_, None) => None,
        (Some(before), Some(VideoInput::None)) if before.sends() => after,
        (None | Some(_), Some(_)) => before,
    }
}
