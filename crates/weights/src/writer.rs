//! Safetensors files out: tensors are declared first, then produced and written one at a time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Seek, SeekFrom, Write};
#[cfg(not(target_family = "wasm"))]
use std::path::Path;

use hala_tensor::{DType, Data, Shape, Tensor};

use crate::error::WeightsError;
use crate::file_dtype::FileDType;
use crate::layout::{Placed, SafetensorsLayout};
use crate::quantisation::SCALE_SUFFIX;
#[cfg(not(target_family = "wasm"))]
use crate::whole_file::WholeFile;

/// Writes a safetensors file; equal declarations and tensors give equal bytes.
///
/// An int8 tensor `X.weight` becomes I8 codes `X.weight` and F32 scales `X.weight_scale`, as compressed-tensors
/// names them; config.json must then hold [`int8_quantization_config`](crate::int8_quantization_config).
#[derive(Debug, Default)]
pub struct SafetensorsWriter {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, (Shape, DType)>,
}

impl SafetensorsWriter {
    /// A file of no tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry to the file's `__metadata__`, such as `format` = `pt`.
    pub fn metadata(&mut self, key: &str, value: &str) {
        self.metadata.insert(key.to_owned(), value.to_owned());
    }

    /// Adds a tensor whose elements are given later.
    ///
    /// # Errors
    /// The name is taken, the element type cannot be written, or an int8 tensor's name does not end in `.weight`.
    pub fn declare(&mut self, name: &str, shape: Shape, dtype: DType) -> Result<(), WeightsError> {
        let refuse = |reason: String| Err(WeightsError::Unwritable { name: name.to_owned(), reason });
        match dtype {
            DType::F32 | DType::F16 | DType::BF16 => {}
            DType::Int8 { .. } if name.ends_with(".weight") && shape.rank() == 2 => {}
            DType::Int8 { .. } => {
                return refuse("an int8 tensor must be a matrix whose name ends in `.weight`".to_owned());
            }
            DType::U32 | DType::E4M3 | DType::Int4 { .. } => {
                return refuse(format!("writing {dtype} is not supported yet"));
            }
        }
        if name == "__metadata__" || self.tensors.contains_key(name) || self.clashes(name, dtype) {
            return refuse("the name is taken".to_owned());
        }
        self.tensors.insert(name.to_owned(), (shape, dtype));
        Ok(())
    }

    /// Whether a tensor would share a name with the scales of another.
    fn clashes(&self, name: &str, dtype: DType) -> bool {
        let has_scales = |name: &str| self.tensors.get(name).is_some_and(|(_, dtype)| dtype.is_quantised());
        name.strip_suffix(SCALE_SUFFIX).is_some_and(has_scales)
            || dtype.is_quantised() && self.tensors.contains_key(&format!("{name}{SCALE_SUFFIX}"))
    }

    /// Writes the file: to a temporary name beside `path`, then synced and renamed.
    ///
    /// `produce` is asked for each declared tensor once, in the order of their names; nothing else is held.
    ///
    /// # Errors
    /// The file cannot be written, `produce` fails, or a tensor is not as declared; `path` is then untouched.
    #[cfg(not(target_family = "wasm"))]
    pub fn write<'t>(
        &self,
        path: &Path,
        produce: impl FnMut(&str) -> Result<Cow<'t, Tensor>, WeightsError>,
    ) -> Result<(), WeightsError> {
        let label = path.display().to_string();
        let failed = |source| WeightsError::Io { action: "write", path: label.clone(), source };
        let mut file = WholeFile::create(path).map_err(failed)?;
        self.write_to(&mut file, &label, produce)?;
        file.finish().map_err(failed)
    }

    /// Writes tensors that are all at hand, declaring them.
    ///
    /// # Errors
    /// As [`SafetensorsWriter::declare`] and [`SafetensorsWriter::write`].
    #[cfg(not(target_family = "wasm"))]
    pub fn write_all(mut self, path: &Path, tensors: &BTreeMap<String, Tensor>) -> Result<(), WeightsError> {
        for (name, tensor) in tensors {
            self.declare(name, tensor.shape(), tensor.dtype())?;
        }
        self.write(path, |name| Ok(Cow::Borrowed(&tensors[name])))
    }

    /// The file as bytes.
    ///
    /// # Errors
    /// `produce` fails, or a tensor is not as declared.
    pub fn to_bytes<'t>(
        &self,
        produce: impl FnMut(&str) -> Result<Cow<'t, Tensor>, WeightsError>,
    ) -> Result<Vec<u8>, WeightsError> {
        let mut out = io::Cursor::new(Vec::new());
        self.write_to(&mut out, "memory", produce)?;
        Ok(out.into_inner())
    }

    fn write_to<'t, W: Write + Seek>(
        &self,
        out: &mut W,
        label: &str,
        mut produce: impl FnMut(&str) -> Result<Cow<'t, Tensor>, WeightsError>,
    ) -> Result<(), WeightsError> {
        let failed = |source| WeightsError::Io { action: "write", path: label.to_owned(), source };
        let Placed { head, places, .. } = self.layout()?.place();
        out.write_all(&head).map_err(failed)?;
        for (name, &(shape, dtype)) in &self.tensors {
            let tensor = produce(name)?;
            if (tensor.shape(), tensor.dtype()) != (shape, dtype) {
                let found = format!("it is {} {}", tensor.dtype(), tensor.shape());
                let reason = format!("{found}, and {dtype} {shape} was declared");
                return Err(WeightsError::Unwritable { name: name.clone(), reason });
            }
            let scales_name = format!("{name}{SCALE_SUFFIX}");
            for (name, bytes) in [(name, elements(&tensor)), (&scales_name, scales(&tensor))] {
                let Some(bytes) = bytes else { continue };
                out.seek(SeekFrom::Start(places[name].start)).map_err(failed)?;
                out.write_all(bytes).map_err(failed)?;
            }
        }
        out.flush().map_err(failed)
    }

    fn layout(&self) -> Result<SafetensorsLayout, WeightsError> {
        let mut layout = SafetensorsLayout::new();
        self.metadata.iter().for_each(|(key, value)| layout.metadata(key, value));
        for (name, &(shape, dtype)) in &self.tensors {
            let (codes, scales) = stored(shape, dtype);
            layout.declare(name, codes, shape.dims())?;
            if let Some(scales) = scales {
                layout.declare(&format!("{name}{SCALE_SUFFIX}"), FileDType::F32, scales.dims())?;
            }
        }
        Ok(layout)
    }
}

/// The file's type for the elements, and the shape of the scales if there are any.
fn stored(shape: Shape, dtype: DType) -> (FileDType, Option<Shape>) {
    match dtype {
        DType::F32 => (FileDType::F32, None),
        DType::F16 => (FileDType::F16, None),
        DType::BF16 => (FileDType::BF16, None),
        DType::U32 => (FileDType::U32, None),
        DType::E4M3 => (FileDType::F8_E4M3, Some(Shape::matrix(shape.n_rows(), 1))),
        DType::Int8 { group } | DType::Int4 { group } => {
            let n_groups = shape.n_columns().div_ceil(group);
            (FileDType::I8, Some(Shape::matrix(shape.n_rows(), n_groups)))
        }
    }
}

fn elements(tensor: &Tensor) -> Option<&[u8]> {
    Some(match tensor.data() {
        Data::F32(x) => bytemuck::cast_slice(x),
        Data::F16(x) => bytemuck::cast_slice(x),
        Data::BF16(x) => bytemuck::cast_slice(x),
        Data::U32(x) => bytemuck::cast_slice(x),
        Data::E4M3 { codes, .. } | Data::Int4 { codes, .. } => codes,
        Data::Int8 { codes, .. } => bytemuck::cast_slice(codes),
    })
}

fn scales(tensor: &Tensor) -> Option<&[u8]> {
    match tensor.data() {
        Data::E4M3 { scales, .. } | Data::Int8 { scales, .. } | Data::Int4 { scales, .. } => {
            Some(bytemuck::cast_slice(scales))
        }
        Data::F32(_) | Data::F16(_) | Data::BF16(_) | Data::U32(_) => None,
    }
}
