use std::fmt::Write;
use std::time::Duration;

/// Text as HTML shows it, in an element and in an attribute: nothing of it is markup, and nothing turns the line around.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\r' => {}
            c if c.is_control() || is_direction(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Marks that change the direction of what follows them.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// A moment in UTC.
pub(crate) fn moment(since_1970: Duration) -> String {
    let seconds = since_1970.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let of_day = seconds % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:03} UTC",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60,
        since_1970.subsec_millis()
    )
}

/// The Gregorian date of a day since 1970: from March on, months have lengths that a line draws.
fn date(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, of_month)
}

/// How long after the begin: `+0.123`, `+1:02:03.456`.
pub(crate) fn offset(since: Duration) -> String {
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let mut out = String::from("+");
    if seconds >= 3_600 {
        let _ = write!(
            out,
            "{}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        );
    } else if seconds >= 60 {
        let _ = write!(out, "{}:{:02}", seconds / 60, seconds % 60);
    } else {
        let _ = write!(out, "{seconds}");
    }
    let _ = write!(out, ".{millis:03}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let hostile = "<script>alert('x')</script>\" onload=\"x&\u{202e}\u{0}\r\n";
        let escaped = escaped(hostile);
        for c in ['<', '>', '"', '\'', '\u{202e}', '\u{0}', '\r'] {
            assert!(!escaped.contains(c), "{c:?} in {escaped}");
        }
        assert!(escaped.starts_with("&lt;script&gt;alert(&#39;x&#39;)"));
    }

    #[test]
    fn moments_are_dates() {
        let told = |seconds: u64| moment(Duration::from_secs(seconds));
        assert_eq!(told(0), "1970-01-01 00:00:00.000 UTC");
        assert_eq!(told(951_782_400), "2000-02-29 00:00:00.000 UTC");
        assert_eq!(told(1_798_761_599), "2026-12-31 23:59:59.000 UTC");
        assert_eq!(told(4_107_542_400), "2100-03-01 00:00:00.000 UTC");
    }

    #[test]
    fn offsets_are_as_long_as_they_must_be() {
        let told = |millis| offset(Duration::from_millis(millis));
        assert_eq!(told(123), "+0.123");
        assert_eq!(told(61_000), "+1:01.000");
        assert_eq!(told(3_723_456), "+1:02:03.456");
    }
}
