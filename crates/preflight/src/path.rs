use std::time::Duration;

/// Percent of loss from which people hear it, whatever is done.
const LOSSY: f64 = 3.0;
/// ITU-T G.114: of 400 ms one way nobody should plan for more; both parties have such a way.
const SLOW: Duration = Duration::from_millis(300);
/// A jitter buffer of usual size takes this.
const RESTLESS: Duration = Duration::from_millis(40);

/// Packets that were sent on a way and came back.
#[derive(Debug, Default)]
pub struct PacketPath {
    sent: Vec<Duration>,
    /// What came, in the order in which it came: its number, and when.
    came: Vec<(usize, Duration)>,
}

/// How a way is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathFigures {
    /// Packets.
    pub sent: usize,
    /// Packets, each once.
    pub received: usize,
    /// Percent.
    pub loss: f64,
    /// In the mean.
    pub round_trip: Duration,
    /// RFC 3550 §6.4.1, at the end.
    pub jitter: Duration,
}

impl PacketPath {
    /// The next packet is sent at this time; its number.
    pub fn send(&mut self, at: Duration) -> usize {
        self.sent.push(at);
        self.sent.len() - 1
    }

    /// One came; what was never sent, or came before, is nothing.
    pub fn receive(&mut self, number: usize, at: Duration) {
        let is_new = self.came.iter().all(|(one, _)| *one != number);
        if number < self.sent.len() && is_new {
            self.came.push((number, at));
        }
    }

    /// Whether all have come.
    pub fn is_whole(&self) -> bool {
        self.came.len() == self.sent.len()
    }

    /// What that comes to.
    pub fn figures(&self) -> PathFigures {
        let transit = |(number, at): &(usize, Duration)| at.saturating_sub(self.sent[*number]);
        let transits: Vec<Duration> = self.came.iter().map(transit).collect();
        let jitter = transits.windows(2).fold(0.0, |jitter, pair| {
            let difference = pair[0].abs_diff(pair[1]).as_secs_f64();
            jitter + (difference - jitter) / 16.0
        });
        let count = u32::try_from(transits.len()).unwrap_or(u32::MAX);
        let lost = self.sent.len() - self.came.len();
        PathFigures {
            sent: self.sent.len(),
            received: self.came.len(),
            loss: 100.0 * lost as f64 / self.sent.len().max(1) as f64,
            round_trip: transits.iter().sum::<Duration>() / count.max(1),
            jitter: Duration::from_secs_f64(jitter),
        }
    }
}

impl PathFigures {
    /// What they mean for a call.
    pub fn code(&self) -> crate::CheckCode {
        if self.received == 0 {
            crate::CheckCode::RelaySilent
        } else if self.loss >= LOSSY {
            crate::CheckCode::RelayLossy
        } else if self.round_trip >= SLOW {
            crate::CheckCode::RelaySlow
        } else if self.jitter >= RESTLESS {
            crate::CheckCode::RelayRestless
        } else {
            crate::CheckCode::RelayOk
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckCode;

    const MS: Duration = Duration::from_millis(1);

    /// 100 packets, one every 20 ms; `delay` says how long each takes, if it comes.
    fn figures(delay: impl Fn(u32) -> Option<u32>) -> PathFigures {
        let mut path = PacketPath::default();
        for number in 0..100 {
            let at = MS * 20 * number;
            let sent = path.send(at);
            if let Some(delay) = delay(number) {
                path.receive(sent, at + MS * delay);
                path.receive(sent, at + MS * delay * 2);
            }
        }
        path.figures()
    }

    #[test]
    fn a_steady_way_has_no_loss_and_no_jitter() {
        let figures = figures(|_| Some(35));
        assert_eq!((figures.sent, figures.received), (100, 100));
        assert_eq!(
            (figures.round_trip, figures.jitter),
            (MS * 35, Duration::ZERO)
        );
        assert_eq!(figures.code(), CheckCode::RelayOk);
    }

    #[test]
    fn a_way_is_judged_by_what_hurts_most() {
        let lossy = figures(|number| (number % 20 != 0).then_some(400));
        assert_eq!((lossy.loss, lossy.code()), (5.0, CheckCode::RelayLossy));
        assert_eq!(figures(|_| Some(301)).code(), CheckCode::RelaySlow);
        let restless = figures(|number| Some(20 + 100 * (number % 2)));
        assert_eq!(restless.code(), CheckCode::RelayRestless);
        assert_eq!(figures(|_| None).code(), CheckCode::RelaySilent);
    }

    #[test]
    fn what_was_never_sent_is_not_counted() {
        let mut path = PacketPath::default();
        path.send(MS);
        path.receive(7, MS * 2);
        assert_eq!(path.figures().received, 0);
        assert!(!path.is_whole());
    }
}
