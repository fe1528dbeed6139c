//! The head of a file: which model and text it is of, and where what is.

use std::collections::BTreeMap;
use std::io::{self, Read};

use hala_model::Model;
use hala_plan::{StateKind, StateSpec};
use hala_tensor::DType;
use hala_weights::{FileDType, HeaderFault, SafetensorsHeader, SafetensorsLayout, TensorInfo, header_length};

use super::error::SavedError;
use super::layout::Layout;
use crate::fingerprint::Fingerprint;

/// What tells the format, and its version.
const FORMAT: &str = "hala sequence";
const VERSION: &str = "1";

const IDS: &str = "ids";
const CHECKSUM: &str = "checksum";
const STATE: &str = "state.";

/// Bytes of the checksum, which is the last of the file: tensors are laid out by the width of their elements.
pub(crate) const N_CHECKSUM: usize = 8;

/// The longest head: tables of a million positions are shorter.
const MAX_HEAD_BYTES: u64 = 16 << 20;

/// One tensor of the file, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The tokens.
    Ids,
    /// Pages or slots of a state, by its index, in this element type.
    State(usize, DType),
}

/// What a file begins with, and what follows.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    pub(crate) layout: Layout,
    pub(crate) parts: Vec<Part>,
}

/// The head of a file to be written.
///
/// # Errors
/// A state that safetensors files have no type for.
pub(crate) fn write(
    model: &dyn Model,
    fingerprint: &Fingerprint,
    layout: Layout,
) -> Result<Head, hala_weights::WeightsError> {
    let mut file = SafetensorsLayout::new();
    file.metadata("format", FORMAT);
    file.metadata("version", VERSION);
    file.metadata("family", model.facts().family);
    file.metadata("weights", &fingerprint.weights.to_string());
    file.metadata("fingerprint", &fingerprint.code());
    file.metadata("layout", &serde_json::json!(layout).to_string());
    file.declare(IDS, FileDType::U32, &[layout.n_tokens])?;
    for spec in model.states() {
        let dims = dims(spec, &layout);
        let dtype = if spec.dtype == DType::F16 { FileDType::F16 } else { FileDType::F32 };
        file.declare(&format!("{STATE}{}", spec.label), dtype, &dims)?;
    }
    file.declare(CHECKSUM, FileDType::U8, &[N_CHECKSUM])?;
    let placed = file.place();
    let mut names: Vec<_> =
        placed.places.iter().map(|(name, range)| ((range.start, range.end), name)).collect();
    names.sort();
    let state =
        |name: &str| model.states().iter().position(|spec| name.strip_prefix(STATE) == Some(&spec.label));
    let part = |name: &str| match state(name) {
        Some(i) => Some(Part::State(i, model.states()[i].dtype)),
        None => (name == IDS).then_some(Part::Ids),
    };
    let parts = names.into_iter().filter_map(|(_, name)| part(name)).collect();
    Ok(Head { bytes: placed.head, layout, parts })
}

/// Reads the head of a file of `n_bytes`, and checks that it is of this model and text.
///
/// # Errors
/// No such file, one that is cut off or damaged, or of another version or model.
pub(crate) fn read(
    input: &mut impl Read,
    n_bytes: u64,
    (model, fingerprint): (&dyn Model, &Fingerprint),
) -> Result<Head, SavedError> {
    let header = header(input, n_bytes)?;
    let metadata = &header.metadata;
    let of = |key: &str| metadata.get(key).map_or("", String::as_str);
    if of("format") != FORMAT {
        return Err(SavedError::NotSaved { found: "a safetensors file of other things".to_owned() });
    }
    if of("version") != VERSION {
        return Err(SavedError::Version { found: of("version").to_owned(), expected: VERSION });
    }
    let own = [model.facts().family.to_owned(), fingerprint.weights.to_string(), fingerprint.code()];
    let found = ["family", "weights", "fingerprint"].map(|key| of(key).to_owned());
    if found != own {
        let told = |[family, weights, code]: [String; 3]| format!("{family} in {weights}, {code}");
        return Err(SavedError::OtherModel { found: told(found), expected: told(own) });
    }
    let layout: Layout = serde_json::from_str(of("layout"))
        .map_err(|_| SavedError::Damaged { what: "its layout cannot be read" })?;
    let (found, limit) = (layout.n_tokens, model.facts().context);
    if found > limit {
        return Err(SavedError::Context { found, limit });
    }
    let has_slots = model.states().iter().any(|spec| spec.kind == StateKind::Recurrent);
    layout.check(model.tables(), has_slots)?;
    let parts = parts(&header.tensors, model, &layout)?;
    Ok(Head { bytes: Vec::new(), layout, parts })
}

/// Reads the JSON that a file begins with.
fn header(input: &mut impl Read, n_bytes: u64) -> Result<SafetensorsHeader, SavedError> {
    let not_saved = |fault: HeaderFault| match fault {
        HeaderFault::Truncated { found, expected } => SavedError::CutOff { found, expected },
        fault => SavedError::NotSaved { found: fault.to_string() },
    };
    let mut first = [0; 8];
    let n_first = first.len().min(usize::try_from(n_bytes).unwrap_or(usize::MAX));
    read_exact(input, &mut first[..n_first])?;
    let n_header = header_length(&first[..n_first], n_bytes).map_err(not_saved)?;
    if n_header > MAX_HEAD_BYTES {
        return Err(SavedError::NotSaved { found: format!("its head has {n_header} bytes") });
    }
    let mut text = vec![0; n_header as usize];
    read_exact(input, &mut text)?;
    SafetensorsHeader::parse_text(&text, n_bytes).map_err(not_saved)
}

/// The tensors in their order, each of the shape that the layout says.
fn parts(tensors: &[TensorInfo], model: &dyn Model, layout: &Layout) -> Result<Vec<Part>, SavedError> {
    let damaged = SavedError::Damaged { what: "its tensors are not those of a sequence of this model" };
    let Some((last, others)) = tensors.split_last() else { return Err(damaged) };
    let specs: BTreeMap<&str, (usize, &StateSpec)> =
        model.states().iter().enumerate().map(|(i, spec)| (spec.label.as_str(), (i, spec))).collect();
    let part = |tensor: &TensorInfo| {
        if tensor.name == IDS {
            let fits = tensor.dtype == FileDType::U32 && tensor.dims == [layout.n_tokens];
            return fits.then_some(Part::Ids);
        }
        let (i, spec) = specs.get(tensor.name.strip_prefix(STATE)?)?;
        let dtype = match tensor.dtype {
            FileDType::F16 => DType::F16,
            FileDType::F32 => DType::F32,
            _ => return None,
        };
        (tensor.dims == dims(spec, layout)).then_some(Part::State(*i, dtype))
    };
    let parts: Option<Vec<Part>> = others.iter().map(part).collect();
    let is_summed = last.name == CHECKSUM && last.dtype == FileDType::U8 && last.dims == [N_CHECKSUM];
    // Names stand once, so as many are all.
    parts.filter(|parts| is_summed && parts.len() == specs.len() + 1).ok_or(damaged)
}

/// Pages or slots, and what each of them is.
fn dims(spec: &StateSpec, layout: &Layout) -> Vec<usize> {
    let n_places = match spec.kind {
        StateKind::Paged { table } => layout.n_pages(table as usize),
        StateKind::Recurrent => layout.n_slots(),
    };
    [&[n_places], spec.shape.dims()].concat()
}

/// Fills `bytes`; a file that ends before is cut off.
pub(crate) fn read_exact(input: &mut impl Read, bytes: &mut [u8]) -> Result<(), SavedError> {
    let expected = bytes.len() as u64;
    input.read_exact(bytes).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => SavedError::CutOff { found: 0, expected },
        _ => SavedError::Io { action: "read", source },
    })
}
