//! Weight files that are read a tensor at a time, as over a network.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;

use hala_tensor::counted;

use crate::bytes::FileBytes;
use crate::checkpoint::Checkpoint;
use crate::error::WeightsError;
#[cfg(not(target_family = "wasm"))]
use crate::gguf::{GgufFault, Opening};
use crate::header::HeaderFault;
use crate::header::{LENGTH_BYTES, SafetensorsHeader, header_length};
use crate::quantisation::COMPANIONS;
use crate::shards::{INDEX_FILE, Shard, Shards, WEIGHTS_FILE, is_plain, parse_index};
use crate::source::Source;

/// Bytes of a GGUF file that are read first, and twice as many where its header is longer: a vocabulary is some megabytes.
#[cfg(not(target_family = "wasm"))]
const GGUF_START_BYTES: u64 = 4 << 20;

/// Reads parts of weight files: from a browser's storage, or a server.
///
/// Failures are told in words, which end up in [`WeightsError::Unreadable`].
pub trait Reader {
    /// Bytes that a file has.
    fn size(&self, file: &str) -> impl Future<Output = Result<u64, String>>;

    /// The bytes of a range of a file, all of them.
    fn read(&self, file: &str, range: Range<u64>) -> impl Future<Output = Result<Vec<u8>, String>>;
}

impl Checkpoint {
    /// Opens a checkpoint whose side files are bytes and whose weight files are read by `reader`: their headers now,
    /// each tensor by [`Checkpoint::fetch`].
    ///
    /// # Errors
    /// As [`Checkpoint::from_files`], and what the reader refuses.
    pub async fn from_reader(
        files: Vec<(String, Cow<'static, [u8]>)>,
        reader: &impl Reader,
    ) -> Result<Self, WeightsError> {
        let source = Source::Memory(files.into_iter().collect());
        let Some(index) = source.read_text(INDEX_FILE)?.map(Cow::into_owned) else {
            let shard = open_shard(reader, WEIGHTS_FILE).await?;
            return Self::new(source, Shards::of_one(shard));
        };
        let weight_map = parse_index(INDEX_FILE, &index)?;
        let mut shards: BTreeMap<&str, Shard> = BTreeMap::new();
        for name in weight_map.values() {
            if !shards.contains_key(name.as_str()) {
                let (index, shard) = (INDEX_FILE.to_owned(), name.clone());
                if !is_plain(name) {
                    return Err(WeightsError::ShardName { index, shard });
                }
                shards.insert(name, open_shard(reader, name).await?);
            }
        }
        let missing =
            |name: &str| WeightsError::MissingShard { index: INDEX_FILE.to_owned(), shard: name.to_owned() };
        let shards = Shards::of_index(INDEX_FILE, &weight_map, |name| {
            shards.remove(name).ok_or_else(|| missing(name))
        })?;
        Self::new(source, shards)
    }

    /// Opens a GGUF file whose header `reader` reads, to be asked what is in it: its values are never read.
    ///
    /// # Errors
    /// As [`Checkpoint::open`], and what the reader refuses.
    #[cfg(not(target_family = "wasm"))]
    pub async fn gguf_header(file: &str, reader: &impl Reader) -> Result<Self, WeightsError> {
        let size = reader.size(file).await.map_err(|reason| unreadable(file, reason))?;
        let mut start = Vec::new();
        let opening = loop {
            let read_before = start.len() as u64;
            let end = (2 * read_before).max(GGUF_START_BYTES).min(size);
            start.append(&mut read(reader, file, read_before..end).await?);
            match Opening::of(file.to_owned(), &start, size as usize) {
                Err(WeightsError::DamagedGguf { fault: GgufFault::Truncated { .. }, .. }) if end < size => {}
                opening => break opening?,
            }
        };
        let factors = match opening.factors() {
            Some(range) => Some(read(reader, file, range.start as u64..range.end as u64).await?),
            None => None,
        };
        let (source, shards) = opening.finish(factors.as_deref(), FileBytes::Unread)?;
        Self::new(source, shards)
    }

    /// Reads a tensor's bytes, and those of its scales, so that it can be loaded; does nothing where they are there.
    ///
    /// # Errors
    /// There is no such tensor, or the reader refuses.
    pub async fn fetch(&mut self, name: &str, reader: &impl Reader) -> Result<(), WeightsError> {
        self.fetch_one(name, reader).await?;
        for companion in COMPANIONS.map(|suffix| format!("{name}{suffix}")) {
            if self.contains(&companion) {
                self.fetch_one(&companion, reader).await?;
            }
        }
        Ok(())
    }

    /// Drops what [`Checkpoint::fetch`] read.
    pub fn forget(&mut self, name: &str) {
        for suffix in [""].into_iter().chain(COMPANIONS) {
            let name = format!("{name}{suffix}");
            if self.contains(&name)
                && let Ok(place) = self.place(&name)
            {
                let shard = &mut self.shards.files[place.shard_idx];
                shard.bytes.drop_range(&shard.tensors[place.tensor_idx].range);
            }
        }
    }

    /// Where a tensor stands among all of the checkpoint's: reading in this order goes through each file from its start to its
    /// end, but for the scales of int8 weights, which lie apart from their codes.
    /// `None` for a tensor that is not there.
    pub fn reading_order(&self, name: &str) -> Option<(usize, usize)> {
        let place = self.place(name).ok()?;
        Some((place.shard_idx, self.at(place).1.range.start))
    }

    async fn fetch_one(&mut self, name: &str, reader: &impl Reader) -> Result<(), WeightsError> {
        let place = self.place(name)?;
        let (shard, info) = self.at(place);
        if shard.bytes.get(&info.range).is_some() {
            return Ok(());
        }
        let (file, range) = (shard.label.clone(), info.range.clone());
        let bytes = read(reader, &file, range.start as u64..range.end as u64).await?;
        self.shards.files[place.shard_idx].bytes.hold(range.start, bytes);
        Ok(())
    }
}

async fn open_shard(reader: &impl Reader, name: &str) -> Result<Shard, WeightsError> {
    let size = reader.size(name).await.map_err(|reason| unreadable(name, reason))?;
    let damaged = |fault: HeaderFault| WeightsError::Damaged { file: name.to_owned(), fault };
    let first = read(reader, name, 0..LENGTH_BYTES.min(size)).await?;
    let n_header = header_length(&first, size).map_err(damaged)?;
    let text = read(reader, name, LENGTH_BYTES..LENGTH_BYTES + n_header).await?;
    let SafetensorsHeader { tensors, metadata } =
        SafetensorsHeader::parse_text(&text, size).map_err(damaged)?;
    Ok(Shard { label: name.to_owned(), bytes: FileBytes::Fetched(BTreeMap::new()), tensors, metadata })
}

async fn read(reader: &impl Reader, file: &str, range: Range<u64>) -> Result<Vec<u8>, WeightsError> {
    let expected = range.end - range.start;
    let bytes = reader.read(file, range).await.map_err(|reason| unreadable(file, reason))?;
    if bytes.len() as u64 != expected {
        return Err(unreadable(
            file,
            format!("{} came where {expected} were asked for", counted(bytes.len() as u64, "byte")),
        ));
    }
    Ok(bytes)
}

fn unreadable(file: &str, reason: String) -> WeightsError {
    WeightsError::Unreadable { file: file.to_owned(), reason }
}
