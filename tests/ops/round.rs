//! `round`: inputs as engines see them that multiply codes.

use hala_plan::ops::round::Args;
use hala_plan::{PlanError, Recorder};
use hala_tensor::{DType, Rounded, Rounding, Shape};
use hala_tests::case::Case;
use hala_tests::check::{self, Row};
use hala_tests::random::Rng;
use hala_tests::tolerances::ROUNDED_STEP;

use crate::formulas::gather;
use crate::{SIZES, TOKENS};

/// Rows of the table that inputs are taken from.
const N_INPUTS: usize = 40;

/// A code's value by the table of all of them, not by arithmetic.
fn nearest_e4m3(x: f64) -> f64 {
    let codes =
        (0..=255u8).filter(|code| code & 0x7f != 0x7f).map(|code| f64::from(hala_tensor::e4m3::decode(code)));
    let even = |a: f64, b: f64| (a - x).abs() < (b - x).abs();
    codes.fold(0.0, |best, code| if even(code, best) { code } else { best })
}

fn formula(rounding: Rounding, x: &[f64]) -> Vec<f64> {
    let group = rounding.group.unwrap_or(x.len());
    let chunk = |x: &[f64]| -> Vec<f64> {
        let largest = x.iter().fold(0.0f64, |max, x| max.max(x.abs()));
        let scale = rounding.scale.map_or(largest / f64::from(rounding.to.half_range()), f64::from);
        let code = |z: f64| match rounding.to {
            Rounded::Int8 => z.clamp(-128.0, 127.0).round_ties_even(),
            Rounded::E4M3 => nearest_e4m3(z),
        };
        x.iter().map(|x| if scale == 0.0 { 0.0 } else { code(x / scale) * scale }).collect()
    };
    x.chunks(group).flat_map(chunk).collect()
}

fn row(n_columns: usize, runs: &[usize], rounding: Rounding, size: f32) -> Row {
    let mut case = Case::new(&format!("round {n_columns} {runs:?} {rounding:?} {size}"));
    let mut rng = Rng::new(&case.name);
    let inputs = rng.matrix(N_INPUTS, n_columns, size);
    let table = case.weight("inputs", &inputs);
    let plan = case.plan(*runs.iter().max().unwrap(), |r| {
        let (x, y) = (r.filled("x", table), r.output("y", n_columns));
        r.recorder.add(Args { x, rounding, y }).unwrap();
        r.read(y, ROUNDED_STEP);
    });
    let mut expected = Vec::new();
    for n in runs {
        let ids = rng.ids(*n, N_INPUTS);
        case.run(plan, &ids, 0);
        let rows = gather(&inputs, &ids).into_iter();
        expected.push(vec![rows.flat_map(|x| formula(rounding, &x)).collect()]);
    }
    Row { plain: ROUNDED_STEP, ..Row::new(case, expected) }
}

const KINDS: [Rounded; 2] = [Rounded::Int8, Rounded::E4M3];

#[test]
fn odd_widths_and_runs_with_scales_of_their_own() {
    let rounding = |to, group| Rounding { to, group, scale: None };
    let shapes = SIZES.iter().flat_map(|n| [1, 5, 33].map(|t| (*n, t)));
    let ways = KINDS.iter().flat_map(|to| [None, Some(128), Some(7)].map(|group| rounding(*to, group)));
    let ways: Vec<_> = ways.collect();
    check::all(
        shapes.flat_map(|(n, t)| ways.iter().map(move |way| row(n, &[t], *way, 1.0)).collect::<Vec<_>>()),
    );
    check::all(KINDS.map(|to| row(129, &TOKENS, rounding(to, None), 1.0)));
}

#[test]
fn a_static_scale_clamps_what_is_beyond_it() {
    let rounding = |to, scale| Rounding { to, group: None, scale: Some(scale) };
    let sizes = [(1.0, 0.01), (1.0, 1e-4), (0.0, 0.5), (1e-3, 1e-5)].into_iter();
    let rows = sizes.flat_map(|sizes| KINDS.map(|to| (to, sizes)));
    check::all(rows.map(|(to, (size, scale))| row(65, &[3], rounding(to, scale), size)));
}

#[test]
fn what_does_not_fit_is_refused() {
    let record = |n_columns: usize, group, scale| {
        let mut r = Recorder::new("bad", 3);
        let (x, y) = (
            r.scratch("x", Shape::matrix(3, 8), DType::F32),
            r.scratch("y", Shape::matrix(3, n_columns), DType::F32),
        );
        let rounding = Rounding { to: Rounded::Int8, group, scale };
        assert!(r.add(Args { x, rounding, y: x }).is_err(), "one buffer is read and written");
        r.add(Args { x, rounding, y })
    };
    assert!(record(8, None, None).is_ok() && record(8, Some(99), Some(1.0)).is_ok());
    assert!(matches!(record(7, None, None), Err(PlanError::Shape { .. })));
    for (group, scale) in [(Some(0), None), (None, Some(0.0)), (None, Some(f32::NAN)), (None, Some(-1.0))] {
        assert!(matches!(record(8, group, scale), Err(PlanError::Parameter { .. })), "{group:?} {scale:?}");
    }
}
