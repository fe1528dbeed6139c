//! Every variant stays within what WebGPU promises on every device, and the table is in order.

use hala_shaders::{Binding, BindingKind, Target, VARIANTS, constant, variant};

/// WebGPU's default `maxComputeWorkgroupStorageSize`.
const MAX_WORKGROUP_BYTES: u32 = 16_384;
/// WebGPU's default `maxComputeInvocationsPerWorkgroup`; also the most along x and along y.
const MAX_INVOCATIONS: u32 = 256;
/// WebGPU's default `maxComputeWorkgroupSizeZ`.
const MAX_ALONG_Z: u32 = 64;
/// WebGPU's default `maxStorageBuffersPerShaderStage`.
const MAX_STORAGE_BUFFERS: usize = 8;
/// WebGPU's default `maxUniformBuffersPerShaderStage`.
const MAX_UNIFORM_BUFFERS: usize = 12;

#[test]
fn workgroups_fit_every_device() {
    for variant in VARIANTS {
        let name = variant.name;
        let [x, y, z] = variant.workgroup_size;
        assert!(x * y * z <= MAX_INVOCATIONS, "{name}: {x} × {y} × {z} invocations");
        assert!(z <= MAX_ALONG_Z, "{name}: {z} invocations along z");
        let bytes = variant.workgroup_bytes;
        assert!(bytes <= MAX_WORKGROUP_BYTES, "{name}: {bytes} bytes of workgroup memory");
    }
}

#[test]
fn bindings_fit_every_device_and_states_stand_in_a_group_of_their_own() {
    for variant in VARIANTS {
        let name = variant.name;
        let is_uniform = |kind: BindingKind| kind == BindingKind::Uniform;
        let n_uniform = variant.bindings.iter().filter(|binding| is_uniform(binding.kind)).count();
        assert!(n_uniform <= MAX_UNIFORM_BUFFERS, "{name}: {:?}", variant.bindings);
        let n_storage = variant.bindings.len() - n_uniform;
        assert!(n_storage <= MAX_STORAGE_BUFFERS, "{name}: {:?}", variant.bindings);
        let group_of = |name| u32::from(matches!(name, "keys" | "values" | "state"));
        let is_stray = |binding: &&Binding| binding.group != group_of(binding.name);
        let strays: Vec<_> = variant.bindings.iter().filter(is_stray).collect();
        assert!(strays.is_empty(), "{name}: {strays:?}");
        assert!(variant.bindings.is_sorted_by_key(|binding| (binding.group, binding.binding)), "{name}");
    }
}

#[test]
fn params_and_placement_are_uniform_structs() {
    for variant in VARIANTS {
        let name = variant.name;
        for binding in variant.bindings {
            let is_uniform = binding.kind == BindingKind::Uniform;
            assert_eq!(is_uniform, !binding.members.is_empty(), "{name}: a uniform is a struct: {binding:?}");
            assert!(is_uniform || !matches!(binding.name, "params" | "placement"), "{name}: {binding:?}");
        }
        let members = |wanted: &str| {
            let found = variant.bindings.iter().find(|binding| binding.name == wanted);
            found.map_or(&[][..], |binding| binding.members)
        };
        assert_eq!(variant.params, members("params"), "{name}");
    }
}

#[test]
fn a_variant_is_found_by_its_name() {
    assert!(VARIANTS.is_sorted_by(|a, b| a.name < b.name));
    for wanted in VARIANTS {
        assert_eq!(variant(wanted.name), Some(wanted));
        assert_eq!(wanted.name.split('.').next(), Some(wanted.op));
    }
    assert_eq!(variant("no such kernel"), None);
}

#[test]
fn a_constant_is_read_while_the_caller_is_compiled_or_later() {
    const PAGE: u32 = constant("gather", "PAGE");
    let gather = variant("gather").unwrap();
    assert_eq!(gather.constant("PAGE"), Some(PAGE));
    assert!(gather.body.to_string().contains(&format!("const PAGE: u32 = {PAGE}u;")));
    assert_eq!(gather.constant("PAG"), None);
    for variant in VARIANTS {
        assert!(variant.constants.is_sorted_by(|a, b| a.0 < b.0), "{}", variant.name);
        for (name, value) in variant.constants {
            assert_eq!(constant(variant.name, name), *value, "{}: {name}", variant.name);
        }
    }
}

#[test]
#[should_panic(expected = "the variant has no such constant")]
fn a_constant_that_is_not_there_panics() {
    constant("gather", "PAG");
}

#[test]
#[should_panic(expected = "there is no such variant")]
fn a_constant_of_no_variant_panics() {
    constant("gathe", "PAGE");
}

#[test]
fn directives_are_in_the_texts_that_need_them() {
    for variant in VARIANTS {
        let name = variant.name;
        let (native, browser) = (variant.source(Target::Native), variant.source(Target::Browser));
        assert!(!native.contains("enable subgroups;"), "{name}");
        assert_eq!(browser.contains("enable subgroups;"), variant.needs.subgroups, "{name}");
        for text in [native, browser] {
            assert_eq!(text.contains("enable f16;"), variant.needs.f16, "{name}");
        }
    }
}
