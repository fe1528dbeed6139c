//! One variant of a kernel: its text, what it needs and what it binds.

use crate::body::Body;

/// A kernel made with one set of defines. Its entry point is `main`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// The name, in parts joined by dots: `matmul.int8.rows`.
    pub name: &'static str,
    /// The op that it computes: the first part of the name, and the stem of the file.
    pub op: &'static str,
    /// The expanded text without preamble, comments and blank lines; [`source`](Self::source) is what devices take.
    pub body: Body,
    /// What the device must offer.
    pub needs: Needs,
    /// Invocations of a workgroup along x, y and z.
    pub workgroup_size: [u32; 3],
    /// Bytes of the workgroup memory that `main` reaches, each variable rounded up to a multiple of 16.
    pub workgroup_bytes: u32,
    /// The buffers that `main` reaches, by group and binding. Those that it does not reach are left out: bind group layouts
    /// made of these are exact.
    pub bindings: &'static [Binding],
    /// The members of the uniform `params`, as in its binding; empty where `main` does not reach it.
    pub params: &'static [Member],
    /// Its u32 constants, sorted by name: the numbers of its line in `variants.txt`, and those that its text has or computes.
    pub constants: &'static [(&'static str, u32)],
}

/// What a variant needs beyond WebGPU's core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Subgroup operations (not subgroup barriers).
    pub subgroups: bool,
    /// The type `f16` (`unpack2x16float` and its kin need nothing).
    pub f16: bool,
    /// The types `i64` and `u64`, which browsers do not have.
    pub int64: bool,
}

/// A buffer that a variant uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The bind group.
    pub group: u32,
    /// The number within the group.
    pub binding: u32,
    /// The variable's name.
    pub name: &'static str,
    /// How it is bound.
    pub kind: BindingKind,
    /// The members of a uniform's struct, by offset; empty for storage buffers.
    pub members: &'static [Member],
}

/// How a buffer is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindingKind {
    /// `var<uniform>`.
    Uniform,
    /// `var<storage, read>`.
    StorageRead,
    /// `var<storage, read_write>`.
    StorageReadWrite,
}

/// A member of a uniform struct, as WGSL lays it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The name.
    pub name: &'static str,
    /// Bytes from the start of the struct.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
}

/// Who reads the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// naga, in wgpu's native backends: it knows subgroup operations unasked and rejects `enable subgroups;`.
    Native,
    /// A browser, or another implementation that holds to the letter of WGSL.
    Browser,
}

impl Variant {
    /// The value of a u32 constant of the text.
    pub fn constant(&self, name: &str) -> Option<u32> {
        let idx = self.constants.binary_search_by(|(found, _)| (*found).cmp(name)).ok()?;
        self.constants.get(idx).map(|(_, value)| *value)
    }

    /// The whole text for `target`: the directives that [`needs`](Self::needs) asks for, then the body.
    pub fn source(&self, target: Target) -> String {
        let f16 = if self.needs.f16 { "enable f16;\n" } else { "" };
        let subgroups =
            if self.needs.subgroups && target == Target::Browser { "enable subgroups;\n" } else { "" };
        format!("{f16}{subgroups}{}", self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preamble_is_what_the_target_wants() {
        let variant = |subgroups, f16| Variant {
            name: "a",
            op: "a",
            body: Body::new(&["fn main() {}\n"], &[0]),
            needs: Needs { subgroups, f16, int64: false },
            workgroup_size: [1; 3],
            workgroup_bytes: 0,
            bindings: &[],
            params: &[],
            constants: &[],
        };
        for (subgroups, f16, native, browser) in [
            (false, false, "", ""),
            (true, false, "", "enable subgroups;\n"),
            (false, true, "enable f16;\n", "enable f16;\n"),
            (true, true, "enable f16;\n", "enable f16;\nenable subgroups;\n"),
        ] {
            let variant = variant(subgroups, f16);
            assert_eq!(variant.source(Target::Native), format!("{native}fn main() {{}}\n"));
            assert_eq!(variant.source(Target::Browser), format!("{browser}fn main() {{}}\n"));
        }
    }
}
