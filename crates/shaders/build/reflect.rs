//! Parses and validates a variant with naga, and reads from the module what a backend must know.

use std::collections::BTreeMap;

use naga::front::wgsl::{Frontend, Options};
use naga::valid::{Capabilities, FunctionInfo, ValidationFlags, Validator};
use naga::{
    AddressSpace, Expression, GlobalVariable, Literal, Module, ShaderStage, Span, StorageAccess, TypeInner,
};

use super::diagnose::Source;
use super::fault::Fault;
use super::folder::Folder;
use super::preprocess::Expanded;
use super::table::Row;

/// A variant's sizes and the buffers that it uses.
#[derive(Debug, PartialEq)]
pub(super) struct Reflected {
    pub(super) workgroup_size: [u32; 3],
    pub(super) workgroup_bytes: u32,
    /// By group and binding.
    pub(super) bindings: Vec<Binding>,
    /// The u32 constants of the module by name, those of the variant's line among them.
    pub(super) constants: BTreeMap<String, u32>,
}

impl Reflected {
    /// The members of the uniform `name`; none where it is not used.
    pub(super) fn uniform(&self, name: &str) -> &[Member] {
        self.bindings.iter().find(|found| found.name == name).map_or(&[], |found| &found.members)
    }
}

/// A buffer that the kernel uses.
#[derive(Debug, PartialEq)]
pub(super) struct Binding {
    pub(super) group: u32,
    pub(super) binding: u32,
    pub(super) name: String,
    /// The name of the library's `BindingKind`.
    pub(super) kind: &'static str,
    /// A uniform's; none for the others.
    pub(super) members: Vec<Member>,
}

/// A member of a uniform struct.
#[derive(Debug, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) offset: u32,
    pub(super) size: u32,
}

/// Checks the text of a variant.
///
/// # Errors
/// What naga says, or what this project wants otherwise than WGSL, told of the files of `folder`.
pub(super) fn reflect(folder: &Folder, row: &Row, expanded: &Expanded) -> Result<Reflected, Fault> {
    let preamble = if row.f16 { "enable f16;\n" } else { "" };
    let source = Source { folder, row, expanded, preamble };
    let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    capabilities.set(Capabilities::SUBGROUP, row.subgroups);
    capabilities.set(Capabilities::SHADER_FLOAT16, row.f16);
    capabilities.set(Capabilities::SHADER_INT64, row.int64);
    let mut frontend = Frontend::new_with_options(Options { parse_doc_comments: false, capabilities });
    let module = frontend.parse(&source.text()).map_err(|error| source.unparsed(&error))?;
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    let info = validator.validate(&module).map_err(|error| source.invalid(&error))?;
    let [main] = module.entry_points.as_slice() else {
        let what = format!("{} entry points, and there must be one: `main`", module.entry_points.len());
        return Err(row.place.fault(what));
    };
    if main.name != "main" || main.stage != ShaderStage::Compute {
        return Err(row
            .place
            .fault(format!("the entry point `{}` must be `@compute` and `main`", main.name)));
    }
    if let Some((handle, _)) = module.overrides.iter().next() {
        let what = "an override; let a define with a number make a constant instead";
        return Err(source.at(module.overrides.get_span(handle), what));
    }
    read(&source, &module, info.get_entry_point(0))
}

/// Reads the globals that `main` reaches; what it never touches needs no buffer.
fn read(source: &Source<'_>, module: &Module, main: &FunctionInfo) -> Result<Reflected, Fault> {
    let mut out = Reflected {
        workgroup_size: module.entry_points[0].workgroup_size,
        workgroup_bytes: 0,
        bindings: Vec::new(),
        constants: constants(module),
    };
    for (handle, variable) in module.global_variables.iter().filter(|(handle, _)| !main[*handle].is_empty()) {
        let span = module.global_variables.get_span(handle);
        match variable.space {
            AddressSpace::WorkGroup => {
                let bytes = workgroup_bytes(source, module, variable, span)?;
                out.workgroup_bytes = out.workgroup_bytes.saturating_add(bytes);
            }
            AddressSpace::Private => {}
            _ => out.bindings.push(binding(module, variable).ok_or_else(|| {
                source.at(span, "neither a uniform nor a storage buffer, and kernels have no others")
            })?),
        }
    }
    out.bindings.sort_by_key(|found| (found.group, found.binding));
    Ok(out)
}

/// The u32 constants, which naga has computed.
fn constants(module: &Module) -> BTreeMap<String, u32> {
    let value = |constant: &naga::Constant| match module.global_expressions[constant.init] {
        Expression::Literal(Literal::U32(value)) => Some((constant.name.clone()?, value)),
        _ => None,
    };
    module.constants.iter().filter_map(|(_, constant)| value(constant)).collect()
}

/// Bytes of a workgroup variable as WebGPU counts them: whole multiples of 16.
fn workgroup_bytes(
    source: &Source<'_>,
    module: &Module,
    variable: &GlobalVariable,
    span: Span,
) -> Result<u32, Fault> {
    let size = module.types[variable.ty].inner.try_size(module.to_ctx());
    let size = size.and_then(|size| size.checked_next_multiple_of(16));
    size.ok_or_else(|| source.at(span, "too large for workgroup memory"))
}

fn binding(module: &Module, variable: &GlobalVariable) -> Option<Binding> {
    let kind = match variable.space {
        AddressSpace::Uniform => "Uniform",
        AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => "StorageReadWrite",
        AddressSpace::Storage { .. } => "StorageRead",
        _ => return None,
    };
    let at = variable.binding?;
    let name = variable.name.clone().unwrap_or_default();
    let members = if kind == "Uniform" { members(module, variable) } else { Vec::new() };
    Some(Binding { group: at.group, binding: at.binding, name, kind, members })
}

/// The members of the struct that `variable` is; none where it is something else.
fn members(module: &Module, variable: &GlobalVariable) -> Vec<Member> {
    let TypeInner::Struct { members, .. } = &module.types[variable.ty].inner else { return Vec::new() };
    let member = |member: &naga::StructMember| Member {
        name: member.name.clone().unwrap_or_default(),
        offset: member.offset,
        size: module.types[member.ty].inner.try_size(module.to_ctx()).unwrap_or(0),
    };
    members.iter().map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::folder;
    use super::super::{preprocess, table};
    use super::*;

    fn reflected(flags: &str, text: &str) -> Result<Reflected, String> {
        let folder = folder(&[("a.wgsl", text), (table::TABLE, &format!("a a.wgsl {flags}\n"))]);
        let row = table::parse(&folder).unwrap().remove(0);
        let expanded = preprocess::expand(&folder, &row).unwrap();
        reflect(&folder, &row, &expanded).map_err(|fault| fault.to_string())
    }

    const KERNEL: &str = "// y = x
struct Params { n: u32, scale: f32, sizes: vec2<u32> }
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [N]
@group(0) @binding(1) var<storage, read> x: array<f32>;       // [N]
@group(0) @binding(3) var<storage, read> never: array<f32>;   // [N]
@group(0) @binding(0) var<uniform> params: Params;
var<workgroup> part: array<f32, N>;
var<workgroup> untouched: array<f32, 64>;
@compute @workgroup_size(N, 2)
fn main(@builtin(local_invocation_index) i: u32) {
    part[i] = x[i];
    y[i] = part[i] * params.scale;
}
";

    #[test]
    fn sizes_bindings_and_params_are_read() {
        let found = reflected("N=33", KERNEL).unwrap();
        assert_eq!(found.workgroup_size, [33, 2, 1]);
        assert_eq!(found.workgroup_bytes, 144);
        let bindings: Vec<_> = found.bindings.iter().map(|b| (b.binding, b.name.as_str(), b.kind)).collect();
        assert_eq!(
            bindings,
            [(0, "params", "Uniform"), (1, "x", "StorageRead"), (2, "y", "StorageReadWrite")]
        );
        let members: Vec<_> =
            found.uniform("params").iter().map(|m| (m.name.as_str(), m.offset, m.size)).collect();
        assert_eq!(members, [("n", 0, 4), ("scale", 4, 4), ("sizes", 8, 8)]);
        assert!(found.uniform("placement").is_empty());
    }

    #[test]
    fn constants_are_read_of_the_line_and_as_computed_of_the_text() {
        let text = "const HALF: u32 = ROWS / 2u;
const UNUSED: u32 = HALF + 1u;
const FACTOR: f32 = 2.0;
@compute @workgroup_size(HALF)
fn main() {}
";
        let found = reflected("ROWS=6 WIDE", text).unwrap();
        let constants: Vec<_> = found.constants.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(constants, [("HALF", 3), ("ROWS", 6), ("UNUSED", 4)]);
        assert_eq!(reflected("ROWS=8", text).unwrap().constants["HALF"], 4);
    }

    #[test]
    fn subgroups_and_f16_need_their_flags() {
        let subgroups = "@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) i: u32) {
    y[i] = subgroupAdd(y[i]);
}
";
        assert!(reflected("+subgroups", subgroups).is_ok());
        let found = reflected("", subgroups).unwrap_err();
        assert!(found.starts_with("shaders/a.wgsl:4: "), "{found}");
        assert!(found.ends_with("its line in shaders/variants.txt lacks +subgroups"), "{found}");
        let f16 = "@compute @workgroup_size(32)\nfn main() {\n    let x = f16(1.0);\n}\n";
        assert!(reflected("+f16", f16).is_ok());
        let found = reflected("", f16).unwrap_err();
        assert!(found.starts_with("shaders/a.wgsl:3: "), "{found}");
        assert!(found.ends_with("its line in shaders/variants.txt lacks +f16"), "{found}");
    }

    #[test]
    fn a_fault_that_only_validation_finds_is_told_of_its_innermost_place() {
        let text = "// a
fn pick(i: u32) -> u32 {
    var parts = array<u32, 2>(1u, 2u);
    return subgroupAdd(parts[i]);
}
@compute @workgroup_size(32)
fn main() { _ = pick(1u); }
";
        let found = reflected("", text).unwrap_err();
        let lines: Vec<_> = found.lines().collect();
        assert_eq!(lines[1], "    4 |     return subgroupAdd(parts[i]);", "{found}");
        assert_eq!(lines.iter().filter(|line| line.contains(" | ")).count(), 2, "{found}");
    }

    #[test]
    fn a_fault_behind_a_preamble_keeps_its_line() {
        let text = "// a\n@compute @workgroup_size(32)\n\nfn main() {\n    let x: u32 = 1.5;\n}\n";
        for flags in ["", "+f16", "+f16 N=1"] {
            let found = reflected(flags, text).unwrap_err();
            assert!(found.starts_with("shaders/a.wgsl:5: "), "{found}");
            assert!(found.contains("\n    5 |     let x: u32 = 1.5;"), "{found}");
        }
    }

    #[test]
    fn what_a_kernel_may_not_have_is_named() {
        let main = "@compute @workgroup_size(32)\nfn main() {}\n";
        let override_ = "override n: u32 = 1;\n@compute @workgroup_size(n)\nfn main() {}\n";
        let sampler = "@group(0) @binding(0) var t: texture_2d<f32>;
@compute @workgroup_size(32)
fn main() {
    _ = textureDimensions(t);
}
";
        for (text, what) in [
            ("fn f() {}\n", "variants.txt:1: 0 entry points"),
            ("@compute @workgroup_size(32)\nfn sum() {}\n", "variants.txt:1: the entry point `sum`"),
            (&format!("{main}@compute @workgroup_size(32)\nfn b() {{}}\n"), "variants.txt:1: 2 entry points"),
            (override_, "a.wgsl:1: an override"),
            (sampler, "a.wgsl:1: neither a uniform nor a storage buffer"),
        ] {
            let found = reflected("", text).unwrap_err();
            assert!(found.starts_with(&format!("shaders/{what}")), "{found}");
        }
    }
}
