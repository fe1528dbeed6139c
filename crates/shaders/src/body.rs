//! A variant's text, of declarations that it has in common with others.

use std::fmt;

/// Text as a list of declarations out of those of all variants: written out, all texts together are sixteen times as large, as each variant has what its
/// file includes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Body {
    declarations: &'static [&'static str],
    /// Which of them, in the order of the text.
    order: &'static [u16],
}

impl Body {
    /// The text that `order` makes of `declarations`.
    pub const fn new(declarations: &'static [&'static str], order: &'static [u16]) -> Self {
        Body { declarations, order }
    }

    /// The declarations, in the order of the text; nothing is between them.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        let Body { declarations, order } = *self;
        order.iter().filter_map(|idx| declarations.get(usize::from(*idx)).copied())
    }
}

/// The text.
impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().try_for_each(|part| f.write_str(part))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_its_declarations_in_order() {
        const ALL: &[&str] = &["const A: u32 = 1u;\n", "fn b() {}\n", "fn main() {}\n"];
        let body = Body::new(ALL, &[1, 2]);
        assert_eq!(body.to_string(), "fn b() {}\nfn main() {}\n");
        assert_eq!(body.parts().count(), 2);
        assert_eq!(format!("{body:?}"), r#""fn b() {}\nfn main() {}\n""#);
    }
}
