//! What a call's sound costs on this machine.

use std::time::{Duration, Instant};

use audio::{Frame, Rate};
use cpu_time::ThreadTime;
use media::codec::{Decoder, Encoder};
use phone::Config;
use preflight::{Check, CheckCode, CheckName, CpuHeadroom};
use voice::{Processing, Processor};

use super::examination::{Desk, Place, timed};
use crate::media_worker::coding_of;

/// Sound that is coded and processed: enough for the codec to be warm, little enough to disturb nobody.
const SOUND: Duration = Duration::from_secs(1);
/// Whoever has no time at all is not kept longer.
const MOST: Duration = Duration::from_secs(2);
const TICKS_A_PACKET: u32 = 2;

/// Codes a second of sound as a call would.
pub(super) async fn look(config: &Config, desk: &Desk) {
    let config = config.clone();
    let measuring = tokio::task::spawn_blocking(move || measure(&config));
    let (measured, took) = timed(measuring).await;
    desk.tell(Place::Machine, judge(measured.ok().flatten()).took(took));
}

fn measure(config: &Config) -> Option<CpuHeadroom> {
    let (codec, settings) = coding_of(config)?;
    let mut encoder = Encoder::new(codec, &settings).ok()?;
    let mut decoder = Decoder::new(codec, &settings).ok()?;
    let mut processor = Processor::new(Processing::ALL);
    let packet = encoder.rate().samples_per_tick() * TICKS_A_PACKET as usize;
    let (mut payload, mut heard) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    let at_first = ThreadTime::try_now().ok()?;
    let mut sound = Duration::ZERO;
    let mut noise = Noise(1);
    while sound < SOUND && begun.elapsed() < MOST {
        for _ in 0..TICKS_A_PACKET {
            let mut frame = Frame::silence(Rate::Hz48000);
            frame.samples_mut().fill_with(|| noise.next());
            processor.render(&frame);
            processor.capture(&mut frame);
        }
        let samples: Vec<i16> = (0..packet).map(|_| noise.next()).collect();
        encoder.encode(&samples, &mut payload).ok()?;
        decoder.decode(&payload, &mut heard).ok()?;
        heard.clear();
        sound += Duration::from_millis(10) * TICKS_A_PACKET;
    }
    Some(CpuHeadroom {
        busy: at_first.try_elapsed().ok()?,
        elapsed: begun.elapsed(),
        sound,
        processors: std::thread::available_parallelism().map_or(1, usize::from),
    })
}

/// Something that is no silence, which would cost less than a voice does.
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> i16 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((self.0 >> 18) as i16) - 8192
    }
}

fn judge(measured: Option<CpuHeadroom>) -> Check {
    let Some(headroom) = measured else {
        let found = "it could not be measured";
        return Check::new(CheckName::Cpu, CheckCode::NotTried, found);
    };
    let tenth = |value: f64| (value * 10.0).round() / 10.0;
    let percent = tenth(headroom.percent());
    let share = tenth(100.0 * headroom.share());
    let calls = headroom.calls().floor();
    let found = format!(
        "coding and processing a call's sound takes {percent} % of a processor; there are {}, and {share} % of one was free: roughly {calls} calls",
        headroom.processors
    );
    Check::new(CheckName::Cpu, headroom.code(), found)
        .with("percent", percent)
        .with("free", share)
        .with("processors", headroom.processors)
        .with("calls", calls)
}
