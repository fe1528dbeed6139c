//! The filters of Jinja2, and transformers' `tojson`.

mod attributes;
mod markup;
mod numbers;
mod select;
mod sequences;
mod sort;
mod strings;
mod wrap;

use crate::template::args::{Args, Signature};
use crate::template::fault::{Outcome, refused};
use crate::template::host::Host;
use crate::template::json;
use crate::template::value::Value;

/// A filter: of a run, a value and arguments.
pub(crate) type Filter = fn(&mut dyn Host, &Value, Args) -> Outcome<Value>;

/// The filter of a name.
pub(crate) fn find(name: &str) -> Option<Filter> {
    Some(match name {
        "abs" => |_, value, args| numbers::abs(value, args),
        "attr" => |_, value, args| attributes::attr(value, args),
        "batch" => |_, value, args| sequences::batch(value, args),
        "capitalize" | "lower" | "title" | "upper" => match name {
            "capitalize" => |_, value, args| strings::cased(value, "capitalize", args),
            "lower" => |_, value, args| strings::cased(value, "lower", args),
            "upper" => |_, value, args| strings::cased(value, "upper", args),
            _ => |_, value, args| strings::title(value, args),
        },
        "center" => |_, value, args| strings::center(value, args),
        "count" | "length" => |_, value, args| {
            let [] = args.bind_positional("len", 0)?;
            value.len().map(Value::count)
        },
        "d" | "default" => |_, value, args| default(value, args),
        "dictsort" => |_, value, args| sort::dictsort(value, args),
        "e" | "escape" => |_, value, args| markup::escape(value, args),
        "filesizeformat" => |_, value, args| numbers::filesizeformat(value, args),
        "first" => |_, value, args| sequences::first(value, args),
        "float" => |_, value, args| numbers::float(value, args),
        "forceescape" => |_, value, args| markup::forceescape(value, args),
        "format" => |_, value, args| strings::format(value, args),
        "groupby" => |_, value, args| sort::groupby(value, args),
        "indent" => |_, value, args| strings::indent(value, args),
        "int" => |_, value, args| numbers::int(value, args),
        "items" => |_, value, args| sequences::items(value, args),
        "join" => |_, value, args| sequences::join(value, args),
        "last" => |_, value, args| sequences::last(value, args),
        "list" => |_, value, args| {
            let [] = args.bind_positional("do_list", 0)?;
            Value::list(value.items()?)
        },
        "map" => select::map,
        "max" => |_, value, args| sort::extreme(value, true, args),
        "min" => |_, value, args| sort::extreme(value, false, args),
        "pprint" => |_, value, args| markup::pprint(value, args),
        "random" => |_, _, _| refused("the filter `random`"),
        "reject" => |host, value, args| select::select(host, value, args, select::Wanted::OTHERS),
        "rejectattr" => {
            |host, value, args| select::select(host, value, args, select::Wanted::OTHERS_BY_ATTRIBUTE)
        }
        "replace" => |_, value, args| strings::replace(value, args),
        "reverse" => |_, value, args| sequences::reverse(value, args),
        "round" => |_, value, args| numbers::round(value, args),
        "safe" => |_, value, args| markup::safe(value, args),
        "select" => |host, value, args| select::select(host, value, args, select::Wanted::THESE),
        "selectattr" => {
            |host, value, args| select::select(host, value, args, select::Wanted::THESE_BY_ATTRIBUTE)
        }
        "slice" => |_, value, args| sequences::slice(value, args),
        "sort" => |_, value, args| sort::sort(value, args),
        "string" => |_, value, args| strings::string(value, args),
        "striptags" => |_, value, args| markup::striptags(value, args),
        "sum" => |_, value, args| sequences::sum(value, args),
        "tojson" => |_, value, args| json::tojson(value, args).map(Value::str),
        "trim" => |_, value, args| strings::trim(value, args),
        "truncate" => |_, value, args| strings::truncate(value, args),
        "unique" => |_, value, args| sort::unique(value, args),
        "urlencode" => |_, value, args| markup::urlencode(value, args),
        "urlize" => |_, _, _| refused("the filter `urlize`"),
        "wordcount" => |_, value, args| strings::wordcount(value, args),
        "wordwrap" => |_, value, args| wrap::wordwrap(value, args),
        "xmlattr" => |_, value, args| markup::xmlattr(value, args),
        _ => return None,
    })
}

fn default(value: &Value, args: Args) -> Outcome<Value> {
    let [other, boolean] = args.bind(Signature {
        function: "do_default",
        parameters: ["default_value", "boolean"],
        n_needed: 0,
    })?;
    let replaced = value.is_undefined() || (boolean.is_some_and(|b| b.is_true()) && !value.is_true());
    Ok(if replaced { other.unwrap_or_else(|| Value::str("")) } else { value.clone() })
}
