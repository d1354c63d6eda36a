//! Rooms that are computed, by their image sources (Allen and Berkley, 1979), and what is heard in them.

/// In samples a second, everywhere here.
pub(crate) const HZ: usize = 48_000;

const METRES_PER_SECOND: f64 = 343.0;

/// A room with a loudspeaker and a microphone in it.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) name: &'static str,
    /// In metres, as all places are.
    pub(crate) size: [f64; 3],
    pub(crate) loudspeaker: [f64; 3],
    pub(crate) microphone: [f64; 3],
    /// What a wall gives back of the pressure that meets it.
    pub(crate) reflection: f64,
    /// How much louder or softer the echo is than what is played.
    pub(crate) echo_db: f64,
    /// On the way through rings, drivers and converters.
    pub(crate) delay_ms: f64,
    /// How long reverberation is computed.
    pub(crate) length_ms: f64,
}

/// A small office with a laptop, a living room, and a meeting room with its loudspeaker far away.
pub(crate) fn rooms() -> [Room; 3] {
    [
        Room {
            name: "office",
            size: [3.2, 2.6, 2.5],
            loudspeaker: [1.5, 1.0, 0.8],
            microphone: [1.6, 1.25, 1.0],
            reflection: 0.72,
            echo_db: -6.0,
            delay_ms: 45.0,
            length_ms: 130.0,
        },
        Room {
            name: "living room",
            size: [5.1, 4.2, 2.6],
            loudspeaker: [2.0, 1.4, 0.8],
            microphone: [2.5, 2.0, 0.9],
            reflection: 0.8,
            echo_db: -10.0,
            delay_ms: 80.0,
            length_ms: 220.0,
        },
        Room {
            name: "meeting room",
            size: [7.4, 5.0, 2.9],
            loudspeaker: [5.2, 2.3, 1.3],
            microphone: [3.1, 2.6, 0.8],
            reflection: 0.84,
            echo_db: -14.0,
            delay_ms: 140.0,
            length_ms: 280.0,
        },
    ]
}

impl Room {
    /// The same with its microphone elsewhere, and somewhat louder: somebody has turned the laptop.
    pub(crate) fn rearranged(&self) -> Room {
        let [x, y, z] = self.microphone;
        Room {
            microphone: [x - 0.35, y + 0.3, z + 0.12],
            echo_db: self.echo_db + 3.0,
            delay_ms: self.delay_ms + 15.0,
            ..self.clone()
        }
    }

    /// What the microphone hears of what is played.
    pub(crate) fn echo(&self, played: &[f32]) -> Vec<f32> {
        convolve(played, &self.impulse_response())
    }

    /// What the microphone hears of a click of the loudspeaker; its energy is that of `echo_db`.
    pub(crate) fn impulse_response(&self) -> Vec<f32> {
        let mut response = vec![0.0_f64; (self.length_ms / 1e3 * HZ as f64) as usize];
        let reach = self.length_ms / 1e3 * METRES_PER_SECOND;
        let orders = self.size.map(|side| (reach / (2.0 * side)).ceil() as i32);
        for x in -orders[0]..=orders[0] {
            for y in -orders[1]..=orders[1] {
                for z in -orders[2]..=orders[2] {
                    for mirrored in 0..8_u8 {
                        self.add_image([x, y, z], mirrored, &mut response);
                    }
                }
            }
        }
        let energy: f64 = response.iter().map(|tap| tap * tap).sum();
        let gain = 10_f64.powf(self.echo_db / 20.0) / energy.sqrt();
        let silent = (self.delay_ms / 1e3 * HZ as f64) as usize;
        let taps = response.iter().map(|tap| (tap * gain) as f32);
        std::iter::repeat_n(0.0, silent).chain(taps).collect()
    }

    fn add_image(&self, order: [i32; 3], mirrored: u8, response: &mut [f64]) {
        let (mut squared, mut bounces) = (0.0, 0);
        for (axis, order) in order.into_iter().enumerate() {
            let flip = i32::from(mirrored >> axis & 1);
            let image = f64::from(1 - 2 * flip) * self.loudspeaker[axis]
                + 2.0 * f64::from(order) * self.size[axis];
            squared += (image - self.microphone[axis]).powi(2);
            bounces += (order - flip).abs() + order.abs();
        }
        let distance = squared.sqrt();
        let at = distance / METRES_PER_SECOND * HZ as f64;
        let (whole, part) = (at as usize, at.fract());
        let pressure = self.reflection.powi(bounces) / distance.max(0.1);
        for (tap, share) in [(whole, 1.0 - part), (whole + 1, part)] {
            if let Some(tap) = response.get_mut(tap) {
                *tap += pressure * share;
            }
        }
    }
}

fn convolve(signal: &[f32], response: &[f32]) -> Vec<f32> {
    const LANES: usize = 16;
    let length = response.len().next_multiple_of(LANES);
    let mut backwards = vec![0.0_f32; length - response.len()];
    backwards.extend(response.iter().rev());
    let mut padded = vec![0.0_f32; length - 1];
    padded.extend_from_slice(signal);
    let product = |window: &[f32]| {
        // So many sums at once as a compiler may keep apart: it must not reorder a single one.
        let mut sums = [0.0_f32; LANES];
        for (taps, samples) in backwards
            .chunks_exact(LANES)
            .zip(window.chunks_exact(LANES))
        {
            for lane in 0..LANES {
                sums[lane] += taps[lane] * samples[lane];
            }
        }
        sums.iter().sum()
    };
    padded.windows(length).map(product).collect()
}

/// Brings a signal to a level in dB relative to full scale, measured where it is not silent.
pub(crate) fn at_level(mut signal: Vec<f32>, db: f64) -> Vec<f32> {
    let peak = signal
        .iter()
        .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let loud: Vec<f64> = signal
        .chunks(HZ / 50)
        .filter(|chunk| chunk.iter().any(|sample| sample.abs() > peak * 0.05))
        .map(energy)
        .collect();
    let mean = loud.iter().sum::<f64>() / loud.len().max(1) as f64;
    let gain = (10_f64.powf(db / 20.0) / mean.sqrt().max(1e-9)) as f32;
    signal.iter_mut().for_each(|sample| *sample *= gain);
    signal
}

/// The mean square.
pub(crate) fn energy(signal: &[f32]) -> f64 {
    let sum: f64 = signal.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    sum / signal.len().max(1) as f64
}

/// Noise of a seed: white, or falling by 3 dB an octave as that of fans and rooms does.
#[derive(Debug, Clone)]
pub(crate) struct Noise {
    state: u64,
    slow: [f64; 3],
}

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            slow: [0.0; 3],
        }
    }

    /// Even between −1 and 1.
    pub(crate) fn white(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    /// Three poles and zeros close to −3 dB an octave.
    pub(crate) fn pink(&mut self) -> f64 {
        let white = self.white();
        self.slow[0] = 0.997_65 * self.slow[0] + white * 0.099_046;
        self.slow[1] = 0.963_00 * self.slow[1] + white * 0.296_516_4;
        self.slow[2] = 0.570_00 * self.slow[2] + white * 1.052_691_3;
        (self.slow.iter().sum::<f64>() + white * 0.184_8) * 0.1
    }
}

/// The sum, sample by sample.
pub(crate) fn mixed(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter()
        .zip(other)
        .map(|(one, other)| one + other)
        .collect()
}

/// The same as a clock that is so many parts in a million fast hears it, by straight lines between four times
/// as many points as samples would need at speech's bandwidth.
pub(crate) fn drifting(signal: &[f32], ppm: f64) -> Vec<f32> {
    let at = |index: usize| f64::from(signal.get(index).copied().unwrap_or(0.0));
    (0..signal.len())
        .map(|index| {
            let place = index as f64 * (1.0 + ppm * 1e-6);
            let (whole, part) = (place as usize, place.fract());
            (at(whole) * (1.0 - part) + at(whole + 1) * part) as f32
        })
        .collect()
}
