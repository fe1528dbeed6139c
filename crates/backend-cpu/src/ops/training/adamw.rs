//! AdamW over a range of the flat buffer, in f64, rounded once.

use hala_plan::ops::training::adamw::Params;

/// What is updated, all `[N]`.
#[derive(Debug)]
pub(crate) struct State<'a> {
    pub(crate) w: &'a mut [f32],
    pub(crate) m: &'a mut [f32],
    pub(crate) v: &'a mut [f32],
}

/// `g [N]`
pub(crate) fn run(params: &Params, g: &[f32], state: State<'_>) {
    let State { w, m, v } = state;
    let [beta1, beta2, rate] = [params.beta1, params.beta2, params.learning_rate].map(f64::from);
    let [first, second] = params.corrections();
    let decay = 1.0 - rate * f64::from(params.weight_decay);
    for (((g, w), m), v) in g.iter().zip(w).zip(m).zip(v) {
        let g = f64::from(*g) * f64::from(params.scale);
        let mean = beta1 * f64::from(*m) + (1.0 - beta1) * g;
        let square = beta2 * f64::from(*v) + (1.0 - beta2) * g * g;
        let step = rate * (mean / first) / ((square / second).sqrt() + f64::from(params.eps));
        *w = (f64::from(*w) * decay - step) as f32;
        (*m, *v) = (mean as f32, square as f32);
    }
}
