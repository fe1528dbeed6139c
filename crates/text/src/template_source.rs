//! Makes `{% generation %}` blocks, which mark the model's own words for training, into plain blocks.

/// Rewrites the tags of generation blocks as a `with` block: it has the same scope, and every sign of
/// white-space control stays where it was. Comments, raw blocks and string literals are left alone.
pub(crate) fn without_generation_blocks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut in_raw = false;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let tag = next_tag(rest, in_raw);
        let (text, after) = rest.split_at(tag.len_bytes);
        match tag.kind {
            TagKind::Block(name) => {
                match name {
                    "raw" => in_raw = true,
                    "endraw" => in_raw = false,
                    _ => {}
                }
                match plain_name(name).filter(|_| !in_raw) {
                    Some(plain) => out.push_str(&text.replacen(name, plain, 1)),
                    None => out.push_str(text),
                }
            }
            TagKind::Other => out.push_str(text),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn plain_name(name: &str) -> Option<&'static str> {
    match name {
        "generation" => Some("with"),
        "endgeneration" => Some("endwith"),
        _ => None,
    }
}

struct Tag<'a> {
    kind: TagKind<'a>,
    len_bytes: usize,
}

enum TagKind<'a> {
    /// `{% … %}` with its whole content, trimmed of white space and signs.
    Block(&'a str),
    Other,
}

/// The tag at the start of `text`, which begins with `{`. Inside a raw block only `{% endraw %}` counts.
fn next_tag(text: &str, in_raw: bool) -> Tag<'_> {
    let other = |len_bytes| Tag { kind: TagKind::Other, len_bytes };
    let bytes = text.as_bytes();
    let opened = bytes.get(1);
    if opened == Some(&b'%') {
        let len_bytes = end_of_tag(text, "%}");
        let inside = text.get(2..len_bytes.saturating_sub(2)).unwrap_or_default();
        let name = inside.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']).trim();
        if !in_raw || name == "endraw" {
            return Tag { kind: TagKind::Block(name), len_bytes };
        }
        return other(1);
    }
    match opened {
        Some(b'#') if !in_raw => other(text.find("#}").map_or(text.len(), |at| at + 2)),
        Some(b'{') if !in_raw => other(end_of_tag(text, "}}")),
        _ => other(1),
    }
}

/// The length up to and with the closing mark, which does not count inside a string literal.
fn end_of_tag(text: &str, close: &str) -> usize {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut i = 2;
    while i < bytes.len() {
        match (quote, bytes[i]) {
            (Some(_), b'\\') => i += 1,
            (Some(q), b) if b == q => quote = None,
            (None, b @ (b'"' | b'\'')) => quote = Some(b),
            (None, _) if bytes[i..].starts_with(close.as_bytes()) => return i + close.len(),
            _ => {}
        }
        i += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generation_tags_become_with_tags_and_keep_their_signs() {
        for (source, expected) in [
            ("{% generation %}a{% endgeneration %}", "{% with %}a{% endwith %}"),
            ("{%- generation -%}a{%- endgeneration +%}", "{%- with -%}a{%- endwith +%}"),
            ("{%generation%}a{%-endgeneration-%}b", "{%with%}a{%-endwith-%}b"),
            ("{%-\n  generation\n%}", "{%-\n  with\n%}"),
        ] {
            assert_eq!(without_generation_blocks(source), expected);
        }
    }

    #[test]
    fn what_only_looks_like_a_generation_tag_stays() {
        for source in [
            "",
            "{% if generation %}{% endif %}",
            "{% set generation = 1 %}{{ generation }}",
            "{# {% generation %} #}",
            "{{ \"{% generation %}\" }}",
            "{{ '\\'{% generation %}' }}",
            "{% set x = '%}{% generation %}' %}",
            "{% raw %}{% generation %}{{ '{% endraw %}",
            "{ { % {",
            "{% generation",
            "{",
            "مرحبا {{ 'ب' }}",
        ] {
            assert_eq!(without_generation_blocks(source), source);
        }
    }

    #[test]
    fn tags_after_a_raw_block_are_rewritten() {
        assert_eq!(
            without_generation_blocks("{% raw %}{{{% endraw %}{% generation %}"),
            "{% raw %}{{{% endraw %}{% with %}"
        );
    }
}
