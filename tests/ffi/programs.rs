//! The C programs beside this file, each of which ends at the first thing that is not as it must be.

use crate::client::Client;
use crate::compiler::{Watch, accepts, root};

/// A program with what it is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    pub(crate) source: &'static str,
    given: Given,
}

/// What a program wants as its argument.
#[derive(Debug, Clone, Copy)]
enum Given {
    Nothing,
    Model(&'static str),
    /// A folder that it may write to.
    Folder,
}

const fn program(source: &'static str) -> Program {
    Program { source, given: Given::Nothing }
}

pub(crate) const ANSWERS: Program = program("tests/ffi/answers.c");
pub(crate) const STREAM: Program = program("tests/ffi/stream.c");
pub(crate) const CANCEL: Program = program("tests/ffi/cancel.c");
pub(crate) const THREADS: Program = program("tests/ffi/threads.c");
pub(crate) const CHARACTERS: Program = program("tests/ffi/characters.c");
pub(crate) const STATUSES: Program = program("tests/ffi/statuses.c");
pub(crate) const MISUSE: Program = program("tests/ffi/misuse.c");
pub(crate) const SIZES: Program = program("tests/ffi/sizes.c");
pub(crate) const REENTER: Program = program("tests/ffi/reenter.c");
pub(crate) const LIFETIMES: Program = program("tests/ffi/lifetimes.c");
pub(crate) const MEMORY: Program = program("tests/ffi/memory.c");
pub(crate) const SESSION: Program = Program { source: "tests/ffi/session.c", given: Given::Folder };
/// A model that names what no maths reads, which a notice says.
pub(crate) const LOG: Program =
    Program { source: "tests/ffi/log.c", given: Given::Model("tests/fixtures/lfm3/as-published") };
pub(crate) const ESTIMATE: Program =
    Program { source: "tests/ffi/estimate.c", given: Given::Model("tests/fixtures/lfm2/two-layer") };
/// The same model, for the notice's sake.
pub(crate) const WRAPPER: Program =
    Program { source: "tests/ffi/wrapper.cpp", given: Given::Model("tests/fixtures/lfm3/as-published") };

/// All of them.
pub(crate) const ALL: [Program; 15] = [
    ANSWERS, STREAM, CANCEL, THREADS, CHARACTERS, STATUSES, MISUSE, SIZES, REENTER, LIFETIMES, MEMORY, LOG,
    ESTIMATE, WRAPPER, SESSION,
];

impl Program {
    /// Runs it to the end, as `client` says, with what it is given.
    #[track_caller]
    pub(crate) fn run(self, client: Client) {
        let folder = tempfile::tempdir().unwrap();
        match self.given {
            Given::Nothing => client,
            Given::Model(model) => client.arg(root().join(model)),
            Given::Folder => client.arg(folder.path()),
        }
        .run();
    }

    /// Runs it with nothing that watches, where a compiler is there.
    #[track_caller]
    fn holds(self) {
        if let Some(client) = Client::of(self.source, Watch::Nothing) {
            self.run(client);
        }
    }
}

#[test]
fn translations_replies_and_tokens_are_as_they_are_in_rust() {
    ANSWERS.holds();
}

#[test]
fn streams_are_the_whole_in_pieces_whose_ranges_agree_with_the_texts() {
    STREAM.holds();
}

#[test]
fn work_is_stopped_in_prefill_in_decode_and_in_loading() {
    CANCEL.holds();
}

#[test]
fn eight_threads_share_an_engine_and_a_stream_is_one_s_at_a_time() {
    THREADS.holds();
}

#[test]
fn characters_are_whole_in_every_chunk() {
    CHARACTERS.holds();
}

#[test]
fn what_is_asked_for_wrongly_is_named_with_its_status() {
    STATUSES.holds();
}

#[test]
fn null_handles_that_are_none_and_bytes_that_are_no_text_are_refused() {
    MISUSE.holds();
}

#[test]
fn structs_of_a_wrong_size_are_refused_and_those_of_other_headers_read() {
    SIZES.holds();
}

#[test]
fn callbacks_may_stop_and_release_and_nothing_else() {
    REENTER.holds();
}

#[test]
fn what_works_with_an_engine_outlives_its_last_handle() {
    LIFETIMES.holds();
}

#[test]
fn two_hundred_loads_and_frees_leave_the_memory_as_it_was() {
    // Memory is read where Linux tells it.
    if cfg!(target_os = "linux") {
        MEMORY.holds();
    }
}

#[test]
fn the_log_tells_notices_to_whoever_wants_them() {
    LOG.holds();
}

#[test]
fn what_a_model_takes_is_what_was_told_before() {
    ESTIMATE.holds();
}

#[test]
fn the_wrapper_for_cpp_has_classes_exceptions_functions_and_ranges() {
    WRAPPER.holds();
}

#[test]
fn headers_stand_by_themselves_in_every_standard() {
    ["c99", "c11", "c17", "c++11", "c++17", "c++20"]
        .into_iter()
        .for_each(|standard| accepts(standard, "hala.h"));
    ["c++17", "c++20"].into_iter().for_each(|standard| accepts(standard, "hala.hpp"));
}

#[test]
fn what_a_session_keeps_is_not_computed_again_and_goes_to_a_file_and_back() {
    SESSION.holds();
}
