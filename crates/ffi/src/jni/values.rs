//! Values on their way between Java and Rust.

use std::ptr;

use ::jni::Env;
use ::jni::errors::Error;
use ::jni::objects::{JByteArray, JIntArray};
use ::jni::sys::{jint, jlong};

use crate::failure::Failure;
use crate::status::Status;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Status::Internal, format!("the Java machine refused a call: {error}"))
    }
}

/// A handle, as Kotlin has it.
pub(super) fn handle<H>(number: jlong) -> *const H {
    // One that was given as a number of Java's fits; any other is none, and found out.
    ptr::without_provenance(usize::try_from(number).unwrap_or(0))
}

/// The same on its way out.
pub(super) fn number<H>(handle: *const H) -> jlong {
    jlong::try_from(handle.addr()).unwrap_or(0)
}

/// A text that comes in.
///
/// # Errors
/// `null`, or bytes that are no UTF-8.
pub(super) fn text(env: &Env<'_>, bytes: &JByteArray<'_>, what: &'static str) -> Result<String, Failure> {
    if bytes.is_null() {
        return Err(Failure::null(what));
    }
    let bytes = env.convert_byte_array(bytes)?;
    String::from_utf8(bytes).map_err(|error| Failure::utf8(what, error.utf8_error().valid_up_to()))
}

/// A text that goes out.
///
/// # Errors
/// No memory.
pub(super) fn bytes<'l>(env: &mut Env<'l>, text: &str) -> Result<JByteArray<'l>, Failure> {
    Ok(env.byte_array_from_slice(text.as_bytes())?)
}

/// The same of a text that may be missing.
///
/// # Errors
/// No memory.
pub(super) fn bytes_given<'l>(env: &mut Env<'l>, text: Option<&str>) -> Result<JByteArray<'l>, Failure> {
    text.map_or_else(|| Ok(JByteArray::null()), |text| bytes(env, text))
}

/// Ids that go out.
///
/// # Errors
/// No memory.
pub(super) fn ids<'l>(env: &mut Env<'l>, ids: &[u32]) -> Result<JIntArray<'l>, Failure> {
    let array = JIntArray::new(env, ids.len())?;
    let ids: Vec<jint> = ids.iter().map(|id| id.cast_signed()).collect();
    array.set_region(env, 0, &ids)?;
    Ok(array)
}

/// Ids that come in.
///
/// # Errors
/// `null`.
pub(super) fn ids_given(env: &Env<'_>, array: &JIntArray<'_>) -> Result<Vec<u32>, Failure> {
    if array.is_null() {
        return Err(Failure::null("ids"));
    }
    let mut ids = vec![0; array.len(env)?];
    array.get_region(env, 0, &mut ids)?;
    Ok(ids.into_iter().map(jint::cast_unsigned).collect())
}
