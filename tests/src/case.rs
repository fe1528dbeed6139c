//! A case: plans with their weights and states, and the runs to make.

use hala_plan::ops::embed;
use hala_plan::ops::matmul::{Norm, Write};
use hala_plan::ops::norm::{self, Kind};
use hala_plan::{
    Axis, BufferId, BufferKind, Plan, Recorder, StateId, StateKind, StateSpec, TableSpec, WeightId,
};
use hala_tensor::{DType, Shape, Tensor};

use crate::tolerances::Tolerance;

/// How the steps of a Plan are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// All at once.
    Whole,
    /// One call a step, as `hala trace` does.
    Stepwise,
}

/// The rows of one sequence in a run.
#[derive(Debug, Clone)]
pub struct Part {
    /// Which sequence; it begins with the first run that names it.
    pub sequence: usize,
    /// Token ids.
    pub ids: Vec<u32>,
    /// Position of the first.
    pub position: usize,
}

/// A run of a plan.
#[derive(Debug, Clone)]
pub struct Run {
    /// Index of the plan.
    pub plan: usize,
    /// The sequences in it.
    pub parts: Vec<Part>,
    /// Rows whose logits are wanted.
    pub wanted: Vec<u32>,
}

impl Run {
    /// A run that wants the logits of each sequence's last row.
    pub fn new(plan: usize, parts: Vec<Part>) -> Self {
        let ends = parts.iter().scan(0, |end, part| {
            *end += part.ids.len() as u32;
            Some(*end)
        });
        let wanted = ends.filter_map(|end| end.checked_sub(1)).collect();
        Self { plan, parts, wanted }
    }

    /// Rows in all.
    pub fn n_rows(&self) -> usize {
        self.parts.iter().map(|part| part.ids.len()).sum()
    }
}

/// One thing to do with sequences.
#[derive(Debug, Clone)]
pub enum Action {
    /// Run a plan.
    Run(Run),
    /// Keep the recurrent states of a sequence.
    Snapshot(usize),
    /// Put back those kept last.
    Restore(usize),
    /// Begin a sequence where another one is: it shares full pages, and has copies of the last page and of the recurrent states.
    Fork {
        /// The sequence that goes on too.
        from: usize,
        /// The new one.
        to: usize,
    },
    /// End a sequence: its pages and its slot are the next to be given out, as they are.
    Forget(usize),
    /// Make the pool smaller: what lies behind all that is in use goes.
    Shrink,
    /// Make the pool larger by so many pages of each table, and as many slots, which are the next to be given out.
    Grow(usize),
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
    /// Rows of activations that a run defines.
    pub fn n_rows(&self, read: &Read, run: &Run) -> usize {
        match self.plan.buffer(read.buffer).axis {
            Axis::Wanted => run.wanted.len(),
            Axis::Rows | Axis::Fixed => run.n_rows(),
        }
    }

    /// The kind of a buffer that is a state.
    pub fn state(&self, read: &Read) -> Option<StateKind> {
        match self.plan.buffer(read.buffer).kind {
            BufferKind::State(_, kind) => Some(kind),
            _ => None,
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
    tables: Vec<TableSpec>,
    plans: Vec<Recorded>,
    actions: Vec<Action>,
}

impl Case {
    /// A case with nothing in it.
    pub fn new(name: &str) -> Self {
        let name = name.to_owned();
        Self { name, weights: vec![], states: vec![], tables: vec![], plans: vec![], actions: vec![] }
    }

    /// Adds a weight.
    pub fn weight(&mut self, label: &str, tensor: &Tensor) -> WeightId {
        self.weights.push((label.to_owned(), tensor.clone()));
        WeightId(self.weights.len() as u32 - 1)
    }

    /// Adds a state that every token overwrites, f32, of this shape for each sequence.
    pub fn recurrent(&mut self, label: &str, shape: Shape) -> StateId {
        self.state(label, shape, DType::F32, StateKind::Recurrent)
    }

    /// Adds a kind of layer, whose caches share page tables; pages behind the window are given back.
    pub fn table(&mut self, window: Option<u32>) -> u32 {
        self.tables.push(TableSpec { window });
        self.tables.len() as u32 - 1
    }

    /// Adds a cache of a table of [`Case::table`]; the shape of a page is `[K, PAGE, A]`.
    pub fn paged(&mut self, label: &str, page: Shape, dtype: DType, table: u32) -> StateId {
        self.state(label, page, dtype, StateKind::Paged { table })
    }

    fn state(&mut self, label: &str, shape: Shape, dtype: DType, kind: StateKind) -> StateId {
        self.states.push(StateSpec { label: label.to_owned(), shape, dtype, kind });
        StateId(self.states.len() as u32 - 1)
    }

    /// Records a plan for up to `n_rows` rows; returns its index.
    pub fn plan(&mut self, n_rows: usize, record: impl FnOnce(&mut Recording<'_>)) -> usize {
        let mut recorder = Recorder::new("case", n_rows);
        let ids = recorder.ids();
        let mut recording = Recording { recorder, case: self, ids, reads: Vec::new() };
        record(&mut recording);
        let Recording { recorder, reads, .. } = recording;
        self.plans.push(Recorded { plan: recorder.finish(), reads });
        self.plans.len() - 1
    }

    /// Adds a run of one sequence, the first.
    pub fn run(&mut self, plan: usize, ids: &[u32], position: usize) {
        self.run_parts(plan, vec![Part { sequence: 0, ids: ids.to_vec(), position }]);
    }

    /// Adds a run of several sequences.
    pub fn run_parts(&mut self, plan: usize, parts: Vec<Part>) {
        self.act(Action::Run(Run::new(plan, parts)));
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

    /// The kinds of layers that have caches.
    pub fn tables(&self) -> &[TableSpec] {
        &self.tables
    }

    /// The plans.
    pub fn plans(&self) -> &[Recorded] {
        &self.plans
    }

    /// What is done, in order.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Each run with its plan.
    pub fn runs(&self) -> impl Iterator<Item = (&Recorded, &Run)> {
        self.actions.iter().filter_map(|action| match action {
            Action::Run(run) => Some((&self.plans[run.plan], run)),
            Action::Snapshot(_) | Action::Restore(_) | Action::Fork { .. } => None,
            Action::Forget(_) | Action::Shrink | Action::Grow(_) => None,
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
        self.recorder.scratch(label, Shape::matrix(self.recorder.n_tokens(), n_columns), DType::F32)
    }

    /// `[T, n_columns]`, which the caller may read after the run.
    pub fn output(&mut self, label: &str, n_columns: usize) -> BufferId {
        self.recorder.output(label, Shape::matrix(self.recorder.n_tokens(), n_columns))
    }

    /// Fills `y` with the rows of `table` that the run's ids name: how random values get into a plan.
    pub fn fill(&mut self, table: WeightId, y: BufferId) {
        let table = self.weight(table);
        self.recorder
            .add(embed::Args { ids: self.ids, table, scale: 1.0, y })
            .expect("a table as wide as the buffer");
    }

    /// A scratch buffer filled with rows of `table`.
    pub fn filled(&mut self, label: &str, table: WeightId) -> BufferId {
        let n_columns = self.case.weights[table.0 as usize].1.shape().n_columns();
        let y = self.scratch(label, n_columns);
        self.fill(table, y);
        y
    }

    /// The RMS norm of `x`, where there is one: what products read.
    pub fn normed(&mut self, x: BufferId, norm: Option<Norm>) -> BufferId {
        let Some(norm) = norm else { return x };
        let y = self.recorder.scratch_beside("normed", x, self.recorder.shape(x).n_columns());
        let (kind, write) = (Kind::Rms, Write::Set);
        self.recorder.add(norm::Args { x, norm, kind, y, write }).expect("weights as wide as x");
        y
    }

    /// Reads a buffer after each run: rows of activations; of a state what the run's sequences have, one after the other.
    ///
    /// A cache is read as the pages of each sequence, `[S / PAGE, K, PAGE, A]`, in the order of its table.
    pub fn read(&mut self, buffer: BufferId, tolerance: Tolerance) {
        self.reads.push(Read { buffer, tolerance });
    }
}
