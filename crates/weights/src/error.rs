//! What can go wrong with a checkpoint, in words that name the file and the next step.

use hala_tensor::{Shape, TensorError, counted, several};

use crate::file_dtype::FileDType;
use crate::header::HeaderFault;

/// An error of this crate; each names the file or tensor, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// No such file or folder.
    #[error(
        "`{path}` does not exist: give a folder that holds config.json and model.safetensors, or a .safetensors or .gguf file"
    )]
    NotFound {
        /// The path given.
        path: String,
    },
    /// The operating system refused to read or write.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried: read, write.
        action: &'static str,
        /// The file.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A file given by path is of a kind that is not read.
    #[error("`{path}` is neither a safetensors nor a GGUF file: give one, or the folder that holds it")]
    NotSafetensors {
        /// The path given.
        path: String,
    },
    /// A checkpoint without safetensors files.
    #[error(
        "{origin} holds neither model.safetensors nor model.safetensors.index.json (it holds: {found}): {advice}"
    )]
    NoWeights {
        /// The folder.
        origin: String,
        /// Files that it holds instead.
        found: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// A file that is needed is not there.
    #[error("{origin} has no {file}: download the checkpoint again, with all of its files")]
    MissingFile {
        /// The folder.
        origin: String,
        /// The file's name.
        file: String,
    },
    /// A file is larger than any of its kind.
    #[error("{file} has {found} bytes, and at most {max} are read: it is not the file that its name says")]
    FileTooLarge {
        /// The file.
        file: String,
        /// Its bytes.
        found: u64,
        /// Bytes that are read at most.
        max: u64,
    },
    /// A text file is not UTF-8.
    #[error("{file} is not valid UTF-8 from byte {position} on: save it as UTF-8, or download it again")]
    NotUtf8 {
        /// The file.
        file: String,
        /// First byte that is not.
        position: usize,
    },
    /// A JSON file cannot be read.
    #[error("{file} is not valid JSON: {detail}. Mend it, or download it again")]
    Json {
        /// The file.
        file: String,
        /// What the JSON reader says, with line and column.
        detail: String,
    },
    /// A number that JSON does not have, as Python writes it.
    #[error(
        "{file}, line {line}: `{literal}` is not JSON, and no value of a model: replace it by a number or null"
    )]
    NotANumber {
        /// The file.
        file: String,
        /// NaN or Infinity.
        literal: &'static str,
        /// Its line, from 1.
        line: usize,
    },
    /// A weight file could not be read where it is kept.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why not, in the words of what reads it.
        reason: String,
    },
    /// A tensor was to be loaded before its bytes were read.
    #[error("the tensor {name} of {file} was not fetched: call `Checkpoint::fetch` before it is loaded")]
    NotFetched {
        /// The tensor.
        name: String,
        /// Its file.
        file: String,
    },
    /// A safetensors file that is damaged.
    #[error("{file}: {fault}. The file is damaged or incomplete: download it again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: HeaderFault,
    },
    /// A GGUF file that is damaged, or of a kind that is not read.
    #[cfg(not(target_family = "wasm"))]
    #[error("{file}: {fault}")]
    DamagedGguf {
        /// The file.
        file: String,
        /// What is wrong with it.
        fault: crate::gguf::fault::GgufFault,
    },
    /// The tokenizer in a GGUF file is of a kind that is not read.
    #[cfg(not(target_family = "wasm"))]
    #[error("{file}: {reason}: use the checkpoint that the file was made from")]
    GgufTokenizer {
        /// The file.
        file: String,
        /// What about it is not supported.
        reason: String,
    },
    /// The index names a shard that cannot be a file beside it.
    #[error(
        "{index} names the shard {shard:?}, which is not a plain file name: download the checkpoint again"
    )]
    ShardName {
        /// The index file.
        index: String,
        /// The name in it.
        shard: String,
    },
    /// The index names a shard that is not there.
    #[error("{index} names the shard `{shard}`, which is not there: download the missing shard")]
    MissingShard {
        /// The index file.
        index: String,
        /// The shard.
        shard: String,
    },
    /// The index names a tensor that its shard does not hold.
    #[error(
        "{index} places tensor `{tensor}` in `{shard}`, which does not hold it: download both files again"
    )]
    NotInShard {
        /// The index file.
        index: String,
        /// The tensor.
        tensor: String,
        /// The shard.
        shard: String,
    },
    /// A tensor that the model needs is not there.
    #[error("{origin} has no tensor `{name}`{}", did_you_mean(nearest))]
    MissingTensor {
        /// The folder or file.
        origin: String,
        /// The tensor.
        name: String,
        /// Names that come near, nearest first.
        nearest: Vec<String>,
    },
    /// A tensor has another shape than the model needs.
    #[error("tensor `{name}` in {file} has the shape {found}, where {expected} is expected")]
    Shape {
        /// The tensor.
        name: String,
        /// Its file.
        file: String,
        /// Its shape.
        found: Shape,
        /// The shape that is needed.
        expected: Shape,
    },
    /// Elements that are not read as floats.
    #[error(
        "tensor `{name}` in {file} is stored as {dtype}, which is not supported: F32, F16 and BF16 are, and codes of compressed-tensors with their scales"
    )]
    UnsupportedDType {
        /// The tensor.
        name: String,
        /// Its file.
        file: String,
        /// Its element type.
        dtype: FileDType,
    },
    /// The values of a tensor cannot be held.
    #[error("tensor `{name}` in {file}: {source}")]
    Tensor {
        /// The tensor.
        name: String,
        /// Its file.
        file: String,
        /// What is wrong.
        source: TensorError,
    },
    /// A value of config.json has the wrong type.
    #[error("{file}: `{key}` is {found}, where {expected} is expected")]
    ConfigType {
        /// The file.
        file: String,
        /// The key, with the objects around it.
        key: String,
        /// The value, as JSON.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value of config.json is needed and not there.
    #[error("{file} has no {}: the model cannot be built without it", one_of(keys))]
    ConfigMissing {
        /// The file.
        file: String,
        /// Every name that the value goes by.
        keys: Vec<String>,
    },
    /// Two names of one value disagree.
    #[error(
        "{file}: `{first}` is {first_value} and `{second}` is {second_value}, and both name one value: remove the wrong one"
    )]
    ConfigConflict {
        /// The file.
        file: String,
        /// One name.
        first: String,
        /// Its value, as JSON.
        first_value: String,
        /// Another name.
        second: String,
        /// Its value, as JSON.
        second_value: String,
    },
    /// Weights are quantised in a way that is not read.
    #[error(
        "{file}: quantization_config ({found}) is not supported yet: {reason}. Use the unquantised checkpoint"
    )]
    Quantisation {
        /// The file.
        file: String,
        /// Method, format, strategy and type that were found.
        found: String,
        /// What is not supported about it.
        reason: String,
    },
    /// A folder of Apple's MLX.
    #[error(
        "{file}: {found} is MLX's way of quantising, and its folders are not read: use the checkpoint that it was made from, or a GGUF file of it"
    )]
    Mlx {
        /// The file.
        file: String,
        /// What says so.
        found: String,
    },
    /// Packed codes of which nothing says how to read them.
    #[error("the codes `{name}` in {file} cannot be read: {reason}")]
    Packed {
        /// The tensor of codes.
        name: String,
        /// Its file.
        file: String,
        /// What is missing or does not fit, and what to do.
        reason: String,
    },
    /// A tensor that a setting asks for beside a weight's codes is not there.
    #[error(
        "quantization_config says of the weight {name} that {setting}, and {missing} is not there: download the checkpoint again, or use the unquantised one"
    )]
    MissingCompanion {
        /// The weight.
        name: String,
        /// What quantization_config says.
        setting: &'static str,
        /// The tensor.
        missing: String,
    },
    /// A column's group that there is not.
    #[error("`{name}` puts a column into group {found}, and there are groups 0 to {last}: download it again", last = n_groups - 1)]
    Order {
        /// The tensor of groups.
        name: String,
        /// The number in it.
        found: i32,
        /// How many groups there are.
        n_groups: usize,
    },
    /// A quantised weight comes with a tensor that changes what its codes mean.
    #[error(
        "the weight {name} comes with {unread}, which is not supported: use a checkpoint that is quantised symmetrically"
    )]
    UnreadCompanion {
        /// The weight.
        name: String,
        /// The tensor beside it.
        unread: String,
    },
    /// A way of rounding inputs that is not computed here.
    #[error(
        "config.json asks to round the inputs of {name} in a way that is not computed here, or in several: run it with float inputs"
    )]
    InputRounding {
        /// The weight.
        name: String,
    },
    /// Two of a checkpoint's schemes fit the scales of a weight.
    #[error(
        "the scales {scales} of {name} fit two schemes of quantization_config, with blocks of {} and of {}: split the checkpoint, or quantise it again",
        block(blocks[0]), block(blocks[1])
    )]
    Ambiguous {
        /// The weight.
        name: String,
        /// Shape of its scales.
        scales: Shape,
        /// Rows and columns that share a scale in either; the largest number stands for all.
        blocks: [[usize; 2]; 2],
    },
    /// A tensor cannot be written.
    #[error("tensor `{name}` cannot be written: {reason}")]
    Unwritable {
        /// The tensor.
        name: String,
        /// Why.
        reason: String,
    },
    /// Fetching from the Hub failed.
    #[cfg(all(feature = "hub", not(target_family = "wasm")))]
    #[error(transparent)]
    Hub(#[from] crate::hub::error::HubError),
}

fn did_you_mean(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        names => format!("; the nearest names are `{}`", names.join("`, `")),
    }
}

fn block(block: [usize; 2]) -> String {
    let words = |n: usize, one| match n {
        usize::MAX => format!("all {}", several(one)),
        n => counted(n as u64, one),
    };
    let (rows, columns) = (words(block[0], "row"), words(block[1], "column"));
    format!("{rows} and {columns}")
}

fn one_of(keys: &[String]) -> String {
    format!("`{}`", keys.join("` or `"))
}
