//! What the application sees of a session.

use super::{Context, Session, State};
use crate::door::event::AutoAnswerSource;
use crate::door::event::{
    ConnectionState, EndToEndId, Event, PendingSession, SessionChanges, SessionSnapshot,
    SessionState, millis,
};
use crate::reading::sdp::OfferedVideo;
use std::time::Duration;

impl Session {
    pub(crate) fn snapshot(&self) -> SessionSnapshot {
        let state = self.session_state();
        let connection_state = self.connection_state();
        SessionSnapshot {
            id: self.id,
            conversation_id: self.facts.conversation_id.clone(),
            call_id: self.facts.call_id.clone(),
            address: self.facts.peer.address.clone(),
            uri: self.facts.peer.uri.clone(),
            display_name: self.facts.peer.display_name.clone(),
            identity: self.facts.identity.clone(),
            session_id: self.facts.end_to_end_id(),
            direction: self.facts.direction,
            state,
            connection_state,
            active: state == SessionState::Active,
            interrupted: connection_state == ConnectionState::Interrupted,
            muted: self.near_end.muted,
            video_muted: self.pictures.muted,
            held: self.holding.held,
            remote_held: self.holding.remote,
            headers: self.facts.headers.clone(),
            start_time: self.facts.start_time,
        }
    }

    /// Our half of what names it from end to end.
    pub(crate) fn uuid(&self) -> Option<u128> {
        self.facts.uuid()
    }

    /// Tells the application what names the session now, if that is news and the session not over for it
    /// (guarantee 4).
    pub(crate) fn show_uuids(&mut self, ctx: &mut Context<'_>) {
        if matches!(self.state, State::Ending | State::Ended) {
            return;
        }
        let named = self
            .usage
            .and_then(|usage| ctx.agent.endpoint_of(&usage).session(usage));
        if named.is_none() || named == self.facts.uuids {
            return;
        }
        self.facts.uuids = named;
        let changes = SessionChanges {
            session_id: named.map(EndToEndId::from),
            ..SessionChanges::default()
        };
        self.show(ctx, changes);
    }

    pub(super) fn pending_session(
        &self,
        auto_answer: Option<Duration>,
        source: Option<AutoAnswerSource>,
    ) -> PendingSession {
        let offered = match &self.state {
            State::Pending(pending) => pending.offered,
            State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => OfferedVideo::default(),
        };
        PendingSession {
            id: self.id,
            address: self.facts.peer.address.clone(),
            uri: self.facts.peer.uri.clone(),
            called: self.facts.called.clone(),
            display_name: self.facts.peer.display_name.clone(),
            identity: self.facts.identity.clone(),
            conversation_id: self.facts.conversation_id.clone(),
            auto_answer: auto_answer.is_some(),
            auto_answer_delay: auto_answer.map_or(0, millis),
            auto_answer_source: source,
            replaces: self.to_replace(),
            call_id: self.facts.call_id.clone(),
            headers: self.facts.headers.clone(),
            video: offered.camera,
            screen: offered.screen,
        }
    }

    /// Emits `SessionStarted`; the application acknowledges it.
    pub(super) fn start(&mut self, ctx: &mut Context<'_>) {
        self.shown = Some(self.connection_state());
        self.delivery.expect(ctx.now);
        ctx.emit(Event::SessionStarted {
            session: Box::new(self.snapshot()),
        });
        self.tell_ice_server_faults(ctx);
    }

    /// Tells the application that the state has become this.
    pub(super) fn show_state(&mut self, ctx: &mut Context<'_>, changes: SessionChanges) {
        let state = self.session_state();
        let active = state == SessionState::Active || state == SessionState::Ended;
        self.show(
            ctx,
            SessionChanges {
                state: Some(state),
                active: active.then_some(state == SessionState::Active),
                ..changes
            },
        );
    }

    /// Tells the application where the connection stands, if that is news.
    pub(super) fn show_connection(&mut self, ctx: &mut Context<'_>) {
        let connection = self.connection_state();
        let Some(shown) = self.shown.as_mut().filter(|shown| **shown != connection) else {
            return;
        };
        let was = std::mem::replace(shown, connection);
        let interrupted = connection == ConnectionState::Interrupted;
        let news = interrupted || was == ConnectionState::Interrupted;
        self.show(
            ctx,
            SessionChanges {
                connection_state: Some(connection),
                interrupted: news.then_some(interrupted),
                ..SessionChanges::default()
            },
        );
    }

    pub(super) fn show(&self, ctx: &mut Context<'_>, changes: SessionChanges) {
        if self.was_started() {
            ctx.emit(Event::SessionChanged {
                id: self.id,
                changes,
            });
        }
    }

    fn session_state(&self) -> SessionState {
        match &self.state {
            State::Offering(_) => SessionState::Starting,
            State::Dialing(_) | State::Pending(_) | State::Answering(_) => SessionState::Pending,
            State::Active(_) => SessionState::Active,
            State::Ending | State::Ended => SessionState::Ended,
        }
    }

    fn connection_state(&self) -> ConnectionState {
        match &self.state {
            State::Ending | State::Ended => return ConnectionState::Disconnected,
            State::Active(_) if self.connectivity.signalling_lost => {
                return ConnectionState::Interrupted;
            }
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Active(_) => {}
        }
        self.connectivity.of_media()
    }
}
