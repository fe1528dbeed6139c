//! Pipelines by variant, each made once for a device.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use hala_plan::BackendError;
use hala_shaders::{Binding, BindingKind, Target, Variant};
use wgpu::{
    BindGroupLayout, BindGroupLayoutDescriptor, BindGroupLayoutEntry, BindingType, BufferBindingType,
    ComputePipeline, ComputePipelineDescriptor, PipelineCompilationOptions, PipelineLayoutDescriptor,
    ShaderModule, ShaderModuleDescriptor, ShaderRuntimeChecks, ShaderSource, ShaderStages,
};

use crate::gpu::Gpu;

/// A kernel that is ready for a device.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) variant: &'static Variant,
    pub(crate) layout: BindGroupLayout,
    pub(crate) pipeline: ComputePipeline,
    /// The layout of the group of its states, and how it sees them, where it sees any.
    pub(crate) states: Option<(BindGroupLayout, BindingKind)>,
}

/// The pipelines of a device.
#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    made: Mutex<HashMap<&'static str, Arc<Pipeline>>>,
    /// WGSL that stands for a variant's own.
    replaced: HashMap<&'static str, String>,
}

impl Pipelines {
    /// Has a variant made of other WGSL from now on; `false` where there is no such variant.
    pub(crate) fn replace(&mut self, name: &str, wgsl: String) -> bool {
        let variant = hala_shaders::variant(name);
        variant.is_some_and(|variant| {
            self.made.get_mut().unwrap_or_else(PoisonError::into_inner).remove(variant.name);
            self.replaced.insert(variant.name, wgsl);
            true
        })
    }

    /// The pipeline of a variant, made when it is first asked for.
    ///
    /// # Errors
    /// The driver refuses the kernel.
    pub(crate) fn get(&self, gpu: &Gpu, kernel: &'static Variant) -> Result<Arc<Pipeline>, BackendError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = made.get(kernel.name) {
            return Ok(Arc::clone(pipeline));
        }
        let pipeline = Arc::new(make(gpu, kernel, self.replaced.get(kernel.name).map(String::as_str)));
        gpu.check().map_err(|error| match error {
            BackendError::Refused { device, reason, .. } => {
                BackendError::Refused { device, what: format!("the kernel {}", kernel.name), reason }
            }
            other => other,
        })?;
        gpu.counters.pipelines.fetch_add(1, Ordering::Relaxed);
        made.insert(kernel.name, Arc::clone(&pipeline));
        Ok(pipeline)
    }
}

/// The module of a variant, or of the text in its place.
fn module(gpu: &Gpu, variant: &'static Variant, replaced: Option<&str>) -> ShaderModule {
    let label = Some(variant.name);
    if let Some(text) = replaced {
        // Whoever tries a kernel is not trusted to bound its accesses yet.
        let source = ShaderSource::Wgsl(text.to_owned().into());
        return gpu.device.create_shader_module(ShaderModuleDescriptor { label, source });
    }
    let target = if cfg!(target_arch = "wasm32") { Target::Browser } else { Target::Native };
    let source = ShaderSource::Wgsl(variant.source(target).into());
    // SAFETY: every kernel bounds its own accesses by the sizes in its uniforms, which this crate computes from the Plan that
    // its recorder checked; every loop ends at such a bound; ids, positions, pages and slots are checked before each run.
    unsafe {
        let descriptor = ShaderModuleDescriptor { label, source };
        gpu.device.create_shader_module_trusted(descriptor, ShaderRuntimeChecks::unchecked())
    }
}

fn make(gpu: &Gpu, variant: &'static Variant, replaced: Option<&str>) -> Pipeline {
    let label = Some(variant.name);
    let module = module(gpu, variant, replaced);
    let of_group = |group: u32| variant.bindings.iter().filter(move |binding| binding.group == group);
    let make_layout = |group| {
        let entries: Vec<BindGroupLayoutEntry> = of_group(group).map(entry).collect();
        gpu.device.create_bind_group_layout(&BindGroupLayoutDescriptor { label, entries: &entries })
    };
    let layout = make_layout(0);
    let states = of_group(1).next().map(|binding| (make_layout(1), binding.kind));
    let layouts = [Some(&layout), states.as_ref().map(|(layout, _)| layout)];
    let pipeline_layout = gpu.device.create_pipeline_layout(&PipelineLayoutDescriptor {
        label,
        bind_group_layouts: &layouts[..1 + usize::from(states.is_some())],
        ..PipelineLayoutDescriptor::default()
    });
    let pipeline = gpu.device.create_compute_pipeline(&ComputePipelineDescriptor {
        label,
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..PipelineCompilationOptions::default()
        },
        cache: None,
    });
    Pipeline { variant, layout, pipeline, states }
}

fn entry(binding: &Binding) -> BindGroupLayoutEntry {
    let ty = match binding.kind {
        BindingKind::Uniform => BufferBindingType::Uniform,
        BindingKind::StorageRead => BufferBindingType::Storage { read_only: true },
        BindingKind::StorageReadWrite => BufferBindingType::Storage { read_only: false },
    };
    BindGroupLayoutEntry {
        binding: binding.binding,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}
