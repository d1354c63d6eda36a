//! What the far end of a session hears.

use audio::mixer::Mixer;
use audio::{Frame, Rate};

use super::{DeviceEnd, DeviceFigures, Lease, LinkReader, SourceReader, Tone, Underway, WavPlayer};
use audio::convert::RateConverter;

/// An opened input; read once a tick.
#[derive(Debug)]
pub(crate) enum Input {
    /// Nothing is opened.
    Silence,
    /// PCM written by the application.
    Source(SourceReader, RateConverter),
    /// A WAV file.
    Wav(WavPlayer),
    /// A sine tone.
    Tone(Tone),
    /// Another session.
    Link(LinkReader),
    /// A microphone.
    Device(Box<DeviceEnd<LinkReader>>),
    /// Several at once.
    Mix(Vec<Input>),
    /// Breaks, to see that only its own session does.
    #[cfg(test)]
    Broken,
}

impl Input {
    pub(crate) fn source(reader: SourceReader) -> Input {
        Input::Source(reader, RateConverter::default())
    }

    pub(crate) fn device(reader: DeviceEnd<LinkReader>) -> Input {
        Input::Device(Box::new(reader))
    }

    /// Takes the place of what was read before; one microphone goes on until the next has begun.
    pub(crate) fn replace(&mut self, mut next: Input) {
        let before = std::mem::replace(self, Input::Silence);
        if let (Input::Device(next), Input::Device(before)) = (&mut next, before) {
            next.take_over_from(*before);
        }
        *self = next;
    }

    /// The application's PCM in it, to be let go the moment that another is chosen.
    pub(crate) fn leases(&self) -> Vec<Lease> {
        match self {
            Input::Source(reader, _) => vec![reader.lease()],
            Input::Mix(parts) => parts.iter().flat_map(Input::leases).collect(),
            Input::Silence | Input::Wav(_) | Input::Tone(_) | Input::Link(_) | Input::Device(_) => {
                Vec::new()
            }
            #[cfg(test)]
            Input::Broken => Vec::new(),
        }
    }

    /// How well its device goes, if it is one.
    pub(crate) fn figures(&self) -> Option<DeviceFigures> {
        match self {
            Input::Device(device) => Some(device.figures()),
            Input::Mix(parts) => parts.iter().find_map(Input::figures),
            Input::Silence
            | Input::Source(..)
            | Input::Wav(_)
            | Input::Tone(_)
            | Input::Link(_) => None,
            #[cfg(test)]
            Input::Broken => None,
        }
    }

    /// How loud its microphone was at most since the last time that this was asked, before anything was done to its sound.
    pub(crate) fn take_microphone_peak(&self) -> Option<f64> {
        match self {
            Input::Device(device) => device.take_peak(),
            Input::Mix(parts) => parts.iter().find_map(Input::take_microphone_peak),
            Input::Silence
            | Input::Source(..)
            | Input::Wav(_)
            | Input::Tone(_)
            | Input::Link(_) => None,
            #[cfg(test)]
            Input::Broken => None,
        }
    }

    /// The rate at which it comes, if it has one of its own.
    pub(crate) fn own_rate(&self) -> Option<Rate> {
        match self {
            Input::Source(reader, _) => Some(reader.rate()),
            Input::Link(reader) => reader.rate(),
            Input::Device(device) => device.link().rate(),
            Input::Wav(player) => Some(player.best_rate()),
            Input::Mix(parts) => parts.iter().filter_map(Input::own_rate).max(),
            Input::Silence | Input::Tone(_) => None,
            #[cfg(test)]
            Input::Broken => None,
        }
    }

    /// Begins anew after a time in which nobody read: what is live does not play the past.
    pub(crate) fn resume(&mut self) {
        match self {
            Input::Link(reader) => reader.resume(),
            Input::Device(device) => device.each(&mut LinkReader::resume),
            Input::Mix(parts) => parts.iter_mut().for_each(Input::resume),
            Input::Silence | Input::Source(..) | Input::Wav(_) | Input::Tone(_) => {}
            #[cfg(test)]
            Input::Broken => {}
        }
    }

    /// Changes the rate at a quarter of the cost and less well, or as well as it can again.
    pub(crate) fn set_short(&mut self, short: bool) {
        match self {
            Input::Source(_, converter) => converter.set_short(short),
            Input::Wav(player) => player.set_short(short),
            Input::Link(reader) => reader.set_short(short),
            Input::Device(device) => device.each(&mut |link| link.set_short(short)),
            Input::Mix(parts) => parts.iter_mut().for_each(|part| part.set_short(short)),
            // A tone is made at the rate that is wanted.
            Input::Silence | Input::Tone(_) => {}
            #[cfg(test)]
            Input::Broken => {}
        }
    }

    /// Gives the next 10 ms at `rate`.
    pub(crate) fn read(&mut self, rate: Rate) -> Frame {
        match self {
            Input::Silence => Frame::silence(rate),
            Input::Source(reader, converter) => {
                let mut frame = Frame::silence(reader.rate());
                reader.read(frame.samples_mut());
                converter.convert(&frame, rate)
            }
            Input::Wav(player) => player.read(rate),
            Input::Tone(tone) => tone.read(rate),
            Input::Link(reader) => reader.read(rate),
            Input::Device(device) => device.read(rate),
            Input::Mix(parts) => mixed(parts, rate, Input::read),
            #[cfg(test)]
            Input::Broken => panic!("this input is broken on purpose"),
        }
    }

    /// Gives the next 10 ms while the far end hears none of it: a program's sentences wait, what is live goes on.
    pub(crate) fn read_unheard(&mut self, rate: Rate) -> Frame {
        match self {
            Input::Source(..) => Frame::silence(rate),
            Input::Mix(parts) => mixed(parts, rate, Input::read_unheard),
            Input::Silence | Input::Wav(_) | Input::Tone(_) | Input::Link(_) | Input::Device(_) => {
                self.read(rate)
            }
            #[cfg(test)]
            Input::Broken => self.read(rate),
        }
    }

    /// Says what is on its way to the far end now that what was read last was taken.
    pub(crate) fn handed(&mut self, underway: Underway) {
        match self {
            Input::Source(reader, _) => reader.handed(underway),
            Input::Mix(parts) => parts.iter_mut().for_each(|part| part.handed(underway)),
            Input::Silence | Input::Wav(_) | Input::Tone(_) | Input::Link(_) | Input::Device(_) => {
            }
            #[cfg(test)]
            Input::Broken => {}
        }
    }
}

fn mixed(parts: &mut [Input], rate: Rate, read: fn(&mut Input, Rate) -> Frame) -> Frame {
    let mut mixer = Mixer::new(rate);
    parts
        .iter_mut()
        .for_each(|part| mixer.add(&read(part, rate)));
    mixer.all()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use audio::detect::Goertzel;

    use super::super::Source;
    use super::*;

    #[test]
    fn sources_stand_still_while_nobody_hears_them_also_in_a_mix_and_the_rest_goes_on() {
        let written = || {
            let mut source = Source::new(Rate::Hz8000, Duration::from_millis(100), |_| {});
            source.write(&[1; 1600]);
            let reader = SourceReader::open(source.id()).unwrap();
            (source, Input::source(reader))
        };
        let (one, mut alone) = written();
        let (other, in_mix) = written();
        let mut mix = Input::Mix(vec![in_mix, Input::Tone(Tone::sine(500.0, -20.0))]);
        for _ in 0..5 {
            assert!(
                alone
                    .read_unheard(Rate::Hz8000)
                    .samples()
                    .iter()
                    .all(|s| *s == 0)
            );
            let tone = mix.read_unheard(Rate::Hz8000);
            assert!(tone.samples().iter().any(|sample| sample.abs() > 1_000));
        }
        let all = Duration::from_millis(100);
        assert_eq!((one.queued(), other.queued()), (all, all));
        alone.read(Rate::Hz8000);
        mix.read(Rate::Hz8000);
        let rest = Duration::from_millis(90);
        assert_eq!((one.queued(), other.queued()), (rest, rest));
    }

    #[test]
    fn all_of_a_mix_are_heard_together() {
        let tone = |hz| Input::Tone(Tone::sine(hz, -20.0));
        let mut mix = Input::Mix(vec![tone(500.0), Input::Silence, tone(900.0)]);
        let mut heard = Vec::new();
        for _ in 0..50 {
            heard.extend_from_slice(mix.read(Rate::Hz16000).samples());
        }
        for (hz, there) in [(500.0, true), (900.0, true), (1_300.0, false)] {
            let mut goertzel = Goertzel::new(Rate::Hz16000, hz);
            goertzel.push(&heard);
            assert_eq!(goertzel.take().dbov > -35.0, there, "{hz}");
        }
    }
}
