//! G.711: one byte a sample, by either law.

use audio::{Rate, companding};

use super::conceal::Concealer;

/// Which of G.711's two tables.
#[derive(Debug, Clone, Copy)]
pub(super) enum Law {
    Mu,
    A,
}

impl Law {
    pub(super) fn encode(self, samples: &[i16], payload: &mut Vec<u8>) {
        match self {
            Self::Mu => payload.extend(samples.iter().map(|s| companding::to_mu_law(*s))),
            Self::A => payload.extend(samples.iter().map(|s| companding::to_a_law(*s))),
        }
    }

    fn table(self) -> &'static [i16; 256] {
        match self {
            Self::Mu => &MU_LAW,
            Self::A => &A_LAW,
        }
    }
}

static MU_LAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = companding::from_mu_law(byte as u8);
        byte += 1;
    }
    table
};

static A_LAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = companding::from_a_law(byte as u8);
        byte += 1;
    }
    table
};

#[derive(Debug)]
pub(super) struct StreamDecoder {
    law: Law,
    concealer: Concealer,
    /// The packet behind a gap.
    behind: Vec<i16>,
}

impl StreamDecoder {
    pub(super) fn new(law: Law) -> Self {
        Self {
            law,
            concealer: Concealer::new(Rate::Hz8000),
            behind: Vec::with_capacity(12 * Rate::Hz8000.samples_per_tick()),
        }
    }

    pub(super) fn decode(&mut self, payload: &[u8], out: &mut [i16]) {
        let table = self.law.table();
        for (sample, byte) in out.iter_mut().zip(payload) {
            *sample = table[usize::from(*byte)];
        }
        self.concealer.heard(out);
    }

    /// Fills `out`, what was lost right before `next`.
    pub(super) fn bridge(&mut self, next: &[u8], out: &mut [i16]) {
        let table = self.law.table();
        self.behind.clear();
        let samples = next.iter().map(|byte| table[usize::from(*byte)]);
        self.behind.extend(samples);
        self.concealer.bridge(out, &self.behind);
    }

    pub(super) fn conceal(&mut self, out: &mut [i16]) {
        self.concealer.conceal(out);
    }

    pub(super) fn set_searches(&mut self, searches: bool) {
        self.concealer.set_searches(searches);
    }

    pub(super) fn reset(&mut self) {
        self.concealer.reset();
    }
}
