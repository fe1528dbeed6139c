// What a device can do at most: bytes read, bytes copied, multiplications.

@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> sink: array<vec4<u32>>;

const THREADS: u32 = 64u;

// Neighbouring lanes read neighbouring vectors, as GPUs like it.
@compute @workgroup_size(THREADS)
fn read_together(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let n_threads = groups.x * THREADS;
    let n_each = arrayLength(&source) / n_threads;
    var sum = vec4<u32>();
    for (var i = 0u; i < n_each; i++) {
        sum += source[i * n_threads + id.x];
    }
    sink[id.x] = sum;
}

// Each lane reads a stretch of its own, as processors like it.
@compute @workgroup_size(THREADS)
fn read_apart(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let n_each = arrayLength(&source) / (groups.x * THREADS);
    var sum = vec4<u32>();
    for (var i = 0u; i < n_each; i++) {
        sum += source[id.x * n_each + i];
    }
    sink[id.x] = sum;
}

@compute @workgroup_size(THREADS)
fn copy(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let n_threads = groups.x * THREADS;
    let n_each = arrayLength(&source) / n_threads;
    for (var i = 0u; i < n_each; i++) {
        sink[i * n_threads + id.x] = source[i * n_threads + id.x];
    }
}

// Eight sums of four, so that none waits for itself. The factor comes from memory, so that no compiler knows it.
@compute @workgroup_size(THREADS)
fn multiply_add(@builtin(global_invocation_id) id: vec3<u32>) {
    let a = vec4<f32>(source[id.x]);
    let b = vec4<f32>(id.xyxy);
    var s0 = b;
    var s1 = b + 1.0;
    var s2 = b + 2.0;
    var s3 = b + 3.0;
    var s4 = b + 4.0;
    var s5 = b + 5.0;
    var s6 = b + 6.0;
    var s7 = b + 7.0;
    for (var i = 0u; i < 512u; i++) {
        s0 = fma(s0, a, b);
        s1 = fma(s1, a, b);
        s2 = fma(s2, a, b);
        s3 = fma(s3, a, b);
        s4 = fma(s4, a, b);
        s5 = fma(s5, a, b);
        s6 = fma(s6, a, b);
        s7 = fma(s7, a, b);
    }
    sink[id.x] = bitcast<vec4<u32>>(((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)));
}
