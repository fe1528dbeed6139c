//! Flags that stop work from any thread.

use hala::Cancel as Flag;

use crate::entry::anywhere;
use crate::failure::Failure;
use crate::handles::{Handles, Kind};
use crate::status::Status;

/// A flag that one thread raises to stop what another is doing: loading, a download, a translation, a reply.
pub struct Cancel {
    _opaque: [u8; 0],
}

static CANCELS: Handles<Flag> = Handles::new(Kind::Cancel);

/// A flag for one piece of work: under that of a handle, where one is given, so that what stops this work alone leaves the caller's down.
///
/// # Errors
/// A handle that is none.
pub(crate) fn flag(handle: *const Cancel) -> Result<Flag, Failure> {
    Ok(CANCELS.get_given(handle)?.map_or_else(Flag::new, |flag| flag.under()))
}

/// A flag that is down, held once.
#[unsafe(no_mangle)]
pub extern "C" fn hala_cancel_new() -> *mut Cancel {
    CANCELS.add(Flag::new())
}

/// Raises a flag: what runs under it stops before its next token, in the middle of a long prompt too. May be called inside of a callback.
#[unsafe(no_mangle)]
pub extern "C" fn hala_cancel_raise(cancel: *const Cancel) -> Status {
    anywhere(|| {
        CANCELS.get(cancel)?.cancel();
        Ok(())
    })
}

/// Lowers a flag, so that it can be used for the next work. May be called inside of a callback.
#[unsafe(no_mangle)]
pub extern "C" fn hala_cancel_lower(cancel: *const Cancel) -> Status {
    anywhere(|| {
        CANCELS.get(cancel)?.reset();
        Ok(())
    })
}

/// Holds a flag once more.
#[unsafe(no_mangle)]
pub extern "C" fn hala_cancel_retain(cancel: *const Cancel) -> Status {
    anywhere(|| CANCELS.retain(cancel))
}

/// Holds a flag once less. Work under it goes on. NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn hala_cancel_release(cancel: *const Cancel) -> Status {
    anywhere(|| CANCELS.release(cancel))
}
