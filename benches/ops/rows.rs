//! One op at a time, over enough copies of its weights that no cache holds them.

use anyhow::Result;
use hala_backend_cpu::CpuBackend;
use hala_benches::session::{Sequences, Setup, Whose};
use hala_benches::timing;
use hala_benches::weights::{Rng, matrix, vector};
use hala_plan::Recorder;
use hala_plan::ops::matmul::{self, Norm, Write};
use hala_plan::ops::{attention, embed, gate, swiglu};
use hala_tensor::{DType, Shape};

/// Bytes of weights that one run goes through.
const N_BYTES: usize = 256 << 20;

const N_RUNS: usize = 7;
const EPS: f32 = 1e-5;

/// Rows of the table that inputs come from.
const N_VOCAB: usize = 256;

/// Prints a table of all ops.
pub(crate) fn print(backend: &CpuBackend, group: usize) -> Result<()> {
    println!("\n| op | weights | T | µs | GB/s | GFLOP/s |\n|---|---|---|---|---|---|");
    let int4 = DType::Int4 { group: DType::INT4_GROUP };
    for dtype in [DType::Int8 { group }, int4, DType::E4M3, DType::BF16, DType::F32] {
        for n_tokens in [1, 8, 16, 256] {
            for [n_out, n_in] in [[1024, 1024], [3072, 1024], [1024, 4608]] {
                Product { gated: false, n_out, n_in, dtype, n_tokens }.print(backend)?;
            }
            Product { gated: true, n_out: 4608, n_in: 1024, dtype, n_tokens }.print(backend)?;
        }
        Product { gated: false, n_out: 65536, n_in: 1024, dtype, n_tokens: 1 }.print(backend)?;
    }
    for dtype in [DType::F16, DType::F32] {
        for (n_tokens, n_seen) in [(1, 256), (1, 4096), (256, 256), (256, 4096)] {
            attend(backend, dtype, n_tokens, n_seen)?;
        }
    }
    Ok(())
}

/// A product, or two with a gate.
struct Product {
    gated: bool,
    n_out: usize,
    n_in: usize,
    dtype: DType,
    n_tokens: usize,
}

impl Product {
    fn print(&self, backend: &CpuBackend) -> Result<()> {
        let Self { gated, n_out, n_in, dtype, n_tokens } = *self;
        let shape = Shape::matrix(n_out, n_in);
        let n_matrices = if gated { 2 } else { 1 };
        let n_bytes = dtype.n_bytes(shape) * n_matrices;
        let n_steps = if n_tokens <= 16 { N_BYTES.div_ceil(n_bytes) } else { 1 };
        let mut setup = Setup::new(backend);
        let mut rng = Rng(1);
        let table_shape = Shape::matrix(N_VOCAB, n_in);
        let table = setup.weight(matrix(&mut rng, N_VOCAB, n_in, DType::F32)?)?;
        let norm = setup.weight(vector(&mut rng, Shape::vector(n_in))?)?;
        let weight = matrix(&mut rng, n_out, n_in, dtype)?;
        let mut recorder = Recorder::new("bench", n_tokens);
        let ids = recorder.ids();
        let table = recorder.weight(table, "table", table_shape, DType::F32);
        let norm = recorder.weight(norm, "norm", Shape::vector(n_in), DType::F32);
        let x = recorder.scratch("x", Shape::matrix(n_tokens, n_in), DType::F32);
        let y = recorder.output("y", Shape::matrix(n_tokens, n_out));
        recorder.add(embed::Args { ids, table, scale: 1.0, y: x })?;
        for _ in 0..n_steps {
            let mut weights = Vec::new();
            for _ in 0..n_matrices {
                weights.push(recorder.weight(setup.weight(weight.clone())?, "w", shape, dtype));
            }
            let norm = Norm { weight: norm, eps: EPS };
            if gated {
                recorder.add(swiglu::Args {
                    x,
                    norm: Some(norm),
                    activation: gate::Activation::Silu,
                    w1: weights[0],
                    w3: weights[1],
                    y,
                })?;
            } else {
                let (norm, write) = (Some(norm), Write::Set);
                recorder.add(matmul::Args { x, norm, weights: &weights, bias: None, y, write })?;
            }
        }
        let sequences = Sequences { n: 1, n_positions: n_tokens };
        let mut session = setup.finish(&[recorder.finish()], sequences)?;
        let ids: Vec<u32> = (0..n_tokens as u32).collect();
        let seconds = timing::median(N_RUNS, || session.run(0, &ids, 0, Whose::One))? / n_steps as f64;
        let op = if gated { "swiglu" } else { "matmul" };
        let flops = 2 * n_matrices * n_out * n_in * n_tokens;
        println!(
            "| {op} {n_in} → {n_out} | {dtype} | {n_tokens} | {:.0} | {:.1} | {:.0} |",
            seconds * 1e6,
            n_bytes as f64 / seconds / 1e9,
            flops as f64 / seconds / 1e9
        );
        Ok(())
    }
}

/// Attention of 16 heads on 8, of size 64, at the end of `n_seen` positions.
fn attend(backend: &CpuBackend, dtype: DType, n_tokens: usize, n_seen: usize) -> Result<()> {
    const H: usize = 16;
    const K: usize = 8;
    const A: usize = 64;
    let mut setup = Setup::new(backend);
    let table = setup.weight(matrix(&mut Rng(1), N_VOCAB, H * A, DType::F32)?)?;
    let cache = [(); 2].map(|()| setup.cache([K, A], dtype));
    let mut recorder = Recorder::new("bench", n_tokens);
    let ids = recorder.ids();
    let table = recorder.weight(table, "table", Shape::matrix(N_VOCAB, H * A), DType::F32);
    let q = recorder.scratch("q", Shape::matrix(n_tokens, H * A), DType::F32);
    let y = recorder.output("y", Shape::matrix(n_tokens, H * A));
    recorder.add(embed::Args { ids, table, scale: 1.0, y: q })?;
    let [keys, values] = cache.map(|id| recorder.state(id, setup.spec(id)));
    let (n_positions, scale) = (n_seen, 0.125);
    let args = attention::Args { q, keys, values, y, n_positions, scale, softcap: None, window: None };
    recorder.add(args)?;
    let mut session = setup.finish(&[recorder.finish()], Sequences { n: 1, n_positions })?;
    let ids: Vec<u32> = (0..n_tokens as u32).collect();
    let seconds = timing::median(N_RUNS, || session.run(0, &ids, n_seen - n_tokens, Whose::One))?;
    let n_pairs: usize = (n_seen - n_tokens + 1..=n_seen).sum();
    let n_bytes = 2 * n_seen * K * A * if dtype == DType::F16 { 2 } else { 4 };
    println!(
        "| attention over {n_seen} | {dtype} | {n_tokens} | {:.0} | {:.1} | {:.0} |",
        seconds * 1e6,
        n_bytes as f64 / seconds / 1e9,
        (4 * n_pairs * H * A) as f64 / seconds / 1e9
    );
    Ok(())
}
