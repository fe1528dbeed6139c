//! One op of training, run alone.

use hala_backend_cpu::CpuBackend;
use hala_backend_cpu::training::{Products, Training};
use hala_plan::training::{IGNORE, Purpose, TrainPlan, TrainRecorder, TrainRows};
use hala_plan::{BufferId, WeightId};
use hala_tensor::Shape;
use hala_tests::random::Rng;

use super::{N_ROWS, STARTS, differences};

/// How far fast loops may be from plain ones.
const FAST: f64 = 1e-5;

/// An op in the making: its buffers with their values.
#[derive(Debug)]
pub(super) struct Alone {
    pub(super) recorder: TrainRecorder,
    pub(super) rng: Rng,
    inputs: Vec<(BufferId, Vec<f32>)>,
    params: Vec<(BufferId, WeightId, Vec<f32>)>,
    tables: Vec<(WeightId, Vec<f32>)>,
    pub(super) ids: Vec<u32>,
    pub(super) labels: Vec<u32>,
    pub(super) weights: Vec<f32>,
}

/// What it has written.
#[derive(Debug)]
pub(super) struct Ran {
    training: Training,
    params: Vec<(BufferId, WeightId)>,
}

impl Alone {
    /// No buffers yet; `name` seeds their values.
    pub(super) fn new(name: &str) -> Self {
        Self {
            recorder: TrainRecorder::new(N_ROWS + 2),
            rng: Rng::new(name),
            inputs: Vec::new(),
            params: Vec::new(),
            tables: Vec::new(),
            ids: vec![0; N_ROWS],
            labels: vec![IGNORE; N_ROWS],
            weights: vec![0.0; N_ROWS],
        }
    }

    /// Activations `[T, n_columns]` of random values.
    pub(super) fn input(&mut self, label: &str, n_columns: usize) -> BufferId {
        let values = self.rng.normals(N_ROWS * n_columns, 1.0);
        self.input_of(label, n_columns, values)
    }

    /// Activations of these values.
    pub(super) fn input_of(&mut self, label: &str, n_columns: usize, values: Vec<f32>) -> BufferId {
        let id = self.recorder.output(label, n_columns);
        self.inputs.push((id, values));
        id
    }

    /// Activations that the op writes.
    pub(super) fn output(&mut self, label: &str, n_columns: usize) -> BufferId {
        self.recorder.output(label, n_columns)
    }

    /// A parameter of random values around `middle`.
    pub(super) fn param(&mut self, label: &str, shape: Shape, middle: f32) -> BufferId {
        let values: Vec<f32> = self.rng.normals(shape.n_elements(), 0.5).iter().map(|x| x + middle).collect();
        let weight = WeightId(self.params.len() as u32);
        let id = self.recorder.param(weight, label, shape);
        self.params.push((id, weight, values));
        id
    }

    /// A table that is not trained.
    pub(super) fn table(&mut self, label: &str, shape: Shape, values: Vec<f32>) -> BufferId {
        let weight = WeightId(1000 + self.tables.len() as u32);
        self.tables.push((weight, values));
        self.recorder.table(weight, label, shape)
    }

    /// The values of an input or a parameter, in f64.
    pub(super) fn wide(&self, id: BufferId) -> Vec<f64> {
        let inputs = self.inputs.iter().map(|(id, values)| (id, values));
        let mut all = inputs.chain(self.params.iter().map(|(id, _, values)| (id, values)));
        let (_, values) = all.find(|(other, _)| **other == id).unwrap();
        values.iter().copied().map(f64::from).collect()
    }

    /// Runs what was recorded: by plain loops, whose results it gives, and by fast ones on one thread and on three, which must have the same bits as each other
    /// and be near.
    pub(super) fn run(self, purpose: Purpose) -> Ran {
        let params = self.params.iter().map(|(id, weight, _)| (*id, *weight)).collect();
        let Self { recorder, inputs, params: values, tables, ids, labels, weights, .. } = self;
        let run = Running { plan: recorder.finish(), inputs, params: values, tables, ids, labels, weights };
        let plain = run.on(CpuBackend::plain(), purpose);
        let [one, three] = [1, 3].map(|n| run.on(CpuBackend::threaded(n).unwrap(), purpose));
        for buffer in run.plan.buffers().iter().filter(|buffer| buffer.kind == hala_plan::BufferKind::Output)
        {
            let id = run.plan.find(&buffer.label).unwrap();
            assert_eq!(one.read(id), three.read(id), "{}: on one thread and on three", buffer.label);
            differences::alike(&buffer.label, one.read(id), plain.read(id), FAST);
        }
        assert_eq!(one.gradients(), three.gradients(), "gradients on one thread and on three");
        differences::alike("gradients", one.gradients(), plain.gradients(), FAST);
        Ran { training: plain, params }
    }

    /// Runs it as training does.
    pub(super) fn train(self) -> Ran {
        self.run(Purpose::Train { seed: 7 })
    }
}

/// An op with the values of its buffers.
#[derive(Debug)]
struct Running {
    plan: TrainPlan,
    inputs: Vec<(BufferId, Vec<f32>)>,
    params: Vec<(BufferId, WeightId, Vec<f32>)>,
    tables: Vec<(WeightId, Vec<f32>)>,
    ids: Vec<u32>,
    labels: Vec<u32>,
    weights: Vec<f32>,
}

impl Running {
    fn on(&self, backend: CpuBackend, purpose: Purpose) -> Training {
        let mut training =
            Training::new(backend, Products::F32, self.plan.clone(), self.tables.clone()).unwrap();
        for (id, values) in &self.inputs {
            assert!(training.write(*id, values));
        }
        let places = training.parameters().to_vec();
        for (_, weight, values) in &self.params {
            let place = places.iter().find(|place| place.weight == *weight).unwrap();
            training.values_mut()[place.range.clone()].copy_from_slice(values);
        }
        let rows =
            TrainRows { ids: &self.ids, labels: &self.labels, weights: &self.weights, starts: &STARTS };
        let n_steps = training.plan().steps().len();
        training.run_steps(&rows, purpose, 0..n_steps).unwrap();
        training
    }
}

impl Ran {
    /// Activations.
    pub(super) fn read(&self, id: BufferId) -> &[f32] {
        self.training.read(id)
    }

    /// The norm of all gradients.
    pub(super) fn gradient_norm(&mut self) -> f64 {
        self.training.gradient_norm()
    }

    /// The gradient of a parameter.
    pub(super) fn grad(&self, param: BufferId) -> &[f32] {
        let (_, weight) = self.params.iter().find(|(id, _)| *id == param).unwrap();
        let place = self.training.parameters().iter().find(|place| place.weight == *weight).unwrap();
        &self.training.gradients()[place.range.clone()]
    }
}
