//! Every variant can be written for Vulkan, Metal and Direct3D by naga's back ends, as wgpu does on those devices.

use hala_shaders::{Needs, Target, VARIANTS, Variant};
use naga::back::{hlsl, msl, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage};

fn for_each(check: impl Fn(&Variant, &Module, &ModuleInfo) -> Result<bool, String>) {
    let failed: Vec<_> = VARIANTS.iter().filter_map(|variant| written(variant, &check).err()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn written(
    variant: &Variant,
    check: impl Fn(&Variant, &Module, &ModuleInfo) -> Result<bool, String>,
) -> Result<(), String> {
    let told = |error: String| format!("{}: {error}", variant.name);
    let source = variant.source(Target::Native);
    let module =
        naga::front::wgsl::parse_str(&source).map_err(|error| told(error.emit_to_string(&source)))?;
    let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    capabilities.set(Capabilities::SUBGROUP, variant.needs.subgroups);
    capabilities.set(Capabilities::SHADER_FLOAT16, variant.needs.f16);
    capabilities.set(Capabilities::SHADER_INT64, variant.needs.int64);
    let info = Validator::new(ValidationFlags::all(), capabilities).validate(&module);
    let info = info.map_err(|error| told(error.emit_to_string(&source)))?;
    let has_main = check(variant, &module, &info).map_err(told)?;
    if has_main { Ok(()) } else { Err(told("the text has no entry point".to_owned())) }
}

#[test]
fn every_variant_is_written_as_spirv() {
    // Subgroup operations came with SPIR-V 1.3, and wgpu asks for it where they are there.
    let options = spv::Options { lang_version: (1, 3), ..Default::default() };
    let main = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: "main".to_owned() };
    for_each(|_, module, info| {
        let words = spv::write_vec(module, info, &options, Some(&main)).map_err(|error| error.to_string())?;
        Ok(words.len() > 5)
    });
}

#[test]
fn every_variant_is_written_as_msl() {
    let options = msl::Options { lang_version: (2, 4), ..Default::default() };
    for_each(|_, module, info| {
        let text = msl::write_string(module, info, &options, &Default::default());
        let (text, _) = text.map_err(|error| error.to_string())?;
        Ok(text.contains("kernel void"))
    });
}

#[test]
fn every_variant_is_written_as_hlsl() {
    for_each(|variant, module, info| {
        // wgpu compiles for 5.1 without the newer compiler; wave operations and 64-bit integers came with 6.0 and `half` with 6.2.
        let needs_newer = variant.needs != Needs::default();
        let shader_model = if needs_newer { hlsl::ShaderModel::V6_2 } else { hlsl::ShaderModel::V5_1 };
        let options = hlsl::Options { shader_model, ..Default::default() };
        let pipeline = Default::default();
        let mut text = String::new();
        let mut writer = hlsl::Writer::new(&mut text, &options, &pipeline);
        writer.write(module, info, None).map_err(|error| error.to_string())?;
        Ok(text.contains("numthreads"))
    });
}
