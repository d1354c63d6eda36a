use std::fmt;

use sonora_aec3::block::Block;
use sonora_aec3::block_processor::BlockProcessor;
use sonora_aec3::common::BLOCK_SIZE;
use sonora_aec3::config::EchoCanceller3Config;

use crate::TICK;
use crate::bands::{self, Analysis, BAND_TICK, BANDS, Split, Synthesis};
use crate::high_pass::HighPass;
use crate::near_talk::NearTalk;

/// The canceller takes samples as large as 16 bits have them.
const SCALE: f32 = 32_768.0;
/// A microphone that hears this hears no more than this.
const SATURATED: f32 = 32_700.0;

/// Takes out what the loudspeakers play: WebRTC's AEC3, behind a high-pass filter.
///
/// Upstream's own way there costs half as much again: it filters and merges also what is only played, and its filter
/// bank calls a function for each multiplication.
pub(crate) struct Echo {
    high_pass: HighPass,
    played: Analysis,
    heard: Analysis,
    merged: Synthesis,
    canceller: BlockProcessor,
    render: Blocks,
    capture: Blocks,
    near_talk: NearTalk,
}

impl Echo {
    pub(crate) fn new() -> Self {
        let hz = (TICK * 100) as _;
        Self {
            high_pass: HighPass::new(),
            played: Analysis::new(),
            heard: Analysis::new(),
            merged: Synthesis::new(),
            canceller: BlockProcessor::new(&EchoCanceller3Config::default(), hz, 1, 1),
            render: Blocks::new(),
            capture: Blocks::new(),
            near_talk: NearTalk::new(),
        }
    }

    pub(crate) fn render(&mut self, played: &[f32; TICK]) {
        self.near_talk.render(played);
        let split = self.played.split(&played.map(|sample| sample * SCALE));
        let canceller = &mut self.canceller;
        let unused = self
            .render
            .each(&split, |block| canceller.buffer_render(block));
        let _: Split = unused;
    }

    pub(crate) fn capture(&mut self, samples: &mut [f32; TICK]) {
        self.high_pass.process(samples);
        let raw = *samples;
        let scaled = raw.map(|sample| sample * SCALE);
        let saturated = scaled.iter().any(|sample| sample.abs() >= SATURATED);
        let split = self.heard.split(&scaled);
        let canceller = &mut self.canceller;
        let left = self.capture.each(&split, |block| {
            canceller.process_capture(false, saturated, None, block);
        });
        *samples = self.merged.merge(&left).map(|sample| sample / SCALE);
        let loss = self.canceller.get_metrics().echo_return_loss;
        self.near_talk.restore(&raw, samples, loss);
    }
}

impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Echo")
    }
}

/// Samples of each band that wait until a block is complete, and what came of the blocks before.
struct Blocks {
    waiting: [Vec<f32>; BANDS],
    done: [Vec<f32>; BANDS],
    block: Block,
}

/// Samples by which what comes out is late: of the bands, of the blocks, and one block of the canceller itself.
pub(crate) const LATE: usize = bands::LATE + (AHEAD + BLOCK_SIZE) * BANDS;
/// What has to be there at first, so that a tick is never short of samples: it has two blocks and a half.
const AHEAD: usize = BLOCK_SIZE / 2;

impl Blocks {
    fn new() -> Self {
        Self {
            waiting: std::array::from_fn(|_| Vec::with_capacity(BAND_TICK + BLOCK_SIZE)),
            done: std::array::from_fn(|_| {
                let mut done = Vec::with_capacity(BAND_TICK + 2 * BLOCK_SIZE);
                done.resize(AHEAD, 0.0);
                done
            }),
            block: Block::new(BANDS, 1),
        }
    }

    /// Does something to each block of a tick, and gives a tick of what came of it.
    fn each(&mut self, split: &Split, mut work: impl FnMut(&mut Block)) -> Split {
        for (waiting, new) in self.waiting.iter_mut().zip(split) {
            waiting.extend_from_slice(new);
        }
        while self.waiting[0].len() >= BLOCK_SIZE {
            for (band, waiting) in self.waiting.iter_mut().enumerate() {
                let samples = self.block.view_mut(band, 0);
                samples.copy_from_slice(&waiting[..BLOCK_SIZE]);
                waiting.drain(..BLOCK_SIZE);
            }
            work(&mut self.block);
            for (band, done) in self.done.iter_mut().enumerate() {
                done.extend_from_slice(self.block.view(band, 0));
            }
        }
        let mut out = [[0.0; BAND_TICK]; BANDS];
        for (out, done) in out.iter_mut().zip(&mut self.done) {
            out.copy_from_slice(&done[..BAND_TICK]);
            done.drain(..BAND_TICK);
        }
        out
    }
}
