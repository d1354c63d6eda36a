//! Calls over a network that loses packets, in virtual time: ICE, DTLS, SRTP, RTCP, codec and jitter buffer of both sides.
//!
//! Each line names a file of what was said and one of what was heard, from which speech quality is judged.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use audio::Rate;
use audio::resample::Resampler;
use audio::wav::{self, Player};
use media::codec::Codec;
use media::session::{MediaEvent, Output, Session, SessionConfig};
use media::transport::{Certificate, PathId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const MS: Duration = Duration::from_millis(1);
/// Two legs of so much, each up to so much later, and never out of order.
const LEG_DELAY: Duration = Duration::from_millis(20);
const LEG_JITTER: Duration = Duration::from_millis(10);
/// Speech quality is judged in the middle of a call: so much was said before, in samples.
const BEFORE: usize = 8 * RATE;
/// Between two clips, and after the last one, until all of it was heard.
const PAUSE: usize = RATE / 2;
/// A tick is captured before it is sent, and begins to be played 9 ms after another was sent.
const TICKS: f64 = 19.0;
/// What PESQ takes.
const RATE: usize = 16_000;
/// The root mean square of speech at −26 dBov.
const LOUDNESS: f64 = 1_640.0;
/// Codec, loss and the mean length of losses.
const CONDITIONS: [(Codec, f64, f64); 5] = [
    (Codec::Opus, 0.0, 1.0),
    (Codec::Opus, 0.1, 1.0),
    (Codec::Opus, 0.2, 1.0),
    (Codec::Opus, 0.1, 3.0),
    (Codec::G722, 0.1, 1.0),
];

/// One call.
#[derive(Debug)]
struct Call<'a> {
    /// At 16 kHz; what counts begins at `from`.
    said: &'a [i16],
    from: usize,
    codec: Codec,
    loss: f64,
    burst: f64,
    seed: u64,
}

/// Makes so many calls of each kind with one of the clips, and leaves sound files in `folder`.
pub fn run_calls(
    folder: &Path,
    seeds: u64,
    which: usize,
    clips: &[&str],
) -> Result<(), Box<dyn Error>> {
    let certificate = Certificate::generate()?;
    let clips: Vec<Vec<i16>> = clips
        .iter()
        .map(|clip| read(clip))
        .collect::<Result<_, _>>()?;
    let (said, from) = with_others_before(&clips, which);
    let clean = folder.join(format!("said-{which}.wav"));
    write(&clean, &said[from..])?;
    for (kind, (codec, loss, burst)) in CONDITIONS.into_iter().enumerate() {
        for number in 0..seeds {
            let call = Call {
                said: &said,
                from,
                codec,
                loss,
                burst,
                seed: number * clips.len() as u64 + which as u64,
            };
            let path = folder.join(format!("heard-{which}-{kind}-{number}.wav"));
            let delay = call.run(&certificate, &path)?;
            println!(
                "{}",
                serde_json::json!({
                    "codec": codec.name(),
                    "loss": loss * 100.0,
                    "burst": burst,
                    "delay": delay,
                    "clean": clean,
                    "heard": path,
                })
            );
        }
    }
    Ok(())
}

/// A clip at 16 kHz, as loud as others.
fn read(path: &str) -> Result<Vec<i16>, Box<dyn Error>> {
    let mut player = Player::new(File::open(path)?, Rate::Hz16000)?;
    let (mut samples, mut tick) = (Vec::new(), [0; RATE / 100]);
    while player.fill(&mut tick)? > 0 {
        samples.extend(tick);
    }
    let energy: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    let gain = LOUDNESS / (energy / samples.len().max(1) as f64).sqrt().max(1.0);
    Ok(samples
        .iter()
        .map(|s| (f64::from(*s) * gain) as i16)
        .collect())
}

fn write(path: &Path, samples: &[i16]) -> Result<(), Box<dyn Error>> {
    Ok(std::fs::write(path, wav::whole(RATE as u32, 1, samples))?)
}

/// A clip with enough of the others before it, and where it begins.
fn with_others_before(clips: &[Vec<i16>], number: usize) -> (Vec<i16>, usize) {
    let mut said = Vec::new();
    let others = (1..).map(|step| &clips[(number + step) % clips.len()]);
    for other in others {
        if said.len() >= BEFORE {
            break;
        }
        said.extend(other);
        said.extend([0; PAUSE]);
    }
    let from = said.len();
    said.extend(&clips[number]);
    (said, from)
}

impl Call<'_> {
    /// Makes the call and writes what was heard of what counts; gives the delay from mouth to ear in milliseconds.
    fn run(&self, certificate: &Certificate, path: &Path) -> Result<f64, Box<dyn Error>> {
        let mut network = Network::new(self);
        let mut sides = [
            Side::new("192.0.2.1:1000", self, certificate, network.now)?,
            Side::new("192.0.2.2:2000", self, certificate, network.now)?,
        ];
        network.connect(&mut sides)?;
        let heard = network.talk(&mut sides, self.said.len() + PAUSE);
        let delay = delay(&self.said[self.from..], &heard[self.from..]);
        let begin = self.from + delay;
        let end = (begin + self.said.len() - self.from).min(heard.len());
        write(path, &heard[begin..end])?;
        Ok(delay as f64 * 1_000.0 / RATE as f64 + TICKS)
    }
}

/// How many samples `heard` is behind `said`: where both are most alike.
fn delay(said: &[i16], heard: &[i16]) -> usize {
    // Every fourth sample of sums of four is enough for speech.
    let coarse = |samples: &[i16]| -> Vec<f32> {
        let sums = samples
            .chunks_exact(4)
            .map(|four| four.iter().map(|s| f32::from(*s)).sum());
        sums.collect()
    };
    let (said, heard) = (coarse(said), coarse(heard));
    let alike = |lag: usize| -> f32 { said.iter().zip(&heard[lag..]).map(|(a, b)| a * b).sum() };
    let lags = 0..PAUSE / 4;
    lags.max_by(|a, b| alike(*a).total_cmp(&alike(*b)))
        .unwrap_or(0)
        * 4
}

/// Two ways between two sides.
struct Network {
    now: Instant,
    ways: [Way; 2],
    loses: bool,
}

struct Way {
    rng: StdRng,
    loss: f64,
    burst: f64,
    is_bad: bool,
    travelling: VecDeque<(Instant, Vec<u8>)>,
}

impl Network {
    fn new(call: &Call<'_>) -> Self {
        let way = |number| Way {
            rng: StdRng::seed_from_u64(call.seed * 2 + number),
            loss: call.loss,
            burst: call.burst,
            is_bad: false,
            travelling: VecDeque::new(),
        };
        Self {
            now: Instant::now(),
            ways: [way(0), way(1)],
            loses: false,
        }
    }

    fn connect(&mut self, sides: &mut [Side; 2]) -> Result<(), Box<dyn Error>> {
        let [caller, callee] = sides;
        caller.session.create_offer(self.now)?;
        let offer = caller.described()?;
        callee.session.create_answer(&offer, self.now)?;
        let answer = callee.described()?;
        caller.session.set_answer(&answer, false, self.now)?;
        caller.drain();
        for _ in 0..10_000 {
            if sides.iter().all(|side| side.session.is_connected()) {
                self.loses = true;
                return Ok(());
            }
            self.millisecond(sides);
        }
        Err("no connection".into())
    }

    /// Lets both say the same for so many samples of 16 kHz; gives what the second one heard.
    fn talk(&mut self, sides: &mut [Side; 2], samples: usize) -> Vec<i16> {
        let mut heard = Vec::with_capacity(samples);
        while heard.len() < samples {
            // Each tick has its own phase.
            for elapsed in 0..10 {
                self.millisecond(sides);
                match elapsed {
                    0 => sides[0].speak(self.now),
                    3 => sides[1].speak(self.now),
                    6 => drop(sides[0].listen(self.now)),
                    9 => heard.extend(sides[1].listen(self.now)),
                    _ => {}
                }
            }
        }
        heard
    }

    fn millisecond(&mut self, sides: &mut [Side; 2]) {
        self.now += MS;
        for to in 0..2 {
            let from = sides[1 - to].address;
            while let Some(bytes) = self.ways[to].arrived(self.now) {
                sides[to].datagram(from, &bytes, self.now);
            }
            sides[to].wake(self.now);
        }
        for (from, side) in sides.iter_mut().enumerate() {
            for bytes in side.sent.drain(..) {
                self.ways[1 - from].send(bytes, self.loses, self.now);
            }
        }
    }
}

impl Way {
    fn send(&mut self, bytes: Vec<u8>, loses: bool, now: Instant) {
        if loses && self.is_lost() {
            return;
        }
        let jitter: f64 = self.rng.random::<f64>() + self.rng.random::<f64>();
        let arrival = now + LEG_DELAY * 2 + LEG_JITTER.mul_f64(jitter);
        let behind = self.travelling.back().map(|(at, _)| *at);
        self.travelling
            .push_back((behind.map_or(arrival, |at| at.max(arrival)), bytes));
    }

    /// Losses of the mean length that was asked for (Gilbert).
    fn is_lost(&mut self) -> bool {
        let chance: f64 = self.rng.random();
        self.is_bad = if self.burst <= 1.0 {
            chance < self.loss
        } else if self.is_bad {
            chance >= 1.0 / self.burst
        } else {
            chance < self.loss / (1.0 - self.loss) / self.burst
        };
        self.is_bad
    }

    fn arrived(&mut self, now: Instant) -> Option<Vec<u8>> {
        let (at, _) = self.travelling.front()?;
        (*at <= now)
            .then(|| self.travelling.pop_front())?
            .map(|(_, bytes)| bytes)
    }
}

struct Side {
    session: Session,
    address: SocketAddr,
    said: std::vec::IntoIter<i16>,
    to_session: Resampler,
    from_session: Resampler,
    sent: Vec<Vec<u8>>,
    descriptions: Vec<String>,
    deadline: Instant,
}

impl Side {
    fn new(
        address: &str,
        call: &Call<'_>,
        certificate: &Certificate,
        now: Instant,
    ) -> Result<Self, Box<dyn Error>> {
        let address: SocketAddr = address.parse()?;
        let mut config = SessionConfig::new(vec![address], certificate.clone());
        config.codecs = vec![call.codec];
        let seed = [address.port() as u8 ^ call.seed as u8; 32];
        let session = Session::new(config, seed, now)?;
        Ok(Self {
            said: call.said.to_vec().into_iter(),
            to_session: Resampler::new(Rate::Hz16000, session.capture_rate()),
            from_session: Resampler::new(session.playout_rate(), Rate::Hz16000),
            session,
            address,
            sent: Vec::new(),
            descriptions: Vec::new(),
            deadline: now,
        })
    }

    fn datagram(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) {
        self.session.handle_datagram(PathId(0), from, bytes, now);
        self.drain();
    }

    fn wake(&mut self, now: Instant) {
        if self.deadline <= now {
            self.session.handle_timeout(now);
            self.drain();
        }
    }

    /// Says the next 10 ms.
    fn speak(&mut self, now: Instant) {
        let mut tick: Vec<i16> = self.said.by_ref().take(RATE / 100).collect();
        tick.resize(RATE / 100, 0);
        let mut captured = Vec::new();
        self.to_session.process(&tick, &mut captured);
        self.session.push_captured(&captured, now);
        self.drain();
    }

    /// Hears the next 10 ms.
    fn listen(&mut self, now: Instant) -> Vec<i16> {
        let mut tick = vec![0; self.session.playout_rate().samples_per_tick()];
        self.session.pull_playout(&mut tick, now);
        self.drain();
        let mut heard = Vec::new();
        self.from_session.process(&tick, &mut heard);
        heard
    }

    fn described(&mut self) -> Result<String, Box<dyn Error>> {
        self.drain();
        self.descriptions
            .pop()
            .ok_or_else(|| "no description".into())
    }

    fn drain(&mut self) {
        loop {
            match self.session.poll_output() {
                Output::Transmit(datagram) => self.sent.push(datagram.bytes.to_vec()),
                Output::Event(MediaEvent::Described { sdp }) => self.descriptions.push(sdp),
                Output::Event(_)
                | Output::Captured(_)
                | Output::Way(..)
                | Output::Resolve(_)
                // No server here is reached by a stream.
                | Output::Connect(..)
                | Output::Send(..)
                | Output::Disconnect(_) => {}
                Output::Timeout(at, _) => {
                    self.deadline = at;
                    return;
                }
            }
        }
    }
}
