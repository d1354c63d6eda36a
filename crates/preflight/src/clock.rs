use sip::header::{Date, TypedHeader};

/// Below this nobody notices: servers round to seconds, and an answer is on its way for some time.
const RIGHT: i64 = 30;
/// From here on certificates and tokens are taken for what they are not.
const WRONG: i64 = 3600;

/// How far this machine's clock is from a server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSkew {
    /// Seconds that it is ahead; negative if it is behind.
    pub seconds: i64,
}

/// How a clock goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Going {
    Right,
    Off,
    Wrong,
}

impl ClockSkew {
    /// Compares a server's `Date` (RFC 9110 §6.6.1, RFC 3261 §20.17) with our own time since 1970; nothing if it is no date.
    pub fn read(date: &str, unix_seconds: u64) -> Option<ClockSkew> {
        let theirs = seconds_of(&Date::parse(date).ok()?);
        let ours = i64::try_from(unix_seconds).ok()?;
        Some(ClockSkew {
            seconds: ours - theirs,
        })
    }

    fn going(self) -> Going {
        match self.seconds.abs() {
            0..RIGHT => Going::Right,
            RIGHT..WRONG => Going::Off,
            _ => Going::Wrong,
        }
    }

    /// What that means.
    pub fn code(self) -> crate::CheckCode {
        match self.going() {
            Going::Right => crate::CheckCode::ClockOk,
            Going::Off => crate::CheckCode::ClockOff,
            Going::Wrong => crate::CheckCode::ClockWrong,
        }
    }
}

impl std::fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (apart, way) = match self.seconds {
            seconds if seconds < 0 => (seconds.unsigned_abs(), "behind"),
            seconds => (seconds.unsigned_abs(), "ahead of"),
        };
        match apart {
            0..120 => write!(f, "{apart} s {way}"),
            120..7200 => write!(f, "{} min {way}", apart / 60),
            7200..172_800 => write!(f, "{} h {way}", apart / 3600),
            _ => write!(f, "{} days {way}", apart / 86_400),
        }
    }
}

/// Seconds since 1970 of a date in GMT.
pub fn seconds_of(date: &Date) -> i64 {
    let days = days_since_1970(date.year.into(), date.month.into(), date.day.into());
    let clock = i64::from(date.hour) * 3600 + i64::from(date.minute) * 60;
    days * 86_400 + clock + i64::from(date.second)
}

// The days of the Gregorian calendar, in years that begin in March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leaps = year / 4 - year / 100 + year / 400;
    365 * year + leaps + day_of_year - 719_468
}

/// `2026-11-30` of seconds since 1970.
pub(crate) fn day(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckCode;

    const DATE: &str = "Mon, 30 Nov 2026 01:40:00 GMT";
    const SECONDS: u64 = 1_796_002_800;

    #[test]
    fn a_date_is_so_many_seconds_after_1970() {
        assert_eq!(ClockSkew::read(DATE, SECONDS).unwrap().seconds, 0);
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Fri, 31 Dec 2100 00:00:00 GMT", 4_133_894_400),
        ] {
            let read = seconds_of(&Date::parse(date).unwrap());
            assert_eq!(read, seconds, "{date}");
        }
        assert_eq!(ClockSkew::read("yesterday", SECONDS), None);
    }

    #[test]
    fn days_are_written_as_they_are_read() {
        for seconds in [0, 951_868_799, 951_868_800, 4_133_894_400, 1_796_002_800] {
            let text = day(seconds);
            let part = |at: std::ops::Range<usize>| text[at].parse().unwrap();
            let days = days_since_1970(part(0..4), part(5..7), part(8..10));
            assert_eq!(days, seconds.div_euclid(86_400), "{text}");
        }
        assert_eq!(day(951_868_799), "2000-02-29");
    }

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        for (seconds, code, text) in [
            (-29, CheckCode::ClockOk, "29 s behind"),
            (30, CheckCode::ClockOff, "30 s ahead of"),
            (-600, CheckCode::ClockOff, "10 min behind"),
            (3600, CheckCode::ClockWrong, "60 min ahead of"),
            (-5 * 3600, CheckCode::ClockWrong, "5 h behind"),
            (400 * 86_400, CheckCode::ClockWrong, "400 days ahead of"),
        ] {
            let skew = ClockSkew { seconds };
            assert_eq!((skew.code(), skew.to_string().as_str()), (code, text));
        }
    }
}
