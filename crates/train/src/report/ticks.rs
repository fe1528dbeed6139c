//! Round numbers along an axis.

/// Round numbers within a range, about `n` of them: 1, 2 or 5 times a power of ten apart.
pub(super) fn ticks(low: f64, high: f64, n: usize) -> Vec<f64> {
    let wide = (high - low) / n.max(1) as f64;
    if !wide.is_finite() || wide <= 0.0 {
        return vec![low];
    }
    let power = 10f64.powf(wide.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| *step >= wide);
    let step = step.unwrap_or(10.0 * power);
    let first = (low / step).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A number in few characters: `0.0003` as `3e-4`, `12000` as `12k`.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    let trimmed = |text: String| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    match size {
        0.0 => "0".to_owned(),
        _ if size < 0.001 => {
            let power = size.log10().floor();
            format!("{}e{power}", trimmed(format!("{:.2}", value / 10f64.powf(power))))
        }
        _ if size < 1.0 => trimmed(format!("{value:.4}")),
        _ if size < 100.0 => trimmed(format!("{value:.2}")),
        _ if size < 10_000.0 => format!("{value:.0}"),
        _ if size < 1e6 => format!("{}k", trimmed(format!("{:.1}", value / 1e3))),
        _ => format!("{}M", trimmed(format!("{:.1}", value / 1e6))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_range() {
        assert_eq!(ticks(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(1.3, 4.1, 4), [2.0, 3.0, 4.0]);
        assert_eq!(
            ticks(0.0, 3e-4, 3).iter().map(|x| short(*x)).collect::<Vec<_>>(),
            ["0", "1e-4", "2e-4", "3e-4"]
        );
        assert_eq!(ticks(5.0, 5.0, 4), [5.0]);
    }

    #[test]
    fn numbers_are_short() {
        let all = [0.0, 0.5, 0.0125, 3e-4, 2.5e-7, 12.0, 1.25, 1500.0, 12_000.0, 3_400_000.0].map(short);
        assert_eq!(all, ["0", "0.5", "0.0125", "3e-4", "2.5e-7", "12", "1.25", "1500", "12k", "3.4M"]);
    }
}
