//! A checkpoint: its weights by name, its config.json and the other files beside it.

use std::borrow::Cow;
use std::collections::BTreeMap;
#[cfg(not(target_family = "wasm"))]
use std::path::Path;

use hala_tensor::{DType, Shape};

use crate::nearest::nearest;
use crate::quantised::{Int8Scheme, SCALE_SUFFIX};
use crate::shards::{Place, Shard, Shards};
use crate::source::Source;
use crate::{Config, TensorInfo, TensorView, WeightsError};

const CONFIG: &str = "config.json";

/// An opened checkpoint; its headers are read and checked, its weights are not yet read.
///
/// Int8 weights are two tensors in the file, codes `X.weight` and scales `X.weight_scale`; here they are one,
/// `X.weight`.
#[derive(Debug)]
pub struct Checkpoint {
    source: Source,
    pub(crate) shards: Shards,
    config: Option<Config>,
}

impl Checkpoint {
    /// Opens a folder in Hugging Face layout, or one `.safetensors` file with its other files beside it.
    ///
    /// # Errors
    /// The path or a shard does not exist, a file is damaged, or config.json is not JSON.
    #[cfg(not(target_family = "wasm"))]
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let kind = path.metadata().map_err(|e| crate::source::read_error(path, e))?;
        if kind.is_dir() {
            let mut source = Source::Folder(path.to_owned());
            let shards = Shards::open(&mut source)?;
            return Self::new(source, shards);
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|name| kind.is_file() && name.ends_with(".safetensors")) else {
            return Err(WeightsError::NotSafetensors { path: path.display().to_string() });
        };
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut source = Source::Folder(folder.to_owned());
        let shards = Shards::open_file(&mut source, name)?;
        Self::new(source, shards)
    }

    /// Opens a checkpoint whose files are bytes in memory, each with the name that it has in a folder.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn from_files(files: Vec<(String, Cow<'static, [u8]>)>) -> Result<Self, WeightsError> {
        let mut source = Source::Memory(files.into_iter().collect());
        let shards = Shards::open(&mut source)?;
        Self::new(source, shards)
    }

    pub(crate) fn new(source: Source, shards: Shards) -> Result<Self, WeightsError> {
        let label = source.label(CONFIG);
        let text = source.read_text(CONFIG)?;
        let config = text.map(|text| Config::parse(&label, &text)).transpose()?;
        Ok(Self { source, shards, config })
    }

    /// The folder or file in words, for messages.
    pub fn origin(&self) -> String {
        self.source.origin()
    }

    /// config.json.
    ///
    /// # Errors
    /// There is none.
    pub fn config(&self) -> Result<&Config, WeightsError> {
        self.config
            .as_ref()
            .ok_or_else(|| WeightsError::MissingFile { origin: self.origin(), file: CONFIG.to_owned() })
    }

    /// A file beside the weights, such as `tokenizer.json`; `None` where there is none.
    ///
    /// # Errors
    /// The file cannot be read or is larger than any of its kind.
    pub fn file(&self, name: &str) -> Result<Option<Cow<'_, [u8]>>, WeightsError> {
        self.source.read(name)
    }

    /// A file beside the weights as text, such as `chat_template.jinja`; `None` where there is none.
    ///
    /// # Errors
    /// As [`Checkpoint::file`], or the file is not UTF-8.
    pub fn text_file(&self, name: &str) -> Result<Option<Cow<'_, str>>, WeightsError> {
        self.source.read_text(name)
    }

    /// What the first weight file says of itself in `__metadata__`.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.shards.files.first().map_or(&NONE, |shard| &shard.metadata)
    }

    /// Every tensor, sorted by name; the scales of int8 weights are not listed apart.
    pub fn tensors(&self) -> impl Iterator<Item = &TensorInfo> {
        self.shards.places.iter().filter(|(name, _)| !self.is_scale(name)).map(|(_, &place)| self.at(place).1)
    }

    /// Names of the tensors, sorted; the scales of int8 weights are not listed apart.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors().map(|tensor| tensor.name.as_str())
    }

    /// Whether a tensor of this name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.shards.places.contains_key(name)
    }

    /// Elements of all tensors, scales not counted.
    pub fn n_parameters(&self) -> usize {
        self.tensors().map(TensorInfo::n_elements).sum()
    }

    /// Bytes that all tensors take in their files, scales included.
    pub fn n_bytes(&self) -> usize {
        self.shards.places.values().map(|&place| self.at(place).1.n_bytes()).sum()
    }

    /// One tensor as its file holds it.
    ///
    /// # Errors
    /// There is none of this name, or it has more dimensions than are supported.
    pub fn tensor(&self, name: &str) -> Result<TensorView<'_>, WeightsError> {
        let place = self.place(name)?;
        let (shard, info) = self.at(place);
        let shape = Shape::new(&info.dims).map_err(|source| WeightsError::Tensor {
            name: name.to_owned(),
            file: shard.label.clone(),
            source,
        })?;
        let bytes = shard.bytes.get(&info.range);
        Ok(TensorView { name: &info.name, file: &shard.label, shape, dtype: info.dtype, bytes })
    }

    /// The element type in which a tensor is loaded without loss and without growing.
    ///
    /// # Errors
    /// There is no such tensor, or its elements or the checkpoint's quantisation are not supported.
    pub fn stored_dtype(&self, name: &str) -> Result<DType, WeightsError> {
        let view = self.tensor(name)?;
        match self.int8_group(&view)? {
            Some(group) => Ok(DType::Int8 { group }),
            None => view.float_dtype(),
        }
    }

    /// The int8 group of this tensor's codes; `None` if the tensor is stored as floats.
    pub(crate) fn int8_group(&self, view: &TensorView<'_>) -> Result<Option<usize>, WeightsError> {
        let scheme = self.config.as_ref().map(Int8Scheme::of).transpose()?.flatten();
        Ok(scheme.filter(|scheme| scheme.covers(view)).map(|scheme| scheme.group))
    }

    /// Drops the resident pages of some bytes of a tensor, after they were read.
    pub(crate) fn release(&self, name: &str, bytes: std::ops::Range<usize>) {
        if let Ok(place) = self.place(name) {
            let (shard, info) = self.at(place);
            shard.bytes.release(&(info.range.start + bytes.start..info.range.start + bytes.end));
        }
    }

    pub(crate) fn place(&self, name: &str) -> Result<Place, WeightsError> {
        self.shards.places.get(name).copied().ok_or_else(|| WeightsError::MissingTensor {
            origin: match self.shards.files.as_slice() {
                [one] => format!("`{}`", one.label),
                _ => self.origin(),
            },
            name: name.to_owned(),
            nearest: nearest(name, self.tensor_names()),
        })
    }

    pub(crate) fn at(&self, place: Place) -> (&Shard, &TensorInfo) {
        let shard = &self.shards.files[place.shard_idx];
        (shard, &shard.tensors[place.tensor_idx])
    }

    fn is_scale(&self, name: &str) -> bool {
        name.strip_suffix(SCALE_SUFFIX).is_some_and(|weight| self.contains(weight))
    }
}
