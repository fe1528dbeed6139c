//! Native methods of a loaded model that are done at once.

use ::jni::EnvUnowned;
use ::jni::objects::{JByteArray, JClass, JIntArray};
use ::jni::sys::{jboolean, jint, jlong};
use hala::{Bos, SpecialsIn};

use super::border::call;
use super::values::{bytes, handle, ids, ids_given, text};
use crate::engine::ENGINES;
use crate::event::json;
use crate::version;

/// The version of the library.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_version<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
) -> JByteArray<'l> {
    call(env, |env| bytes(env, version::VERSION))
}

/// What was loaded and what runs it, as JSON.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_info<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
) -> JByteArray<'l> {
    call(env, |env| {
        let info = json(&ENGINES.get(handle::<()>(engine))?.current()?.info()?)?;
        bytes(env, &info)
    })
}

/// The tokens of a text; special tokens in it are special where that is wanted.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_tokenize<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    text_bytes: JByteArray<'l>,
    special: jboolean,
) -> JIntArray<'l> {
    call(env, |env| {
        let specials = if special { SpecialsIn::Special } else { SpecialsIn::Text };
        let given = text(env, &text_bytes, "the text")?;
        let found = ENGINES.get(handle::<()>(engine))?.current()?.tokenize(&given, Bos::Auto, specials)?;
        ids(env, &found)
    })
}

/// The text of tokens, special ones among them.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_detokenize<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    tokens: JIntArray<'l>,
) -> JByteArray<'l> {
    call(env, |env| {
        let text = ENGINES.get(handle::<()>(engine))?.current()?.detokenize(&ids_given(env, &tokens)?)?;
        bytes(env, &text)
    })
}

/// Tokens of the prompt that messages make.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_countPrompt<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    messages: JByteArray<'l>,
) -> jint {
    call(env, |env| {
        let messages = hala::messages(&text(env, &messages, "the messages")?)?;
        let n_tokens = ENGINES.get(handle::<()>(engine))?.current()?.count_prompt(&messages)?;
        Ok(jint::try_from(n_tokens).unwrap_or(jint::MAX))
    })
}

/// Gives memory back to the system, that of sessions too where that is wanted.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_trim<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
    sessions: jboolean,
) {
    call(env, |_| {
        let trim = if sessions { hala::Trim::Sequences } else { hala::Trim::Unused };
        Ok(ENGINES.get(handle::<()>(engine))?.trim(trim)?)
    });
}

/// Lets go of a model.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_engineRelease<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    engine: jlong,
) {
    call(env, |_| ENGINES.release(handle::<()>(engine)));
}
