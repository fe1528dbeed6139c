// What changes from run to run: the rows, whose they are, and where their states lie; the backend's `inputs.rs` writes it.
//
// First the header, then the records, then the page tables of each span. Record i tells of row i, of span i, of the i-th row
// whose logits are wanted, and of row i's turn to choose.

@group(0) @binding(1) var<storage, read> run: array<u32>;

// Words of the header and of a record.
const RUN_HEADER: u32 = 8u;
const RUN_RECORD: u32 = 16u;

// Words of a record: a row's position and the span that it is of, the row that is wanted, the four of a span, those of a turn.
const RUN_POSITION: u32 = 0u;
const RUN_SPAN_OF: u32 = 1u;
const RUN_WANTED: u32 = 2u;
const RUN_SPAN: u32 = 3u;
const RUN_TURN: u32 = 7u;

// Positions of a page of a cache.
const PAGE: u32 = 64u;

// Rows of the run that this dispatch goes through: all of them, or those whose logits are wanted.
fn n_tokens() -> u32 {
    return run[placement.axis];
}

fn n_spans() -> u32 {
    return run[2];
}

// Word `field` of record `i`.
fn run_word(i: u32, field: u32) -> u32 {
    return run[RUN_HEADER + i * RUN_RECORD + field];
}

// The position of a row in its sequence.
fn position_of(row: u32) -> u32 {
    return run_word(row, RUN_POSITION);
}

// The span that a row is of.
fn span_of(row: u32) -> u32 {
    return run_word(row, RUN_SPAN_OF);
}

// The row that is wanted as the `i`-th.
fn wanted(i: u32) -> u32 {
    return run_word(i, RUN_WANTED);
}

// Rows of one sequence.
struct Span {
    first_row: u32,
    n_rows: u32,
    // Position of its first row.
    position: u32,
    // Slot of its recurrent states.
    slot: u32,
}

fn span_at(i: u32) -> Span {
    return Span(
        run_word(i, RUN_SPAN),
        run_word(i, RUN_SPAN + 1u),
        run_word(i, RUN_SPAN + 2u),
        run_word(i, RUN_SPAN + 3u),
    );
}

// Where the pages of a span's table are named.
fn table_of(span: u32, table: u32) -> u32 {
    return run[3] + (span * run[5] + table) * run[4];
}
