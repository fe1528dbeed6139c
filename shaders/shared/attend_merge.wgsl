// The parts of a token's attention brought together: a workgroup a query head of a token, a thread for each quad of it.

const LANES: u32 = 64u;

var<workgroup> shares: array<f32, LANES>;
var<workgroup> totals: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let n_quads = params.head_size / 4u;
    let n_seen = position_of(group.y) + 1u;
    let first_part = first_seen(n_seen) / PART;
    let n_past = (n_seen - 1u) / PART + 1u - first_part;
    let stride = n_quads + 1u;
    let cell = ((group.y * params.n_heads + group.x) * n_parts() + first_part) * stride;
    var largest = LOWEST;
    for (var part = lane; part < n_past; part += LANES) {
        largest = max(largest, parts[cell + part * stride + n_quads].x);
    }
    shares[lane] = largest;
    workgroupBarrier();
    for (var i = 0u; i < LANES; i++) {
        largest = max(largest, shares[i]);
    }
    var sum = vec4<f32>();
    var total = 0.0;
    for (var first = 0u; first < n_past; first += LANES) {
        workgroupBarrier();
        let n = min(LANES, n_past - first);
        if lane < n {
            let part = parts[cell + (first + lane) * stride + n_quads];
            shares[lane] = exp(part.x - largest);
            totals[lane] = part.y;
        }
        workgroupBarrier();
        for (var i = 0u; i < n; i++) {
            total += shares[i] * totals[i];
            if lane < n_quads {
                sum += shares[i] * parts[cell + (first + i) * stride + lane];
            }
        }
    }
    if lane < n_quads {
        y[group.y * placement.x_quads + group.x * n_quads + lane] = sum / total;
    }
}
