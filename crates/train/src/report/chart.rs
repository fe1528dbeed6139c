//! One chart as SVG: axes with round numbers, and curves over steps.

use std::fmt::Write;

use super::ticks::{short, ticks};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
/// Room for numbers on the left, and around.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 30.0;
/// Points of a curve at most: more than a screen shows.
const MAX_POINTS: usize = 1200;

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Thin and pale: what a thicker one is the mean of.
    Pale,
    /// A line.
    Line,
    /// A line with a dot for each point.
    Dots,
}

/// A curve.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub(super) label: &'static str,
    /// The name of its colour in the page's style sheet.
    pub(super) colour: &'static str,
    pub(super) style: Style,
    /// Steps and values.
    pub(super) points: Vec<(f64, f64)>,
}

/// A chart.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    /// What the numbers are, in words.
    pub(super) unit: &'static str,
    pub(super) curves: Vec<Curve>,
    /// Whether the axis begins at 0.
    pub(super) is_from_zero: bool,
}

/// The ranges that a chart shows.
struct View {
    x: [f64; 2],
    y: [f64; 2],
}

impl Chart {
    /// The chart as a section of the page; nothing where it has no points.
    pub(super) fn section(&self) -> String {
        let Some(view) = self.view() else { return String::new() };
        let mut svg = String::new();
        let _ = write!(
            svg,
            "<section>\n<h2>{}</h2><p class=\"unit\">{}</p>\n{}<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
            self.title,
            self.unit,
            self.legend(),
            self.title
        );
        view.axes(&mut svg);
        self.curves.iter().for_each(|curve| view.curve(&mut svg, curve));
        svg + "</svg>\n</section>\n"
    }

    fn legend(&self) -> String {
        let shown: Vec<_> =
            self.curves.iter().filter(|c| c.style != Style::Pale && !c.points.is_empty()).collect();
        if shown.len() < 2 {
            return String::new();
        }
        let entry =
            |curve: &&Curve| format!("<span class=\"{}\"><i></i>{}</span>", curve.colour, curve.label);
        format!("<p class=\"legend\">{}</p>\n", shown.iter().map(entry).collect::<String>())
    }

    fn view(&self) -> Option<View> {
        let points = || self.curves.iter().flat_map(|curve| &curve.points).filter(|(_, y)| y.is_finite());
        let last = points().map(|(x, _)| *x).fold(f64::NEG_INFINITY, f64::max);
        if !last.is_finite() {
            return None;
        }
        // A few outliers, such as the first losses, must not press all else flat.
        let mut values: Vec<f64> = points().map(|(_, y)| *y).collect();
        values.sort_by(f64::total_cmp);
        let mut y = [values[0], values[(values.len() - 1) * 995 / 1000]];
        if self.is_from_zero {
            y[0] = y[0].min(0.0);
        }
        let span = y[1] - y[0];
        // Values that are all alike lie in the middle.
        let room = if span < 0.02 * y[1].abs() { 0.1 * y[1].abs() } else { 0.06 * span.max(1e-12) };
        let low = if self.is_from_zero && y[0] == 0.0 { 0.0 } else { y[0] - room };
        Some(View { x: [0.0, last.max(1.0)], y: [low, y[1] + room] })
    }
}

impl View {
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |range: [f64; 2], at: f64| (at - range[0]) / (range[1] - range[0]);
        let across = LEFT + share(self.x, x) * (WIDTH - LEFT - RIGHT);
        let down = HEIGHT - BOTTOM - share(self.y, y) * (HEIGHT - TOP - BOTTOM);
        // What is beyond the range is drawn at its edge.
        (across, down.clamp(TOP, HEIGHT - BOTTOM))
    }

    fn axes(&self, svg: &mut String) {
        for tick in ticks(self.y[0], self.y[1], 5) {
            let y = self.place((0.0, tick)).1;
            let (end, text, below) = (WIDTH - RIGHT, short(tick), y + 4.0);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{end}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"y\" x=\"{:.0}\" y=\"{below:.1}\">{text}</text>",
                LEFT - 8.0
            );
        }
        for tick in ticks(self.x[0], self.x[1], 8) {
            let x = self.place((tick, self.y[0])).0;
            let (y, text) = (HEIGHT - 10.0, short(tick));
            let _ = writeln!(svg, "<text class=\"x\" x=\"{x:.1}\" y=\"{y}\">{text}</text>");
        }
    }

    fn curve(&self, svg: &mut String, curve: &Curve) {
        let points = thinned(&curve.points);
        let mut path = String::new();
        for (i, point) in points.iter().enumerate() {
            let (x, y) = self.place(*point);
            let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
        }
        let style = if curve.style == Style::Pale { " pale" } else { "" };
        let _ = writeln!(svg, "<path class=\"{}{style}\" d=\"{path}\"/>", curve.colour);
        if curve.style == Style::Dots {
            for point in &points {
                let (x, y) = self.place(*point);
                let title = format!("step {}: {}", point.0, short(point.1));
                let _ = writeln!(
                    svg,
                    "<circle class=\"{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.2\"><title>{title}</title></circle>",
                    curve.colour
                );
            }
        }
    }
}

/// The means of neighbours, where there are more points than a screen shows.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let n = points.len().div_ceil(MAX_POINTS).max(1);
    let mean = |chunk: &[(f64, f64)]| {
        let (x, y) = chunk.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        (x / chunk.len() as f64, y / chunk.len() as f64)
    };
    let finite: Vec<_> = points.iter().copied().filter(|(_, y)| y.is_finite()).collect();
    finite.chunks(n).map(mean).collect()
}

/// A running mean over about a fiftieth of the points, over what was there before and at each.
pub(super) fn smoothed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let keep = 1.0 - 1.0 / (points.len() as f64 / 50.0).max(1.0);
    let (mut sum, mut weight) = (0.0, 0.0);
    let mut next = |&(x, y): &(f64, f64)| {
        (sum, weight) = (keep * sum + y, keep * weight + 1.0);
        (x, sum / weight)
    };
    points.iter().map(&mut next).collect()
}
