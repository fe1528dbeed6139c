//! What a model will take of memory.

use crate::cancel;
use crate::engine::LoadOptions;
use crate::entry::entry;
use crate::failure::Failure;
use crate::sized::{self, Given};
use crate::source::{self, Source};
use crate::status::Status;

/// Bytes that a model will take at most, known from the headers of its files. A run's activations are not among them: some 20 MB for 350
/// million parameters. Later versions may add fields at the end.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Estimate {
    /// sizeof(HalaEstimate), set by the caller.
    pub struct_size: usize,
    /// Of all weights as they will be held.
    pub weight_bytes: u64,
    /// Of the tokenizer.
    pub tokenizer_bytes: u64,
    /// Of caches for one token.
    pub cache_bytes_per_token: u64,
    /// Of caches and states of a session that fills its context.
    pub session_bytes: u64,
    /// The most while the model is loaded.
    pub peak_bytes: u64,
}

// SAFETY: numbers alone.
unsafe impl Given for Estimate {
    const NAME: &'static str = "HalaEstimate";
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// What a model will take, without loading it: the headers of its files are read, and no weight. For a model of the Hub these are fetched.
///
/// # Safety
/// Pointers are NULL or as their structs say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_estimate(
    source: *const Source,
    options: *const LoadOptions,
    estimate: *mut Estimate,
) -> Status {
    entry(|| {
        // SAFETY: as the caller says.
        let (source, options) = unsafe { (source::read(source)?, sized::read(options)?) };
        // SAFETY: as the caller says.
        let runtime = unsafe { options.runtime(&cancel::flag(options.cancel)?) }?;
        let told = hala::estimate(source, &runtime).map_err(Failure::from)?;
        let value = Estimate {
            struct_size: size_of::<Estimate>(),
            weight_bytes: told.weight_bytes as u64,
            tokenizer_bytes: told.tokenizer_bytes as u64,
            cache_bytes_per_token: told.cache_bytes_per_token as u64,
            session_bytes: told.sequence_bytes as u64,
            peak_bytes: told.peak_bytes() as u64,
        };
        // SAFETY: as the caller says.
        unsafe { sized::write(estimate, value) }
    })
}
