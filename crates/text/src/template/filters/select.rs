//! `map`, `select`, `reject` and their variants for attributes.

use crate::template::args::Args;
use crate::template::fault::{Outcome, failed};
use crate::template::filters::attributes::Getter;
use crate::template::host::Host;
use crate::template::value::Value;

/// Which items are kept: those that a test holds for, or the others; of the items or of an attribute of theirs.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    holds: bool,
    by_attribute: bool,
}

impl Wanted {
    pub(super) const THESE: Self = Self { holds: true, by_attribute: false };
    pub(super) const OTHERS: Self = Self { holds: false, by_attribute: false };
    pub(super) const THESE_BY_ATTRIBUTE: Self = Self { holds: true, by_attribute: true };
    pub(super) const OTHERS_BY_ATTRIBUTE: Self = Self { holds: false, by_attribute: true };
}

/// The name of a filter or test, and the other arguments, which are its own.
fn named(mut args: Args) -> Outcome<(Value, Args)> {
    let name = args.positional.remove(0);
    Ok((name, args))
}

pub(super) fn map(host: &mut dyn Host, value: &Value, args: Args) -> Outcome<Value> {
    let mut out = Vec::new();
    let fault = mapped(host, value, args, &mut out).err();
    Ok(Value::stream_until(out, fault))
}

fn mapped(host: &mut dyn Host, value: &Value, mut args: Args, out: &mut Vec<Value>) -> Outcome<()> {
    if !value.is_true() {
        return Ok(());
    }
    let attribute = args.keyword.iter().position(|(name, _)| &**name == "attribute");
    if let (true, Some(at)) = (args.positional.is_empty(), attribute) {
        let attribute = args.keyword.remove(at).1;
        let default = args.keyword.iter().position(|(name, _)| &**name == "default");
        let default = default.map(|at| args.keyword.remove(at).1);
        if let Some((name, _)) = args.keyword.first() {
            return failed(format!("Unexpected keyword argument '{name}'"));
        }
        let getter = Getter::new(Some(attribute))?.with_default(default);
        for item in value.items()? {
            out.push(getter.get(&item)?);
        }
        return Ok(());
    }
    if args.positional.is_empty() {
        return failed("map requires a filter argument");
    }
    let (name, args) = named(args)?;
    for item in value.items()? {
        let Some(name) = name.as_str() else { return failed("No filter of that name") };
        out.push(host.filter(name, &item, args.clone())?);
    }
    Ok(())
}

pub(super) fn select(host: &mut dyn Host, value: &Value, args: Args, wanted: Wanted) -> Outcome<Value> {
    let mut kept = Vec::new();
    let fault = selected(host, value, (args, wanted), &mut kept).err();
    Ok(Value::stream_until(kept, fault))
}

fn selected(
    host: &mut dyn Host,
    value: &Value,
    (mut args, wanted): (Args, Wanted),
    kept: &mut Vec<Value>,
) -> Outcome<()> {
    if !value.is_true() {
        return Ok(());
    }
    let getter = match (wanted.by_attribute, args.positional.is_empty()) {
        (true, true) => return failed("Missing parameter for attribute name"),
        (true, false) => Getter::new(Some(args.positional.remove(0)))?,
        (false, _) => Getter::new(None)?,
    };
    let test = if args.positional.is_empty() { None } else { Some(named(args)?) };
    for item in value.items()? {
        let of = getter.get(&item)?;
        let holds = match &test {
            None => of.is_true(),
            Some((name, args)) => match name.as_str() {
                Some(name) => host.test(name, &of, args.clone())?,
                None => return failed("No test of that name"),
            },
        };
        if holds == wanted.holds {
            kept.push(item);
        }
    }
    Ok(())
}
