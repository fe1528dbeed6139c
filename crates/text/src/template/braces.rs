//! Python's `str.format` and the format specifications of its fields.

use crate::template::access;
use crate::template::args::Args;
use crate::template::digits::{self, Align, FloatStyle, Padding};
use crate::template::fault::{Outcome, failed, refused};
use crate::template::show;
use crate::template::value::Value;

/// `template.format(*args, **kwargs)`.
pub(crate) fn format(template: &str, args: &Args) -> Outcome<String> {
    Fields { args, next: Numbering::Unknown }.write(template, 2)
}

/// How fields without a name are numbered: by themselves or by the template, not both.
enum Numbering {
    Unknown,
    Automatic(usize),
    Manual,
}

struct Fields<'a> {
    args: &'a Args,
    next: Numbering,
}

impl Fields<'_> {
    fn write(&mut self, template: &str, n_levels: usize) -> Outcome<String> {
        if n_levels == 0 {
            return failed("Max string recursion exceeded");
        }
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let mark = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(mark) {
                out.push_str(mark);
                rest = after;
                continue;
            }
            if mark == "}" {
                return failed("Single '}' encountered in format string");
            }
            let Some(end) = field_end(rest) else {
                return failed("Single '{' encountered in format string");
            };
            out.push_str(&self.field(&rest[..end], n_levels)?);
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// One field, without its braces: `name!conversion:specification`.
    fn field(&mut self, field: &str, n_levels: usize) -> Outcome<String> {
        let name_end = name_end(field);
        let (name, rest) = field.split_at(name_end);
        let (conversion, spec) = match rest.strip_prefix('!') {
            Some(rest) => {
                let (conversion, spec) = rest.split_once(':').unwrap_or((rest, ""));
                (Some(conversion), spec)
            }
            None => (None, rest.strip_prefix(':').unwrap_or("")),
        };
        let mut value = self.value(name)?;
        value = match conversion {
            None => value,
            Some("s") => Value::str(show::text(&value)?),
            Some("r") => Value::str(show::repr(&value)?),
            Some("a") => return refused("the conversion !a"),
            Some(other) => return failed(format!("Unknown conversion specifier '{other}'")),
        };
        let spec = self
            .write(spec, n_levels - 1)
            .or_else(|e| if spec.is_empty() { Ok(String::new()) } else { Err(e) })?;
        formatted(&value, &spec)
    }

    /// The value of `name.attribute[item]`.
    fn value(&mut self, name: &str) -> Outcome<Value> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let mut value = self.argument(&name[..end])?;
        let mut rest = &name[end..];
        while !rest.is_empty() {
            if let Some(attribute) = rest.strip_prefix('.') {
                let end = attribute.find(['.', '[']).unwrap_or(attribute.len());
                if end == 0 {
                    return failed("Empty attribute in format string");
                }
                value = access::attribute(&value, &attribute[..end])?;
                rest = &attribute[end..];
            } else {
                let inside = &rest[1..];
                let Some(end) = inside.find(']').filter(|end| *end > 0) else {
                    return failed("Missing ']' or empty attribute in format string");
                };
                let key = match inside[..end].parse::<u32>() {
                    Ok(number) => Value::Int(i128::from(number)),
                    Err(_) => Value::str(&inside[..end]),
                };
                value = access::item(&value, &key)?;
                rest = &inside[end + 1..];
                if !rest.is_empty() && !rest.starts_with(['.', '[']) {
                    return failed("Only '.' or '[' may follow ']' in format field specifier");
                }
            }
        }
        Ok(value)
    }

    fn argument(&mut self, name: &str) -> Outcome<Value> {
        let number = match (name, &mut self.next) {
            ("", Numbering::Automatic(next)) => {
                *next += 1;
                Some(*next - 1)
            }
            ("", Numbering::Unknown) => {
                self.next = Numbering::Automatic(1);
                Some(0)
            }
            ("", Numbering::Manual) => {
                return failed("cannot switch from manual field specification to automatic field numbering");
            }
            (name, next) => match (name.parse::<usize>().ok().filter(|_| !name.starts_with('+')), next) {
                (Some(_), Numbering::Automatic(_)) => {
                    return failed(
                        "cannot switch from automatic field numbering to manual field specification",
                    );
                }
                (Some(number), next) => {
                    *next = Numbering::Manual;
                    Some(number)
                }
                (None, _) => None,
            },
        };
        let found = match number {
            Some(i) => self.args.positional.get(i).cloned(),
            None => self.args.keyword.iter().find(|(key, _)| &**key == name).map(|(_, v)| v.clone()),
        };
        found.map_or_else(|| failed(format!("no argument {name:?} for the format string")), Ok)
    }
}

/// Where a field's closing brace is; braces within its specification nest.
fn field_end(text: &str) -> Option<usize> {
    let mut n_open = 1;
    for (i, c) in text.char_indices() {
        match c {
            '{' => n_open += 1,
            '}' => n_open -= 1,
            _ => {}
        }
        if n_open == 0 {
            return Some(i);
        }
    }
    None
}

/// Where a field's name ends: at `!` or `:` outside of brackets.
fn name_end(field: &str) -> usize {
    let mut in_brackets = false;
    for (i, c) in field.char_indices() {
        match c {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            '!' | ':' if !in_brackets => return i,
            _ => {}
        }
    }
    field.len()
}

/// A format specification: `[[fill]align][sign][#][0][width][,][.precision][type]`.
struct Spec {
    padding: Padding,
    has_align: bool,
    sign: char,
    alternate: bool,
    zero: bool,
    mark: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn read(text: &str) -> Outcome<Self> {
        let align_of = |c: char| match c {
            '<' => Some(Align::Left),
            '>' => Some(Align::Right),
            '^' => Some(Align::Centre),
            '=' => Some(Align::AfterSign),
            _ => None,
        };
        let mut chars = text.chars();
        let (first, second) = (chars.next(), chars.next());
        let (fill, align, mut rest) = match (first, second.and_then(align_of), first.and_then(align_of)) {
            (Some(fill), Some(align), _) => (fill, Some(align), chars.as_str()),
            (_, None, Some(align)) => (' ', Some(align), &text[1..]),
            _ => (' ', None, text),
        };
        let mut take = |options: &[char]| {
            let found = rest.chars().next().filter(|c| options.contains(c))?;
            rest = &rest[1..];
            Some(found)
        };
        let sign = take(&['+', '-', ' ']).unwrap_or('-');
        if take(&['z']).is_some() {
            return refused("`z` in a format specification");
        }
        let alternate = take(&['#']).is_some();
        let zero = take(&['0']).is_some();
        let (width, after) = digits::leading_number(rest)?;
        rest = after;
        let mark = rest.chars().next().filter(|c| matches!(c, ',' | '_'));
        rest = &rest[usize::from(mark.is_some())..];
        let mut precision = None;
        if let Some(after) = rest.strip_prefix('.') {
            (precision, rest) = digits::leading_number(after)?;
            if precision.is_none() {
                return failed("Format specifier missing precision");
            }
        }
        let mut kinds = rest.chars();
        let kind = kinds.next();
        if kinds.next().is_some() {
            return failed("Invalid format specifier");
        }
        let fill = if zero && align.is_none() { '0' } else { fill };
        let padding = Padding { fill, align: align.unwrap_or(Align::Left), width: width.unwrap_or(0) };
        Ok(Self { padding, has_align: align.is_some(), sign, alternate, zero, mark, precision, kind })
    }

    fn sign_of(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (false, '+') => "+",
            (false, ' ') => " ",
            _ => "",
        }
    }

    fn number(&self, prefix: &str, digits: &str, every: usize) -> String {
        let mut padding = self.padding;
        if !self.has_align {
            padding.align = if self.zero { Align::AfterSign } else { Align::Right };
        }
        let zeros = if padding.fill == '0' && padding.align == Align::AfterSign {
            padding.width.saturating_sub(prefix.len())
        } else {
            0
        };
        match self.mark {
            Some(mark) => padding.apply(prefix, &digits::grouped(digits, mark, every, zeros)),
            None => padding.apply(prefix, digits),
        }
    }
}

/// `format(value, spec)`.
pub(crate) fn formatted(value: &Value, spec: &str) -> Outcome<String> {
    if let (Value::Markup(_), false) = (value, spec.is_empty()) {
        return refused("a format specification for escaped text");
    }
    if spec.is_empty() {
        return show::text(value);
    }
    let parsed = Spec::read(spec)?;
    match value {
        Value::Str(text) => format_text(text, &parsed),
        Value::Int(n) => format_integer(*n, &parsed),
        Value::Bool(b) => format_integer(i128::from(*b), &parsed),
        Value::Float(x) => format_float(*x, &parsed),
        _ => failed(format!("unsupported format string passed to {}.__format__", value.type_name())),
    }
}

fn format_text(text: &str, spec: &Spec) -> Outcome<String> {
    let wrong = !matches!(spec.kind, None | Some('s'))
        || spec.sign != '-'
        || spec.alternate
        || spec.mark.is_some()
        || spec.padding.align == Align::AfterSign;
    if wrong {
        return failed("Invalid format specifier for a string");
    }
    let cut: String = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
    Ok(spec.padding.apply("", &cut))
}

fn format_integer(number: i128, spec: &Spec) -> Outcome<String> {
    let kind = spec.kind.unwrap_or('d');
    if matches!(kind, 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') {
        return format_float(number as f64, spec);
    }
    if matches!(kind, 'c' | 'n') {
        return refused(format!("the format code '{kind}'"));
    }
    if spec.precision.is_some() {
        return failed("Precision not allowed in integer format specifier");
    }
    let digits = if matches!(kind, 'i' | 'u') { None } else { digits::integer(number.unsigned_abs(), kind) };
    let Some((digits, prefix)) = digits else {
        return failed(format!("Unknown format code '{kind}' for object of type 'int'"));
    };
    if spec.mark == Some(',') && kind != 'd' {
        return failed(format!("Cannot specify ',' with '{kind}'."));
    }
    let prefix = if spec.alternate { prefix } else { "" };
    let every = if kind == 'd' { 3 } else { 4 };
    Ok(spec.number(&format!("{}{prefix}", spec.sign_of(number < 0)), &digits, every))
}

fn format_float(number: f64, spec: &Spec) -> Outcome<String> {
    let percent = spec.kind == Some('%');
    let kind = match spec.kind {
        None => 'r',
        Some('%') => 'f',
        Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G')) => kind,
        Some('n') => return refused("the format code 'n'"),
        Some(other) => return failed(format!("Unknown format code '{other}' for object of type 'float'")),
    };
    let style = FloatStyle { kind, precision: spec.precision, alternate: spec.alternate };
    let size = if percent { number.abs() * 100.0 } else { number.abs() };
    let mut digits = digits::float(size, style)?;
    if percent {
        digits.push('%');
    }
    Ok(spec.number(spec.sign_of(number.is_sign_negative() && !number.is_nan()), &digits, 3))
}
