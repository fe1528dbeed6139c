//! The time that chat templates may print, from this machine's clock, a page's, or from the caller.

use crate::error::TextError;

/// A wall-clock time without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The year, such as 2026.
    pub year: i16,
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
    /// 0 to 59.
    pub second: i8,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const SECONDS_A_DAY: i64 = 86_400;

impl LocalTime {
    /// The time of a number of seconds since the epoch, as a clock shows it that goes `offset_seconds` before UTC.
    ///
    /// # Errors
    /// [`TextError::InvalidTime`] for a year that is not from 1 to 9999.
    pub fn from_unix(seconds: i64, offset_seconds: i64) -> Result<Self, TextError> {
        let wrong = || TextError::InvalidTime { found: format!("{seconds} seconds since the epoch") };
        let local = seconds.checked_add(offset_seconds).ok_or_else(wrong)?;
        let (days, second) = (local.div_euclid(SECONDS_A_DAY), local.rem_euclid(SECONDS_A_DAY));
        if !(-719_162..=2_932_896).contains(&days) {
            return Err(wrong());
        }
        let (year, month, day) = civil(days);
        let small = |n: i64| i8::try_from(n).unwrap_or_default();
        Ok(Self {
            year: i16::try_from(year).map_err(|_| wrong())?,
            month: small(month),
            day: small(day),
            hour: small(second / 3600),
            minute: small(second / 60 % 60),
            second: small(second % 60),
        })
    }

    /// Reads `2026-03-07`, `2026-03-07T09:05` or `2026-03-07T09:05:04`, with a space in place of the T if need be. A
    /// zone is refused: the time is what a template prints.
    ///
    /// # Errors
    /// [`TextError::InvalidTime`] for anything else, and for times that do not exist.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let wrong = || TextError::InvalidTime { found: format!("{text:?}") };
        let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
        let numbers = |text: &str, mark: char| {
            let sound = |part: &str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_digit());
            text.split(mark)
                .map(|part| part.parse::<i16>().ok().filter(|_| sound(part)))
                .collect::<Option<Vec<_>>>()
        };
        let (date, time) = (numbers(date, '-').ok_or_else(wrong)?, numbers(time, ':').ok_or_else(wrong)?);
        let ([year, month, day], [hour, minute, seconds @ ..]) = (date.as_slice(), time.as_slice()) else {
            return Err(wrong());
        };
        let second = match seconds {
            [] => 0,
            [second] => *second,
            _ => return Err(wrong()),
        };
        let small = |n: i16| i8::try_from(n).map_err(|_| wrong());
        let found = Self {
            year: *year,
            month: small(*month)?,
            day: small(*day)?,
            hour: small(*hour)?,
            minute: small(*minute)?,
            second: small(second)?,
        };
        if found.exists() { Ok(found) } else { Err(wrong()) }
    }

    fn exists(self) -> bool {
        (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_in_month(i64::from(self.year), i64::from(self.month))).contains(&i64::from(self.day))
            && (0..24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..60).contains(&self.second)
    }

    /// Days since the epoch.
    fn days(self) -> i64 {
        days(i64::from(self.year), i64::from(self.month), i64::from(self.day))
    }

    /// 0 is Sunday.
    fn weekday(self) -> i64 {
        (self.days() + 4).rem_euclid(7)
    }

    /// 0 is the first of January.
    fn day_of_year(self) -> i64 {
        self.days() - days(i64::from(self.year), 1, 1)
    }

    /// The year and week of ISO 8601.
    fn iso_week(self) -> (i64, i64) {
        let from_monday = (self.weekday() + 6) % 7;
        let (year, _, _) = civil(self.days() - from_monday + 3);
        (year, (self.days() - from_monday + 3 - days(year, 1, 1)) / 7 + 1)
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next, 1) - days(year, month, 1)
}

/// Days since the epoch of a date, by Howard Hinnant's `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since the epoch, by Howard Hinnant's `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// The time to print: the caller's, else this machine's or the page's. `None` where a clock shows no year that can be
/// written.
pub(crate) fn resolve(now: Option<LocalTime>) -> Result<Option<LocalTime>, TextError> {
    let Some(time) = now else { return Ok(machine_time()) };
    if time.exists() { Ok(Some(time)) } else { Err(TextError::InvalidTime { found: format!("{time:?}") }) }
}

/// Writes a time by the directives of Python's `strftime`, in English. The error names a directive that is not known.
pub(crate) fn strftime(format: &str, time: LocalTime) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = String::from("%");
        let mut flag = None;
        let mut letter = chars.next();
        if let Some(c @ ('-' | '_' | '0' | '^' | '#')) = letter {
            directive.push(c);
            flag = Some(c);
            letter = chars.next();
        }
        directive.extend(letter);
        match letter.and_then(|letter| written(letter, flag, time)) {
            Some(text) => out.push_str(&text),
            None => return Err(format!("the directive {directive}")),
        }
    }
    Ok(out)
}

/// One directive, or `None` where it is not known.
fn written(letter: char, flag: Option<char>, time: LocalTime) -> Option<String> {
    let hour12 = match time.hour % 12 {
        0 => 12,
        hour => i64::from(hour),
    };
    let number = |value: i64, width: usize, fill: char| Some(padded(value, width, flag, fill));
    let again = |format: &str| strftime(format, time).ok().filter(|_| flag.is_none());
    let name = |full: &'static str, len: usize| named(&full[..len.min(full.len())], flag);
    let (year, weekday) = (i64::from(time.year), time.weekday());
    let month = MONTHS.get(usize::try_from(time.month - 1).ok()?)?;
    let day = DAYS.get(usize::try_from(weekday).ok()?)?;
    match letter {
        'Y' => number(year, 0, '0'),
        'C' => number(year / 100, 2, '0'),
        'y' => number(year % 100, 2, '0'),
        'G' => number(time.iso_week().0, 0, '0'),
        'g' => number(time.iso_week().0 % 100, 2, '0'),
        'm' => number(i64::from(time.month), 2, '0'),
        'd' => number(i64::from(time.day), 2, '0'),
        'e' => number(i64::from(time.day), 2, ' '),
        'H' => number(i64::from(time.hour), 2, '0'),
        'k' => number(i64::from(time.hour), 2, ' '),
        'I' => number(hour12, 2, '0'),
        'l' => number(hour12, 2, ' '),
        'M' => number(i64::from(time.minute), 2, '0'),
        'S' => number(i64::from(time.second), 2, '0'),
        'j' => number(time.day_of_year() + 1, 3, '0'),
        'U' => number((time.day_of_year() + 7 - weekday) / 7, 2, '0'),
        'W' => number((time.day_of_year() + 7 - (weekday + 6) % 7) / 7, 2, '0'),
        'V' => number(time.iso_week().1, 2, '0'),
        'u' => number(if weekday == 0 { 7 } else { weekday }, 1, '0'),
        'w' => number(weekday, 1, '0'),
        'B' => name(month, 99),
        'b' | 'h' => name(month, 3),
        'A' => name(day, 99),
        'a' => name(day, 3),
        'p' => Some(if flag == Some('#') { half(time).to_lowercase() } else { half(time).to_owned() }),
        'P' => Some(if flag == Some('^') { half(time).to_owned() } else { half(time).to_lowercase() }),
        'D' | 'x' => again("%m/%d/%y"),
        'F' => again("%Y-%m-%d"),
        'T' | 'X' => again("%H:%M:%S"),
        'R' => again("%H:%M"),
        'r' => again("%I:%M:%S %p"),
        'c' => again("%a %b %e %H:%M:%S %Y"),
        // A time without a zone has neither a name nor an offset of one.
        'z' | 'Z' if flag.is_none() => Some(String::new()),
        'n' if flag.is_none() => Some("\n".to_owned()),
        't' if flag.is_none() => Some("\t".to_owned()),
        '%' if flag.is_none() => Some("%".to_owned()),
        _ => None,
    }
}

fn half(time: LocalTime) -> &'static str {
    if time.hour < 12 { "AM" } else { "PM" }
}

fn padded(value: i64, width: usize, flag: Option<char>, fill: char) -> String {
    match (flag, fill) {
        (Some('-'), _) => value.to_string(),
        (Some('_'), _) | (None | Some('^' | '#'), ' ') => format!("{value:>width$}"),
        _ => format!("{value:0>width$}"),
    }
}

fn named(name: &str, flag: Option<char>) -> Option<String> {
    Some(if matches!(flag, Some('^' | '#')) { name.to_uppercase() } else { name.to_owned() })
}

#[cfg(not(target_arch = "wasm32"))]
fn machine_time() -> Option<LocalTime> {
    let now = jiff::Zoned::now();
    LocalTime::from_unix(now.timestamp().as_second(), i64::from(now.offset().seconds())).ok()
}

/// The page's clock and its offset, which JavaScript counts in minutes towards UTC.
#[cfg(target_arch = "wasm32")]
fn machine_time() -> Option<LocalTime> {
    let now = js_sys::Date::new_0();
    let seconds = (now.get_time() / 1000.0).floor();
    LocalTime::from_unix(seconds as i64, -60 * now.get_timezone_offset() as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MORNING: LocalTime = LocalTime { year: 2026, month: 3, day: 7, hour: 9, minute: 5, second: 0 };

    #[test]
    fn the_callers_time_goes_before_the_clock() {
        let time = resolve(Some(MORNING)).unwrap().unwrap();
        assert_eq!(strftime("%d %B %Y, %H:%M (%a)", time).unwrap(), "07 March 2026, 09:05 (Sat)");
    }

    #[test]
    fn a_time_that_does_not_exist_is_an_error() {
        let message = resolve(Some(LocalTime { month: 13, ..MORNING })).unwrap_err().to_string();
        assert!(message.contains("month: 13"), "{message}");
        for text in ["2026-02-29", "2026-3-7", "2026-03-07T24:00", "2026-03-07T09:05:04Z", "yesterday", ""] {
            assert!(LocalTime::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_as_iso_8601_writes_them() {
        assert_eq!(LocalTime::parse("2026-03-07T09:05").unwrap(), MORNING);
        assert_eq!(LocalTime::parse("2026-03-07 09:05:00").unwrap(), MORNING);
        assert_eq!(LocalTime::parse("2024-02-29").unwrap().day_of_year(), 59);
    }

    #[test]
    fn seconds_since_the_epoch_become_a_local_time() {
        assert_eq!(LocalTime::from_unix(1_772_867_100, 7200).unwrap(), LocalTime { hour: 9, ..MORNING });
        let before = LocalTime::from_unix(-1, 0).unwrap();
        assert_eq!((before.year, before.month, before.day, before.second), (1969, 12, 31, 59));
        assert!(LocalTime::from_unix(i64::MAX, 1).is_err());
    }

    #[test]
    fn an_unknown_directive_is_an_error_and_no_panic() {
        let time = resolve(Some(MORNING)).unwrap().unwrap();
        for format in ["%!", "%", "%-", "%f", "%É", "%^c"] {
            assert!(strftime(format, time).is_err(), "{format}");
        }
    }
}
