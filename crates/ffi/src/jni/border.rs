//! The border: every native method comes in here, and leaves by a value or by an exception.

use std::any::Any;
use std::ffi::c_void;
use std::sync::OnceLock;

use ::jni::errors::{Error, ErrorPolicy};
use ::jni::objects::{JClass, JThrowable};
use ::jni::refs::Global;
use ::jni::sys::{JNI_ERR, JNI_VERSION_1_6, jint, jlong};
use ::jni::{Env, EnvUnowned, JValue, JavaVM, jni_sig, jni_str};

use crate::failure::Failure;

/// The class of exceptions. Threads of other libraries cannot find an app's classes, so it is found while the library is loaded.
static EXCEPTION: OnceLock<Global<JClass<'static>>> = OnceLock::new();

/// Finds what all calls need; the Java machine calls it when it loads the library.
///
/// # Safety
/// `vm` is the Java machine.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn JNI_OnLoad(vm: *mut ::jni::sys::JavaVM, _: *mut c_void) -> jint {
    if vm.is_null() {
        return JNI_ERR;
    }
    // SAFETY: as the caller says.
    let vm = unsafe { JavaVM::from_raw(vm) };
    let found = vm.attach_current_thread(|env| {
        let class = env.find_class(jni_str!("org/hala/HalaException"))?;
        env.new_global_ref(class)
    });
    match found {
        Ok(class) => {
            let _ = EXCEPTION.set(class);
            JNI_VERSION_1_6
        }
        // The exception that says which class is missing is thrown by the Java machine.
        Err(_) => JNI_ERR,
    }
}

/// Does the work of a native method; a failure or a panic becomes an exception, and the value that is returned then means nothing.
pub(super) fn call<'l, T: Default>(
    mut env: EnvUnowned<'l>,
    work: impl FnOnce(&mut Env<'l>) -> Result<T, Failure>,
) -> T {
    env.with_env(work).resolve::<Throw>()
}

/// Throws what failed.
struct Throw;

impl<T: Default> ErrorPolicy<T, Failure> for Throw {
    type Captures<'local: 'method, 'method> = ();

    fn on_error<'local: 'method, 'method>(
        env: &mut Env<'local>,
        _: &mut Self::Captures<'local, 'method>,
        failure: Failure,
    ) -> Result<T, Error> {
        // An exception of the Java machine's own, such as too little memory, goes first.
        if !env.exception_check() {
            throw(env, &failure)?;
        }
        Ok(T::default())
    }

    fn on_panic<'local: 'method, 'method>(
        env: &mut Env<'local>,
        captures: &mut Self::Captures<'local, 'method>,
        panic: Box<dyn Any + Send + 'static>,
    ) -> Result<T, Error> {
        Self::on_error(env, captures, Failure::panic(panic.as_ref()))
    }
}

fn throw(env: &mut Env<'_>, failure: &Failure) -> Result<(), Error> {
    let Some(class) = EXCEPTION.get() else { return Err(Error::UninitializedJavaVM) };
    let code = env.byte_array_from_slice(failure.status.name().to_bytes())?;
    let message = env.byte_array_from_slice(failure.message.as_bytes())?;
    let bytes = JValue::Long(jlong::try_from(failure.n_bytes).unwrap_or(jlong::MAX));
    let given = [JValue::Object(&code), JValue::Object(&message), bytes];
    let thrown = env.new_object(class, jni_sig!("([B[BJ)V"), &given)?;
    let thrown = env.cast_local::<JThrowable<'_>>(thrown)?;
    match env.throw(&thrown) {
        // That is how the crate tells that an exception is on its way.
        Ok(()) | Err(Error::JavaException) => Ok(()),
        Err(error) => Err(error),
    }
}
