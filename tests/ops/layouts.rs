//! The parameters of every op lie in memory as its kernels read them.

use std::mem::{offset_of, size_of};

use hala_plan::ops::{
    add, attention, concat, convolve, embed, gate, gather, matmul, norm, rope_kv, round, sample, short_conv,
    softcap, swiglu,
};
use hala_shaders::{Member, VARIANTS};

/// Bytes of every scalar in a uniform.
const WORD: usize = 4;

/// A struct of parameters as Rust lays it out.
struct Layout {
    op: &'static str,
    n_bytes: usize,
    /// Name, offset and bytes of each field, in their order.
    fields: Vec<(&'static str, usize, usize)>,
}

/// The layout of a module's `Params`. The pattern breaks the build where a field is not listed.
macro_rules! layout {
    ($op:ident: $($field:ident),+) => {{
        let _complete = |$op::Params { $($field: _),+ }: $op::Params| ();
        let size_in = |get: &dyn Fn(&$op::Params) -> usize| get(&bytemuck::Zeroable::zeroed());
        let fields = vec![$((
            stringify!($field),
            offset_of!($op::Params, $field),
            size_in(&|params| size_of_val(&params.$field)),
        )),+];
        Layout { op: $op::NAME, n_bytes: size_of::<$op::Params>(), fields }
    }};
}

fn layouts() -> [Layout; 15] {
    [
        layout!(add: width),
        layout!(concat: n_columns),
        layout!(convolve: width, n_taps, bias),
        layout!(gate: n_columns, n_each, activation),
        layout!(embed: n_vocab, width, scale),
        layout!(gather: width),
        layout!(norm: width, eps, layer, add),
        layout!(matmul: n_in, n_out, norm, eps, bias, add),
        layout!(swiglu: n_in, n_out, eps, norm, gelu),
        layout!(short_conv: width, n_taps, eps, bias, norm),
        layout!(round: n_columns, group, scale, e4m3),
        layout!(rope_kv: n_heads, n_kv_heads, head_size, n_positions, eps, norm, turn, table),
        layout!(attention: n_heads, n_kv_heads, head_size, n_positions, scale, softcap, window, table),
        layout!(softcap: n_columns, cap),
        layout!(sample: n_vocab),
    ]
}

impl Layout {
    /// The members that a kernel must have: WGSL has no array of words in a uniform, so an array is its words by number.
    fn members(&self) -> Vec<(String, u32)> {
        let words = |(name, offset, n_bytes): &(&str, usize, usize)| -> Vec<(String, u32)> {
            let at = |i: usize| (offset + i * WORD) as u32;
            match n_bytes / WORD {
                1 => vec![((*name).to_owned(), at(0))],
                n => (0..n).map(|i| (format!("{name}_{i}"), at(i))).collect(),
            }
        };
        self.fields.iter().flat_map(words).collect()
    }
}

fn as_read(members: &[Member]) -> Vec<(String, u32)> {
    assert!(members.iter().all(|m| m.size as usize == WORD), "{members:?}");
    members.iter().map(|m| (m.name.to_owned(), m.offset)).collect()
}

#[test]
fn kernels_read_the_parameters_of_a_plan_where_they_lie() {
    for layout in layouts() {
        let expected = layout.members();
        assert_eq!(expected.len() * WORD, layout.n_bytes, "{}: padding", layout.op);
        let variants = VARIANTS.iter().filter(|v| v.op == layout.op && !v.params.is_empty());
        let mut n_variants = 0;
        for variant in variants {
            let found = as_read(variant.params);
            assert_eq!(found, expected, "{}", variant.name);
            n_variants += 1;
        }
        assert!(n_variants > 0, "no kernel of {} reads its parameters", layout.op);
    }
}

#[test]
fn every_kernel_belongs_to_an_op() {
    let ops = layouts().map(|layout| layout.op);
    for variant in VARIANTS {
        assert!(ops.contains(&variant.op), "{}", variant.name);
    }
}
