//! What a weight costs in memory on its way to a device: the tensor, and next to nothing beside it.
//!
//! Bytes that this program allocates are counted; the driver's own are not among them. One test alone, since the count is of all threads.
#![allow(clippy::unwrap_used, reason = "test code")]

use hala_backend_wgpu::Preset;
use hala_plan::Backend;
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::counting::{Counting, most_during};
use hala_tests::devices;
use hala_tests::random::encoded;

#[global_allocator]
static COUNTING: Counting = Counting;

/// What wgpu keeps of its own for a buffer and a few submissions, and far less than any copy of a tensor here.
const BESIDES: usize = 256 << 10;

/// Rows of a matrix that has at least so many bytes.
const N_BYTES: usize = 4 << 20;

/// The bytes that were allocated at once beside the tensor while it went up.
fn bytes_beside(backend: &impl Backend, tensor: Tensor) -> usize {
    most_during(|| backend.upload("weight", tensor).unwrap()).1
}

#[test]
fn a_tensor_goes_up_without_a_copy_of_it() {
    let dtypes = [
        DType::F32,
        DType::F16,
        DType::BF16,
        DType::E4M3,
        DType::Int8 { group: 32 },
        DType::Int4 { group: 32 },
    ];
    for name in devices::names() {
        for preset in [Preset::Gpu, Preset::Software] {
            let Some(backend) = devices::open_with(name, preset) else { continue };
            // Rows that need no padding, and rows whose numbers and scales do.
            for (dtype, n_columns) in dtypes.iter().flat_map(|dtype| [1024, 901].map(|n| (*dtype, n))) {
                let shape =
                    Shape::matrix(N_BYTES.div_ceil(dtype.n_bytes(Shape::matrix(1, n_columns))), n_columns);
                let values: Vec<f32> = (0..shape.n_elements()).map(|i| (i % 251) as f32 - 125.0).collect();
                let tensor = encoded(shape, dtype, &values);
                drop(values);
                let n_bytes = tensor.n_bytes();
                assert!(n_bytes >= N_BYTES && N_BYTES > 8 * BESIDES);
                let beside = bytes_beside(&backend, tensor);
                let what = format!("{dtype} {shape} on {name}, {preset:?}: {n_bytes} bytes");
                assert!(beside <= BESIDES, "{what}, and {beside} beside them");
            }
        }
    }
}
