//! G.711's two laws, sample by sample: RTP payloads and telephony WAV files use the same bytes.

const MU_BIAS: i32 = 0x84;
const MU_CLIP: i32 = 32_635;

/// Encodes one sample by the µ-law (G.711 table 2a, inverted bits as sent).
pub fn to_mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(MU_CLIP) + MU_BIAS;
    let exponent = (24 - magnitude.leading_zeros() as i32).clamp(0, 7);
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | (exponent << 4) as u8 | mantissa as u8)
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
    let (sign, magnitude) = if sample < 0 {
        (0, i32::from(!sample) >> 4)
    } else {
        (0x80, i32::from(sample) >> 4)
    };
    let exponent = (28 - magnitude.leading_zeros() as i32).max(0);
    let code = if exponent == 0 {
        magnitude
    } else {
        (exponent << 4) | ((magnitude >> (exponent - 1)) & 0x0f)
    };
    (sign | code as u8) ^ 0x55
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
