//! Which model is meant.

use std::borrow::Cow;
use std::path::PathBuf;

use hala::ModelSource;

use crate::failure::Failure;
use crate::list;
use crate::sized::{self, Given};
use crate::text::Text;

/// A file in memory, by the name that it has in a model's folder.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Its name, as `config.json`.
    pub name: Text,
    /// Its bytes, which are copied.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

/// A model: `path`, `hub` or `files`, one of them. Without any (or NULL instead of the struct) it is the small translator that ships with Hala.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// sizeof(HalaSource).
    pub struct_size: usize,
    /// A folder in Hugging Face layout, or one .safetensors or GGUF file.
    pub path: Text,
    /// A model of the Hugging Face Hub, `owner/name[@revision][:file]`: fetched into the cache that Python shares, where it is not there.
    pub hub: Text,
    /// Files in memory: those of a folder in Hugging Face layout.
    pub files: *const File,
    /// How many.
    pub n_files: usize,
}

// SAFETY: numbers and pointers alone.
unsafe impl Given for Source {
    const NAME: &'static str = "HalaSource";
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// Files by their names.
type Files = Vec<(String, Cow<'static, [u8]>)>;

/// The model that a caller means.
///
/// # Errors
/// More than one is named, or one that this library cannot open.
///
/// # Safety
/// `source` is NULL or as its struct says.
pub(crate) unsafe fn read(source: *const Source) -> Result<ModelSource, Failure> {
    // SAFETY: as the caller says.
    let (source, path, hub) = unsafe {
        let source = sized::read(source)?;
        (source, source.path.read_given("path")?, source.hub.read_given("hub")?)
    };
    match (path, hub, source.n_files) {
        (None, None, 0) => built_in(),
        (Some(path), None, 0) => Ok(ModelSource::Path(PathBuf::from(path))),
        (None, Some(hub), 0) => of_hub(hub),
        // SAFETY: as the caller says.
        (None, None, n) => Ok(ModelSource::Files(unsafe { files(source.files, n) }?)),
        _ => Err(Failure::argument("HalaSource", "it has more than one of path, hub and files: give one")),
    }
}

/// A copy of files in memory.
///
/// # Safety
/// `files` points to so many, and each is as its struct says.
unsafe fn files(files: *const File, n: usize) -> Result<Files, Failure> {
    // SAFETY: as the caller says.
    let files = unsafe { list::read(files, n, "files") }?;
    let mut copies = Vec::with_capacity(n);
    for file in files {
        // SAFETY: as the caller says.
        let name = unsafe { file.name.read("the name of a file") }?;
        // SAFETY: as the caller says.
        let bytes = unsafe { list::read(file.data, file.len, "the data of a file") }?;
        copies.push((name.to_owned(), Cow::Owned(bytes.to_vec())));
    }
    Ok(copies)
}

/// The small translator that ships with Hala.
///
/// # Errors
/// It does not ship with this library.
#[cfg(feature = "built-in")]
pub(crate) fn built_in() -> Result<ModelSource, Failure> {
    Ok(ModelSource::BuiltIn)
}

#[cfg(not(feature = "built-in"))]
pub(crate) fn built_in() -> Result<ModelSource, Failure> {
    Err(Failure::left_out("built-in"))
}

/// A model of the Hub, and no path that has such a name.
///
/// # Errors
/// A name that is none, or this library cannot fetch.
#[cfg(feature = "hub")]
pub(crate) fn of_hub(hub: &str) -> Result<ModelSource, Failure> {
    Ok(ModelSource::Hub(hala::HubModel::parse(hub).map_err(hala::Error::from)?))
}

#[cfg(not(feature = "hub"))]
pub(crate) fn of_hub(_: &str) -> Result<ModelSource, Failure> {
    Err(Failure::left_out("hub"))
}
