//! Which library this is.

use std::ffi::CStr;

use crate::text::Text;

/// The version.
#[cfg(feature = "jni")]
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version with a zero byte behind it.
const TERMINATED: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes())
{
    Ok(version) => version,
    Err(_) => c"",
};

/// The version of the interface in this header.
pub const HALA_ABI_VERSION: u32 = 1;

/// The version of the interface that the library has. It grows only where a program compiled with an older header would no longer work; what is
/// added to it does not.
#[unsafe(no_mangle)]
pub extern "C" fn hala_abi_version() -> u32 {
    HALA_ABI_VERSION
}

/// The version of the library, as `0.1.0`.
#[unsafe(no_mangle)]
pub extern "C" fn hala_version() -> Text {
    Text::constant(TERMINATED)
}

/// What the library was built with, of `wgpu` (GPUs), `hub` (downloads) and `built-in` (the small translator), with commas between them.
#[unsafe(no_mangle)]
pub extern "C" fn hala_features() -> Text {
    Text::constant(match (cfg!(feature = "wgpu"), cfg!(feature = "hub"), cfg!(feature = "built-in")) {
        (true, true, true) => c"wgpu,hub,built-in",
        (true, true, false) => c"wgpu,hub",
        (true, false, true) => c"wgpu,built-in",
        (true, false, false) => c"wgpu",
        (false, true, true) => c"hub,built-in",
        (false, true, false) => c"hub",
        (false, false, true) => c"built-in",
        (false, false, false) => c"",
    })
}
