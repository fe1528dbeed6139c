// Where a matrix and its rows of activations lie in their buffers.

struct Placement {
    // Blocks in a row of every matrix.
    row_blocks: u32,
    // Words before the scales of each matrix.
    scales_0: u32,
    scales_1: u32,
    scales_2: u32,
    // Scales in a row; 0 where the type has none.
    row_scales: u32,
    // Blocks that share a scale, as a power of two; 31 for all of a row.
    scale_shift: u32,
    // Quads in a row of x.
    x_quads: u32,
    // Elements in a row of y.
    y_stride: u32,
    // Columns of y before those of the first matrix.
    y_offset: u32,
    // First row of the table in this part, and the row after its last: embed alone.
    first_row: u32,
    end_row: u32,
    // First token of the window of activations.
    first_token: u32,
    // The word of `run` that tells how many rows there are.
    axis: u32,
}
