//! Native methods for translations, replies and texts: begun as streams, whose events are asked for.

use ::jni::EnvUnowned;
use ::jni::objects::{JByteArray, JClass};
use ::jni::sys::jlong;
use hala::{Cancel as Flag, TranslateRequest};
use serde::Serialize;
use serde_json::Value;

use super::border::call;
use super::values::{bytes_given, handle, number, text};
use crate::begin;
use crate::engine::ENGINES;
use crate::event::{Owned, json};
use crate::failure::Failure;
use crate::stream;

/// An event as Kotlin has it.
#[derive(Serialize)]
struct Event<'a> {
    kind: i32,
    index: usize,
    text: &'a str,
    /// Where the sentence that `text` is the translation of begins and ends, in bytes of its text.
    source: [usize; 2],
    /// Of a text that failed, why.
    code: Option<&'static str>,
    /// All that there is to say at an end.
    answer: Value,
}

/// An event as JSON.
fn told(owned: &Owned) -> Result<String, Failure> {
    let event = owned.event();
    let answer = match owned.json() {
        "" => Value::Null,
        answer => hala::parse(answer)?,
    };
    let code = owned.failure().and_then(|failure| failure.status.name().to_str().ok());
    let source = [event.source.start, event.source.end];
    json(&Event { kind: event.kind, index: event.index, text: owned.text(), source, code, answer })
}

/// Begins to translate a text.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_translate<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    request: JByteArray<'l>,
) -> jlong {
    call(env, |env| {
        let request: TranslateRequest = hala::parse(&text(env, &request, "the request")?)?;
        let work = begin::translate(&*ENGINES.get(handle::<()>(engine))?, &request, &Flag::new())?;
        Ok(number(stream::add(work)))
    })
}

/// Begins to translate texts.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_translateAll<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    requests: JByteArray<'l>,
) -> jlong {
    call(env, |env| {
        let requests: Vec<TranslateRequest> = hala::parse(&text(env, &requests, "the requests")?)?;
        let work = begin::translate_all(&*ENGINES.get(handle::<()>(engine))?, requests, &Flag::new())?;
        Ok(number(stream::add(work)))
    })
}

/// Begins to answer a conversation, as a turn of a session where that is not 0.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_chat<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    session: jlong,
    request: JByteArray<'l>,
) -> jlong {
    call(env, |env| {
        let request = text(env, &request, "the request")?;
        let engine = ENGINES.get(handle::<()>(engine))?;
        Ok(number(stream::add(begin::chat(&engine, handle(session), &request, &Flag::new())?)))
    })
}

/// Begins to go on with a prompt, as a turn of a session where that is not 0.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_generate<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    session: jlong,
    request: JByteArray<'l>,
) -> jlong {
    call(env, |env| {
        let request = text(env, &request, "the request")?;
        let engine = ENGINES.get(handle::<()>(engine))?;
        Ok(number(stream::add(begin::generate(&engine, handle(session), &request, &Flag::new())?)))
    })
}

/// Waits for a stream's next event; null at its end.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_streamNext<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    stream: jlong,
) -> JByteArray<'l> {
    call(env, |env| {
        let told = stream::next(handle(stream), told)?;
        bytes_given(env, told.as_deref())
    })
}

/// Stops a stream.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_streamCancel<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    stream: jlong,
) {
    call(env, |_| stream::cancel(handle(stream)));
}

/// Lets go of a stream.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_streamRelease<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    stream: jlong,
) {
    call(env, |_| stream::release(handle(stream)));
}
