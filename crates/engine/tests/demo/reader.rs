//! Weights that are read a tensor at a time, and work that moves from one session to another.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hala_backend_cpu::CpuBackend;
use hala_engine::{
    Direction, Engine, EngineError, LoadOptions, Scheduler, SchedulerOptions, Session, Translation,
};
use hala_plan::Cancel;
use hala_weights::{Checkpoint, Reader, WeightsError};
use pollster::block_on;

use crate::{engine, ids, load, session, translator};

/// Where the built-in model's codes begin.
const CODES_START: u64 = 585_864;

/// The built-in model's weight file, read in parts; notes what was read, and fails from the `n_good`-th on.
#[derive(Debug)]
struct Parts {
    bytes: Vec<u8>,
    read: RefCell<Vec<Range<u64>>>,
    n_good: usize,
}

impl Reader for Parts {
    async fn size(&self, _file: &str) -> Result<u64, String> {
        Ok(self.bytes.len() as u64)
    }

    async fn read(&self, _file: &str, range: Range<u64>) -> Result<Vec<u8>, String> {
        if self.read.borrow().len() == self.n_good {
            return Err("the cable is unplugged".to_owned());
        }
        self.read.borrow_mut().push(range.clone());
        Ok(self.bytes[range.start as usize..range.end as usize].to_vec())
    }
}

/// Side files of a checkpoint.
type SideFiles = Vec<(String, std::borrow::Cow<'static, [u8]>)>;

fn parts(n_good: usize) -> (Parts, SideFiles) {
    let mut files: BTreeMap<_, _> = hala_demo_model::files().into_iter().collect();
    let bytes = files.remove("model.safetensors").unwrap().into_owned();
    (Parts { bytes, read: RefCell::default(), n_good }, files.into_iter().collect())
}

fn load_parts(n_good: usize, backend: CpuBackend) -> Result<(Engine<CpuBackend>, Parts), EngineError> {
    let (reader, files) = parts(n_good);
    let mut checkpoint = block_on(Checkpoint::from_reader(files, &reader))?;
    let loaded =
        block_on(Engine::load_from(backend, &mut checkpoint, &reader, LoadOptions::default(), |_| true));
    Ok((loaded?, reader))
}

#[test]
fn weights_that_are_read_in_parts_make_the_same_model_and_each_byte_is_read_once() {
    let (engine, reader) = load_parts(usize::MAX, CpuBackend::threaded(2).unwrap()).unwrap();
    let mut read = reader.read.take();
    // The floats lie first in the file, and the codes behind them are read in their order.
    let codes: Vec<u64> =
        read.iter().map(|range| range.start).filter(|start| *start >= CODES_START).collect();
    assert!(codes.len() > 20 && codes.is_sorted(), "{codes:?}");
    read.sort_by_key(|range| range.start);
    let mut end = 0;
    for range in &read {
        assert_eq!(range.start, end);
        end = range.end;
    }
    assert_eq!(end, reader.bytes.len() as u64);
    let (mut found, mut expected) = (block_on(Session::new(Arc::new(engine))).unwrap(), session());
    block_on(found.prefill(&ids(20, 1), &Cancel::new())).unwrap();
    block_on(expected.prefill(&ids(20, 1), &Cancel::new())).unwrap();
    assert_eq!(found.logits(), expected.logits());
}

#[test]
fn a_reader_that_fails_is_quoted_with_its_file() {
    for n_good in [0, 1, 2, 9] {
        let error = load_parts(n_good, CpuBackend::threaded(1).unwrap()).unwrap_err();
        assert!(matches!(error, EngineError::Weights(WeightsError::Unreadable { .. })), "{error}");
        assert_eq!(error.to_string(), "cannot read model.safetensors: the cable is unplugged");
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused_before_any_tensor_is_read() {
    let (mut reader, files) = parts(usize::MAX);
    reader.bytes.truncate(reader.bytes.len() - 1);
    let error = block_on(Checkpoint::from_reader(files, &reader)).unwrap_err();
    assert!(matches!(error, WeightsError::Damaged { .. }), "{error}");
    assert_eq!(reader.read.borrow().len(), 2);
}

#[test]
fn a_tensor_that_was_not_fetched_is_no_panic() {
    let (reader, files) = parts(usize::MAX);
    let checkpoint = block_on(Checkpoint::from_reader(files, &reader)).unwrap();
    let name = checkpoint.tensor_names().next().unwrap().to_owned();
    let dtype = checkpoint.stored_dtype(&name).unwrap();
    let error = checkpoint.load(&name, dtype).unwrap_err();
    assert!(matches!(error, WeightsError::NotFetched { .. }), "{error}");
}

#[test]
fn a_translation_goes_on_in_another_memory_in_the_middle_of_a_sentence() {
    let text = "صباح الخير. شكرا لك.";
    let expected =
        block_on(translator(engine()).translate(text, Direction::default(), &Cancel::new())).unwrap();
    let scheduler = |engine| Scheduler::new(engine, SchedulerOptions::default()).unwrap();
    let mut translation = Translation::new(&engine(), text, Direction::default(), &Cancel::new()).unwrap();
    block_on(translation.next(&mut scheduler(engine()))).unwrap();
    let mut second = scheduler(load(None));
    while block_on(translation.next(&mut second)).unwrap().is_some() {}
    let found = translation.finish().unwrap();
    assert_eq!((found.text, found.segments), (expected.text, expected.segments));
}

#[test]
fn the_cpu_pauses_while_it_loads_and_while_it_computes_a_long_prompt() {
    static N_PAUSES: AtomicUsize = AtomicUsize::new(0);
    let pause = || -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        N_PAUSES.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {})
    };
    // In plain loops, which take long enough that pauses come.
    let (engine, _) = load_parts(usize::MAX, CpuBackend::plain().pausing(pause)).unwrap();
    let n_weights = engine.weights().len();
    assert_eq!(N_PAUSES.swap(0, Ordering::Relaxed), n_weights);
    let mut session = block_on(Session::new(Arc::new(engine))).unwrap();
    block_on(session.prefill(&ids(64, 1), &Cancel::new())).unwrap();
    assert!(N_PAUSES.load(Ordering::Relaxed) > 0);
}

#[test]
fn loading_stops_where_it_is_told_to() {
    let (reader, files) = parts(usize::MAX);
    let mut checkpoint = block_on(Checkpoint::from_reader(files, &reader)).unwrap();
    let n_told = Cell::new(0);
    let progress = |_: hala_engine::LoadProgress<'_>| n_told.replace(n_told.get() + 1) < 4;
    let backend = CpuBackend::threaded(1).unwrap();
    let options = LoadOptions::default();
    let loaded = block_on(Engine::load_from(backend, &mut checkpoint, &reader, options, progress));
    assert!(loaded.unwrap_err().is_cancelled());
    assert_eq!(n_told.get(), 5);
}
