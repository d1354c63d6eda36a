//! What an application hears of a call beside the call's own output.

use audio::Frame;
use audio::convert::RateConverter;
use audio::mixer::together;
use phone::recording::Tapped;

use super::SinkWriter;

/// One leg of a call, or both mixed, for a sink; written once a tick.
#[derive(Debug)]
pub(crate) struct Ear {
    tapped: Tapped,
    sink: SinkWriter,
    /// Of the leg that has the lower rate.
    converter: RateConverter,
}

impl Ear {
    pub(crate) fn new(tapped: Tapped, sink: SinkWriter) -> Ear {
        Ear {
            tapped,
            sink,
            converter: RateConverter::default(),
        }
    }

    /// Adds 10 ms of both legs; returns false once nobody reads them any more.
    pub(crate) fn write(&mut self, local: &Frame, remote: &Frame) -> bool {
        let heard = match self.tapped {
            Tapped::Local => *local,
            Tapped::Remote => *remote,
            Tapped::Both => self.both(local, remote),
        };
        if let Some(group) = self.sink.write(&heard) {
            group.wake();
        }
        !self.sink.is_abandoned()
    }

    fn both(&mut self, local: &Frame, remote: &Frame) -> Frame {
        let (low, high) = match local.rate() < remote.rate() {
            true => (local, remote),
            false => (remote, local),
        };
        together(&self.converter.convert(low, high.rate()), high)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use audio::Rate;

    use super::*;
    use crate::audio::{Sink, SinkGroup};

    fn heard(tapped: Tapped) -> (Vec<i16>, bool) {
        let sink = Sink::new(Rate::Hz8000, Duration::from_secs(1), SinkGroup::new(|| {}));
        let mut ear = Ear::new(tapped, SinkWriter::open(sink.id()).unwrap());
        let local = Frame::new(Rate::Hz8000, &[100; 80]).unwrap();
        let remote = Frame::new(Rate::Hz8000, &[20; 80]).unwrap();
        assert!(ear.write(&local, &remote) && ear.write(&local, &remote));
        let bytes = sink.read().unwrap();
        drop(sink);
        let samples = bytes
            .chunks_exact(2)
            .map(|octets| i16::from_le_bytes([octets[0], octets[1]]));
        (samples.collect(), ear.write(&local, &remote))
    }

    #[test]
    fn each_leg_is_heard_alone_or_both_together_until_the_sink_is_closed() {
        for (tapped, expected) in [
            (Tapped::Local, 100),
            (Tapped::Remote, 20),
            (Tapped::Both, 120),
        ] {
            assert_eq!(heard(tapped), (vec![expected; 160], false), "{tapped:?}");
        }
    }
}
