//! Attention with its projections and its cache.

use hala_plan::ops::{attention, rope_kv};
use hala_plan::{BufferId, PAGE, StateId, StateKind, StateSpec, TableSpec, WeightId};
use hala_tensor::{DType, Shape};

use crate::blocks::pass::Pass;
use crate::error::ModelError;
use crate::heads::Heads;

/// One layer's attention, up to its output projection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attention {
    pub(crate) heads: Heads,
    /// Of queries, keys and values.
    pub(crate) projections: [WeightId; 3],
    /// Of queries' and of keys' heads, and ε.
    pub(crate) norms: Option<([WeightId; 2], f32)>,
    /// The table of angles, and what turns together.
    pub(crate) turn: Option<(WeightId, rope_kv::Pairs)>,
    /// Keys; values are the next.
    pub(crate) cache: StateId,
    pub(crate) scale: f32,
    pub(crate) softcap: Option<f32>,
    pub(crate) window: Option<u32>,
}

impl Pass<'_> {
    /// `y = attention(rope(norm(x Wqᵀ)), rope(norm(x Wkᵀ)), x Wvᵀ)`, `[T, H·A]`.
    pub(crate) fn attend(
        &mut self,
        i: usize,
        layer: &Attention,
        x: BufferId,
    ) -> Result<BufferId, ModelError> {
        let qkv = self.project_beside(&format!("layers.{i}.qkv"), x, layer.projections)?;
        let norms = layer.norms.map(|([q, k], eps)| {
            let (q, k) = (self.weight(q), self.weight(k));
            rope_kv::Norms { q, k, eps }
        });
        let turn = layer.turn.map(|(table, pairs)| rope_kv::Turn { table: self.weight(table), pairs });
        let q = self.scratch(&format!("layers.{i}.q"), layer.heads.q_width());
        let [keys, values] = [layer.cache, StateId(layer.cache.0 + 1)].map(|id| self.state(id));
        let n_positions = self.n_positions();
        self.recorder.add(rope_kv::Args { qkv, norms, turn, q, keys, values, n_positions })?;
        let y = self.scratch(&format!("layers.{i}.attended"), layer.heads.q_width());
        let Attention { scale, softcap, window, .. } = *layer;
        self.recorder.add(attention::Args { q, keys, values, y, n_positions, scale, softcap, window })?;
        Ok(y)
    }
}

/// The cache of layer `i`: keys, then values, pages `[K, PAGE, A]` in a page table of this index.
pub(crate) fn cache_states(i: usize, heads: Heads, table: u32, dtype: DType) -> [StateSpec; 2] {
    ["keys", "values"].map(|part| StateSpec {
        label: format!("layers.{i}.{part}"),
        shape: Shape::cube(heads.n_kv_heads, PAGE, heads.head_size),
        dtype,
        kind: StateKind::Paged { table },
    })
}

/// The tables of layers with these windows, one for each that differs, and which table each layer has.
pub(crate) fn page_tables(windows: &[Option<u32>]) -> (Vec<TableSpec>, Vec<u32>) {
    let mut tables: Vec<TableSpec> = Vec::new();
    let mut of = |window: &Option<u32>| {
        let spec = TableSpec { window: *window };
        let found = tables.iter().position(|table| *table == spec);
        found.unwrap_or_else(|| {
            tables.push(spec);
            tables.len() - 1
        }) as u32
    };
    let layers = windows.iter().map(&mut of).collect();
    (tables, layers)
}
