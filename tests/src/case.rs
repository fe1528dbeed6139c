//! A case: plans with their weights and states, and the runs to make.

use hala_plan::ops::embed;
use hala_plan::{BufferId, BufferKind, Plan, Recorder, StateId, StateKind, StateSpec, WeightId};
use hala_tensor::{DType, Shape, Tensor};

use crate::tolerances::Tolerance;

/// One thing to do with a session.
#[derive(Debug, Clone)]
pub enum Action {
    /// Run a plan.
    Run {
        /// Index of the plan.
        plan: usize,
        /// Token ids.
        ids: Vec<u32>,
        /// Position of the first.
        position: usize,
    },
    /// Keep the recurrent states.
    Snapshot,
    /// Put back those kept last.
    Restore,
}

/// A buffer to read after each run, and how exact it must be.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// The buffer.
    pub buffer: BufferId,
    /// Its tolerance, against the plain run.
    pub tolerance: Tolerance,
}

/// A plan and what is read after it.
#[derive(Debug)]
pub struct Recorded {
    /// The plan.
    pub plan: Plan,
    /// The buffers read.
    pub reads: Vec<Read>,
}

impl Recorded {
    /// Elements of a buffer that a run of `n_tokens` defines: all of a state, else the rows of the run's tokens.
    pub fn n_valid(&self, read: &Read, n_tokens: usize) -> usize {
        let buffer = self.plan.buffer(read.buffer);
        match buffer.kind {
            BufferKind::State(_) => buffer.shape.n_elements(),
            _ => buffer.shape.n_rows().min(n_tokens) * buffer.shape.n_columns(),
        }
    }
}

/// Plans that share weights and states, and the runs to make.
#[derive(Debug)]
pub struct Case {
    /// What is tested, in a few words: printed when it fails, and the seed of its data.
    pub name: String,
    weights: Vec<(String, Tensor)>,
    states: Vec<StateSpec>,
    plans: Vec<Recorded>,
    actions: Vec<Action>,
}

impl Case {
    /// A case with nothing in it.
    pub fn new(name: &str) -> Self {
        let name = name.to_owned();
        Self { name, weights: vec![], states: vec![], plans: vec![], actions: vec![] }
    }

    /// Adds a weight.
    pub fn weight(&mut self, label: &str, tensor: &Tensor) -> WeightId {
        self.weights.push((label.to_owned(), tensor.clone()));
        WeightId(self.weights.len() as u32 - 1)
    }

    /// Adds a state that every token overwrites, f32.
    pub fn recurrent(&mut self, label: &str, shape: Shape) -> StateId {
        self.state(label, shape, DType::F32, StateKind::Recurrent)
    }

    /// Adds a state with one entry a position.
    pub fn per_token(&mut self, label: &str, shape: Shape, dtype: DType) -> StateId {
        self.state(label, shape, dtype, StateKind::PerToken)
    }

    fn state(&mut self, label: &str, shape: Shape, dtype: DType, kind: StateKind) -> StateId {
        self.states.push(StateSpec { label: label.to_owned(), shape, dtype, kind });
        StateId(self.states.len() as u32 - 1)
    }

    /// Records a plan for up to `n_tokens` tokens; returns its index.
    pub fn plan(&mut self, n_tokens: usize, record: impl FnOnce(&mut Recording<'_>)) -> usize {
        let mut recorder = Recorder::new("case", n_tokens);
        let ids = recorder.ids();
        let mut recording = Recording { recorder, case: self, ids, reads: Vec::new() };
        record(&mut recording);
        let Recording { recorder, reads, .. } = recording;
        self.plans.push(Recorded { plan: recorder.finish(), reads });
        self.plans.len() - 1
    }

    /// Adds a run.
    pub fn run(&mut self, plan: usize, ids: &[u32], position: usize) {
        self.actions.push(Action::Run { plan, ids: ids.to_vec(), position });
    }

    /// Adds anything else to do.
    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Forgets what was to be done.
    pub fn clear_actions(&mut self) {
        self.actions.clear();
    }

    /// Labels and values of the weights, by id.
    pub fn weights(&self) -> &[(String, Tensor)] {
        &self.weights
    }

    /// The states, by id.
    pub fn states(&self) -> &[StateSpec] {
        &self.states
    }

    /// The plans.
    pub fn plans(&self) -> &[Recorded] {
        &self.plans
    }

    /// What is done, in order.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The plan and the number of tokens of each run.
    pub fn runs(&self) -> impl Iterator<Item = (&Recorded, usize)> {
        self.actions.iter().filter_map(|action| match action {
            Action::Run { plan, ids, .. } => Some((&self.plans[*plan], ids.len())),
            Action::Snapshot | Action::Restore => None,
        })
    }
}

/// A plan of a case while it is recorded.
#[derive(Debug)]
pub struct Recording<'a> {
    /// Where ops are appended.
    pub recorder: Recorder,
    case: &'a Case,
    ids: BufferId,
    reads: Vec<Read>,
}

impl Recording<'_> {
    /// The buffer of a weight.
    pub fn weight(&mut self, id: WeightId) -> BufferId {
        let (label, tensor) = &self.case.weights[id.0 as usize];
        self.recorder.weight(id, label, tensor.shape(), tensor.dtype())
    }

    /// The buffer of a state.
    pub fn state(&mut self, id: StateId) -> BufferId {
        self.recorder.state(id, &self.case.states[id.0 as usize])
    }

    /// The token ids.
    pub fn ids(&self) -> BufferId {
        self.ids
    }

    /// `[T, n_columns]`, scratch.
    pub fn scratch(&mut self, label: &str, n_columns: usize) -> BufferId {
        self.recorder.scratch(label, Shape::matrix(self.recorder.n_tokens(), n_columns))
    }

    /// `[T, n_columns]`, which the caller may read after the run.
    pub fn output(&mut self, label: &str, n_columns: usize) -> BufferId {
        self.recorder.output(label, Shape::matrix(self.recorder.n_tokens(), n_columns))
    }

    /// Fills `y` with the rows of `table` that the run's ids name: how random values get into a plan.
    pub fn fill(&mut self, table: WeightId, y: BufferId) {
        let table = self.weight(table);
        self.recorder
            .embed(embed::Args { ids: self.ids, table, scale: 1.0, y })
            .expect("a table as wide as the buffer");
    }

    /// A scratch buffer filled with rows of `table`.
    pub fn filled(&mut self, label: &str, table: WeightId) -> BufferId {
        let n_columns = self.case.weights[table.0 as usize].1.shape().n_columns();
        let y = self.scratch(label, n_columns);
        self.fill(table, y);
        y
    }

    /// Reads a buffer after each run.
    pub fn read(&mut self, buffer: BufferId, tolerance: Tolerance) {
        self.reads.push(Read { buffer, tolerance });
    }
}
