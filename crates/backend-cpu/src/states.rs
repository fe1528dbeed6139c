//! A pool of states on the host: pages of KV caches and slots of the last conv inputs.

use hala_plan::{BackendError, PoolSize, StateKind, StatePlaces, StateSpec};
use hala_tensor::DType;
use half::f16;

use crate::ops::Cell;
use crate::page::Page;

/// All pages or slots of one state.
#[derive(Debug)]
pub(crate) enum Cells {
    /// Pages of f32.
    F32(Vec<Page<f32>>),
    /// Pages of f16.
    F16(Vec<Page<f16>>),
    /// Slots one after the other.
    Slots(Vec<f32>),
}

/// One state.
#[derive(Debug)]
struct State {
    label: String,
    kind: StateKind,
    /// Elements of a page or slot.
    n: usize,
    cells: Cells,
}

/// A pool of states.
#[derive(Debug)]
pub struct States {
    states: Vec<State>,
    size: PoolSize,
}

impl States {
    /// Zeroed pages and slots.
    ///
    /// # Errors
    /// A type that is not held, or no memory.
    pub(crate) fn allocate(specs: &[StateSpec], size: &PoolSize) -> Result<Self, BackendError> {
        let states = specs.iter().map(State::empty).collect::<Result<_, _>>()?;
        let mut pool = Self { states, size: PoolSize::default() };
        pool.resize(size)?;
        Ok(pool)
    }

    /// Pages and slots in all.
    pub(crate) fn size(&self) -> &PoolSize {
        &self.size
    }

    /// Takes memory page by page, or gives it back.
    ///
    /// # Errors
    /// No memory: then all is as it was.
    pub(crate) fn resize(&mut self, size: &PoolSize) -> Result<(), BackendError> {
        let added = self.states.iter().map(|state| state.missing(size)).collect::<Result<Vec<_>, _>>()?;
        for (state, added) in self.states.iter_mut().zip(added) {
            state.cut(size.n_places(state.kind));
            state.add(added);
        }
        self.size = size.clone();
        Ok(())
    }

    /// Copies a slot of all recurrent states.
    ///
    /// # Errors
    /// A slot that there is not, or that stays zero.
    pub(crate) fn copy_slot(&mut self, from: u32, to: u32) -> Result<(), BackendError> {
        self.size.check_copy(StateKind::Recurrent, [from, to])?;
        for State { n, cells, .. } in &mut self.states {
            if let Cells::Slots(slots) = cells {
                let start = from as usize * *n;
                slots.copy_within(start..start + *n, to as usize * *n);
            }
        }
        Ok(())
    }

    /// Copies a page of all caches of a table.
    ///
    /// # Errors
    /// A page that there is not.
    pub(crate) fn copy_page(&mut self, table: u32, pages: [u32; 2]) -> Result<(), BackendError> {
        let kind = StateKind::Paged { table };
        self.size.check_copy(kind, pages)?;
        for State { cells, .. } in self.states.iter_mut().filter(|state| state.kind == kind) {
            match cells {
                Cells::F32(all) => copy(all, pages),
                Cells::F16(all) => copy(all, pages),
                Cells::Slots(_) => {}
            }
        }
        Ok(())
    }

    /// Pages or slots of one state, one after the other, as bytes.
    ///
    /// # Errors
    /// A page or slot that there is not.
    pub(crate) fn read_places(&self, places: StatePlaces<'_>, out: &mut Vec<u8>) -> Result<(), BackendError> {
        self.check(places)?;
        out.clear();
        let State { n, cells, .. } = &self.states[places.state.0 as usize];
        for place in places.idx.iter().map(|place| *place as usize) {
            out.extend_from_slice(match cells {
                Cells::F32(pages) => bytemuck::cast_slice(pages[place].cells()),
                Cells::F16(pages) => bytemuck::cast_slice(pages[place].cells()),
                Cells::Slots(slots) => bytemuck::cast_slice(&slots[place * n..][..*n]),
            });
        }
        Ok(())
    }

    /// Writes pages or slots of one state.
    ///
    /// # Errors
    /// A page or slot that there is not, or that stays zero; other bytes than it takes.
    pub(crate) fn write_places(&mut self, places: StatePlaces<'_>, bytes: &[u8]) -> Result<(), BackendError> {
        self.check(places)?;
        let State { n, cells, .. } = &mut self.states[places.state.0 as usize];
        let n_bytes = *n * if matches!(cells, Cells::F16(_)) { 2 } else { 4 };
        let (found, limit) = (bytes.len(), n_bytes * places.idx.len());
        if found != limit {
            return Err(BackendError::Limit { what: "bytes of pages or slots", found, limit });
        }
        for (place, bytes) in places.idx.iter().zip(bytes.chunks_exact(n_bytes.max(1))) {
            let place = *place as usize;
            let to: &mut [u8] = match cells {
                Cells::F32(pages) => bytemuck::cast_slice_mut(pages[place].cells_mut()),
                Cells::F16(pages) => bytemuck::cast_slice_mut(pages[place].cells_mut()),
                Cells::Slots(slots) => bytemuck::cast_slice_mut(&mut slots[place * *n..][..*n]),
            };
            to.copy_from_slice(bytes);
        }
        Ok(())
    }

    fn check(&self, places: StatePlaces<'_>) -> Result<(), BackendError> {
        let (found, n_places) = (places.state.0, self.states.len());
        let state = self.states.get(found as usize);
        let state = state.ok_or(BackendError::Place { what: "state", found: Some(found), n_places })?;
        places.idx.iter().try_for_each(|place| self.size.check_copy(state.kind, [*place, *place]))
    }

    /// One state's cells.
    pub(crate) fn cells(&self, idx: usize) -> &Cells {
        &self.states[idx].cells
    }

    /// One state's cells, for writing.
    pub(crate) fn cells_mut(&mut self, idx: usize) -> &mut Cells {
        &mut self.states[idx].cells
    }

    /// The cells of two states, for writing; `None` where they are one.
    pub(crate) fn two_mut(&mut self, idx: [usize; 2]) -> Option<[&mut Cells; 2]> {
        let states = self.states.get_disjoint_mut(idx).ok()?;
        Some(states.map(|state| &mut state.cells))
    }

    /// All pages or slots of a state, as f32, one after the other.
    pub(crate) fn copy_to(&self, idx: usize, out: &mut Vec<f32>) {
        out.clear();
        match &self.states[idx].cells {
            Cells::F32(pages) => pages.iter().for_each(|page| out.extend_from_slice(page.cells())),
            Cells::F16(pages) => {
                pages.iter().for_each(|page| out.extend(page.cells().iter().map(|cell| cell.value())));
            }
            Cells::Slots(slots) => out.extend_from_slice(slots),
        }
    }

    /// Writes all pages or slots of a state; `false`, and nothing done, where these are others than it has.
    pub(crate) fn copy_from(&mut self, idx: usize, values: &[f32]) -> bool {
        let n_places = self.states[idx].n_places();
        let State { n, cells, .. } = &mut self.states[idx];
        if values.len() != n_places * *n {
            return false;
        }
        let of_pages = values.chunks_exact((*n).max(1));
        match cells {
            Cells::F32(pages) => {
                pages.iter_mut().zip(of_pages).for_each(|(page, new)| page.cells_mut().copy_from_slice(new));
            }
            Cells::F16(pages) => pages.iter_mut().zip(of_pages).for_each(|(page, new)| {
                page.cells_mut().iter_mut().zip(new).for_each(|(cell, x)| *cell = f16::from_f32(*x));
            }),
            Cells::Slots(slots) => slots.copy_from_slice(values),
        }
        true
    }
}

impl State {
    /// A state without places.
    fn empty(spec: &StateSpec) -> Result<Self, BackendError> {
        let cells = match (spec.kind, spec.dtype) {
            (StateKind::Paged { .. }, DType::F32) => Cells::F32(Vec::new()),
            (StateKind::Paged { .. }, DType::F16) => Cells::F16(Vec::new()),
            (StateKind::Recurrent, DType::F32) => Cells::Slots(Vec::new()),
            (_, dtype) => {
                let what = format!("the state {}", spec.label);
                return Err(BackendError::Unsupported { backend: "cpu", what, dtype });
            }
        };
        Ok(Self { label: spec.label.clone(), kind: spec.kind, n: spec.shape.n_elements(), cells })
    }

    fn n_places(&self) -> usize {
        match &self.cells {
            Cells::F32(pages) => pages.len(),
            Cells::F16(pages) => pages.len(),
            Cells::Slots(slots) => slots.len() / self.n.max(1),
        }
    }

    /// The places that a pool of this size has more.
    fn missing(&self, size: &PoolSize) -> Result<Cells, BackendError> {
        let n_missing = size.n_places(self.kind).saturating_sub(self.n_places());
        let missing = match self.cells {
            Cells::F32(_) => {
                (0..n_missing).map(|_| Page::zeroed(self.n)).collect::<Option<_>>().map(Cells::F32)
            }
            Cells::F16(_) => {
                (0..n_missing).map(|_| Page::zeroed(self.n)).collect::<Option<_>>().map(Cells::F16)
            }
            Cells::Slots(_) => {
                bytemuck::allocation::try_zeroed_vec(n_missing * self.n).ok().map(Cells::Slots)
            }
        };
        missing.ok_or_else(|| BackendError::OutOfMemory {
            device: "the CPU".to_owned(),
            what: format!("the state {}", self.label),
            bytes: n_missing * self.n * if matches!(self.cells, Cells::F16(_)) { 2 } else { 4 },
        })
    }

    /// Gives back the places from the `n_places`th on.
    fn cut(&mut self, n_places: usize) {
        match &mut self.cells {
            Cells::F32(pages) => pages.truncate(n_places),
            Cells::F16(pages) => pages.truncate(n_places),
            Cells::Slots(slots) => {
                slots.truncate(n_places * self.n);
                slots.shrink_to_fit();
            }
        }
    }

    fn add(&mut self, added: Cells) {
        match (&mut self.cells, added) {
            (Cells::F32(pages), Cells::F32(added)) => pages.extend(added),
            (Cells::F16(pages), Cells::F16(added)) => pages.extend(added),
            (Cells::Slots(slots), Cells::Slots(added)) => slots.extend(added),
            _ => unreachable!("what is missing is of the state's own type"),
        }
    }
}

fn copy<C: Cell>(all: &mut [Page<C>], [from, to]: [u32; 2]) {
    if let Ok([from, to]) = all.get_disjoint_mut([from as usize, to as usize]) {
        to.cells_mut().copy_from_slice(from.cells());
    }
}

#[cfg(test)]
mod tests {
    use hala_plan::EMPTY_SLOT;
    use hala_tensor::Shape;

    use super::*;

    /// A cache of f32 with pages of 4 and of f16, of tables 0 and 1, and a recurrent state of 3.
    fn specs() -> Vec<StateSpec> {
        let state =
            |n, dtype, kind| StateSpec { label: format!("{kind:?}"), shape: Shape::vector(n), dtype, kind };
        let paged = |table| StateKind::Paged { table };
        vec![
            state(4, DType::F32, paged(0)),
            state(4, DType::F16, paged(1)),
            state(3, DType::F32, StateKind::Recurrent),
        ]
    }

    fn size(n_slots: usize, n_pages: [usize; 2]) -> PoolSize {
        PoolSize { n_slots, n_pages: n_pages.to_vec() }
    }

    fn read(states: &States, idx: usize) -> Vec<f32> {
        let mut values = Vec::new();
        states.copy_to(idx, &mut values);
        values
    }

    /// Pools whose place `i` of each state holds `i` everywhere.
    fn filled(size: &PoolSize) -> States {
        let mut states = States::allocate(&specs(), size).unwrap();
        for state in &mut states.states {
            match &mut state.cells {
                Cells::F32(pages) => (0u8..).zip(pages).for_each(|(i, page)| page.cells_mut().fill(i.into())),
                Cells::F16(pages) => {
                    (0u8..).zip(pages).for_each(|(i, page)| page.cells_mut().fill(f16::from(i)));
                }
                Cells::Slots(slots) => {
                    slots.chunks_exact_mut(3).enumerate().for_each(|(i, slot)| slot.fill(i as f32));
                }
            }
        }
        states
    }

    fn places(n: usize, of: usize) -> Vec<f32> {
        (0..n).flat_map(|i| vec![i as f32; of]).collect()
    }

    #[test]
    fn what_lies_before_the_new_end_stays_and_what_comes_is_zero() {
        let mut states = filled(&size(4, [3, 2]));
        states.resize(&size(2, [1, 5])).unwrap();
        assert_eq!([read(&states, 0), read(&states, 1)[..8].to_vec()], [places(1, 4), places(2, 4)]);
        assert_eq!([read(&states, 1)[8..].to_vec(), read(&states, 2)], [vec![0.0; 12], places(2, 3)]);
        states.resize(&size(4, [3, 2])).unwrap();
        assert_eq!(read(&states, 0), [vec![0.0; 4], vec![0.0; 8]].concat());
        assert_eq!(read(&states, 2), [places(2, 3), vec![0.0; 6]].concat());
        assert_eq!(states.size(), &size(4, [3, 2]));
    }

    #[test]
    fn a_pool_that_finds_no_memory_is_as_it_was() {
        let mut states = filled(&size(4, [3, 2]));
        let refused = states.resize(&size(usize::MAX / 64, [5, 1])).unwrap_err();
        assert!(matches!(refused, BackendError::OutOfMemory { .. }), "{refused}");
        assert_eq!((read(&states, 0), states.size()), (places(3, 4), &size(4, [3, 2])));
    }

    #[test]
    fn copies_are_of_all_states_of_their_kind() {
        let mut states = filled(&size(4, [3, 3]));
        states.copy_slot(3, 1).unwrap();
        states.copy_page(1, [2, 0]).unwrap();
        states.copy_page(1, [1, 1]).unwrap();
        assert_eq!(read(&states, 0), places(3, 4));
        assert_eq!(read(&states, 1), [2.0f32, 1.0, 2.0].map(|x| [x; 4]).concat());
        assert_eq!(read(&states, 2), [0.0f32, 3.0, 2.0, 3.0].map(|x| [x; 3]).concat());
    }

    #[test]
    fn places_that_there_are_not_are_refused_and_the_empty_slot_is_not_written() {
        let mut states = filled(&size(4, [3, 2]));
        for (from, to) in [(0, 4), (4, 1), (1, EMPTY_SLOT)] {
            let refused = states.copy_slot(from, to).unwrap_err();
            assert!(matches!(refused, BackendError::Place { what: "slot", n_places: 4, .. }), "{refused}");
        }
        for (table, pages) in [(0, [3, 0]), (1, [0, 2]), (2, [0, 0])] {
            let refused = states.copy_page(table, pages).unwrap_err();
            assert!(matches!(refused, BackendError::Place { what: "page", .. }), "{refused}");
        }
        assert_eq!([read(&states, 0), read(&states, 2)], [places(3, 4), places(4, 3)]);
    }
}
