//! What a weight costs in memory on its way to a device: the tensor, and next to nothing beside it.
//!
//! Bytes that this program allocates are counted; the driver's own are not among them. One test alone, since the count is of all threads.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use hala_backend_wgpu::Preset;
use hala_plan::Backend;
use hala_tensor::{DType, Shape, Tensor};
use hala_tests::devices;
use hala_tests::random::encoded;

/// Bytes that are allocated, and the most that ever were since this was last set.
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
struct Counting;

// SAFETY: the system's allocator does the work, and counting changes nothing of what it gets or gives.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above; `place` is from the system's allocator.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What wgpu keeps of its own for a buffer and a few submissions, and far less than any copy of a tensor here.
const BESIDES: usize = 256 << 10;

/// Rows of a matrix that has at least so many bytes.
const N_BYTES: usize = 4 << 20;

/// The bytes that were allocated at once beside the tensor while it went up.
fn bytes_beside(backend: &impl Backend, tensor: Tensor) -> usize {
    let before = HELD.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    backend.upload("weight", tensor).unwrap();
    MOST.load(Ordering::Relaxed) - before
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
