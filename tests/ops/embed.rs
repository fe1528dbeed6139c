//! `embed`: rows of the table, whatever it is held in, and times what.

use hala_plan::ops::embed::Args;
use hala_plan::ops::matmul::{self, Norm, Write};
use hala_tensor::{DType, Shape};
use hala_tests::case::Case;
use hala_tests::check::{self, Row};
use hala_tests::random::{Rng, encoded, vector};
use hala_tests::tolerances::{EXACT, F32_SUMS};

use crate::formulas::{gather, project, rms_norm};
use crate::{EPS, SIZES, TOKENS, WEIGHTS};

/// A run of each number of tokens, up to the plan's own.
fn row(n_vocab: usize, width: usize, dtype: DType, runs: &[usize]) -> Row {
    let mut case = Case::new(&format!("embed [{n_vocab}, {width}] {dtype}"));
    let mut rng = Rng::new(&case.name);
    let table = encoded(Shape::matrix(n_vocab, width), dtype, &rng.normals(n_vocab * width, 1.0));
    let weight = case.weight("table", &table);
    let n_tokens = *runs.iter().max().unwrap();
    let plan = case.plan(n_tokens, |r| {
        let y = r.output("y", width);
        r.fill(weight, y);
        r.read(y, EXACT);
    });
    let mut expected = Vec::new();
    for n in runs {
        let mut ids = rng.ids(*n, n_vocab);
        // The first and the last row are where an offset by one leaves the table.
        ids[0] = 0;
        ids[n - 1] = n_vocab as u32 - 1;
        case.run(plan, &ids, 0);
        expected.push(vec![gather(&table, &ids).concat()]);
    }
    Row { plain: EXACT, ..Row::new(case, expected) }
}

#[test]
fn rows_are_decoded_exactly_in_every_dtype() {
    let shapes = SIZES.iter().flat_map(|n_vocab| SIZES.map(|width| (*n_vocab, width)));
    let small = shapes.filter(|(n_vocab, width)| n_vocab * width <= 129 * 1025);
    check::all(small.flat_map(|(v, d)| WEIGHTS.map(|dtype| row(v, d, dtype, &TOKENS))));
}

#[test]
fn a_table_that_goes_up_in_pieces_has_all_of_its_rows() {
    // 35 MB with what pads its rows.
    check::all([row(34_000, 257, DType::F32, &[5])]);
}

#[test]
fn rows_may_be_multiplied() {
    let row = |dtype, scale: f32| {
        let mut case = Case::new(&format!("embed {dtype} times {scale}"));
        let mut rng = Rng::new(&case.name);
        let table = encoded(Shape::matrix(31, 129), dtype, &rng.normals(31 * 129, 1.0));
        let weight = case.weight("table", &table);
        let plan = case.plan(5, |r| {
            let (ids, table, y) = (r.ids(), r.weight(weight), r.output("y", 129));
            r.recorder.add(Args { ids, table, scale, y }).unwrap();
            r.read(y, F32_SUMS);
        });
        let ids = rng.ids(5, 31);
        case.run(plan, &ids, 0);
        let rows = gather(&table, &ids).concat();
        Row::new(case, vec![vec![rows.iter().map(|x| x * f64::from(scale)).collect()]])
    };
    check::all(WEIGHTS.iter().flat_map(|dtype| [0.25, 8.0, 59.866_52].map(|scale| row(*dtype, scale))));
}

#[test]
fn what_pads_a_row_is_not_seen_by_a_norm_after_it() {
    let row = |width: usize, dtype| {
        let mut case = Case::new(&format!("a product of normalised rows of {dtype}, {width} wide"));
        let mut rng = Rng::new(&case.name);
        let table = encoded(Shape::matrix(31, width), dtype, &rng.normals(31 * width, 1.0));
        let (norm, matrix) = (rng.around(1.0, width), rng.projection(7, width, DType::F32));
        let ids = ["table", "matrix"].into_iter().zip([&table, &matrix]);
        let ids: Vec<_> = ids.map(|(label, tensor)| case.weight(label, tensor)).collect();
        let norm_id = case.weight("norm", &vector(norm.clone()));
        let plan = case.plan(5, |r| {
            let (x, y) = (r.filled("x", ids[0]), r.output("y", 7));
            let (weights, weight) = ([r.weight(ids[1])], r.weight(norm_id));
            let (x, norm) = (r.normed(x, Some(Norm { weight, eps: EPS })), None);
            let args = matmul::Args { x, norm, weights: &weights, bias: None, y, write: Write::Set };
            r.recorder.add(args).unwrap();
            r.read(y, F32_SUMS);
        });
        let ids = rng.ids(5, 31);
        case.run(plan, &ids, 0);
        let x = gather(&table, &ids).into_iter().map(|x| rms_norm(&x, &norm, EPS));
        Row::new(case, vec![vec![x.flat_map(|x| project(&x, &matrix.to_f32())).collect()]])
    };
    check::all(WEIGHTS.iter().flat_map(|dtype| [1, 2, 3, 5, 18, 33].map(|width| row(width, *dtype))));
}
