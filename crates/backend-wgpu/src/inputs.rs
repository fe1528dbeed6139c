//! The inputs of a run but for its ids, in one buffer as kernels read them: `shaders/shared/run.wgsl`.
//!
//! There is room for all that a Plan can be given, so nothing is made later; the host knows what the device has, and writes what changed.

use std::ops::Range;

use hala_plan::ops::sample::Turn;
use hala_plan::{BackendError, BufferKind, PAGE, Plan, Rows, Span, StateKind};
use wgpu::{Buffer, BufferUsages};

use crate::gpu::Gpu;
use crate::record::{self, HEADER, RECORD};

/// The buffer and what it holds.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) buffer: Buffer,
    words: Vec<u32>,
    /// Words that the device does not have yet.
    changed: Range<usize>,
    /// Where the page tables begin.
    tables: usize,
    /// Tables of a span.
    n_tables: usize,
    /// Pages of a table.
    n_pages: usize,
}

/// The page tables of a Plan, and the pages of the longest.
fn table_sizes(plan: &Plan) -> [usize; 2] {
    let tables = plan.buffers().iter().filter_map(|buffer| match buffer.kind {
        BufferKind::State(_, StateKind::Paged { table }) => Some(table as usize + 1),
        _ => None,
    });
    [tables.max().unwrap_or(0), plan.n_positions().unwrap_or(0).div_ceil(PAGE)]
}

impl Inputs {
    /// # Errors
    /// No memory.
    pub(crate) fn new(gpu: &Gpu, plan: &Plan) -> Result<Self, BackendError> {
        let [n_tables, n_pages] = table_sizes(plan);
        let tables = HEADER + RECORD * plan.n_tokens();
        let n_words = tables + plan.n_tokens() * n_tables * n_pages;
        let buffer = gpu.buffer("run", 4 * n_words, BufferUsages::STORAGE | BufferUsages::COPY_DST)?;
        let mut inputs = Self { buffer, words: vec![0; n_words], changed: 0..0, tables, n_tables, n_pages };
        inputs.set(3, &[tables as u32, n_pages as u32, n_tables as u32]);
        Ok(inputs)
    }

    fn set(&mut self, at: usize, words: &[u32]) {
        let held = &mut self.words[at..at + words.len()];
        if held == words {
            return;
        }
        held.copy_from_slice(words);
        let (start, end) = (at, at + words.len());
        self.changed = if self.changed.is_empty() {
            start..end
        } else {
            self.changed.start.min(start)..self.changed.end.max(end)
        };
    }

    fn set_field(&mut self, record: usize, field: usize, words: &[u32]) {
        self.set(HEADER + record * RECORD + field, words);
    }

    /// Takes what a run is given, which its Plan has checked.
    pub(crate) fn put(&mut self, rows: &Rows<'_>) {
        let counts = [rows.ids.len(), rows.wanted.len(), rows.spans.len()];
        self.set(0, &counts.map(|n| n as u32));
        for (i, row) in rows.wanted.iter().enumerate() {
            self.set_field(i, record::WANTED, &[*row]);
        }
        for (i, (first_row, span)) in rows.placed().enumerate() {
            self.put_span(i, first_row, span);
        }
    }

    fn put_span(&mut self, i: usize, first_row: usize, span: &Span<'_>) {
        let Span { n_rows, position, slot, tables } = *span;
        self.set_field(i, record::SPAN, &[first_row as u32, n_rows as u32, position as u32, slot]);
        for row in 0..n_rows {
            self.set_field(first_row + row, record::POSITION, &[(position + row) as u32]);
            self.set_field(first_row + row, record::SPAN_OF, &[i as u32]);
        }
        for (table, pages) in tables.iter().take(self.n_tables).enumerate() {
            let at = self.tables + (i * self.n_tables + table) * self.n_pages;
            self.set(at, &pages[..pages.len().min(self.n_pages)]);
        }
    }

    /// Takes how a row's token is chosen.
    pub(crate) fn put_turn(&mut self, row: usize, turn: &Turn) {
        self.set_field(row, record::TURN, bytemuck::cast_slice(bytemuck::bytes_of(turn)));
    }

    /// Writes what changed to the device, for what is submitted next.
    pub(crate) fn write(&mut self, gpu: &Gpu) {
        let Range { start, end } = std::mem::take(&mut self.changed);
        if start < end {
            let words = bytemuck::cast_slice(&self.words[start..end]);
            gpu.queue.write_buffer(&self.buffer, 4 * start as u64, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use hala_plan::ops::sample::Choice;

    use super::*;

    /// Words of a turn in the order in which the kernel takes them.
    fn turn_words() -> impl Iterator<Item = usize> {
        let choice = [
            offset_of!(Choice, temperature),
            offset_of!(Choice, top_k),
            offset_of!(Choice, top_p),
            offset_of!(Choice, min_p),
            offset_of!(Choice, repetition_penalty),
        ];
        let choice = choice.map(|offset| offset_of!(Turn, choice) + offset);
        choice.into_iter().chain([offset_of!(Turn, at), offset_of!(Turn, place)]).map(|offset| offset / 4)
    }

    #[test]
    fn kernels_take_a_turn_in_the_order_in_which_it_lies() {
        let body = hala_shaders::variant("sample").unwrap().body.to_string();
        let word = |i: usize| match i {
            0 => "run_word(row, RUN_TURN)".to_owned(),
            i => format!("run_word(row, RUN_TURN + {i}u)"),
        };
        let words: Vec<String> = turn_words().map(word).collect();
        let [temperature, top_k, top_p, min_p, penalty, at, place] = &words[..] else { panic!("{words:?}") };
        let [temperature, top_p, min_p, penalty, at] =
            [temperature, top_p, min_p, penalty, at].map(|word| format!("bitcast<f32>({word})"));
        let turn = ["temperature_of(row)", top_k, &top_p, &min_p, &penalty, &at, place];
        assert_eq!(size_of::<Turn>(), 4 * turn.len());
        let taken = format!("return Turn(\n        {},\n    )", turn.join(",\n        "));
        for text in [taken, format!("return {temperature};")] {
            assert!(body.contains(&text), "{text}");
        }
    }
}
