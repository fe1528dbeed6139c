//! Methods of strings that give another string.

use crate::template::args::{Args, Signature, index, index_or, string};
use crate::template::chars::{casefold, is_cased, is_space, is_titlecase, push_lower, push_title};
use crate::template::fault::{Outcome, failed, refused};
use crate::template::length::checked_length;
use crate::template::value::Value;

pub(super) fn call(text: &str, name: &str, args: Args) -> Outcome<Value> {
    let made = match name {
        "upper" | "lower" | "capitalize" | "title" | "swapcase" | "casefold" => {
            let [] = args.bind_positional("str method", 0)?;
            cased(text, name)?
        }
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = args.bind_positional("strip", 0)?;
            stripped(text, name, chars.as_ref())?
        }
        "removeprefix" | "removesuffix" => {
            let [affix] = args.bind_positional("removeprefix", 1)?;
            let affix = affix.unwrap_or(Value::None);
            let affix = string(&affix)?;
            let cut =
                if name == "removeprefix" { text.strip_prefix(affix) } else { text.strip_suffix(affix) };
            cut.unwrap_or(text).to_owned()
        }
        "replace" => {
            let [old, new, count] = args.bind_positional("replace", 2)?;
            let (old, new) = (old.unwrap_or(Value::None), new.unwrap_or(Value::None));
            replaced(text, string(&old)?, string(&new)?, index_or(count.as_ref(), -1)?)?
        }
        "center" | "ljust" | "rjust" => padded(text, name, args)?,
        "zfill" => {
            let [width] = args.bind_positional("zfill", 1)?;
            zero_filled(text, checked_length(index_or(width.as_ref(), 0)?)?)
        }
        "expandtabs" => {
            let signature = Signature { function: "expandtabs", parameters: ["tabsize"], n_needed: 0 };
            let [size] = args.bind(signature)?;
            expanded(text, index_or(size.as_ref(), 8)?)?
        }
        _ => return refused(format!("the method `{name}` of strings")),
    };
    Ok(Value::str(made))
}

fn cased(text: &str, name: &str) -> Outcome<String> {
    let mut out = String::with_capacity(text.len());
    match name {
        "upper" => out = text.to_uppercase(),
        "lower" => out = text.to_lowercase(),
        "casefold" => out = casefold(text),
        "capitalize" => {
            let mut chars = text.chars();
            chars.next().map_or(Ok(()), |c| push_title(c, &mut out))?;
            chars.try_for_each(|c| push_lower(c, &mut out))?;
        }
        "title" => {
            let mut in_word = false;
            for c in text.chars() {
                if in_word {
                    push_lower(c, &mut out)?;
                } else {
                    push_title(c, &mut out)?;
                }
                in_word = is_cased(c);
            }
        }
        _ => {
            for c in text.chars() {
                if is_titlecase(c) {
                    return refused(format!("swapcase of the character {c:?}"));
                }
                if c.is_uppercase() { push_lower(c, &mut out)? } else { out.extend(c.to_uppercase()) }
            }
        }
    }
    Ok(out)
}

/// `strip`, `lstrip` or `rstrip`.
pub(crate) fn stripped(text: &str, name: &str, chars: Option<&Value>) -> Outcome<String> {
    let set: Option<Vec<char>> = match chars {
        None | Some(Value::None) => None,
        Some(chars) => match chars.as_str() {
            Some(chars) => Some(chars.chars().collect()),
            None => return failed("strip arg must be None or str"),
        },
    };
    let goes = |c: char| set.as_ref().map_or_else(|| is_space(c), |set| set.contains(&c));
    let mut text = text;
    if name != "rstrip" {
        text = text.trim_start_matches(goes);
    }
    if name != "lstrip" {
        text = text.trim_end_matches(goes);
    }
    Ok(text.to_owned())
}

/// `replace(old, new, count)`; a count below 0 is all.
pub(crate) fn replaced(text: &str, old: &str, new: &str, count: i128) -> Outcome<String> {
    let n_found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
    let n = usize::try_from(count).unwrap_or(usize::MAX).min(n_found);
    checked_length((n as i128).saturating_mul(new.len() as i128))?;
    Ok(text.replacen(old, new, n))
}

fn padded(text: &str, name: &str, args: Args) -> Outcome<String> {
    let [width, fill] = args.bind_positional("center", 1)?;
    let width = checked_length(width.as_ref().map_or(Ok(0), index)?)?;
    let fill = fill.unwrap_or_else(|| Value::str(" "));
    let Some(fill) = single(&fill) else {
        return failed("The fill character must be exactly one character long");
    };
    let missing = width.saturating_sub(text.chars().count());
    let left = match name {
        "ljust" => 0,
        "rjust" => missing,
        _ => left_of_centre(missing, width),
    };
    let side = |n: usize| String::from(fill).repeat(n);
    Ok(format!("{}{text}{}", side(left), side(missing - left)))
}

/// CPython gives the odd character to the left where the width is odd too.
fn left_of_centre(missing: usize, width: usize) -> usize {
    missing / 2 + (missing & width & 1)
}

/// `center(width)`.
pub(crate) fn centred(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let left = left_of_centre(missing, width);
    format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left))
}

fn single(fill: &Value) -> Option<char> {
    let mut chars = fill.as_str()?.chars();
    chars.next().filter(|_| chars.next().is_none())
}

fn zero_filled(text: &str, width: usize) -> String {
    let zeros = "0".repeat(width.saturating_sub(text.chars().count()));
    match text.strip_prefix(['+', '-']) {
        Some(rest) => format!("{}{zeros}{rest}", &text[..1]),
        None => zeros + text,
    }
}

fn expanded(text: &str, size: i128) -> Outcome<String> {
    let size = checked_length(size)?;
    checked_length((text.matches('\t').count() as i128).saturating_mul(size as i128))?;
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let n = size - column % size;
                out.push_str(&" ".repeat(n));
                column += n;
            }
            '\t' => {}
            c => {
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
                out.push(c);
            }
        }
    }
    Ok(out)
}
