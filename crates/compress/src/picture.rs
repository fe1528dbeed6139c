//! A report as a page: a bar for each matrix, the errors in its length, readable without scripts and in the dark.

use std::fmt::Write;

use hala_tensor::counted;

use crate::report::{ModuleError, Report};

/// Height of a bar's row and width of the part with bars, in pixels.
const ROW: usize = 18;
const BARS: f64 = 420.0;

/// Width of the part with names, and of a number behind a bar.
const NAMES: usize = 330;
const NUMBER: usize = 150;

const PAGE_STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color:#1b1b1f;background:#fff}svg{width:100%;height:auto}\
    @media(prefers-color-scheme:dark){body{color:#e6e6ea;background:#16161a}}";

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:currentColor}rect{fill:#2a6f97}rect.worst{fill:#c8553d}\
    @media(prefers-color-scheme:dark){rect{fill:#61a5c2}rect.worst{fill:#e58a73}}";

/// Matrices that are marked as the worst.
const N_WORST: usize = 5;

impl Report {
    /// A page in HTML with a picture in SVG.
    pub fn to_html(&self, title: &str) -> String {
        let title = escape(title);
        let ratio = self.n_bytes_after as f64 / self.n_bytes_before.max(1) as f64;
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title><style>{PAGE_STYLE}</style>\n<h1>{title}</h1>\n\
             <p>{}, relative error {:.4} in all; {:.1} MB became {:.1} MB ({:.0} %). Bars are relative errors, \
             ‖x − y‖ / ‖x‖; the {N_WORST} largest are marked.</p>\n{}</html>\n",
            counted(self.modules.len() as u64, "matrix"),
            self.relative_error(),
            self.n_bytes_before as f64 / 1e6,
            self.n_bytes_after as f64 / 1e6,
            ratio * 100.0,
            self.to_svg()
        )
    }

    /// The picture alone.
    pub fn to_svg(&self) -> String {
        let largest = self.modules.iter().map(|m| m.relative_error).fold(f64::MIN_POSITIVE, f64::max);
        let worst = self.worst(N_WORST);
        let (width, height) = (NAMES + BARS as usize + NUMBER, self.modules.len() * ROW + ROW / 2);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-label=\"Relative error of each matrix\"><style>{STYLE}</style>\n"
        );
        for (i, module) in self.modules.iter().enumerate() {
            let is_worst = worst.iter().any(|w| w.module == module.module);
            // Writing to a String cannot fail.
            let _ =
                writeln!(svg, "{}", bar(i * ROW, module, module.relative_error / largest * BARS, is_worst));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn bar(y: usize, module: &ModuleError, length: f64, is_worst: bool) -> String {
    let ModuleError { scheme, relative_error, sqnr_db, .. } = module;
    let class = if is_worst { " class=\"worst\"" } else { "" };
    let (baseline, end) = (y + ROW - 5, NAMES - 8);
    let label = NAMES as f64 + length + 6.0;
    format!(
        "<text x=\"{end}\" y=\"{baseline}\" text-anchor=\"end\">{}</text>\
         <rect{class} x=\"{NAMES}\" y=\"{}\" width=\"{length:.1}\" height=\"{}\"><title>{}</title></rect>\
         <text x=\"{label:.1}\" y=\"{baseline}\">{relative_error:.4} · {sqnr_db:.1} dB</text>",
        escape(&module.module),
        y + 3,
        ROW - 6,
        escape(scheme)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_and_the_worst_are_marked() {
        let module = |name: &str, relative_error| ModuleError {
            module: name.to_owned(),
            scheme: "int8".to_owned(),
            n_elements: 1,
            relative_error,
            sqnr_db: 1.0,
            max_error: 0.0,
        };
        let modules = (0..9).map(|i| module(&format!("<{i}>"), f64::from(i) / 100.0)).collect();
        let html = Report { n_bytes_before: 2, n_bytes_after: 1, modules }.to_html("a & b");
        assert!(html.contains("a &amp; b") && html.contains("&lt;3&gt;") && !html.contains("<3>"));
        assert_eq!(html.matches("class=\"worst\"").count(), N_WORST);
    }
}
