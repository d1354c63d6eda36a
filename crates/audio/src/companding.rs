//! G.711's two laws, sample by sample: RTP payloads and telephony WAV files use the same bytes.

const MU_BIAS: i32 = 0x84;
const MU_CLIP: i32 = 32_635;

/// The codes of positive samples, by all of them but the bits that no code knows: two by the µ-law, four by the A-law.
static TO_MU_LAW: [u8; 8_192] = {
    let mut table = [0; 8_192];
    let mut at = 0;
    while at < table.len() {
        table[at] = positive_mu_law((at as i32) << 2);
        at += 1;
    }
    table
};

static TO_A_LAW: [u8; 2_048] = {
    let mut table = [0; 2_048];
    let mut at = 0;
    while at < table.len() {
        table[at] = positive_a_law(at as i32);
        at += 1;
    }
    table
};

/// Encodes one sample by the µ-law (G.711 table 2a, inverted bits as sent).
pub fn to_mu_law(sample: i16) -> u8 {
    let magnitude = sample.unsigned_abs().min(MU_CLIP as u16);
    let sign = if sample < 0 { 0x80 } else { 0 };
    TO_MU_LAW[usize::from(magnitude >> 2)] ^ sign
}

const fn positive_mu_law(sample: i32) -> u8 {
    let clipped = if sample > MU_CLIP { MU_CLIP } else { sample };
    let magnitude = clipped + MU_BIAS;
    let exponent = 24 - magnitude.leading_zeros() as i32;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !((exponent << 4) as u8 | mantissa as u8)
}

/// Decodes one µ-law byte.
pub const fn from_mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let exponent = (byte >> 4) & 7;
    let magnitude = (((((byte & 0x0f) as i32) << 3) + MU_BIAS) << exponent) - MU_BIAS;
    (if byte & 0x80 != 0 {
        -magnitude
    } else {
        magnitude
    }) as i16
}

/// Encodes one sample by the A-law (G.711 table 1a, even bits inverted as sent).
pub fn to_a_law(sample: i16) -> u8 {
    // The A-law is a sign and twelve bits; a negative number is taken in ones' complement.
    let (magnitude, sign) = if sample < 0 {
        (!sample, 0x80)
    } else {
        (sample, 0)
    };
    TO_A_LAW[usize::from(magnitude.unsigned_abs() >> 4)] ^ sign
}

const fn positive_a_law(magnitude: i32) -> u8 {
    let code = match 28 - magnitude.leading_zeros() as i32 {
        ..=0 => magnitude,
        exponent => (exponent << 4) | ((magnitude >> (exponent - 1)) & 0x0f),
    };
    (0x80 | code as u8) ^ 0x55
}

/// Decodes one A-law byte.
pub const fn from_a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let exponent = (byte >> 4) & 7;
    let mantissa = (byte & 0x0f) as i32;
    let magnitude = match exponent {
        0 => (mantissa << 4) + 8,
        _ => ((mantissa << 4) + 0x108) << (exponent - 1),
    };
    (if byte & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The segment by counting and the step in it, sample by sample, with no table.
    fn segment_and_step(sample: i16, is_mu_law: bool) -> u8 {
        let (bias, clip, first) = if is_mu_law {
            (33, 8_158, 5)
        } else {
            (0, 2_047, 4)
        };
        let mut magnitude = match (sample < 0, is_mu_law) {
            (true, false) => i32::from(!sample) >> 4,
            (_, true) => (i32::from(sample).abs() >> 2).min(clip) + bias,
            (false, false) => i32::from(sample) >> 4,
        };
        let mut segment = 0;
        // 2a has steps that double from the first segment on, 1a from the second.
        while magnitude >> first > 1 || (!is_mu_law && segment == 0 && magnitude >> first > 0) {
            if is_mu_law || segment > 0 {
                magnitude >>= 1;
            }
            segment += 1;
        }
        let step = if is_mu_law { magnitude >> 1 } else { magnitude } & 0x0f;
        let code = (segment << 4) | step as u8;
        match is_mu_law {
            true => !(code | if sample < 0 { 0x80 } else { 0 }),
            false => (code | if sample < 0 { 0 } else { 0x80 }) ^ 0x55,
        }
    }

    #[test]
    fn every_sample_has_the_code_that_counting_its_segment_gives() {
        for sample in i16::MIN..=i16::MAX {
            assert_eq!(
                to_mu_law(sample),
                segment_and_step(sample, true),
                "{sample}"
            );
            assert_eq!(
                to_a_law(sample),
                segment_and_step(sample, false),
                "{sample}"
            );
        }
    }

    #[test]
    fn each_byte_decodes_and_encodes_back_to_itself() {
        for byte in 0..=255 {
            assert_eq!(to_a_law(from_a_law(byte)), byte, "A-law {byte:#04x}");
            // µ-law has two zeros, and the negative one is not sent for 0.
            if byte != 0x7f {
                assert_eq!(to_mu_law(from_mu_law(byte)), byte, "µ-law {byte:#04x}");
            }
        }
    }

    #[test]
    fn known_points_of_the_tables_hold() {
        // G.711 tables 1 and 2, scaled to 16 bits: the ends, the middle and the first steps.
        for (byte, sample) in [
            (0x00, -32_124),
            (0x80, 32_124),
            (0xff, 0),
            (0x7f, 0),
            (0xfe, 8),
            (0xef, 132),
            (0x8f, 16_764),
        ] {
            assert_eq!(from_mu_law(byte), sample, "µ-law {byte:#04x}");
        }
        for (byte, sample) in [
            (0x2a, -32_256),
            (0xaa, 32_256),
            (0xd5, 8),
            (0x55, -8),
            (0xd4, 24),
            (0xc5, 264),
        ] {
            assert_eq!(from_a_law(byte), sample, "A-law {byte:#04x}");
        }
        assert_eq!(to_mu_law(0), 0xff);
        assert_eq!(to_mu_law(i16::MIN), 0x00);
        assert_eq!(to_mu_law(i16::MAX), 0x80);
        assert_eq!(to_a_law(0), 0xd5);
        assert_eq!(to_a_law(-1), 0x55);
        assert_eq!(to_a_law(i16::MIN), 0x2a);
        assert_eq!(to_a_law(i16::MAX), 0xaa);
    }

    #[test]
    fn every_sample_meets_the_nearest_step_but_for_the_edges() {
        for sample in i16::MIN..=i16::MAX {
            let wide = i32::from(sample);
            let mu = (i32::from(from_mu_law(to_mu_law(sample))) - wide).abs();
            let a = (i32::from(from_a_law(to_a_law(sample))) - wide).abs();
            assert!(
                mu <= wide.abs() / 30 + 4 || wide.abs() > MU_CLIP - 512,
                "µ-law {sample}: {mu}"
            );
            assert!(a <= wide.abs() / 32 + 16, "A-law {sample}: {a}");
        }
    }
}
