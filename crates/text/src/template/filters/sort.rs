//! Filters that compare items: sorting, grouping, extremes, duplicates.

use crate::template::args::{Args, Signature, flag, index_or};
use crate::template::compare::{less, sorted};
use crate::template::fault::{Outcome, failed, refused};
use crate::template::filters::attributes::{Getter, without_case};
use crate::template::value::Value;

pub(super) fn sort(value: &Value, args: Args) -> Outcome<Value> {
    let [reverse, case_sensitive, attribute] = args.bind(Signature {
        function: "do_sort",
        parameters: ["reverse", "case_sensitive", "attribute"],
        n_needed: 0,
    })?;
    let ignore = !flag(case_sensitive.as_ref());
    let reverse = index_or(reverse.as_ref(), 0)? != 0;
    let getters: Vec<Getter> = match attribute.as_ref().and_then(Value::as_str) {
        Some(paths) => {
            paths.split(',').map(|path| Getter::new(Some(Value::str(path)))).collect::<Outcome<_>>()?
        }
        None => vec![Getter::new(attribute)?],
    };
    let getters: Vec<Getter> = getters.into_iter().map(|getter| getter.ignoring_case(ignore)).collect();
    let mut keyed = Vec::new();
    for item in value.items()? {
        let keys: Outcome<Vec<Value>> = getters.iter().map(|getter| getter.get(&item)).collect();
        keyed.push((Value::list(keys?)?, item));
    }
    Value::list(sorted(keyed, reverse)?)
}

pub(super) fn dictsort(value: &Value, args: Args) -> Outcome<Value> {
    let [case_sensitive, by, reverse] = args.bind(Signature {
        function: "do_dictsort",
        parameters: ["case_sensitive", "by", "reverse"],
        n_needed: 0,
    })?;
    let by_value = match by.as_ref().map_or(Some("key"), Value::as_str) {
        Some("key") => false,
        Some("value") => true,
        _ => return failed("You can only sort by either \"key\" or \"value\""),
    };
    let Value::Dict(dict) = value else {
        return failed(format!("'{}' object has no attribute 'items'", value.type_name()));
    };
    let mut keyed = Vec::new();
    for (key, item) in dict.iter() {
        let by = if by_value { item } else { key }.clone();
        let by = if flag(case_sensitive.as_ref()) { by } else { without_case(by) };
        keyed.push((by, Value::tuple(vec![key.clone(), item.clone()])?));
    }
    Value::list(sorted(keyed, index_or(reverse.as_ref(), 0)? != 0)?)
}

pub(super) fn groupby(value: &Value, args: Args) -> Outcome<Value> {
    let [attribute, default, case_sensitive] = args.bind(Signature {
        function: "do_groupby",
        parameters: ["attribute", "default", "case_sensitive"],
        n_needed: 1,
    })?;
    let case_sensitive = flag(case_sensitive.as_ref());
    let getter = |ignore: bool| -> Outcome<Getter> {
        Ok(Getter::new(attribute.clone())?.with_default(default.clone()).ignoring_case(ignore))
    };
    let (key_of, shown_key_of) = (getter(!case_sensitive)?, getter(false)?);
    let mut keyed = Vec::new();
    for item in value.items()? {
        let key = key_of.get(&item)?;
        keyed.push((key.clone(), (key, item)));
    }
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, item) in sorted(keyed, false)? {
        match groups.last_mut() {
            Some((last, items)) if last.same(&key) => items.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    let mut out = Vec::new();
    for (_, items) in groups {
        let key = items.first().map_or(Ok(Value::None), |first| shown_key_of.get(first))?;
        out.push(Value::Group(Value::seq(vec![key, Value::list(items)?])?));
    }
    Value::list(out)
}

pub(super) fn unique(value: &Value, args: Args) -> Outcome<Value> {
    let [case_sensitive, attribute] = args.bind(Signature {
        function: "do_unique",
        parameters: ["case_sensitive", "attribute"],
        n_needed: 0,
    })?;
    let mut kept = Vec::new();
    let getter = Getter::new(attribute).map(|getter| getter.ignoring_case(!flag(case_sensitive.as_ref())));
    let fault = getter.and_then(|getter| distinct(value, &getter, &mut kept)).err();
    Ok(Value::stream_until(kept, fault))
}

fn distinct(value: &Value, getter: &Getter, kept: &mut Vec<Value>) -> Outcome<()> {
    let mut seen: Vec<Value> = Vec::new();
    for item in value.items()? {
        let key = getter.get(&item)?;
        key.check_hashable()?;
        if !seen.iter().any(|other| other.same(&key)) {
            if seen.len() >= MAX_DISTINCT {
                return refused(format!("`unique` of more than {MAX_DISTINCT} different items"));
            }
            seen.push(key);
            kept.push(item);
        }
    }
    Ok(())
}

/// Each item is compared with all before it.
const MAX_DISTINCT: usize = 5000;

/// `max` or `min`: of items as large, the first.
pub(super) fn extreme(value: &Value, largest: bool, args: Args) -> Outcome<Value> {
    let [case_sensitive, attribute] = args.bind(Signature {
        function: "do_max",
        parameters: ["case_sensitive", "attribute"],
        n_needed: 0,
    })?;
    let getter = Getter::new(attribute)?.ignoring_case(!flag(case_sensitive.as_ref()));
    let mut best: Option<(Value, Value)> = None;
    for item in value.items()? {
        let key = getter.get(&item)?;
        let better = match &best {
            None => true,
            Some((other, _)) if largest => less(other, &key)?,
            Some((other, _)) => less(&key, other)?,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| Value::undefined("No aggregated item, sequence was empty."), |(_, item)| item))
}
