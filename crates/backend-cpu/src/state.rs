//! State buffers of one session on the host: KV caches and the last conv inputs.

use hala_plan::{BackendError, StateKind, StateSpec};
use hala_tensor::DType;
use half::f16;

/// The elements of one state buffer.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    F32(Vec<f32>),
    F16(Vec<f16>),
}

impl Cells {
    /// Zeroed cells; the system hands out the pages of a large buffer only as they are written.
    fn zeroed(spec: &StateSpec) -> Result<Self, BackendError> {
        let n = spec.shape.n_elements();
        match spec.dtype {
            DType::F32 => Ok(Self::F32(vec![0.0; n])),
            DType::F16 => Ok(Self::F16(bytemuck::allocation::zeroed_vec(n))),
            dtype => Err(BackendError::Unsupported {
                backend: "cpu",
                what: format!("the state {}", spec.label),
                dtype,
            }),
        }
    }

    /// The elements as f32.
    pub(crate) fn copy_to(&self, out: &mut Vec<f32>) {
        out.clear();
        match self {
            Self::F32(x) => out.extend_from_slice(x),
            Self::F16(x) => out.extend(x.iter().map(|v| v.to_f32())),
        }
    }
}

/// All state buffers of one session.
#[derive(Debug)]
pub struct State {
    pub(crate) cells: Vec<Cells>,
    kinds: Vec<StateKind>,
}

impl State {
    pub(crate) fn allocate(states: &[StateSpec]) -> Result<Self, BackendError> {
        let cells = states.iter().map(Cells::zeroed).collect::<Result<_, _>>()?;
        Ok(Self { cells, kinds: states.iter().map(|s| s.kind).collect() })
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let recurrent = self.cells.iter().zip(&self.kinds).enumerate();
        let recurrent = recurrent.filter(|(_, (_, kind))| **kind == StateKind::Recurrent);
        Snapshot { cells: recurrent.map(|(i, (cells, _))| (i, cells.clone())).collect() }
    }

    pub(crate) fn restore(&mut self, snapshot: &Snapshot) {
        for (i, cells) in &snapshot.cells {
            self.cells[*i].clone_from(cells);
        }
    }
}

/// A copy of a session's recurrent states at one position.
#[derive(Debug, Clone)]
pub struct Snapshot {
    cells: Vec<(usize, Cells)>,
}
