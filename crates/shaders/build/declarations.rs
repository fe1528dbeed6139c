//! Cuts the texts of variants into declarations, each of which is kept once: most of a variant's text is what its file includes.

use std::collections::HashMap;

/// The declarations of several texts.
#[derive(Default)]
pub(super) struct Declarations<'a> {
    pub(super) all: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Declarations<'a> {
    /// Where in `all` the parts of `text` are, in its order; those that are new are added.
    pub(super) fn places(&mut self, text: &'a str) -> Vec<usize> {
        let mut places = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(end_of_first(rest));
            let all = &mut self.all;
            places.push(*self.places.entry(part).or_insert_with(|| {
                all.push(part);
                all.len() - 1
            }));
            rest = behind;
        }
        places
    }
}

/// The bytes of the first declaration: it ends with a line that is not indented and has a closing brace first or a semicolon last. Where the cut is wrong,
/// the parts still make the text.
fn end_of_first(text: &str) -> usize {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        end += line.len();
        let is_last = line.starts_with('}') || !line.starts_with(' ') && line.trim_end().ends_with(';');
        if is_last {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_texts_share_is_kept_once_and_both_come_back() {
        let shared =
            "struct Run {\n    n: u32,\n}\n@group(0) @binding(1)\nvar<storage, read> run: array<u32>;\n";
        let texts = [
            format!("const N: u32 = 1u;\n{shared}@compute\nfn main() {{\n    return;\n}}\n"),
            format!("const N: u32 = 2u;\n{shared}fn f() -> u32 {{ return 1u; }}"),
        ];
        let mut declarations = Declarations::default();
        let places: Vec<_> = texts.iter().map(|text| declarations.places(text)).collect();
        assert_eq!(declarations.all.len(), 6, "{:?}", declarations.all);
        assert_eq!(places, [[0, 1, 2, 3], [4, 1, 2, 5]]);
        for (text, places) in texts.iter().zip(&places) {
            assert_eq!(*text, places.iter().map(|place| declarations.all[*place]).collect::<String>());
        }
    }
}
