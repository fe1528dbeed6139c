//! chrF++ against what sacreBLEU gave (`fixtures/make_chrf.py`).

use hala_eval::Chrf;
use serde::Deserialize;

/// Scores lie between 0 and 100, and both sides add a few f64s.
const TOLERANCE: f64 = 1e-9;

#[derive(Deserialize)]
struct Fixture {
    rows: Vec<Row>,
    corpora: Vec<Corpus>,
}

#[derive(Deserialize)]
struct Row {
    hypothesis: String,
    reference: String,
    score: f64,
}

#[derive(Deserialize)]
struct Corpus {
    first: usize,
    last: usize,
    score: f64,
}

fn score(rows: &[Row]) -> f64 {
    let mut chrf = Chrf::default();
    rows.iter().for_each(|row| chrf.add(&row.hypothesis, &row.reference));
    chrf.score()
}

#[test]
fn texts_and_corpora_score_as_sacrebleu_has_it() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/chrf.json")).unwrap();
    assert!(fixture.rows.len() > 50 && fixture.corpora.len() > 3);
    for row in &fixture.rows {
        let found = score(std::slice::from_ref(row));
        assert!((found - row.score).abs() < TOLERANCE, "{:?}: {found}, not {}", row.hypothesis, row.score);
    }
    for Corpus { first, last, score: expected } in fixture.corpora {
        let found = score(&fixture.rows[first..last]);
        assert!((found - expected).abs() < TOLERANCE, "{first}..{last}: {found}, not {expected}");
    }
}
