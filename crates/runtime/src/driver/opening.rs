//! Opening what a session hears and where it is heard: at once, or on a thread that may block.

use std::sync::Weak;
use std::time::Duration;

use phone::audio;
use phone::audio::Device;
use phone::config::Fallback;
use phone::{ConferenceId, SessionId};
use tokio::sync::mpsc::UnboundedSender;
use voice::Preference;

use crate::audio::{Input, OpenError, Output, SinkWriter, SourceReader, Tone, WavFile, WavPlayer};
use crate::device::{DeviceId, Replacement, Selection};
use crate::device_hub::{self, Complaint, SharedPreference, Standing, Trouble, Wish};
use crate::media_worker::Order;

/// A worker turns every 10 ms; on a busy machine somewhat later.
const TRY_EVERY: Duration = Duration::from_millis(5);
const TRIES: u32 = 40;

/// Which opening of a session this is; dead once a later one has taken its place.
pub(crate) type Turn = Weak<()>;

/// The outcome of opening.
#[allow(
    clippy::large_enum_variant,
    reason = "it is made once and taken once, and boxed on its way"
)]
#[derive(Debug)]
pub(crate) enum OpenedSound {
    Input(SessionId, Voice, Turn, Result<Input, OpenError>),
    Output(SessionId, Turn, Result<Output, OpenError>),
}

impl OpenedSound {
    pub(crate) fn turn(&self) -> &Turn {
        match self {
            OpenedSound::Input(_, _, turn, _) | OpenedSound::Output(_, turn, _) => turn,
        }
    }

    pub(crate) fn broken_input(id: SessionId, voice: Voice, turn: Turn) -> OpenedSound {
        OpenedSound::Input(id, voice, turn, Err(broke()))
    }

    pub(crate) fn broken_output(id: SessionId, turn: Turn) -> OpenedSound {
        OpenedSound::Output(id, turn, Err(broke()))
    }
}

pub(crate) fn broke() -> OpenError {
    OpenError::Device("opening it broke".to_owned())
}

/// Which of a session's inputs is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// What the far end hears.
    Own,
    /// What it hears while it is on hold.
    Music,
}

impl Voice {
    /// What it is called where its trouble is told.
    pub(crate) fn device(self) -> Device {
        match self {
            Voice::Own => Device::Input,
            Voice::Music => Device::Music,
        }
    }

    /// The order by which the far end hears this.
    pub(crate) fn order(self, input: Input) -> Order {
        match self {
            Voice::Own => Order::SetInput(input),
            Voice::Music => Order::Hold(input),
        }
    }
}

/// How something is opened.
pub(crate) enum Opening<T> {
    /// It is open, or can't be.
    Now(Result<T, OpenError>),
    /// It may block: files.
    Blocking(Box<dyn FnOnce() -> Result<T, OpenError> + Send>),
    /// It is a device, whose own thread tells how that goes.
    Device(Result<T, OpenError>),
    /// It is another session of this phone.
    Session(SessionId),
    /// It is the others in a conference.
    Conference(ConferenceId),
}

impl<T> Opening<T> {
    /// Whether it is a device that may still have to begin.
    pub(crate) fn is_device(&self) -> bool {
        matches!(self, Opening::Device(Ok(_)))
    }
}

/// Opens an input; `standing` makes what is told of a device, `heard` are the sessions of a mix, in order.
pub(crate) fn input(
    wanted: audio::Input,
    replacement: Replacement,
    preference: SharedPreference,
    standing: &dyn Fn() -> Standing,
    heard: Vec<Result<Input, OpenError>>,
) -> Opening<Input> {
    match wanted {
        audio::Input::None => Opening::Now(Ok(Input::Silence)),
        audio::Input::Tone { frequency, level } => {
            Opening::Now(Ok(Input::Tone(Tone::sine(frequency, level))))
        }
        audio::Input::Source { id } => source(id),
        audio::Input::Session { id } => Opening::Session(id),
        audio::Input::Conference { id } => Opening::Conference(id),
        audio::Input::Wav {
            path,
            repeat,
            level,
        } => Opening::Blocking(Box::new(move || {
            let player = WavPlayer::open(&path, repeat)?;
            Ok(Input::Wav(player.at_level(level)))
        })),
        audio::Input::Default => {
            let wish = Wish::default_device();
            let microphone = device_hub::microphone(wish, preference, standing());
            Opening::Device(microphone.map(Input::device))
        }
        audio::Input::Device { id } => {
            let wish = chosen(id, replacement);
            let microphone = device_hub::microphone(wish, preference, standing());
            Opening::Device(microphone.map(Input::device))
        }
        audio::Input::Mix { parts } => mix(parts, replacement, &preference, standing, heard),
    }
}

/// The sessions that a mix listens to, in order.
pub(crate) fn sessions_of(wanted: &audio::Input) -> Vec<SessionId> {
    let audio::Input::Mix { parts } = wanted else {
        return Vec::new();
    };
    let session = |part: &audio::Input| match part {
        audio::Input::Session { id } => Some(*id),
        audio::Input::Default
        | audio::Input::Device { .. }
        | audio::Input::Source { .. }
        | audio::Input::Wav { .. }
        | audio::Input::Tone { .. }
        | audio::Input::Conference { .. }
        | audio::Input::Mix { .. }
        | audio::Input::None => None,
    };
    parts.iter().filter_map(session).collect()
}

/// What fails of a mix fails it, and is named.
fn mix(
    parts: Vec<audio::Input>,
    replacement: Replacement,
    preference: &SharedPreference,
    standing: &dyn Fn() -> Standing,
    heard: Vec<Result<Input, OpenError>>,
) -> Opening<Input> {
    let mut heard = heard.into_iter();
    let opened = parts.into_iter().map(|part| match part {
        audio::Input::Session { .. } => {
            Opening::Now(heard.next().unwrap_or(Err(OpenError::NoSession)))
        }
        audio::Input::Mix { .. } | audio::Input::Conference { .. } => {
            let text = "a mix can't be in a mix: put its inputs into this one";
            Opening::Now(Err(OpenError::Device(text.to_owned())))
        }
        part @ (audio::Input::Default
        | audio::Input::Device { .. }
        | audio::Input::Source { .. }
        | audio::Input::Wav { .. }
        | audio::Input::Tone { .. }
        | audio::Input::None) => input(part, replacement, preference.clone(), standing, Vec::new()),
    });
    together(opened.collect(), Input::Mix)
}

/// Opens what may block one after the other.
fn together<T: Send + 'static>(
    openings: Vec<Opening<T>>,
    all: impl FnOnce(Vec<T>) -> T + Send + 'static,
) -> Opening<T> {
    Opening::Blocking(Box::new(move || {
        let opened = openings.into_iter().map(|opening| match opening {
            Opening::Now(opened) | Opening::Device(opened) => opened,
            Opening::Blocking(open) => open(),
            Opening::Session(_) | Opening::Conference(_) => Err(OpenError::NoSession),
        });
        Ok(all(opened.collect::<Result<Vec<T>, OpenError>>()?))
    }))
}

/// Opens an output; `standing` makes what is told of it.
pub(crate) fn output(
    wanted: audio::Output,
    replacement: Replacement,
    standing: &dyn Fn() -> Standing,
    log: &UnboundedSender<String>,
) -> Opening<Output> {
    match wanted {
        audio::Output::None => Opening::Now(Ok(Output::Nowhere)),
        audio::Output::Sink { id } => sink(id),
        audio::Output::Wav { path } => {
            let trouble = also_logged(standing(), log.clone());
            Opening::Blocking(Box::new(move || {
                WavFile::create(&path, trouble).map(Output::Wav)
            }))
        }
        audio::Output::Default => Opening::Device(
            device_hub::speaker(Wish::default_device(), standing()).map(Output::device),
        ),
        audio::Output::Device { id } => Opening::Device(
            device_hub::speaker(chosen(id, replacement), standing()).map(Output::device),
        ),
        audio::Output::Several { outputs } => {
            let opened = outputs
                .into_iter()
                .map(|wanted| output(wanted, replacement, standing, log));
            together(opened.collect(), Output::Several)
        }
    }
}

/// What is left open is done as fits the devices.
pub(crate) fn preference(processing: audio::Processing) -> Preference {
    Preference {
        echo_cancellation: processing.echo_cancellation,
        noise_suppression: processing.noise_suppression,
        auto_gain_control: processing.auto_gain_control,
    }
}

fn chosen(id: String, replacement: Replacement) -> Wish {
    Wish {
        selection: Selection::Id(DeviceId(id)),
        replacement,
    }
}

/// When the default stands in for what a call has chosen.
pub(crate) fn replacement(fallback: Fallback) -> Replacement {
    match fallback {
        Fallback::Default => Replacement::AfterUse,
        Fallback::None => Replacement::Never,
    }
}

/// Tells what goes wrong with what was opened, as long as it is wanted.
pub(crate) fn trouble<News: Send + 'static>(
    news: &UnboundedSender<News>,
    turn: Turn,
    tell: impl Fn(String) -> News + Send + 'static,
) -> Trouble {
    // Weak: a device that others still use must not keep this phone waiting at its end.
    let news = news.downgrade();
    Box::new(move |reason| {
        let current = turn.strong_count() > 0;
        if let Some(news) = news.upgrade().filter(|_| current) {
            let _ = news.send(tell(reason));
        }
        current
    })
}

/// Tells how what was opened is, as long as it is wanted; if `tell` has nothing to say, nothing.
pub(crate) fn standing<News: Send + 'static>(
    news: &UnboundedSender<News>,
    turn: Turn,
    tell: impl Fn(Result<(), Complaint>) -> Option<News> + Send + 'static,
) -> Standing {
    // Weak, as above.
    let news = news.downgrade();
    Box::new(move |standing| {
        let current = turn.strong_count() > 0;
        if let Some(news) = news.upgrade().filter(|_| current)
            && let Some(said) = tell(standing)
        {
            let _ = news.send(said);
        }
        current
    })
}

// A file is finished when it has been let go, and then only the log can tell.
pub(super) fn also_logged(tell: Standing, log: UnboundedSender<String>) -> Trouble {
    Box::new(move |reason| {
        let current = tell(Err(Complaint::Failed(reason.clone())));
        if !current {
            let _ = log.send(reason);
        }
        current
    })
}

fn source(id: u64) -> Opening<Input> {
    let outcome = SourceReader::open(id);
    if !matches!(outcome, Err(OpenError::SourceBusy(_))) {
        return Opening::Now(outcome.map(Input::source));
    }
    let wait = move || once_free(|| SourceReader::open(id)).map(Input::source);
    Opening::Blocking(Box::new(wait))
}

fn sink(id: u64) -> Opening<Output> {
    let outcome = SinkWriter::open(id);
    if !matches!(outcome, Err(OpenError::SinkBusy(_))) {
        return Opening::Now(outcome.map(Output::Sink));
    }
    let wait = move || once_free(|| SinkWriter::open(id)).map(Output::Sink);
    Opening::Blocking(Box::new(wait))
}

/// Opens what another session has just given up: its worker lets go of it at its next turn.
pub(super) fn once_free<T, E>(open: impl Fn() -> Result<T, E>) -> Result<T, E> {
    for _ in 0..TRIES {
        if let Ok(opened) = open() {
            return Ok(opened);
        }
        std::thread::sleep(TRY_EVERY);
    }
    open()
}

/// What was opened, or nothing and why.
pub(crate) fn settle<T>(outcome: Result<T, OpenError>, nothing: T) -> (T, Option<String>) {
    match outcome {
        Ok(opened) => (opened, None),
        Err(error) => (nothing, Some(error.to_string())),
    }
}
