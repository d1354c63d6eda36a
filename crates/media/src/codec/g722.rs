//! ITU-T G.722 at 64 kbit/s: two bands of adaptive differential PCM behind a quadrature mirror filter.
//!
//! Names in capitals are the blocks of the Recommendation's §6; the arithmetic is its 16-bit one.

use audio::Rate;

use super::conceal::Concealer;

/// QMF coefficients, half of the symmetric 24 (table 11/G.722).
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];

/// Decision levels of the 60-level quantiser of the lower band (table 14/G.722, Q6).
const Q6: [i32; 30] = [
    0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940,
    1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];

/// Output codes for negative differences, by decision interval (ILN).
const ILN: [u8; 31] = [
    0, 63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11,
    10, 9, 8, 7, 6, 5, 4,
];

/// Output codes for positive differences, by decision interval (ILP).
const ILP: [u8; 31] = [
    0, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39,
    38, 37, 36, 35, 34, 33, 32,
];

/// Inverse quantiser of the adaptation loop, four bits (QQ4).
const QM4: [i32; 16] = [
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584,
    1200, 0,
];

/// Inverse quantiser of the lower band's output, six bits (QQ6).
const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776,
    -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280,
    11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776,
    2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
];

/// Inverse quantiser of the higher band, two bits (QQ2).
const QM2: [i32; 4] = [-7408, -1616, 7408, 1616];

/// Steps of the lower band's logarithmic scale factor, by adaptation code (WL after RIL).
const WL: [i32; 16] = [
    -60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
];

/// Steps of the higher band's logarithmic scale factor, by code (WH after RIH).
const WH: [i32; 4] = [798, -214, 798, -214];

/// The antilogarithm's mantissas (ILB).
const ILB: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

const fn saturate(value: i32) -> i32 {
    if value > 32_767 {
        32_767
    } else if value < -32_768 {
        -32_768
    } else {
        value
    }
}

/// Which of the two bands a state belongs to: what differs in adapting the step.
#[derive(Debug, Clone, Copy)]
enum Side {
    Low,
    High,
}

impl Side {
    /// The upper bound of the logarithmic scale factor (LOGSCL, LOGSCH).
    const fn ceiling(self) -> i32 {
        match self {
            Self::Low => 18_432,
            Self::High => 22_528,
        }
    }

    /// The shift of the antilogarithm (SCALEL, SCALEH).
    const fn shift(self) -> i32 {
        match self {
            Self::Low => 8,
            Self::High => 10,
        }
    }
}

/// One band's predictor and step size, the same in the encoder and the decoder.
#[derive(Debug, Clone)]
struct Band {
    side: Side,
    /// Predicted signal (S), and its part from the zeros (SZ).
    estimate: i32,
    zeros_part: i32,
    /// Reconstructed (R) and partially reconstructed (P) signal, newest first.
    reconstructed: [i32; 2],
    partial: [i32; 2],
    /// Pole coefficients A1, A2 and zero coefficients B1…B6.
    poles: [i32; 2],
    zeros: [i32; 6],
    /// Quantised differences (D), newest first.
    differences: [i32; 6],
    /// Logarithmic (NB) and linear (DET) step size.
    log_step: i32,
    step: i32,
}

impl Band {
    fn new(side: Side) -> Self {
        Self {
            side,
            estimate: 0,
            zeros_part: 0,
            reconstructed: [0; 2],
            partial: [0; 2],
            poles: [0; 2],
            zeros: [0; 6],
            differences: [0; 6],
            log_step: 0,
            step: match side {
                Side::Low => 32,
                Side::High => 8,
            },
        }
    }

    /// Moves the step size by `change` (LOGSCx, SCALEx) and then the predictor by `difference` (block 4).
    fn adapt(&mut self, difference: i32, change: i32) {
        self.log_step = (((self.log_step * 127) >> 7) + change).clamp(0, self.side.ceiling());
        let mantissa = ILB[(self.log_step >> 6) as usize & 31];
        let shift = self.side.shift() - (self.log_step >> 11);
        self.step = if shift < 0 {
            mantissa << -shift
        } else {
            mantissa >> shift
        } << 2;
        self.predict(difference);
    }

    fn predict(&mut self, difference: i32) {
        let reconstructed = saturate(self.estimate + difference);
        let partial = saturate(self.zeros_part + difference);
        self.adapt_poles(partial);
        self.adapt_zeros(difference);

        self.partial = [partial, self.partial[0]];
        self.reconstructed = [reconstructed, self.reconstructed[0]];
        self.differences.rotate_right(1);
        self.differences[0] = difference;

        let tap = |coefficient: i32, value: i32| (coefficient * saturate(value + value)) >> 15;
        let poles_part = saturate(
            tap(self.poles[0], self.reconstructed[0]) + tap(self.poles[1], self.reconstructed[1]),
        );
        self.zeros_part = saturate(
            (0..6)
                .map(|i| tap(self.zeros[i], self.differences[i]))
                .sum(),
        );
        self.estimate = saturate(poles_part + self.zeros_part);
    }

    /// UPPOL2, UPPOL1.
    fn adapt_poles(&mut self, partial: i32) {
        let same = |a: i32, b: i32| (a >> 15) == (b >> 15);
        let [a1, a2] = self.poles;
        let quarter = saturate(a1 << 2);
        let pull = if same(partial, self.partial[0]) {
            (-quarter).min(32_767)
        } else {
            quarter
        };
        let lean = if same(partial, self.partial[1]) {
            128
        } else {
            -128
        };
        let second = ((pull >> 7) + lean + ((a2 * 32_512) >> 15)).clamp(-12_288, 12_288);

        let push = if same(partial, self.partial[0]) {
            192
        } else {
            -192
        };
        let limit = 15_360 - second;
        let first = saturate(push + ((a1 * 32_640) >> 15)).clamp(-limit, limit);
        self.poles = [first, second];
    }

    /// UPZERO.
    fn adapt_zeros(&mut self, difference: i32) {
        let push = if difference == 0 { 0 } else { 128 };
        for (zero, old) in self.zeros.iter_mut().zip(self.differences) {
            let signed = if (old >> 15) == (difference >> 15) {
                push
            } else {
                -push
            };
            *zero = saturate(signed + ((*zero * 32_640) >> 15));
        }
    }

    /// Takes in the code of the lower band and returns nothing: the adaptation sees only four of its bits.
    fn adapt_low(&mut self, code: u8) {
        let coarse = usize::from(code >> 2);
        self.adapt((self.step * QM4[coarse]) >> 15, WL[coarse]);
    }

    /// Takes in the code of the higher band and returns the difference it stands for.
    fn adapt_high(&mut self, code: u8) -> i32 {
        let difference = (self.step * QM2[usize::from(code)]) >> 15;
        self.adapt(difference, WH[usize::from(code)]);
        difference
    }

    /// SUBTRA, QUANTL.
    fn quantize_low(&self, sample: i32) -> u8 {
        let difference = saturate(sample - self.estimate);
        let magnitude = if difference < 0 {
            !difference
        } else {
            difference
        };
        let interval = Q6[1..]
            .iter()
            .position(|level| magnitude < (level * self.step) >> 12)
            .map_or(30, |index| index + 1);
        if difference < 0 {
            ILN[interval]
        } else {
            ILP[interval]
        }
    }

    /// SUBTRA, QUANTH.
    fn quantize_high(&self, sample: i32) -> u8 {
        let difference = saturate(sample - self.estimate);
        let magnitude = if difference < 0 {
            !difference
        } else {
            difference
        };
        match (difference < 0, magnitude >= (564 * self.step) >> 12) {
            (true, false) => 1,
            (true, true) => 0,
            (false, false) => 3,
            (false, true) => 2,
        }
    }
}

/// The 24 newest samples of a mirror filter, oldest first, written twice so that they are always in a row.
#[derive(Debug, Clone)]
struct Delay {
    line: [i32; 48],
    at: usize,
}

impl Delay {
    fn new() -> Self {
        Self {
            line: [0; 48],
            at: 0,
        }
    }

    /// Pushes two samples and returns the sums over the even and the odd taps.
    fn push(&mut self, first: i32, second: i32) -> (i32, i32) {
        for (offset, value) in [(0, first), (1, second)] {
            self.line[self.at + offset] = value;
            self.line[self.at + offset + 24] = value;
        }
        self.at = (self.at + 2) % 24;
        let window = &self.line[self.at..self.at + 24];
        let mut even = 0;
        let mut odd = 0;
        for (index, pair) in window.chunks_exact(2).enumerate() {
            even += pair[0] * QMF[index];
            odd += pair[1] * QMF[11 - index];
        }
        (even, odd)
    }
}

#[derive(Debug)]
pub(super) struct Encoder {
    split: Delay,
    low: Band,
    high: Band,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            split: Delay::new(),
            low: Band::new(Side::Low),
            high: Band::new(Side::High),
        }
    }
}

impl Encoder {
    pub(super) fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) {
        payload.extend(
            samples
                .chunks_exact(2)
                .map(|pair| self.encode_pair(i32::from(pair[0]), i32::from(pair[1]))),
        );
    }

    fn encode_pair(&mut self, first: i32, second: i32) -> u8 {
        let (even, odd) = self.split.push(first, second);
        let low = self.low.quantize_low((odd + even) >> 14);
        let high = self.high.quantize_high((odd - even) >> 14);
        self.low.adapt_low(low);
        self.high.adapt_high(high);
        (high << 6) | low
    }
}

#[derive(Debug, Clone)]
pub(super) struct Decoder {
    join: Delay,
    low: Band,
    high: Band,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            join: Delay::new(),
            low: Band::new(Side::Low),
            high: Band::new(Side::High),
        }
    }
}

impl Decoder {
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) {
        for (pair, byte) in out.chunks_exact_mut(2).zip(payload) {
            pair.copy_from_slice(&self.decode_byte(*byte));
        }
    }

    /// Goes on as if `invented` had been sent: two samples of before the gap, it, and `LAG` samples of what is behind it.
    fn follow(&mut self, invented: &[i16]) {
        let mut split = Delay::new();
        let (played, sent) = invented.split_at((2 + LAG).min(invented.len()));
        for pair in played.chunks_exact(2) {
            split.push(i32::from(pair[0]), i32::from(pair[1]));
        }
        for pair in sent.chunks_exact(2) {
            let (even, odd) = split.push(i32::from(pair[0]), i32::from(pair[1]));
            let low = self.low.quantize_low((odd + even) >> 14);
            let high = self.high.quantize_high((odd - even) >> 14);
            self.decode_byte((high << 6) | low);
        }
    }

    fn decode_byte(&mut self, byte: u8) -> [i16; 2] {
        let (code_low, code_high) = (byte & 0x3f, byte >> 6);
        let fine = (self.low.step * QM6[usize::from(code_low)]) >> 15;
        let low = (self.low.estimate + fine).clamp(-16_384, 16_383);
        self.low.adapt_low(code_low);
        let estimate = self.high.estimate;
        let high = (self.high.adapt_high(code_high) + estimate).clamp(-16_384, 16_383);

        let (even, odd) = self.join.push(low + high, low - high);
        [saturate(odd >> 11) as i16, saturate(even >> 11) as i16]
    }
}

/// How many samples come out of both mirror filters later than they go in: 24 taps, of which the newest two are new.
const LAG: usize = 22;

/// The decoder of a stream with gaps.
#[derive(Debug)]
pub(super) struct StreamDecoder {
    decoder: Decoder,
    concealer: Concealer,
    /// The packet behind a gap.
    behind: Vec<i16>,
    /// Two samples of before a gap, and what was invented in it.
    invented: Vec<i16>,
}

impl Default for StreamDecoder {
    fn default() -> Self {
        let longest = 12 * Rate::Hz16000.samples_per_tick();
        Self {
            decoder: Decoder::default(),
            concealer: Concealer::new(Rate::Hz16000),
            behind: Vec::with_capacity(longest),
            invented: Vec::with_capacity(2 + longest + LAG),
        }
    }
}

impl StreamDecoder {
    pub(super) fn decode(&mut self, payload: &[u8], out: &mut [i16]) {
        self.decoder.decode(payload, out);
        self.concealer.heard(out);
    }

    /// Fills `out`, what was lost right before `next`.
    pub(super) fn bridge(&mut self, next: &[u8], out: &mut [i16]) {
        self.look_ahead(out.len());
        let mut guess = self.decoder.clone();
        guess.follow(&self.invented);
        self.behind.clear();
        self.behind.resize(next.len() * 2, 0);
        guess.decode(next, &mut self.behind);
        self.concealer.bridge(out, &self.behind);
        // What leads over into the packet is nearer to what was sent than the guess.
        self.invented.truncate(2);
        self.invented.extend_from_slice(out);
        self.invented.extend(self.behind.iter().take(LAG));
        self.decoder.follow(&self.invented);
    }

    pub(super) fn conceal(&mut self, out: &mut [i16]) {
        self.look_ahead(out.len());
        self.decoder.follow(&self.invented);
        self.concealer.conceal(out);
    }

    fn look_ahead(&mut self, samples: usize) {
        self.invented.clear();
        self.concealer.look_ahead(samples + LAG, &mut self.invented);
    }

    pub(super) fn set_searches(&mut self, searches: bool) {
        self.concealer.set_searches(searches);
    }

    pub(super) fn reset(&mut self) {
        self.decoder = Decoder::default();
        self.concealer.reset();
    }
}
