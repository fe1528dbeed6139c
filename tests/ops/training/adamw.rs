//! `adamw`: a few updates against the formulas in f64.

use hala_backend_cpu::CpuBackend;
use hala_backend_cpu::training::{Products, Training};
use hala_plan::WeightId;
use hala_plan::ops::training::adamw::Params;
use hala_plan::ops::training::{TrainOp, embed_backward};
use hala_plan::training::{IGNORE, Purpose, TrainRecorder, TrainRows};
use hala_tensor::Shape;
use hala_tests::random::Rng;

use super::differences;

const WIDTH: usize = 37;

/// A Plan whose gradient is what its caller writes: one row of a table.
fn training(backend: CpuBackend, values: &[f32]) -> (Training, impl Fn(&mut Training, &[f32])) {
    let mut recorder = TrainRecorder::new(1);
    let table = recorder.param(WeightId(0), "table", Shape::matrix(1, WIDTH));
    let dy = recorder.output("dy", WIDTH);
    let dtable = recorder.grad(table).unwrap();
    recorder.add(embed_backward::Args { dy, dtable, scale: 1.0 }, TrainOp::EmbedBackward).unwrap();
    let mut training = Training::new(backend, Products::F32, recorder.finish(), Vec::new()).unwrap();
    training.values_mut()[..WIDTH].copy_from_slice(values);
    let accumulate = move |training: &mut Training, g: &[f32]| {
        training.clear_gradients();
        assert!(training.write(dy, g));
        let rows = TrainRows { ids: &[0], labels: &[IGNORE], weights: &[0.0], starts: &[0] };
        training.run(&rows, Purpose::Train { seed: 0 }).unwrap();
    };
    (training, accumulate)
}

fn backends() -> [CpuBackend; 2] {
    [CpuBackend::plain(), CpuBackend::threaded(2).unwrap()]
}

#[test]
fn updates_are_those_of_the_paper() {
    backends().into_iter().for_each(follow_the_paper);
}

fn follow_the_paper(backend: CpuBackend) {
    let mut rng = Rng::new("adamw");
    let values = rng.normals(WIDTH, 1.0);
    let (mut training, accumulate) = training(backend, &values);
    let mut w: Vec<f64> = values.iter().copied().map(f64::from).collect();
    let (mut m, mut v) = (vec![0.0f64; WIDTH], vec![0.0f64; WIDTH]);
    for n in 1..=5u32 {
        let g = rng.normals(WIDTH, 1.0);
        accumulate(&mut training, &g);
        let params = Params {
            learning_rate: 0.01,
            beta1: 0.9,
            beta2: 0.95,
            eps: 1e-6,
            weight_decay: 0.1,
            scale: 0.25,
            n_updates: n,
        };
        training.adamw(&params, 0..WIDTH);
        let [beta1, beta2] = [params.beta1, params.beta2].map(f64::from);
        let rate = f64::from(params.learning_rate);
        for i in 0..WIDTH {
            let g = f64::from(g[i]) * 0.25;
            m[i] = beta1 * m[i] + (1.0 - beta1) * g;
            v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
            let (m, v) = (m[i] / (1.0 - beta1.powi(n as i32)), v[i] / (1.0 - beta2.powi(n as i32)));
            w[i] -= rate * f64::from(params.weight_decay) * w[i];
            w[i] -= rate * m / (v.sqrt() + f64::from(params.eps));
        }
        differences::same("weights", &training.values()[..WIDTH], &w);
        differences::same("first moments", &training.moments()[0][..WIDTH], &m);
        differences::same("second moments", &training.moments()[1][..WIDTH], &v);
    }
}

#[test]
fn what_is_outside_of_the_range_stays() {
    backends().into_iter().for_each(update_a_range);
}

fn update_a_range(backend: CpuBackend) {
    let values = vec![1.0; WIDTH];
    let (mut training, accumulate) = training(backend, &values);
    accumulate(&mut training, &values);
    let params = Params {
        learning_rate: 0.1,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.0,
        scale: 1.0,
        n_updates: 1,
    };
    training.adamw(&params, 3..7);
    for (i, w) in training.values()[..WIDTH].iter().enumerate() {
        assert_eq!(*w == 1.0, !(3..7).contains(&i), "element {i}");
    }
}
