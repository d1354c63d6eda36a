use cpal::ErrorKind;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use crossbeam_queue::ArrayQueue;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use super::backend::{
    Backend, DeviceId, DeviceInfo, Direction, Fault, Listing, Notice, Opened, Presence, Selection,
};
use super::format::{Format, Kind, choose};
use super::ring::{CaptureEnd, Counters, PlaybackEnd};

/// For so long it is asked whether a device has opened; then it counts as one that never does, until the next attempt.
const PATIENCE: Duration = Duration::from_secs(10);
/// Meanwhile others are opened, of which cpal lets one in at a time.
const BETWEEN: Duration = Duration::from_millis(50);

/// The machine's own sound system, through cpal.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl System {
    fn host() -> Result<cpal::Host, Fault> {
        asound::load().map_err(|missing| Fault::NoHost {
            reason: missing.to_string(),
        })?;
        // Not `default_host`, which panics where a host can't be made.
        let first = cpal::ALL_HOSTS.first().ok_or_else(|| Fault::NoHost {
            reason: "this build has no audio host".to_owned(),
        })?;
        cpal::host_from_id(*first).map_err(|error| Fault::NoHost {
            reason: error.to_string(),
        })
    }

    pub(crate) fn find(selection: &Selection, direction: Direction) -> Result<cpal::Device, Fault> {
        let host = Self::host()?;
        let (found, device) = match selection {
            Selection::Default => (default_device(&host, direction), "default".to_owned()),
            Selection::Id(id) => {
                let found = id.0.parse().ok().and_then(|id| host.device_by_id(&id));
                (found, id.0.clone())
            }
        };
        found.ok_or(Fault::NotFound { device })
    }
}

impl Backend for System {
    fn list(&self) -> Listing {
        let devices = Self::host().and_then(|host| {
            let devices = host.devices().map_err(fault)?;
            let default =
                |direction| default_device(&host, direction).and_then(|device| device.id().ok());
            let defaults = [default(Direction::Input), default(Direction::Output)];
            let mut listed: Vec<DeviceInfo> = devices
                .flat_map(|device| describe(&device, &defaults))
                .collect();
            say_what_default_is(&mut listed);
            listed.sort_by_key(|device| !device.is_default);
            Ok(listed)
        });
        match devices {
            Ok(devices) => Listing {
                devices,
                unavailable: None,
            },
            Err(fault) => Listing {
                devices: Vec::new(),
                unavailable: Some(fault.to_string()),
            },
        }
    }

    fn presence(&self, id: &DeviceId, direction: Direction) -> Presence {
        match Self::find(&Selection::Id(id.clone()), direction) {
            Ok(_) if is_only_a_name(&id.0) => Presence::OpeningTells,
            Ok(_) => Presence::There,
            Err(_) => Presence::Gone,
        }
    }

    fn open_input(
        &self,
        selection: &Selection,
        end: CaptureEnd,
        notice: Box<dyn FnMut(Notice) + Send>,
    ) -> Result<Opened, Fault> {
        let device = Self::find(selection, Direction::Input)?;
        let supported = patiently(|| device.supported_input_configs().map_err(fault))?;
        let formats = choose(supported)?;
        let counters = end.counters().clone();
        let (end, notice) = (Lending::of(end), Lending::of(notice));
        let opened = |Format { config, kind }: &Format| {
            let channels = usize::from(config.channels);
            counters.hz.store(config.sample_rate, Relaxed);
            let errors = on_error(counters.clone(), notice.clone());
            let mut end = end.clone();
            let stream = match kind {
                Kind::I16 => device.build_input_stream(
                    *config,
                    move |samples: &[i16], _: &_| end.with(|end| end.push(samples, channels)),
                    errors,
                    None,
                ),
                Kind::I32 => device.build_input_stream(
                    *config,
                    move |samples: &[i32], _: &_| end.with(|end| end.push(samples, channels)),
                    errors,
                    None,
                ),
                Kind::F32 => device.build_input_stream(
                    *config,
                    move |samples: &[f32], _: &_| end.with(|end| end.push(samples, channels)),
                    errors,
                    None,
                ),
            };
            start(&device, stream, config.sample_rate)
        };
        first_that_opens(&formats, |format| patiently(|| opened(format)))
    }

    fn open_output(
        &self,
        selection: &Selection,
        end: PlaybackEnd,
        notice: Box<dyn FnMut(Notice) + Send>,
    ) -> Result<Opened, Fault> {
        let device = Self::find(selection, Direction::Output)?;
        let supported = patiently(|| device.supported_output_configs().map_err(fault))?;
        let formats = choose(supported)?;
        let counters = end.counters().clone();
        let (end, notice) = (Lending::of(end), Lending::of(notice));
        let opened = |Format { config, kind }: &Format| {
            let channels = usize::from(config.channels);
            counters.hz.store(config.sample_rate, Relaxed);
            let errors = on_error(counters.clone(), notice.clone());
            let mut end = end.clone();
            let stream = match kind {
                Kind::I16 => device.build_output_stream(
                    *config,
                    move |samples: &mut [i16], _: &_| end.with(|end| end.fill(samples, channels)),
                    errors,
                    None,
                ),
                Kind::I32 => device.build_output_stream(
                    *config,
                    move |samples: &mut [i32], _: &_| end.with(|end| end.fill(samples, channels)),
                    errors,
                    None,
                ),
                Kind::F32 => device.build_output_stream(
                    *config,
                    move |samples: &mut [f32], _: &_| end.with(|end| end.fill(samples, channels)),
                    errors,
                    None,
                ),
            };
            start(&device, stream, config.sample_rate)
        };
        first_that_opens(&formats, |format| patiently(|| opened(format)))
    }
}

/// What the stream that opens takes at its first callback: attempts that fail leave it to the next.
#[derive(Debug)]
struct Lending<T> {
    waiting: Arc<ArrayQueue<T>>,
    taken: Option<T>,
}

impl<T> Lending<T> {
    fn of(lent: T) -> Lending<T> {
        let waiting = Arc::new(ArrayQueue::new(1));
        let _ = waiting.push(lent);
        Lending {
            waiting,
            taken: None,
        }
    }

    fn with(&mut self, act: impl FnOnce(&mut T)) {
        if self.taken.is_none() {
            self.taken = self.waiting.pop();
        }
        if let Some(taken) = &mut self.taken {
            act(taken);
        }
    }
}

impl<T> Clone for Lending<T> {
    fn clone(&self) -> Lending<T> {
        Lending {
            waiting: Arc::clone(&self.waiting),
            taken: None,
        }
    }
}

/// Asks again for a device that takes its time: the opening itself goes on (`crates/asound`).
fn patiently<T>(mut open: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
    let until = Instant::now() + PATIENCE;
    loop {
        let outcome = open();
        if !matches!(outcome, Err(Fault::Slow)) || Instant::now() >= until {
            return outcome;
        }
        thread::sleep(BETWEEN);
    }
}

/// Devices say that they can do what they refuse, converting ones above all.
fn first_that_opens(
    formats: &[Format],
    mut open: impl FnMut(&Format) -> Result<Opened, Fault>,
) -> Result<Opened, Fault> {
    let mut outcome = Err(Fault::Unsupported {
        reason: "it has none".to_owned(),
    });
    for format in formats {
        outcome = open(format);
        if !matches!(outcome, Err(Fault::Unsupported { .. })) {
            break;
        }
    }
    outcome
}

fn start(
    device: &cpal::Device,
    stream: Result<cpal::Stream, cpal::Error>,
    hz: u32,
) -> Result<Opened, Fault> {
    let stream = stream.map_err(fault)?;
    stream.play().map_err(fault)?;
    Ok(Opened {
        name: name(device),
        hz,
        stream: Box::new(stream),
    })
}

fn default_device(host: &cpal::Host, direction: Direction) -> Option<cpal::Device> {
    match direction {
        Direction::Input => host.default_input_device(),
        Direction::Output => host.default_output_device(),
    }
}

fn name(device: &cpal::Device) -> String {
    device.description().map_or_else(
        |_| "unknown device".to_owned(),
        |description| description.name().to_owned(),
    )
}

/// Lists a device once for each way it goes.
fn describe(device: &cpal::Device, defaults: &[Option<cpal::DeviceId>; 2]) -> Vec<DeviceInfo> {
    let Ok(id) = device.id() else {
        return Vec::new();
    };
    if is_pseudo_device(&id.to_string()) {
        return Vec::new();
    }
    let ways = [
        (Direction::Input, device.supports_input()),
        (Direction::Output, device.supports_output()),
    ];
    ways.into_iter()
        .zip(defaults)
        .filter(|((_, supported), default)| *supported || default.as_ref() == Some(&id))
        .map(|((direction, _), default)| DeviceInfo {
            id: DeviceId(id.to_string()),
            name: name(device),
            direction,
            is_default: default.as_ref() == Some(&id),
            behind: None,
        })
        .collect()
}

/// Shows the device behind ALSA's `default`, so that a person sees it, and that it has become another one.
#[cfg(unix)]
fn say_what_default_is(devices: &mut [DeviceInfo]) {
    let mut behind_server = devices
        .iter_mut()
        .filter(|device| device.is_default && is_sound_server(&device.name))
        .peekable();
    if behind_server.peek().is_none() {
        return;
    }
    let defaults = super::pulse::server_defaults().unwrap_or_default();
    for device in behind_server {
        let default = match device.direction {
            Direction::Input => &defaults.input,
            Direction::Output => &defaults.output,
        };
        if let Some(default) = default {
            device.name = format!("Default - {}", default.description);
            device.behind = Some(default.name.clone());
        }
    }
}

#[cfg(not(unix))]
fn say_what_default_is(_: &mut [DeviceInfo]) {}

/// By the words of alsa-plugins and pipewire-alsa; a default that somebody defined has others.
#[cfg(unix)]
fn is_sound_server(description: &str) -> bool {
    ["PulseAudio", "PipeWire"]
        .iter()
        .any(|server| description.contains(server))
}

/// Tells what ALSA lists beside devices: plug-ins that convert, other libraries' doors, and the same card
/// under names without conversion, with fixed channels, or with a number that changes at each start.
fn is_pseudo_device(id: &str) -> bool {
    let Some(alsa) = id.strip_prefix("alsa:") else {
        return false;
    };
    let (plugin, arguments) = alsa.split_once(':').unwrap_or((alsa, ""));
    match plugin {
        "default" => !arguments.is_empty(),
        "plughw" => arguments
            .strip_prefix("CARD=")
            .is_none_or(|card| card.starts_with(|first: char| first.is_ascii_digit())),
        // What is left beside the system's own plug-ins somebody has defined, in `asound.conf` or `.asoundrc`.
        _ => !arguments.is_empty() || PLUGINS.contains(&plugin),
    }
}

/// Tells what ALSA lists as long as its configuration names it, whatever is plugged in: not the cards, and not
/// what stands for the default of a sound server, which always has one.
fn is_only_a_name(id: &str) -> bool {
    id.strip_prefix("alsa:")
        .is_some_and(|alsa| !alsa.contains(':') && !DEFAULTS.contains(&alsa))
}

/// ALSA's names for the default of the system or of its sound server.
const DEFAULTS: [&str; 3] = ["default", "pipewire", "pulse"];

/// What alsa-lib and alsa-plugins list by themselves and no person would choose.
const PLUGINS: [&str; 40] = [
    "a52",
    "arcamav",
    "asym",
    "cards",
    "center_lfe",
    "dca",
    "defaults",
    "dmix",
    "dshare",
    "dsnoop",
    "empty",
    "file",
    "front",
    "hdmi",
    "hw",
    "iec958",
    "jack",
    "lavrate",
    "mixer",
    "modem",
    "multi",
    "null",
    "oss",
    "phoneline",
    "plug",
    "rear",
    "samplerate",
    "samplerate_best",
    "shm",
    "side",
    "spdif",
    "speex",
    "speexrate",
    "speexrate_best",
    "speexrate_medium",
    "sysdefault",
    "tee",
    "upmix",
    "usbstream",
    "vdownmix",
];

/// Makes the error callback, which runs on a thread of cpal's own and not in the data callback.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "cpal's enums are open-ended"
)]
fn on_error(
    counters: Arc<Counters>,
    mut notice: Lending<Box<dyn FnMut(Notice) + Send>>,
) -> impl FnMut(cpal::Error) + Send + 'static {
    let mut tell = move |said| notice.with(|notice| notice(said));
    move |error| match error.kind() {
        ErrorKind::Xrun => {
            counters.xruns.fetch_add(1, Relaxed);
        }
        // Without real-time priority sound still plays.
        ErrorKind::RealtimeDenied => {}
        ErrorKind::DeviceChanged => tell(Notice::Moved),
        ErrorKind::StreamInvalidated | ErrorKind::DeviceNotAvailable => {
            tell(Notice::Fault(Fault::Lost {
                reason: error.to_string(),
            }));
        }
        _ => tell(Notice::Fault(fault(error))),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "cpal's enums are open-ended"
)]
fn fault(error: cpal::Error) -> Fault {
    let reason = error.to_string();
    match error.kind() {
        ErrorKind::DeviceBusy => Fault::Busy { reason },
        ErrorKind::DeviceNotAvailable => Fault::NotFound { device: reason },
        ErrorKind::HostUnavailable => Fault::NoHost { reason },
        ErrorKind::PermissionDenied => Fault::Denied { reason },
        ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation => {
            Fault::Unsupported { reason }
        }
        ErrorKind::StreamInvalidated => Fault::Lost { reason },
        // In the place of an opening that goes on: no other says this.
        ErrorKind::Xrun => Fault::Slow,
        _ => Fault::Other { reason },
    }
}

#[cfg(test)]
mod tests {
    use cpal::{BufferSize, SampleFormat, SupportedBufferSize, SupportedStreamConfigRange};

    use super::*;

    #[test]
    fn only_what_a_person_would_choose_is_listed() {
        for id in [
            "alsa:default",
            "alsa:pulse",
            "alsa:pipewire",
            "alsa:headset",
            "alsa:plughw:CARD=PCH,DEV=0",
            "wasapi:{0.0.1}",
            "coreaudio:BuiltIn",
        ] {
            assert!(!is_pseudo_device(id), "{id}");
        }
        for id in [
            "alsa:null",
            "alsa:lavrate",
            "alsa:speexrate_medium",
            "alsa:headset:CARD=PCH",
            "alsa:samplerate",
            "alsa:speexrate",
            "alsa:jack",
            "alsa:oss",
            "alsa:upmix",
            "alsa:hw:CARD=PCH,DEV=0",
            "alsa:plughw:CARD=0,DEV=0",
            "alsa:sysdefault:CARD=PCH",
            "alsa:surround51:CARD=PCH,DEV=0",
            "alsa:default:CARD=PCH",
        ] {
            assert!(is_pseudo_device(id), "{id}");
        }
    }

    #[test]
    fn a_name_in_the_configuration_does_not_tell_whether_its_device_is_there() {
        assert!(is_only_a_name("alsa:headset"));
        for id in [
            "alsa:default",
            "alsa:pulse",
            "alsa:pipewire",
            "alsa:plughw:CARD=PCH,DEV=0",
            "alsa:hw:CARD=PCH,DEV=0",
            "wasapi:{0.0.1}",
            "coreaudio:BuiltIn",
        ] {
            assert!(!is_only_a_name(id), "{id}");
        }
    }

    #[test]
    fn what_does_not_open_leaves_the_ring_to_the_next_format() {
        let range = SupportedStreamConfigRange::new(
            2,
            8_000,
            192_000,
            SupportedBufferSize::Unknown,
            SampleFormat::I16,
        );
        let formats = choose([range].into_iter()).unwrap();
        let ring = Lending::of("ring");
        let mut tried = Vec::new();
        let opened = first_that_opens(&formats, |format| {
            let mut callback = ring.clone();
            tried.push((format.config.sample_rate, format.config.buffer_size));
            if tried.len() < 3 {
                return Err(Fault::Unsupported {
                    reason: String::new(),
                });
            }
            let mut got = None;
            callback.with(|ring| got = Some(*ring));
            assert_eq!(got, Some("ring"));
            Err(Fault::Busy {
                reason: String::new(),
            })
        });
        assert!(matches!(opened, Err(Fault::Busy { .. })));
        let expected = [
            (48_000, BufferSize::Fixed(480)),
            (44_100, BufferSize::Fixed(441)),
            (48_000, BufferSize::Default),
        ];
        assert_eq!(tried, expected);
    }
}
