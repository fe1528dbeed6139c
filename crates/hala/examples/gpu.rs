//! Runs a model on a GPU and tells which: `cargo run -p hala --example gpu -- NAME`, where NAME is a part of the GPU's.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use hala::blocking::Runtime;
use hala::{BackendName, DeviceOptions, Error, Event, ModelSource, RuntimeOptions};

fn main() -> Result<(), Error> {
    let device = DeviceOptions {
        // `Auto`, which is the default, takes a real GPU, or else the CPU.
        backend: BackendName::Wgpu,
        adapter: std::env::args().nth(1),
        ..DeviceOptions::default()
    };
    let options = RuntimeOptions { device, ..RuntimeOptions::default() };
    let on_event = |event: Event<'_>| match event {
        Event::Notice(notice) => println!("{notice}"),
        Event::DeviceLost { reason } => println!("{reason}; setting it up again"),
        _ => {}
    };
    let mut runtime = match Runtime::with(ModelSource::BuiltIn, options, on_event) {
        Err(error) if error.code() == "device-refused" => {
            println!("not run: {error}");
            return Ok(());
        }
        loaded => loaded?,
    };
    println!("on {}", runtime.inner().current().info()?.device);
    println!("{}", runtime.translate("صباح الخير.")?.text);
    Ok(())
}
