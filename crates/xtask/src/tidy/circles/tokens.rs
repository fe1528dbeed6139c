//! Paths among the tokens of macros, where there is no syntax to go by: names with `::` between them.

use proc_macro2::{TokenStream, TokenTree};

/// The paths among tokens, each with its line, those within brackets too.
pub(super) fn paths(tokens: &TokenStream) -> Vec<(Vec<String>, usize)> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < trees.len() {
        match &trees[at] {
            TokenTree::Ident(first) => {
                let is_begun = at > 0 && goes_on(&trees[..at], &first.to_string());
                let (segments, next) = chain(&trees, at);
                if segments.len() > 1 && !is_begun {
                    found.push((segments, first.span().start().line));
                }
                at = next;
            }
            TokenTree::Group(group) => {
                found.extend(paths(&group.stream()));
                at += 1;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => at += 1,
        }
    }
    found
}

/// Whether what comes before a name makes it no beginning of a path: `.name`, `::name`, or `$name`, but for `$crate`.
fn goes_on(before: &[TokenTree], name: &str) -> bool {
    let punct = |from_end: usize| match before.iter().nth_back(from_end) {
        Some(TokenTree::Punct(punct)) => punct.as_char(),
        _ => ' ',
    };
    match punct(0) {
        '.' => true,
        ':' => punct(1) == ':',
        '$' => name != "crate",
        _ => false,
    }
}

/// The names of a path that begins at `at`, and what comes after them.
fn chain(trees: &[TokenTree], at: usize) -> (Vec<String>, usize) {
    let mut segments = Vec::new();
    let mut at = at;
    while let Some(TokenTree::Ident(name)) = trees.get(at) {
        segments.push(name.to_string());
        at += 1;
        let colon =
            |at: usize| matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
        if !(colon(at) && colon(at + 1) && matches!(trees.get(at + 2), Some(TokenTree::Ident(_)))) {
            break;
        }
        at += 2;
    }
    (segments, at)
}
