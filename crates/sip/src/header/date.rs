use std::fmt;

use super::grammar::{decimal, trim};
use super::{HeaderFault, TypedHeader, Values};
use crate::message::HeaderName;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A time in GMT, the only zone that RFC 3261 §20.17 admits; its comma separates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Year, four digits.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    weekday: u8,
}

impl<'a> TypedHeader<'a> for Date {
    const NAME: HeaderName = HeaderName::Date;
    const VALUES: Values = Values::Line;

    fn parse(value: &'a str) -> Result<Self, HeaderFault> {
        read(trim(value)).ok_or(HeaderFault::Syntax)
    }
}

/// `Sat, 13 Nov 2010 23:29:00 GMT`.
fn read(text: &str) -> Option<Date> {
    let mut words = text.split_ascii_whitespace();
    let weekday = index(&DAYS, words.next()?.strip_suffix(',')?)?;
    let day = decimal(words.next()?).filter(|day| (1..=31).contains(day))?;
    let month = index(&MONTHS, words.next()?)? + 1;
    let year = words
        .next()
        .filter(|year| year.len() == 4)
        .and_then(decimal)?;
    let mut clock = words.next()?.split(':');
    let mut part = |limit: u8| {
        let digits = clock.next().filter(|part| part.len() == 2)?;
        decimal::<u8>(digits).filter(|number| *number <= limit)
    };
    let (hour, minute, second) = (part(23)?, part(59)?, part(60)?);
    let ends = clock.next().is_none();
    let zone = words.next()?.eq_ignore_ascii_case("GMT");
    (ends && zone && words.next().is_none()).then_some(Date {
        year,
        month,
        day,
        hour,
        minute,
        second,
        weekday,
    })
}

fn index(names: &[&str], name: &str) -> Option<u8> {
    let at = names.iter().position(|n| n.eq_ignore_ascii_case(name))?;
    u8::try_from(at).ok()
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weekday = DAYS[usize::from(self.weekday) % 7];
        let month = MONTHS[usize::from(self.month.saturating_sub(1)) % 12];
        write!(f, "{weekday}, {:02} {month} {:04} ", self.day, self.year)?;
        write!(
            f,
            "{:02}:{:02}:{:02} GMT",
            self.hour, self.minute, self.second
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_in_gmt() {
        let text = "Sat, 13 Nov 2010 23:29:00 GMT";
        assert_eq!(Date::parse(text).unwrap().to_string(), text);
        for bad in [
            "Fri, 01 Jan 2010 16:00:00 EST",
            "Fri, 32 Jan 2010 16:00:00 GMT",
            "Fri 01 Jan 2010 16:00:00 GMT",
            "Fri, 01 Jan 2010 24:00:00 GMT",
            "Fri, 01 Jan 2010 16:00 GMT",
            "",
        ] {
            assert!(Date::parse(bad).is_err(), "{bad}");
        }
    }
}
