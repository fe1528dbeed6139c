//! The values of templates: Python's built-in types, as far as templates meet them.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::template::fault::{Fault, Outcome, failed, refused};
use crate::template::span::Span;
use crate::template::stream::Stream;

/// One value. Lists and dicts never change, as in Jinja2's immutable sandbox; what changes is an [`Object`].
#[derive(Clone)]
pub(crate) enum Value {
    /// What a missing name gives, with the message of the error that its use is.
    Undefined(Rc<str>),
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Arc<str>),
    /// Text that is escaped already.
    Markup(Arc<str>),
    List(Rc<Seq>),
    Tuple(Rc<Seq>),
    /// A pair made by `groupby`, with the names `grouper` and `list`.
    Group(Rc<Seq>),
    Dict(Rc<Dict>),
    Range(Span),
    View(View, Rc<Dict>),
    /// What can be gone through once.
    Stream(Rc<RefCell<Stream<Value>>>),
    /// A method with its receiver.
    Method(Rc<(Value, Arc<str>)>),
    /// One of the functions that every template has.
    Function(&'static str),
    Object(Rc<dyn Object>),
}

/// Something with a state or with code of the template's own.
pub(crate) trait Object: Any {
    /// The name of Python's class.
    fn class(&self) -> &'static str;
    /// An attribute, where it has one of that name.
    fn attribute(&self, name: &str) -> Option<Value>;
    /// How it prints, where that does not hold an address.
    fn printed(&self, depth: usize) -> Option<Outcome<String>>;
    /// Whether it can be called.
    fn callable(&self) -> bool;
    /// The object itself, to be looked at as what it is.
    fn as_any(&self) -> &dyn Any;
}

/// What a view of a dict shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Keys,
    Values,
    Items,
}

/// How much a value holds when it is written out, and how deep. Containers share what they hold, so a template could
/// make one whose text fills any memory, or one so deep that no stack can go through it.
#[derive(Clone, Copy, Default)]
struct Size {
    n_values: u64,
    depth: u32,
}

const MAX_VALUES: u64 = 20_000_000;
const MAX_DEPTH: u32 = 150;

fn size_of_all<'a>(values: impl Iterator<Item = &'a Value>) -> Outcome<Size> {
    let mut total = Size::default();
    for value in values {
        let size = match value {
            Value::List(seq) | Value::Tuple(seq) | Value::Group(seq) => seq.size,
            Value::Dict(dict) | Value::View(_, dict) => dict.size,
            Value::Method(method) => size_of_all(std::iter::once(&method.0))?,
            Value::Stream(items) => size_of_all(items.borrow().items())?,
            _ => Size::default(),
        };
        total.n_values = total.n_values.saturating_add(size.n_values + 1);
        total.depth = total.depth.max(size.depth);
    }
    total.depth += 1;
    if total.n_values > MAX_VALUES || total.depth > MAX_DEPTH {
        return refused(format!("a list or dict of more than {MAX_VALUES} values or {MAX_DEPTH} levels"));
    }
    Ok(total)
}

/// The items of a list or tuple.
pub(crate) struct Seq {
    pub(crate) items: Vec<Value>,
    size: Size,
}

/// A dict, in the order of its making.
#[derive(Default)]
pub(crate) struct Dict {
    entries: Vec<(Value, Value)>,
    size: Size,
}

impl Dict {
    /// A dict of pairs; of equal keys, the first gives the place and the last the value.
    pub(crate) fn from_pairs(pairs: impl IntoIterator<Item = (Value, Value)>) -> Outcome<Self> {
        let mut entries: Vec<(Value, Value)> = Vec::new();
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        for (key, value) in pairs {
            key.check_hashable()?;
            let place = match &key {
                Value::Str(text) | Value::Markup(text) => {
                    let next = entries.len();
                    let place = *places.entry(Arc::clone(text)).or_insert(next);
                    (place < next).then_some(place)
                }
                _ => entries.iter().position(|(k, _)| k.equals(&key)),
            };
            match place.and_then(|place| entries.get_mut(place)) {
                Some(entry) => entry.1 = value,
                None => entries.push((key, value)),
            }
        }
        let size = size_of_all(entries.iter().flat_map(|(k, v)| [k, v]))?;
        Ok(Self { entries, size })
    }

    /// The value of a key, which may be unhashable only by mistake.
    pub(crate) fn get(&self, key: &Value) -> Outcome<Option<&Value>> {
        key.check_hashable()?;
        Ok(match key.as_str() {
            Some(name) => self.get_str(name),
            None => self.entries.iter().find(|(k, _)| k.equals(key)).map(|(_, v)| v),
        })
    }

    /// The value of a key that is a string.
    pub(crate) fn get_str(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(k, _)| k.as_str() == Some(name)).map(|(_, v)| v)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Keys with their values, in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Value, &Value)> + ExactSizeIterator {
        self.entries.iter().map(|(k, v)| (k, v))
    }

    fn equals(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().all(|(k, v)| other.get(k).ok().flatten().is_some_and(|found| v.same(found)))
    }
}

impl Value {
    /// A string.
    pub(crate) fn str(text: impl AsRef<str>) -> Self {
        Self::Str(Arc::from(text.as_ref()))
    }

    /// A list, unless it would be too large.
    pub(crate) fn list(items: Vec<Self>) -> Outcome<Self> {
        Ok(Self::List(Self::seq(items)?))
    }

    /// A tuple, unless it would be too large.
    pub(crate) fn tuple(items: Vec<Self>) -> Outcome<Self> {
        Ok(Self::Tuple(Self::seq(items)?))
    }

    /// The items of a list or tuple to be.
    pub(crate) fn seq(items: Vec<Self>) -> Outcome<Rc<Seq>> {
        let size = size_of_all(items.iter())?;
        Ok(Rc::new(Seq { items, size }))
    }

    /// A dict of pairs.
    pub(crate) fn dict(pairs: impl IntoIterator<Item = (Self, Self)>) -> Outcome<Self> {
        Ok(Self::Dict(Rc::new(Dict::from_pairs(pairs)?)))
    }

    /// What can be gone through once.
    pub(crate) fn stream(items: impl IntoIterator<Item = Self>) -> Self {
        Self::stream_until(items, None)
    }

    /// The same, with what went wrong behind the last item.
    pub(crate) fn stream_until(items: impl IntoIterator<Item = Self>, fault: Option<Fault>) -> Self {
        Self::Stream(Rc::new(RefCell::new(Stream::new(items, fault))))
    }

    /// A missing value, with the message for its use.
    pub(crate) fn undefined(message: impl AsRef<str>) -> Self {
        Self::Undefined(Rc::from(message.as_ref()))
    }

    /// The number of a length or count.
    pub(crate) fn count(n: usize) -> Self {
        Self::Int(n as i128)
    }

    /// The text of a string, escaped or not.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) | Self::Markup(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number: Python's `int`, of which `bool` is a kind.
    pub(crate) fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Bool(b) => Some(i128::from(*b)),
            _ => None,
        }
    }

    /// A number as a float.
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(x) => Some(*x),
            _ => self.as_int().map(|n| n as f64),
        }
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// Python's `bool()`.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(b) => *b,
            Self::Int(n) => *n != 0,
            Self::Float(x) => *x != 0.0,
            Self::Str(text) | Self::Markup(text) => !text.is_empty(),
            Self::List(seq) | Self::Tuple(seq) | Self::Group(seq) => !seq.items.is_empty(),
            Self::Dict(dict) | Self::View(_, dict) => dict.len() > 0,
            Self::Range(span) => span.len() > 0,
            Self::Stream(_) | Self::Method(_) | Self::Function(_) | Self::Object(_) => true,
        }
    }

    /// The name of Python's type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Markup(_) => "Markup",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Group(_) => "_GroupTuple",
            Self::Dict(_) => "dict",
            Self::Range(_) => "range",
            Self::View(View::Keys, _) => "dict_keys",
            Self::View(View::Values, _) => "dict_values",
            Self::View(View::Items, _) => "dict_items",
            Self::Stream(_) => "generator",
            Self::Method(_) => "method",
            Self::Function(_) => "function",
            Self::Object(object) => object.class(),
        }
    }

    /// Python's `len()`.
    pub(crate) fn len(&self) -> Outcome<usize> {
        Ok(match self {
            Self::Undefined(_) => 0,
            Self::Str(text) | Self::Markup(text) => text.chars().count(),
            Self::List(seq) | Self::Tuple(seq) | Self::Group(seq) => seq.items.len(),
            Self::Dict(dict) | Self::View(_, dict) => dict.len(),
            Self::Range(span) => span.len(),
            _ => return failed(format!("object of type '{}' has no len()", self.type_name())),
        })
    }

    /// Whether Python's `iter()` takes it.
    pub(crate) fn is_iterable(&self) -> bool {
        match self {
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) => false,
            Self::Method(_) | Self::Function(_) => false,
            Self::Object(object) => object.class() == "LoopContext",
            _ => true,
        }
    }

    /// All that iterating gives; a stream is empty afterwards.
    pub(crate) fn items(&self) -> Outcome<Vec<Self>> {
        Ok(match self {
            Self::Undefined(_) => Vec::new(),
            Self::Str(text) => text.chars().map(|c| Self::str(c.encode_utf8(&mut [0; 4]))).collect(),
            // Python iterates by the type's own method, which gives plain text.
            Self::Markup(text) => text.chars().map(|c| Self::str(c.encode_utf8(&mut [0; 4]))).collect(),
            Self::List(seq) | Self::Tuple(seq) | Self::Group(seq) => seq.items.clone(),
            Self::Dict(dict) | Self::View(View::Keys, dict) => dict.iter().map(|(k, _)| k.clone()).collect(),
            Self::View(View::Values, dict) => dict.iter().map(|(_, v)| v.clone()).collect(),
            Self::View(View::Items, dict) => {
                dict.iter().map(|(k, v)| Self::tuple(vec![k.clone(), v.clone()])).collect::<Outcome<_>>()?
            }
            Self::Range(span) => span.numbers().map(Self::Int).collect(),
            Self::Stream(items) => items.borrow_mut().rest()?,
            Self::Object(object) if object.class() == "LoopContext" => {
                return refused("going through `loop` itself");
            }
            _ => return failed(format!("'{}' object is not iterable", self.type_name())),
        })
    }

    /// Python's `hash()`, as far as it may fail.
    pub(crate) fn check_hashable(&self) -> Outcome<()> {
        match self {
            Self::List(_) | Self::Dict(_) | Self::View(View::Keys | View::Items, _) => {
                failed(format!("unhashable type: '{}'", self.type_name()))
            }
            Self::Tuple(seq) | Self::Group(seq) => seq.items.iter().try_for_each(Self::check_hashable),
            _ => Ok(()),
        }
    }

    /// Python's `is`, as far as values here have an identity.
    pub(crate) fn is_identical(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(a), Self::List(b))
            | (Self::Tuple(a), Self::Tuple(b))
            | (Self::Group(a), Self::Group(b)) => Rc::ptr_eq(a, b),
            (Self::Dict(a), Self::Dict(b)) => Rc::ptr_eq(a, b),
            (Self::Stream(a), Self::Stream(b)) => Rc::ptr_eq(a, b),
            (Self::Object(a), Self::Object(b)) => std::ptr::addr_eq(Rc::as_ptr(a), Rc::as_ptr(b)),
            (Self::Function(a), Self::Function(b)) => a == b,
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Undefined(a), Self::Undefined(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// What containers compare by: the same, or equal.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.is_identical(other) || self.equals(other)
    }

    /// Python's `==`.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.as_str(), other.as_str()) {
            return a == b;
        }
        if let (Some(a), Some(b)) = (self.as_int(), other.as_int()) {
            return a == b;
        }
        if let (Some(a), Some(b)) = (self.as_f64(), other.as_f64()) {
            return a == b
                && self.as_int().or(other.as_int()).is_none_or(|n| n == a as i128 && n == b as i128);
        }
        match (self, other) {
            (Self::Undefined(_), Self::Undefined(_)) => true,
            (Self::List(a), Self::List(b))
            | (Self::Tuple(a) | Self::Group(a), Self::Tuple(b) | Self::Group(b)) => {
                a.items.len() == b.items.len() && a.items.iter().zip(&b.items).all(|(x, y)| x.same(y))
            }
            (Self::Dict(a), Self::Dict(b)) => a.equals(b),
            (Self::Range(a), Self::Range(b)) => {
                a.len() == b.len()
                    && (a.len() == 0 || a.start == b.start)
                    && (a.len() <= 1 || a.step == b.step)
            }
            (Self::View(View::Keys, a), Self::View(View::Keys, b)) => {
                a.len() == b.len() && a.iter().all(|(k, _)| b.get(k).ok().flatten().is_some())
            }
            (Self::View(View::Items, a), Self::View(View::Items, b)) => a.equals(b),
            (Self::Method(a), Self::Method(b)) => a.1 == b.1 && a.0.is_identical(&b.0),
            _ => self.is_identical(other),
        }
    }
}
