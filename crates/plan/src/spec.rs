//! What an op says of itself, in its own file: how it is recorded, and all that a program asks of it besides running it.

use crate::buffer::{Buffer, BufferId};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::places::Window;
use crate::tolerance::{F32_SUMS, Tolerance};

/// The buffers and choices of an op, ready to be recorded.
pub trait Record {
    /// What kernels read.
    type Params;

    /// Checks the buffers against each other and gives the step.
    ///
    /// # Errors
    /// Buffers that do not fit together, or a parameter that the op does not support.
    fn record(self, declared: &Declared) -> Result<Recorded<Self::Params>, PlanError>;
}

/// A step that was checked.
#[derive(Debug, Clone)]
pub struct Recorded<P> {
    /// What kernels read.
    pub params: P,
    /// Buffers read.
    pub inputs: Vec<BufferId>,
    /// Buffers written.
    pub outputs: Vec<BufferId>,
}

/// The buffers of a step, in the order that its op documents.
#[derive(Debug, Clone, Copy)]
pub struct Io<'a> {
    /// Buffers read.
    pub inputs: &'a [BufferId],
    /// Buffers written.
    pub outputs: &'a [BufferId],
}

/// The norm before a product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norm {
    /// `[I]`, f32.
    pub weight: BufferId,
    /// ε.
    pub eps: f32,
}

/// The matrices of a step, with what they are multiplied with.
#[derive(Debug, Clone, PartialEq)]
pub struct Products {
    /// `[T, I]`.
    pub x: BufferId,
    /// The norm of `x` before the product.
    pub norm: Option<Norm>,
    /// `[Oᵢ, I]`.
    pub matrices: Vec<BufferId>,
}

/// The run that the work of a step is counted for.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The buffers of the step.
    pub io: Io<'a>,
    /// All buffers of the Plan.
    pub buffers: &'a [Buffer],
    /// T of the Plan.
    pub n_tokens: usize,
    /// Position of the first row.
    pub position: usize,
}

impl Counted<'_> {
    fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    /// Bytes of a buffer.
    pub fn n_bytes(&self, id: BufferId) -> usize {
        let buffer = self.buffer(id);
        buffer.dtype.n_bytes(buffer.shape)
    }

    /// Bytes of the matrices of a step.
    pub fn matrix_bytes(&self, products: &Products) -> usize {
        products.matrices.iter().map(|id| self.n_bytes(*id)).sum()
    }

    /// Floating-point operations of the products of a step: a multiplication and a sum for each element and row.
    pub fn n_flops(&self, products: &Products) -> usize {
        let matrices = products.matrices.iter().map(|id| self.buffer(*id).shape.n_elements());
        2 * matrices.sum::<usize>() * self.buffer(products.x).shape.n_rows()
    }
}

/// What a step has to do at least.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Work {
    /// The sizes that decide it, as `1024 → 3072`.
    pub sizes: String,
    /// Bytes of matrices, cache and logits that are read or written; other activations and weights are left out.
    pub n_bytes: usize,
    /// Floating-point operations of its products.
    pub n_flops: usize,
}

impl Work {
    /// That of a step with these products.
    pub(crate) fn of_products(sizes: String, products: Option<Products>, run: &Counted<'_>) -> Self {
        let [n_bytes, n_flops] =
            products.map_or([0; 2], |products| [run.matrix_bytes(&products), run.n_flops(&products)]);
        Self { sizes, n_bytes, n_flops }
    }
}

/// What a program asks of an op besides running it. Most ops say nothing to most of it.
pub trait OpSpec {
    /// The op's one name: of its files, its shader, its test and its profile rows.
    fn name(&self) -> &'static str;

    /// V, the ids that it has rows for, where it looks ids up.
    fn n_ids(&self) -> Option<usize> {
        None
    }

    /// S, where it goes by positions: a sequence has no more.
    fn n_positions(&self) -> Option<usize> {
        None
    }

    /// V, where it chooses the next tokens.
    fn n_chosen_from(&self) -> Option<usize> {
        None
    }

    /// The positions that it looks at in a cache.
    fn window(&self) -> Option<Window> {
        None
    }

    /// The matrices that it multiplies with; `None` where it has none. A table of which a few rows are looked up is not among them.
    fn products(&self, _io: Io<'_>) -> Option<Products> {
        None
    }

    /// How near a backend must come to the plain run in what it writes of a buffer, from the same inputs; `None` for room that it need not write.
    fn tolerance(&self, _io: Io<'_>, _buffers: &[Buffer], _output: BufferId) -> Option<Tolerance> {
        Some(F32_SUMS)
    }

    /// Whether results are added to what the output held, so that an error is one of what was added.
    fn adds(&self) -> bool {
        false
    }

    /// What it has to do at least in a run.
    fn work(&self, run: &Counted<'_>) -> Work;
}
