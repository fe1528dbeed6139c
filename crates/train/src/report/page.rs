//! The page around the charts.

use std::fmt::Write;

use super::chart::{Chart, Curve, Style, smoothed};
use super::ticks::short;
use crate::metrics::{Evaluated, Line, Stepped};

/// Its looks: light and dark, as the reader's system has it.
const STYLE: &str = include_str!("page.css");

/// A page of a run's metrics; `name` is the run's.
#[must_use]
pub fn page(name: &str, lines: &[Line]) -> String {
    let (mut steps, mut evaluations) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            Line::Step(step) => steps.push(*step),
            Line::Evaluation(evaluated) => evaluations.push(*evaluated),
        }
    }
    let name = name.replace('&', "&amp;").replace('<', "&lt;");
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{name}</title>\n<style>\n{STYLE}</style>\n<main>\n<h1>{name}</h1>\n"
    );
    html += &summary(&steps, &evaluations);
    html += "<div class=\"charts\">\n";
    charts(&steps, &evaluations).iter().for_each(|chart| html += &chart.section());
    html + "</div>\n</main>\n</html>\n"
}

fn summary(steps: &[Stepped], evaluations: &[Evaluated]) -> String {
    let mut tiles: Vec<(&str, String)> = Vec::new();
    if let Some(last) = steps.last() {
        let losses: Vec<_> = steps.iter().map(|s| (s.step as f64, s.loss)).collect();
        tiles.push(("steps", last.step.to_string()));
        tiles.push(("loss at the end", format!("{:.3}", smoothed(&losses).last().map_or(f64::NAN, |p| p.1))));
        tiles.push(("rows", short(steps.iter().map(|s| s.n_rows as f64).sum())));
        let (n, seconds) = steps.iter().fold((0.0, 0.0), |(n, seconds), s| {
            (n + s.n_rows as f64, seconds + s.n_rows as f64 / s.rows_per_second)
        });
        tiles.push(("rows a second", short(n / seconds)));
    }
    if let Some(best) = evaluations.iter().rev().find(|e| e.is_best) {
        tiles.push(("best held-out loss", format!("{:.3} at step {}", best.loss, best.step)));
        if let Some(chrf) = best.chrf {
            tiles.push(("best chrF++", format!("{chrf:.1} at step {}", best.step)));
        }
    }
    let mut html = "<dl>\n".to_owned();
    for (what, value) in tiles {
        let _ = writeln!(html, "<div><dt>{what}</dt><dd>{value}</dd></div>");
    }
    html + "</dl>\n"
}

fn charts(steps: &[Stepped], evaluations: &[Evaluated]) -> Vec<Chart> {
    let of = |value: fn(&Stepped) -> f64| steps.iter().map(|s| (s.step as f64, value(s))).collect::<Vec<_>>();
    let found = |value: fn(&Evaluated) -> Option<f64>| {
        evaluations.iter().filter_map(|e| Some((e.step as f64, value(e)?))).collect::<Vec<_>>()
    };
    let curve = |label, colour, style, points| Curve { label, colour, style, points };
    let mean = |label, value| {
        let points = of(value);
        let smooth = smoothed(&points);
        [curve(label, "a", Style::Pale, points), curve(label, "a", Style::Line, smooth)]
    };
    let mut loss = mean("training", |s| s.loss).to_vec();
    loss.push(curve("held out", "b", Style::Dots, found(|e| Some(e.loss))));
    let chart = |title, unit, curves| Chart { title, unit, curves, is_from_zero: true };
    vec![
        Chart { is_from_zero: false, ..chart("Loss", "nats a label", loss) },
        Chart {
            is_from_zero: false,
            ..chart(
                "chrF++",
                "of greedy translations of held-out rows",
                vec![curve("chrF++", "b", Style::Dots, found(|e| e.chrf))],
            )
        },
        chart(
            "Learning rate",
            "along the schedule",
            vec![curve("rate", "c", Style::Line, of(|s| s.learning_rate))],
        ),
        chart("Gradient norm", "before it is clipped", mean("norm", |s| s.gradient_norm).to_vec()),
        chart("Speed", "rows a second", mean("rows", |s| s.rows_per_second).to_vec()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(n: u64) -> Vec<Line> {
        let step = |step: u64| Stepped {
            step,
            loss: 2.0 + 4.0 / step as f64,
            learning_rate: 1e-3,
            gradient_norm: 1.0,
            is_clipped: false,
            epoch: 0,
            n_rows: 512,
            n_labels: 200,
            rows_per_second: 900.0,
        };
        let mut lines: Vec<Line> = (1..=n).map(|i| Line::Step(step(i))).collect();
        let evaluated = Evaluated { step: n / 2, loss: 2.25, n_labels: 10, chrf: Some(41.5), is_best: true };
        lines.push(Line::Evaluation(evaluated));
        lines
    }

    #[test]
    fn a_page_has_a_curve_for_each_metric_and_loads_nothing() {
        let html = page("a <run> & more", &lines(100));
        for title in ["Loss", "chrF++", "Learning rate", "Gradient norm", "Speed"] {
            assert!(html.contains(&format!("<h2>{title}</h2>")), "{title}");
        }
        assert!(html.contains("<title>a &lt;run> &amp; more</title>"));
        assert!(html.contains("2.250 at step 50") && html.contains("41.5 at step 50"));
        for word in ["http", "src=", "href=", "NaN", "inf", "<script"] {
            assert!(!html.contains(word), "{word}");
        }
    }

    #[test]
    fn long_runs_are_thinned_and_what_was_not_measured_has_no_chart() {
        let [short, long] = [2_000, 20_000].map(|n| page("x", &lines(n)).len());
        assert!(long < 2 * short, "{short} {long}");
        let mut lines = lines(50);
        lines.pop();
        assert!(!page("x", &lines).contains("<h2>chrF++</h2>"));
    }
}
