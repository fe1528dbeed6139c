//! The time that chat templates may print, from this machine's clock or from the caller.

use jiff::civil::DateTime;

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

/// The time to print: the caller's, else this machine's. `None` in a browser.
pub(crate) fn resolve(now: Option<LocalTime>) -> Result<Option<DateTime>, TextError> {
    let Some(time) = now else { return Ok(machine_time()) };
    DateTime::new(time.year, time.month, time.day, time.hour, time.minute, time.second, 0)
        .map(Some)
        .map_err(|_| TextError::InvalidTime { found: format!("{time:?}") })
}

/// Writes a time by Python's `strftime` directives.
pub(crate) fn strftime(format: &str, time: DateTime) -> Result<String, String> {
    jiff::fmt::strtime::format(format, time).map_err(|e| e.to_string())
}

#[cfg(not(target_arch = "wasm32"))]
#[expect(clippy::unnecessary_wraps, reason = "the twin for wasm32 has no clock")]
fn machine_time() -> Option<DateTime> {
    Some(jiff::Zoned::now().datetime())
}

#[cfg(target_arch = "wasm32")]
fn machine_time() -> Option<DateTime> {
    None
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
    }

    #[test]
    fn an_unknown_directive_is_an_error_and_no_panic() {
        let time = resolve(Some(MORNING)).unwrap().unwrap();
        assert!(strftime("%!", time).is_err());
        assert!(strftime("%", time).is_err());
    }
}
