//! Native methods for what takes long and tells how far it is: loading, estimating, downloads.

use ::jni::EnvUnowned;
use ::jni::objects::{JByteArray, JClass};
use ::jni::sys::jlong;
use hala::{Event, Shared};

#[cfg(feature = "hub")]
use super::asked::Download;
use super::asked::Model;
use super::border::call;
use super::task::{self, Ended};
use super::values::{bytes_given, handle, number, text};
use crate::engine;
use crate::event::json;
#[cfg(not(feature = "hub"))]
use crate::failure::Failure;

/// Begins to load a model; the task ends with `{"loaded": true}`, and then has it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_load<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    model: JByteArray<'l>,
) -> jlong {
    call(env, |env| {
        let model: Model = hala::parse(&text(env, &model, "the model")?)?;
        task::begin(move |flag, teller| {
            let tell = move |kind, name: &str, done, total| teller.tell(kind, name, done, total);
            let listener = move |event: Event<'_>| engine::pass(event, &tell);
            let loaded = hala::blocking::Runtime::with(model.source()?, model.options(flag)?, listener)?;
            Ok(Ended::Engine(Shared::new(loaded.into_inner())))
        })
        .map(number)
    })
}

/// Begins to find out what a model will take; the task ends with that, in bytes.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_estimate<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    model: JByteArray<'l>,
) -> jlong {
    call(env, |env| {
        let model: Model = hala::parse(&text(env, &model, "the model")?)?;
        task::begin(move |flag, _| {
            let told = hala::estimate(model.source()?, &model.options(flag)?)?;
            let told = serde_json::json!({
                "weightBytes": told.weight_bytes,
                "tokenizerBytes": told.tokenizer_bytes,
                "cacheBytesPerToken": told.cache_bytes_per_token,
                "sessionBytes": told.sequence_bytes,
                "peakBytes": told.peak_bytes(),
            });
            Ok(Ended::Json(json(&told)?))
        })
        .map(number)
    })
}

/// Begins a download; the task ends with `{"path": …}`.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_download<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    wanted: JByteArray<'l>,
) -> jlong {
    #[cfg(feature = "hub")]
    return call(env, |env| {
        let download: Download = hala::parse(&text(env, &wanted, "the download")?)?;
        task::begin(move |flag, teller| {
            let tell = move |kind, name: &str, done, total| teller.tell(kind, name, done, total);
            let path = download.wanted().fetch(&download.options(flag), tell)?;
            Ok(Ended::Json(json(&serde_json::json!({ "path": path }))?))
        })
        .map(number)
    });
    #[cfg(not(feature = "hub"))]
    call(env, |env| {
        text(env, &wanted, "the download")?;
        Err(Failure::left_out("hub"))
    })
}

/// Waits for what a task tells next; null after its end.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_taskNext<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    task: jlong,
) -> JByteArray<'l> {
    call(env, |env| {
        let told = task::next(handle(task))?;
        bytes_given(env, told.as_deref())
    })
}

/// Takes the model that a task has loaded.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_taskEngine<'l>(
    env: EnvUnowned<'l>,
    _: JClass<'l>,
    task: jlong,
) -> jlong {
    call(env, |_| task::engine(handle(task)).map(|engine| number(engine.cast_const())))
}

/// Stops a task.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_taskCancel<'l>(env: EnvUnowned<'l>, _: JClass<'l>, task: jlong) {
    call(env, |_| task::cancel(handle(task)));
}

/// Lets go of a task.
#[unsafe(no_mangle)]
pub extern "system" fn Java_org_hala_Native_taskRelease<'l>(env: EnvUnowned<'l>, _: JClass<'l>, task: jlong) {
    call(env, |_| task::release(handle(task)));
}
