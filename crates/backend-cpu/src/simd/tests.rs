//! The kernels of every instruction set of this machine against sums in f64.

use hala_tensor::{Shape, e4m3, int4, int8};
use half::{bf16, f16};

use super::float_panels::FloatPanels;
use super::floats::{BF16, E4M3, F16, F32, Float, FloatPanel, Format};
use super::isa::{Isa, N_DOT_ROWS};
use super::layout::{N_ROWS, Width};
use super::level::{Level, with_isa};
use super::panels::{Codes, Panels};
use super::quantised::{Quantised, tests::code};
use super::tiles::Tiles;

/// Roundings of f32 sums of up to some thousand terms, as a share of the sum of their magnitudes.
const F32_SUM: f64 = 1e-6;

/// Numbers in −1…1 that look random (SplitMix64's finaliser).
fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let number = |i: u64| {
        let mut z = (i + seed * 1_000_003).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n as u64).map(number).collect()
}

/// A panel of 16 rows, and tokens that are quantised for it.
struct Case {
    panels: Panels,
    quantised: Quantised,
    /// What the codes of each token stand for, `[T, I]`.
    inputs: Vec<Vec<f64>>,
}

impl Case {
    fn new(level: Level, width: Width, [n_columns, group]: [usize; 2], n_tokens: usize) -> Self {
        let layout = level.layout();
        let (mut codes, mut bytes, mut scales) = (Vec::new(), Vec::new(), Vec::new());
        for row in numbers(N_ROWS * n_columns, 1).chunks(n_columns) {
            match width {
                Width::Int8 => int8::encode_row(row, group, &mut codes, &mut scales),
                Width::Int4 => int4::encode_row(row, group, &mut bytes, &mut scales),
            }
        }
        // The lowest and the highest code, where a kernel's products are the largest.
        let n_bytes = int4::n_row_bytes(n_columns);
        let codes = match width {
            Width::Int8 => {
                codes[..n_columns].fill(-128);
                codes[n_columns..2 * n_columns].fill(127);
                Codes::Int8(&codes)
            }
            Width::Int4 => {
                bytes[..n_bytes].fill(0x00);
                bytes[n_bytes..2 * n_bytes].fill(0xff);
                Codes::Int4(&bytes)
            }
        };
        let panels = Panels::new(layout, Shape::matrix(N_ROWS, n_columns), group, codes, &scales);
        let mut quantised = Quantised::default();
        quantised.resize(n_tokens, n_tokens, panels.blocks(), layout);
        let form = quantised.form(panels.blocks(), layout);
        for (t, x) in numbers(n_tokens * n_columns, 2).chunks(n_columns).enumerate() {
            let x: Vec<f32> = if t == 1 { vec![1.0; n_columns] } else { x.to_vec() };
            // SAFETY: nobody else uses the form.
            unsafe { form.set(t, &x) };
        }
        let inputs = (0..n_tokens).map(|t| decoded(level, &panels, &quantised, t)).collect();
        Self { panels, quantised, inputs }
    }

    /// The sums of products of each row with token `t`, and the sums of their magnitudes.
    fn expected(&self, t: usize) -> [[f64; 2]; N_ROWS] {
        let mut row = vec![0.0; self.inputs[t].len()];
        std::array::from_fn(|r| {
            self.panels.row(r, &mut row);
            let products = row.iter().zip(&self.inputs[t]).map(|(w, x)| f64::from(*w) * x);
            products.fold([0.0; 2], |[sum, size], p| [sum + p, size + p.abs()])
        })
    }
}

/// What the codes of token `t` stand for.
fn decoded(level: Level, panels: &Panels, quantised: &Quantised, t: usize) -> Vec<f64> {
    let (layout, inputs) = (level.layout(), quantised.tokens(t));
    let mut first = 0;
    let mut x = Vec::new();
    for (b, block) in panels.blocks().iter().enumerate() {
        let scale = f64::from(inputs.scales[b * inputs.stride]);
        x.extend((0..block.n_columns).map(|i| f64::from(code(layout, inputs, first, i)) * scale));
        first += block.n_steps * layout.n_words();
    }
    x
}

fn tile<const M: usize>(level: Level, case: &Case) -> Vec<[f32; N_ROWS]> {
    let x = case.quantised.tokens(0);
    let panel = case.panels.panel(0);
    match panel.width {
        Width::Int8 => with_isa!(level, isa => isa.tile::<8, M>(panel, x)).to_vec(),
        Width::Int4 => with_isa!(level, isa => isa.tile::<4, M>(panel, x)).to_vec(),
    }
}

#[test]
fn tiles_of_every_size_on_odd_shapes() {
    let widths = Level::all().into_iter().flat_map(|level| [Width::Int8, Width::Int4].map(|w| (level, w)));
    for (level, width) in widths {
        for (n_columns, group) in
            [(1, 1), (3, 64), (64, 64), (65, 64), (100, 7), (129, 32), (600, 600), (1000, 64)]
        {
            let case = Case::new(level, width, [n_columns, group], 8);
            let tiles = [
                tile::<1>(level, &case),
                tile::<2>(level, &case),
                tile::<3>(level, &case),
                tile::<4>(level, &case),
                tile::<6>(level, &case),
                tile::<8>(level, &case),
            ];
            for (found, tokens) in tiles.iter().zip([1, 2, 3, 4, 6, 8]) {
                let what =
                    format!("{}, {width:?} {n_columns} in groups of {group}, {tokens} tokens", level.name());
                assert_eq!(found[..], tiles[5][..tokens], "{what}: as in a larger tile");
                for (t, found) in found.iter().enumerate() {
                    for (r, (found, [sum, size])) in found.iter().zip(case.expected(t)).enumerate() {
                        let error = (f64::from(*found) - sum).abs();
                        assert!(error <= size * F32_SUM, "{what}: row {r} of token {t}: {found}, not {sum}");
                    }
                }
            }
        }
    }
}

fn dots<const M: usize>(level: Level, rows: &[f32], x: &[f32]) -> Vec<[f32; N_DOT_ROWS]> {
    let n = rows.len() / N_DOT_ROWS;
    let x = std::array::from_fn(|m| &x[m * n..(m + 1) * n]);
    with_isa!(level, isa => isa.dots::<M>(rows, x)).to_vec()
}

#[test]
fn dots_of_odd_lengths() {
    for level in Level::all() {
        for n in [1, 7, 8, 9, 64, 100, 1000] {
            let (rows, x) = (numbers(N_DOT_ROWS * n, 3), numbers(3 * n, 4));
            let found = dots::<3>(level, &rows, &x);
            assert_eq!(dots::<1>(level, &rows, &x)[..], found[..1], "{}: as with others", level.name());
            for (t, found) in found.iter().enumerate() {
                for (r, found) in found.iter().enumerate() {
                    let products = rows[r * n..][..n].iter().zip(&x[t * n..]);
                    let products = products.map(|(w, x)| f64::from(*w) * f64::from(*x));
                    let [sum, size] = products.fold([0.0; 2], |[sum, size], p| [sum + p, size + p.abs()]);
                    let error = (f64::from(*found) - sum).abs();
                    assert!(error <= size * F32_SUM, "{}, {n} columns: {found}, not {sum}", level.name());
                }
            }
        }
    }
}

/// Panels of 16 rows in each format: E4M3's with its smallest numbers and its largest, and f16's with its smallest.
fn float_panels(n_columns: usize) -> [FloatPanels; 3] {
    let shape = Shape::matrix(N_ROWS, n_columns);
    let values = numbers(N_ROWS * n_columns, 5);
    let mut codes: Vec<u8> = values.iter().map(|x| e4m3::encode(x * 9.0)).collect();
    for (i, code) in codes.iter_mut().enumerate().filter(|(i, _)| i % 3 == 0) {
        *code = [0x01, 0x87, 0x7e, 0xfe, 0x80][i / 3 % 5];
    }
    let mut halves: Vec<f16> = values.iter().map(|x| f16::from_f32(*x)).collect();
    halves[0] = f16::from_bits(0x8001);
    let brains: Vec<bf16> = values.iter().map(|x| bf16::from_f32(*x)).collect();
    let scales: Vec<f32> = (0..N_ROWS).map(|row| 0.5 + row as f32 / 11.0).collect();
    [
        FloatPanels::new(Float::E4M3, shape, &codes, &scales),
        FloatPanels::new(Float::F16, shape, &halves, &[]),
        FloatPanels::new(Float::BF16, shape, &brains, &[]),
    ]
}

/// The products of a panel with some tokens, as the instruction set computes them.
fn float_tile<const M: usize>(level: Level, panel: FloatPanel<'_>, tiles: &Tiles) -> Vec<[f32; N_ROWS]> {
    fn of<F: Format, const M: usize>(
        level: Level,
        panel: FloatPanel<'_>,
        tiles: &Tiles,
    ) -> Vec<[f32; N_ROWS]> {
        let x = tiles.tiled().tokens(0);
        let [found] = with_isa!(level, isa => isa.float_tile::<F, M, 1>([panel], x));
        let two = with_isa!(level, isa => isa.float_tile::<F, M, 2>([panel, panel], x));
        assert!(two.iter().all(|tile| *tile == found), "{}: as with another panel", level.name());
        found.to_vec()
    }
    match panel.float {
        Float::E4M3 => of::<E4M3, M>(level, panel, tiles),
        Float::F16 => of::<F16, M>(level, panel, tiles),
        Float::BF16 => of::<BF16, M>(level, panel, tiles),
        Float::F32 => of::<F32, M>(level, panel, tiles),
    }
}

#[test]
fn float_tiles_of_every_size_on_odd_shapes() {
    for (level, n_columns) in
        Level::all().into_iter().flat_map(|level| [1, 2, 3, 64, 100, 257, 600, 1000].map(|n| (level, n)))
    {
        let x = numbers(8 * n_columns, 6);
        let mut tiles = Tiles::default();
        tiles.resize(8, 8, n_columns);
        let form = tiles.form();
        for (t, x) in x.chunks(n_columns).enumerate() {
            // SAFETY: nobody else uses the form.
            unsafe { form.set(t, x) };
        }
        for panels in float_panels(n_columns) {
            let panel = panels.panel(0);
            let mut room = vec![0.0; n_columns * N_ROWS];
            let decoded = panel.decoded(&mut room);
            let found = [
                float_tile::<1>(level, panel, &tiles),
                float_tile::<2>(level, panel, &tiles),
                float_tile::<3>(level, panel, &tiles),
                float_tile::<4>(level, panel, &tiles),
                float_tile::<6>(level, panel, &tiles),
                float_tile::<8>(level, panel, &tiles),
            ];
            let what = format!("{}, {:?}, {n_columns} columns", level.name(), panel.float);
            for tile in &found {
                assert_eq!(tile[..], found[5][..tile.len()], "{what}: as in a larger tile");
            }
            assert_eq!(float_tile::<8>(level, decoded, &tiles), found[5], "{what}: as decoded before");
            for (t, found) in found[5].iter().enumerate() {
                for (r, found) in found.iter().enumerate() {
                    let mut row = vec![0.0; n_columns];
                    FloatPanel { scales: None, ..panel }.row(r, &mut row);
                    let products =
                        row.iter().zip(&x[t * n_columns..]).map(|(w, x)| f64::from(*w) * f64::from(*x));
                    let [sum, size] = products.fold([0.0; 2], |[sum, size], p| [sum + p, size + p.abs()]);
                    let error = (f64::from(*found) - sum).abs();
                    assert!(error <= size * F32_SUM, "{what}: row {r} of token {t}: {found}, not {sum}");
                }
            }
        }
    }
}
