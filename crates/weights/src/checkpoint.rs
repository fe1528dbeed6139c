//! A checkpoint: its weights by name, its config.json and the other files beside it.

use std::borrow::Cow;
use std::collections::BTreeMap;
#[cfg(not(target_family = "wasm"))]
use std::path::Path;

use hala_tensor::{DType, Shape};

use crate::config::Config;
use crate::error::WeightsError;
use crate::file_dtype::FileDType;
use crate::header::TensorInfo;
use crate::nearest::nearest;
use crate::quantisation::{
    COMPANIONS, INPUT_SCALE, INPUT_ZERO, PACKED_SUFFIX, Quantisation, SCALE_SUFFIX, SHAPE_SUFFIX,
};
use crate::shards::{INDEX_FILE, Place, Shard, Shards};
use crate::source::Source;
use crate::view::TensorView;

const CONFIG: &str = "config.json";

/// An opened checkpoint; its headers are read and checked, its weights are not yet read.
///
/// Quantised weights are several tensors in the file, codes `X.weight` (or `X.weight_packed`) and scales `X.weight_scale`; here
/// they are one, `X.weight`.
#[derive(Debug)]
pub struct Checkpoint {
    source: Source,
    pub(crate) shards: Shards,
    pub(crate) config: Option<Config>,
    /// Weights whose codes are packed into words, by their names without the suffix and with the matrix's shape.
    packed: BTreeMap<String, TensorInfo>,
    /// Tensors of a quantised key/value cache, which is held in floats here.
    of_cache: Vec<String>,
}

impl Checkpoint {
    /// Opens a folder in Hugging Face layout, one `.safetensors` file with its other files beside it, or a GGUF file, whatever its
    /// name, whose tensors then have the names of the published checkpoint.
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
        let is_named = name.is_some_and(|name| name.to_ascii_lowercase().ends_with(".gguf"));
        if kind.is_file() && (is_named || crate::gguf::is_gguf(path)) {
            let (source, shards) = crate::gguf::open(path)?;
            return Self::new(source, shards);
        }
        let Some(name) = name.filter(|name| kind.is_file() && name.ends_with(".safetensors")) else {
            return Err(WeightsError::NotSafetensors { path: path.display().to_string() });
        };
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut source = Source::Folder(folder.to_owned());
        let shards = Shards::open_file(&mut source, name)?;
        Self::new(source, shards)
    }

    /// Opens a folder for its files alone: config, tokenizer, templates. It may have no weights, and none of those that it has are looked at.
    ///
    /// # Errors
    /// The folder does not exist, or config.json is not JSON.
    #[cfg(not(target_family = "wasm"))]
    pub fn open_files(folder: &Path) -> Result<Self, WeightsError> {
        folder.metadata().map_err(|e| crate::source::read_error(folder, e))?;
        Self::new(Source::Folder(folder.to_owned()), Shards::default())
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
        let mut checkpoint = Self { source, shards, config, packed: BTreeMap::new(), of_cache: Vec::new() };
        if let Some(quantisation) = checkpoint.quantisation().ok().flatten() {
            checkpoint.packed = checkpoint.find_packed(&quantisation);
            let names = checkpoint.shards.places.keys();
            checkpoint.of_cache = names.filter(|name| quantisation.is_of_cache(name)).cloned().collect();
        }
        Ok(checkpoint)
    }

    /// The matrices whose codes are packed. Where config.json does not say how, they stay as the file has them.
    fn find_packed(&self, quantisation: &Quantisation) -> BTreeMap<String, TensorInfo> {
        let unpacked = |(stored, &place): (&String, &Place)| {
            let name = stored.strip_suffix(PACKED_SUFFIX)?;
            let scales = self.at(*self.shards.places.get(&format!("{name}{SCALE_SUFFIX}"))?).1;
            let info = self.at(place).1;
            let dims = quantisation.unpacked_dims(&info.dims, &scales.dims, self.stored_shape(name))?;
            Some((name.to_owned(), TensorInfo { name: name.to_owned(), dims: dims.to_vec(), ..info.clone() }))
        };
        self.shards.places.iter().filter_map(unpacked).collect()
    }

    /// What `X.weight_shape` says of a matrix, where it is there and was read.
    fn stored_shape(&self, name: &str) -> Option<[usize; 2]> {
        let (shard, info) = self.at(*self.shards.places.get(&format!("{name}{SHAPE_SUFFIX}"))?);
        let words = shard.bytes.get(&info.range).filter(|_| info.dtype == FileDType::I64)?.as_chunks::<8>().0;
        let &[n_rows, n_columns] = words else { return None };
        let count = |word| usize::try_from(i64::from_le_bytes(word)).ok();
        Some([count(n_rows)?, count(n_columns)?])
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

    /// A file beside the weights whose outermost value is an object, such as `generation_config.json`; `None` where there is none.
    ///
    /// # Errors
    /// As [`Checkpoint::text_file`], or the file is not JSON.
    pub fn json_file(&self, name: &str) -> Result<Option<Config>, WeightsError> {
        let text = self.source.read_text(name)?;
        text.map(|text| Config::parse(&self.source.label(name), &text)).transpose()
    }

    /// The weight files, each with the name that it has beside the others, and its tensors as the file has them, in the order of
    /// their places: scales and packed codes by themselves.
    pub fn weight_files(&self) -> impl Iterator<Item = (&str, &[TensorInfo])> {
        self.shards.files.iter().map(|shard| (shard.name(), shard.tensors.as_slice()))
    }

    /// Names of the other files beside the weights, sorted: of a folder those in itself.
    pub fn other_files(&self) -> Vec<String> {
        let mut names = self.source.names();
        names.retain(|name| !name.ends_with(".safetensors") && name != INDEX_FILE && self.source.has(name));
        names
    }

    /// The folder, where the checkpoint is in one.
    #[cfg(not(target_family = "wasm"))]
    pub fn folder(&self) -> Option<&Path> {
        match &self.source {
            Source::Folder(path) => Some(path),
            Source::Gguf { .. } | Source::Memory(_) => None,
        }
    }

    /// Element types of the file that no type in memory holds exactly, so that their tensors are encoded again as they are loaded.
    pub fn converted(&self) -> Vec<FileDType> {
        let mut found: Vec<FileDType> = self
            .tensors()
            .filter(|tensor| self.stored(&tensor.name).is_ok_and(|stored| stored.is_encoded_again()))
            .map(|tensor| tensor.dtype)
            .collect();
        found.sort_by_key(|dtype| dtype.name());
        found.dedup();
        found
    }

    /// What the first weight file says of itself in `__metadata__`.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.shards.files.first().map_or(&NONE, |shard| &shard.metadata)
    }

    /// Every tensor, sorted by name; what belongs to quantised weights is not listed apart.
    pub fn tensors(&self) -> impl Iterator<Item = &TensorInfo> {
        let stored = self.shards.places.iter().filter(|(name, _)| !self.is_part(name));
        let mut tensors: Vec<_> = stored.map(|(_, &place)| self.at(place).1).collect();
        tensors.extend(self.packed.values());
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        tensors.into_iter()
    }

    /// Names of the tensors, sorted; what belongs to quantised weights is not listed apart.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors().map(|tensor| tensor.name.as_str())
    }

    /// Whether a tensor of this name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.shards.places.contains_key(name) || self.packed.contains_key(name)
    }

    /// Elements of all tensors, scales not counted.
    pub fn n_parameters(&self) -> usize {
        self.tensors().map(TensorInfo::n_elements).sum()
    }

    /// Bytes that all tensors take in their files, scales included.
    pub fn n_bytes(&self) -> usize {
        self.shards.places.values().map(|&place| self.at(place).1.n_bytes()).sum()
    }

    /// One tensor as its file holds it; scales and packed codes have names of their own.
    ///
    /// # Errors
    /// There is none of this name, or it has more dimensions than are supported.
    pub fn tensor(&self, name: &str) -> Result<TensorView<'_>, WeightsError> {
        let place = self.place(name)?;
        let (shard, info) = self.at(place);
        let dims = self.packed.get(name).map_or(&info.dims, |packed| &packed.dims);
        let shape = Shape::new(dims).map_err(|source| WeightsError::Tensor {
            name: name.to_owned(),
            file: shard.label.clone(),
            source: source.into(),
        })?;
        let bytes = shard.bytes.get(&info.range);
        Ok(TensorView { name: &info.name, file: &shard.label, shape, dtype: info.dtype, bytes })
    }

    /// The element type in which a tensor is loaded without loss; for codes that no type in memory holds, int8.
    ///
    /// # Errors
    /// There is no such tensor, or its elements or the checkpoint's quantisation are not supported.
    pub fn stored_dtype(&self, name: &str) -> Result<DType, WeightsError> {
        Ok(self.stored(name)?.dtype())
    }

    /// Drops the resident pages of some bytes of a tensor, after they were read.
    pub fn release(&self, name: &str, bytes: std::ops::Range<usize>) {
        if let Ok(place) = self.place(name) {
            let (shard, info) = self.at(place);
            shard.bytes.release(&(info.range.start + bytes.start..info.range.start + bytes.end));
        }
    }

    pub(crate) fn place(&self, name: &str) -> Result<Place, WeightsError> {
        let place = self.packed.get(name).map_or_else(
            || self.shards.places.get(name),
            |packed| self.shards.places.get(&format!("{}{PACKED_SUFFIX}", packed.name)),
        );
        place.copied().ok_or_else(|| self.why_missing(name))
    }

    /// Why there is no tensor of this name.
    fn why_missing(&self, name: &str) -> WeightsError {
        if let Err(error) = self.quantisation() {
            return error;
        }
        let packed = format!("{name}{PACKED_SUFFIX}");
        if let Some(&place) = self.shards.places.get(&packed) {
            return self.unread_codes(packed, place);
        }
        WeightsError::MissingTensor {
            origin: match self.shards.files.as_slice() {
                [one] => format!("`{}`", one.label),
                _ => self.origin(),
            },
            name: name.to_owned(),
            nearest: nearest(name, self.tensor_names()),
        }
    }

    pub(crate) fn at(&self, place: Place) -> (&Shard, &TensorInfo) {
        let shard = &self.shards.files[place.shard_idx];
        (shard, &shard.tensors[place.tensor_idx])
    }

    /// Whether a tensor of the file belongs to a quantised weight, or is its packed codes.
    fn is_part(&self, name: &str) -> bool {
        let of_weight = |suffix| name.strip_suffix(suffix).is_some_and(|weight| self.contains(weight));
        let of_layer = |suffix| {
            let layer: Option<&str> = name.strip_suffix(suffix);
            layer.is_some_and(|layer| self.contains(&format!("{layer}.weight{SCALE_SUFFIX}")))
        };
        COMPANIONS.into_iter().any(of_weight)
            || of_weight(SHAPE_SUFFIX) && self.packed.contains_key(&name[..name.len() - SHAPE_SUFFIX.len()])
            || name.strip_suffix(PACKED_SUFFIX).is_some_and(|weight| self.packed.contains_key(weight))
            || of_layer(INPUT_SCALE)
            || of_layer(INPUT_ZERO)
            || self.of_cache.iter().any(|of_cache| of_cache == name)
    }
}
