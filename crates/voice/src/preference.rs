use crate::Processing;

/// What somebody who listens to a microphone wants done to its sound; what is left open is done as fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preference {
    /// See [`Processing::echo_cancellation`].
    pub echo_cancellation: Option<bool>,
    /// See [`Processing::noise_suppression`].
    pub noise_suppression: Option<bool>,
    /// See [`Processing::auto_gain_control`].
    pub auto_gain_control: Option<bool>,
}

impl Preference {
    /// The sound as it is, whatever fits.
    pub const RAW: Preference = Preference {
        echo_cancellation: Some(false),
        noise_suppression: Some(false),
        auto_gain_control: Some(false),
    };

    /// What is to be done with a microphone that stands open beside a loudspeaker, or does not.
    ///
    /// ```
    /// use voice::{Processing, Preference};
    ///
    /// let quiet = Preference { noise_suppression: Some(false), ..Preference::default() };
    /// assert_eq!(quiet.resolve(false), Processing::NONE);
    /// let done = quiet.resolve(true);
    /// assert!(done.echo_cancellation && !done.noise_suppression && done.auto_gain_control);
    /// ```
    pub fn resolve(self, hands_free: bool) -> Processing {
        Processing {
            echo_cancellation: self.echo_cancellation.unwrap_or(hands_free),
            noise_suppression: self.noise_suppression.unwrap_or(hands_free),
            auto_gain_control: self.auto_gain_control.unwrap_or(hands_free),
        }
    }

    /// Packs it into a byte, which threads can share without a lock.
    ///
    /// ```
    /// use voice::Preference;
    ///
    /// for preference in [Preference::default(), Preference::RAW] {
    ///     assert_eq!(Preference::from_bits(preference.to_bits()), preference);
    /// }
    /// ```
    pub fn to_bits(self) -> u8 {
        let bits = |wanted: Option<bool>| match wanted {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        };
        bits(self.echo_cancellation)
            | bits(self.noise_suppression) << 2
            | bits(self.auto_gain_control) << 4
    }

    /// Takes it out of its byte again.
    pub fn from_bits(byte: u8) -> Self {
        let wanted = |shift: u8| match byte >> shift & 3 {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        };
        Self {
            echo_cancellation: wanted(0),
            noise_suppression: wanted(2),
            auto_gain_control: wanted(4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_has_a_place_of_its_own_in_the_byte() {
        let wishes = [None, Some(false), Some(true)];
        let mut bytes = Vec::new();
        for echo_cancellation in wishes {
            for noise_suppression in wishes {
                for auto_gain_control in wishes {
                    let preference = Preference {
                        echo_cancellation,
                        noise_suppression,
                        auto_gain_control,
                    };
                    assert_eq!(Preference::from_bits(preference.to_bits()), preference);
                    bytes.push(preference.to_bits());
                }
            }
        }
        bytes.sort_unstable();
        bytes.dedup();
        assert_eq!(bytes.len(), 27);
    }
}
