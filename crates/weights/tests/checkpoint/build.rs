//! Safetensors files built byte by byte, right or wrong on purpose, and folders to put them in.

use std::borrow::Cow;
use std::path::Path;

use hala_weights::Checkpoint;

/// A file of this header and these bytes behind it.
pub(crate) fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

/// A tensor to be written: name, type, shape, bytes.
pub(crate) type Entry<'a> = (&'a str, &'a str, &'a [usize], Vec<u8>);

/// A correct file of these tensors.
pub(crate) fn tensors(entries: &[Entry<'_>]) -> Vec<u8> {
    let (mut header, mut data) = (Vec::new(), Vec::new());
    for (name, dtype, shape, bytes) in entries {
        let (start, end) = (data.len(), data.len() + bytes.len());
        header.push(format!(
            r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{start},{end}]}}"#
        ));
        data.extend(bytes);
    }
    file(&format!("{{{}}}", header.join(",")), &data)
}

/// Little-endian f32.
pub(crate) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A checkpoint in memory of this weight file and config.json.
pub(crate) fn memory(weights: Vec<u8>, config: &str) -> Checkpoint {
    Checkpoint::from_files(vec![
        ("model.safetensors".to_owned(), Cow::Owned(weights)),
        ("config.json".to_owned(), Cow::Owned(config.as_bytes().to_vec())),
    ])
    .unwrap()
}

/// Puts files into a new folder.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// The message of opening a folder that must not open.
pub(crate) fn refusal(path: &Path) -> String {
    Checkpoint::open(path).unwrap_err().to_string()
}
