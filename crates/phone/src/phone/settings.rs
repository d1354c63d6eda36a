//! What the application sets for the whole phone: its connection, credentials, devices, volume, log.

use super::Phone;
use super::command::Settled;
use crate::account::Account;
use crate::agent::Context;
use crate::config::Credentials;
use crate::door::audio;
use crate::door::error::{ErrorCode, ErrorType, PhoneError};
use crate::door::id::{SessionId, Ticket};
use crate::door::level::Level;
use crate::door::media::SoundCommand;
use crate::door::secret::Secret;
use crate::session::Session;

impl Phone {
    /// Asks something of the account, which settles the command itself.
    pub(super) fn ask_account(
        &mut self,
        act: impl FnOnce(&mut Account, &mut Context<'_>),
    ) -> Settled {
        act(&mut self.account, &mut self.around.context());
        Settled::Later
    }

    pub(super) fn reconnect(&mut self, ticket: Ticket) -> Settled {
        let change = self.account.reconnect(ticket, &mut self.around.context());
        self.changed(change);
        Settled::Later
    }

    pub(super) fn disconnect(&mut self) {
        let ids = self.sessions.ids();
        for id in ids {
            self.act_on(id, Session::give_up_with_flow);
        }
        let change = self.account.disconnect(&mut self.around.context());
        self.changed(change);
    }

    pub(super) fn set_log_level(&mut self, level: Level) {
        self.around.config.log_level = level;
        self.around.agent.set_log_level(level);
    }

    pub(super) fn set_access_token(&mut self, new: Secret) -> Result<(), PhoneError> {
        if sip::auth::Credentials::bearer(new.reveal(), Vec::new()).is_err() {
            return Err(PhoneError::invalid(
                "The access token must be a bearer token of letters, digits and -._~+/=",
            ));
        }
        let Credentials::Token { token, .. } = &mut self.around.config.credentials else {
            return Err(PhoneError::new(
                ErrorCode::InvalidArgument,
                "This phone was made without an access token",
            )
            .with_kind(ErrorType::NotSupported));
        };
        *token = new;
        self.credentials_replaced();
        Ok(())
    }

    pub(super) fn set_password(&mut self, new: Secret) -> Result<(), PhoneError> {
        if new.reveal().is_empty() {
            return Err(PhoneError::invalid("The password must not be empty"));
        }
        let (username, realms, renewable) = match &self.around.config.credentials {
            Credentials::Password {
                username,
                realms,
                renewable,
                ..
            } => (username.clone(), realms.clone(), *renewable),
            Credentials::Ha1 {
                username, realm, ..
            } => (username.clone(), vec![realm.clone()], false),
            Credentials::None | Credentials::Token { .. } => {
                return Err(PhoneError::new(
                    ErrorCode::InvalidArgument,
                    "This phone was made without a password",
                )
                .with_kind(ErrorType::NotSupported));
            }
        };
        self.around.config.credentials = Credentials::Password {
            username,
            realms,
            password: new,
            renewable,
        };
        self.credentials_replaced();
        Ok(())
    }

    fn credentials_replaced(&mut self) {
        self.around
            .agent
            .set_credentials(&self.around.config, &self.around.config.credentials);
        self.account
            .credentials_replaced(&mut self.around.context());
    }

    pub(super) fn set_audio_device(
        &mut self,
        input: Option<audio::Input>,
        output: Option<audio::Output>,
        ring: Option<audio::Output>,
    ) {
        self.default_devices_changed(input.as_ref(), output.as_ref());
        if let Some(input) = input {
            self.around.config.audio.input = input.clone();
            self.each(|session, ctx| session.default_input_changed(&input, ctx));
        }
        if let Some(output) = output {
            self.around.config.audio.output = output.clone();
            self.each(|session, ctx| session.default_output_changed(&output, ctx));
        }
        self.around.config.audio.ring = ring.or(self.around.config.audio.ring.take());
    }

    pub(super) fn set_volume(
        &mut self,
        id: Option<SessionId>,
        volume: u8,
    ) -> Result<(), PhoneError> {
        if volume > 100 {
            return Err(PhoneError::invalid("volume must be 0 to 100"));
        }
        let command = SoundCommand::SetVolume { percent: volume };
        match id {
            Some(id) => self.act_on_live(id, |session, ctx| ctx.media(session.id, command)),
            None => {
                self.around.config.volume = volume;
                self.default_volume_changed(volume);
                self.each(|session, ctx| {
                    if session.is_live() {
                        ctx.media(session.id, command.clone());
                    }
                });
                Ok(())
            }
        }
    }

    pub(super) fn set_audio_processing(
        &mut self,
        id: Option<SessionId>,
        processing: audio::Processing,
    ) -> Result<(), PhoneError> {
        if let Some(id) = id {
            return self.act_on_live(id, |session, ctx| session.set_processing(processing, ctx));
        }
        let default = processing.or(self.around.config.audio.processing);
        self.around.config.audio.processing = default;
        self.default_processing_changed(default);
        self.each(|session, ctx| {
            if session.is_live() {
                session.tell_processing(ctx);
            }
        });
        Ok(())
    }

    pub(super) fn each(&mut self, act: impl Fn(&mut Session, &mut Context<'_>)) {
        let ids = self.sessions.ids();
        for id in ids {
            self.act_on(id, &act);
        }
    }
}
