//! Writes the Rust text of the table of variants.

use super::reflect::{Binding, Member, Reflected};
use super::table::Row;

/// A variant that naga finds no fault with.
pub(super) struct Compiled {
    pub(super) row: Row,
    pub(super) body: String,
    pub(super) reflected: Reflected,
}

/// An array expression of `Variant`s.
pub(super) fn array(variants: &[Compiled]) -> String {
    let elements: String = variants.iter().map(element).collect();
    format!("[\n{elements}]\n")
}

fn element(variant: &Compiled) -> String {
    let Compiled { row, body, reflected } = variant;
    format!(
        "    Variant {{
        name: {:?},
        op: {:?},
        body: {body:?},
        needs: Needs {{ subgroups: {}, f16: {}, int64: {} }},
        workgroup_size: {:?},
        workgroup_bytes: {},
        bindings: &[{}],
        params: &[{}],
        constants: &[{}],
    }},
",
        row.name,
        row.op(),
        row.subgroups,
        row.f16,
        row.int64,
        reflected.workgroup_size,
        reflected.workgroup_bytes,
        reflected.bindings.iter().map(binding).collect::<String>(),
        members(reflected.uniform("params")),
        reflected.constants.iter().map(|(name, value)| format!("({name:?}, {value}), ")).collect::<String>(),
    )
}

fn binding(found: &Binding) -> String {
    let Binding { group, binding, name, kind, members: inside } = found;
    format!(
        "Binding {{ group: {group}, binding: {binding}, name: {name:?}, kind: BindingKind::{kind}, members: &[{}] }}, ",
        members(inside)
    )
}

fn members(all: &[Member]) -> String {
    let member = |Member { name, offset, size }: &Member| {
        format!("Member {{ name: {name:?}, offset: {offset}, size: {size} }}, ")
    };
    all.iter().map(member).collect()
}
