//! `for NAME in VALUE…` … `end` of the table of variants: the lines between, once for each value.

use super::fault::{Fault, Place};

/// Words of a line that is not blank, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) place: Place,
    pub(super) words: Vec<String>,
}

/// A loop whose `end` has not come yet.
struct Open {
    place: Place,
    name: String,
    values: Vec<String>,
    lines: Vec<Line>,
}

/// The lines of a table without comments, with every loop gone through.
///
/// # Errors
/// Every loop that is malformed or does not end, and every `end` without one.
pub(super) fn unrolled(file: &str, text: &str) -> Result<Vec<Line>, Vec<Fault>> {
    let mut done = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut faults = Vec::new();
    for (idx, line) in text.lines().enumerate() {
        let place = Place::new(file, idx + 1);
        let words = line.split('#').next().unwrap_or_default().split_whitespace();
        let words: Vec<String> = words.map(str::to_owned).collect();
        match words.first().map(String::as_str) {
            None => {}
            Some("for") => {
                let begun = begun(&place, &words, &open);
                // A wrong one has an end all the same.
                let nothing = || Open { place, name: String::new(), values: Vec::new(), lines: Vec::new() };
                open.push(begun.map_err(|fault| faults.push(fault)).unwrap_or_else(|()| nothing()));
            }
            Some("end") => match open.pop() {
                Some(ended) if words.len() == 1 => {
                    open.last_mut().map_or(&mut done, |around| &mut around.lines).extend(ended.repeated());
                }
                Some(_) => faults.push(place.fault("`end` stands alone on its line")),
                None => faults.push(place.fault("`end` without `for`")),
            },
            Some(_) => {
                open.last_mut().map_or(&mut done, |around| &mut around.lines).push(Line { place, words });
            }
        }
    }
    faults.extend(open.iter().map(|open| open.place.fault("this `for` has no `end`")));
    if faults.is_empty() { Ok(done) } else { Err(faults) }
}

fn begun(place: &Place, words: &[String], around: &[Open]) -> Result<Open, Fault> {
    let malformed = || place.fault("a loop is `for NAME in VALUE…`, its name of capitals");
    let [_, name, is_in, values @ ..] = words else { return Err(malformed()) };
    if is_in != "in" || values.is_empty() || !name.chars().all(|c| c.is_ascii_uppercase()) {
        return Err(malformed());
    }
    if around.iter().any(|open| open.name == *name) {
        return Err(place.fault(format!("a loop around this one is over {name} too")));
    }
    Ok(Open { place: place.clone(), name: name.clone(), values: values.to_vec(), lines: Vec::new() })
}

impl Open {
    fn repeated(self) -> impl Iterator<Item = Line> {
        let Self { name, values, lines, .. } = self;
        values.into_iter().flat_map(move |value| {
            let filled = |line: &Line| Line {
                place: line.place.clone(),
                words: line.words.iter().map(|word| filled(word, &name, &value)).collect(),
            };
            lines.iter().map(filled).collect::<Vec<_>>()
        })
    }
}

/// `word` with the value for each `$name` and the value in capitals for each `$NAME`.
fn filled(word: &str, name: &str, value: &str) -> String {
    let mut parts = word.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let n = part.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(part.len());
        let (variable, rest) = part.split_at(n);
        if variable == name {
            out.push_str(&value.to_ascii_uppercase());
        } else if variable == name.to_ascii_lowercase() {
            out.push_str(value);
        } else {
            out.push('$');
            out.push_str(variable);
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let told = |line: Line| format!("{} {}", line.place.line, line.words.join(" "));
        unrolled("t", text).unwrap().into_iter().map(told).collect()
    }

    #[test]
    fn lines_without_loops_stay_as_they_are() {
        assert_eq!(lines("# all\n\na  a.wgsl # why\nb b.wgsl N=1\n"), ["3 a a.wgsl", "4 b b.wgsl N=1"]);
    }

    #[test]
    fn a_loop_repeats_its_lines_and_each_keeps_its_place() {
        let text = "for W in f32 int8\na.$w a.wgsl W_$W\nb.$w.c b.wgsl\nend\n";
        assert_eq!(
            lines(text),
            ["2 a.f32 a.wgsl W_F32", "3 b.f32.c b.wgsl", "2 a.int8 a.wgsl W_INT8", "3 b.int8.c b.wgsl"]
        );
    }

    #[test]
    fn loops_nest() {
        let text = "for W in f16 e4m3\nfor N in 1 2\na.$w.rows$n N=$N\nend\nb.$w\nend\n";
        assert_eq!(
            lines(text),
            [
                "3 a.f16.rows1 N=1",
                "3 a.f16.rows2 N=2",
                "5 b.f16",
                "3 a.e4m3.rows1 N=1",
                "3 a.e4m3.rows2 N=2",
                "5 b.e4m3"
            ]
        );
    }

    #[test]
    fn what_no_loop_fills_stays_for_the_line_s_own_check() {
        assert_eq!(lines("for W in f32\na.$v.$ $W$w\nend\n"), ["2 a.$v.$ F32f32"]);
    }

    #[test]
    fn a_wrong_loop_is_named_with_its_place() {
        for (text, line, what) in [
            ("for W\nend\n", 1, "a loop is `for NAME in VALUE…`"),
            ("a\nfor W in\nend\n", 2, "a loop is"),
            ("for w in f32\nend\n", 1, "a loop is"),
            ("for W of f32\nend\n", 1, "a loop is"),
            ("for W in f32\nfor W in f16\nend\nend\n", 2, "a loop around this one is over W too"),
            ("a\nend\n", 2, "`end` without `for`"),
            ("for W in f32\nend W\n", 2, "`end` stands alone on its line"),
            ("a\nfor W in f32\nb\n", 2, "this `for` has no `end`"),
        ] {
            let found = unrolled("t", text).unwrap_err();
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            let found = found[0].to_string();
            assert!(found.starts_with(&format!("shaders/t:{line}: {what}")), "{text}: {found}");
        }
    }
}
