//! Writes the Rust text of the table of variants.

use super::declarations::Declarations;
use super::reflect::{Binding, Member, Reflected};
use super::table::Row;

/// A variant that naga finds no fault with.
pub(super) struct Compiled {
    pub(super) row: Row,
    pub(super) body: String,
    pub(super) reflected: Reflected,
}

/// A block whose value is an array of `Variant`s.
pub(super) fn array(variants: &[Compiled]) -> String {
    let mut declarations = Declarations::default();
    let elements: String =
        variants.iter().map(|variant| element(variant, &declarations.places(&variant.body))).collect();
    let all: String = declarations.all.iter().map(|text| format!("    {text:?},\n")).collect();
    format!("{{\nconst DECLARATIONS: &[&str] = &[\n{all}];\n[\n{elements}]\n}}\n")
}

fn element(variant: &Compiled, body: &[usize]) -> String {
    let Compiled { row, reflected, .. } = variant;
    format!(
        "    Variant {{
        name: {:?},
        op: {:?},
        body: Body::new(DECLARATIONS, &{body:?}),
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
