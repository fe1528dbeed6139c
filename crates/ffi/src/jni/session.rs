//! Native methods of sessions.

use ::jni::EnvUnowned;
use ::jni::objects::{JByteArray, JClass};
use ::jni::sys::jlong;

use super::border::call;
use super::values::{handle, number, text};
use crate::session;

/// A session without any tokens.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_sessionNew<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
) -> jlong {
    call(env, |_| session::add(handle(engine)).map(|session| number(session.cast_const())))
}

/// Writes a session to a file.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_sessionSave<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
    path: JByteArray<'l>,
) {
    call(env, |env| session::save(handle(session), &text(env, &path, "the path")?));
}

/// A session from a file.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_sessionRestore<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    path: JByteArray<'l>,
) -> jlong {
    call(env, |env| {
        let path = text(env, &path, "the path")?;
        session::restore(handle(engine), &path).map(|session| number(session.cast_const()))
    })
}

/// Lets go of a session.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_sessionRelease<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    session: jlong,
) {
    call(env, |_| session::release(handle(session)));
}
