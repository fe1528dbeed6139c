//! Measures the ceilings of a device with kernels that do nothing else.

use std::time::Instant;

use anyhow::{Context, Result};
use hala_backend_wgpu::AdapterReport;
use pollster::block_on;
use wgpu::{
    Adapter, Backends, BindGroup, BindGroupDescriptor, BindGroupEntry, Buffer, BufferDescriptor,
    BufferUsages, ComputePassDescriptor, ComputePipeline, ComputePipelineDescriptor, Device,
    DeviceDescriptor, Instance, InstanceDescriptor, PollType, Queue, ShaderModule, ShaderModuleDescriptor,
    ShaderRuntimeChecks, ShaderSource,
};

/// Bytes of a stream: more than any cache. (A device that binds less gets less.)
const STREAM_BYTES: u64 = 256 << 20;

/// Workgroups: 65,536 threads keep the largest GPUs busy.
const N_GROUPS: u32 = 1024;

/// THREADS in `ceilings.wgsl`.
const N_THREADS: u32 = 64;

/// Operations of a thread of `multiply_add`: 512 rounds of eight sums of four, two operations each.
const THREAD_FLOPS: u64 = 512 * 8 * 4 * 2;

/// Passes, of which the best counts.
const N_PASSES: usize = 7;

/// A pass that is shorter than this measures its submission, not its kernel.
const LEAST_SECONDS: f64 = 0.1;

/// What a device does at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ceilings {
    /// Bytes a second that are read.
    pub(crate) read: f64,
    /// Bytes a second that are read and written while copying.
    pub(crate) copy: f64,
    /// Operations a second: multiplications and additions of f32.
    pub(crate) flops: f64,
}

/// A device with two streams.
struct Bench {
    device: Device,
    queue: Queue,
    module: ShaderModule,
    source: Buffer,
    sink: Buffer,
}

/// A kernel that is ready.
struct Kernel {
    pipeline: ComputePipeline,
    bind_group: BindGroup,
}

/// Measures the device of an adapter.
///
/// # Errors
/// It cannot be set up, or is lost.
pub(crate) fn measure(report: &AdapterReport) -> Result<Ceilings> {
    let bench = Bench::new(&adapter(report)?)?;
    let n_bytes = bench.source.size() as f64;
    let reads = [bench.rate("read_together", n_bytes)?, bench.rate("read_apart", n_bytes)?];
    let n_flops = u64::from(N_GROUPS * N_THREADS) * THREAD_FLOPS;
    Ok(Ceilings {
        read: reads[0].max(reads[1]),
        copy: bench.rate("copy", 2.0 * n_bytes)?,
        flops: bench.rate("multiply_add", n_flops as f64)?,
    })
}

fn adapter(report: &AdapterReport) -> Result<Adapter> {
    let instance = Instance::new(InstanceDescriptor::new_without_display_handle());
    let adapters = block_on(instance.enumerate_adapters(Backends::PRIMARY));
    let is_it = |adapter: &Adapter| {
        let info = adapter.get_info();
        info.name == report.name && info.backend.to_str() == report.interface
    };
    adapters.into_iter().find(is_it).with_context(|| format!("{} went away", report.name))
}

impl Bench {
    fn new(adapter: &Adapter) -> Result<Self> {
        let limits = adapter.limits();
        let n_bytes = STREAM_BYTES.min(limits.max_storage_buffer_binding_size).min(limits.max_buffer_size);
        let descriptor = DeviceDescriptor { required_limits: limits, ..DeviceDescriptor::default() };
        let (device, queue) = block_on(adapter.request_device(&descriptor))?;
        let source = ShaderSource::Wgsl(include_str!("ceilings.wgsl").into());
        let descriptor = ShaderModuleDescriptor { label: Some("ceilings"), source };
        // SAFETY: the kernels index below the lengths of both streams, which are as long and longer than there are threads.
        let module =
            unsafe { device.create_shader_module_trusted(descriptor, ShaderRuntimeChecks::unchecked()) };
        let buffer = |label| {
            let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
            let size = n_bytes / 4096 * 4096;
            device.create_buffer(&BufferDescriptor { label, size, usage, mapped_at_creation: false })
        };
        let (source, sink) = (buffer(Some("source")), buffer(Some("sink")));
        // Memory that nobody wrote may be one page many times.
        let ones = vec![1; source.size() as usize];
        queue.write_buffer(&source, 0, &ones);
        Ok(Self { device, queue, module, source, sink })
    }

    fn kernel(&self, name: &str) -> Kernel {
        let pipeline = self.device.create_compute_pipeline(&ComputePipelineDescriptor {
            label: Some(name),
            layout: None,
            module: &self.module,
            entry_point: Some(name),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let bind_group = self.device.create_bind_group(&BindGroupDescriptor {
            label: Some(name),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[
                BindGroupEntry { binding: 0, resource: self.source.as_entire_binding() },
                BindGroupEntry { binding: 1, resource: self.sink.as_entire_binding() },
            ],
        });
        Kernel { pipeline, bind_group }
    }

    /// How much of `amount`, which one dispatch does, is done in a second.
    fn rate(&self, name: &str, amount: f64) -> Result<f64> {
        let kernel = self.kernel(name);
        let mut n_dispatches = 1;
        self.pass(&kernel, n_dispatches)?;
        while self.pass(&kernel, n_dispatches)? < LEAST_SECONDS {
            n_dispatches *= 2;
        }
        let mut best = f64::INFINITY;
        for _ in 0..N_PASSES {
            best = best.min(self.pass(&kernel, n_dispatches)?);
        }
        Ok(amount * f64::from(n_dispatches) / best)
    }

    /// Seconds of one submission.
    fn pass(&self, kernel: &Kernel, n_dispatches: u32) -> Result<f64> {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        pass.set_pipeline(&kernel.pipeline);
        pass.set_bind_group(0, &kernel.bind_group, &[]);
        for _ in 0..n_dispatches {
            pass.dispatch_workgroups(N_GROUPS, 1, 1);
        }
        drop(pass);
        let commands = encoder.finish();
        let start = Instant::now();
        self.queue.submit([commands]);
        self.device.poll(PollType::wait_indefinitely())?;
        Ok(start.elapsed().as_secs_f64())
    }
}
