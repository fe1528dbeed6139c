// What passes a gate.

// silu(z) = z / (1 + e⁻ᶻ); gelu(z) = z / 2 · (1 + tanh u) = z / (1 + e⁻²ᵘ), u = √(2/π) · (z + 0.044715 z³):
// 1 says gelu, all else silu.
fn gate(activation: u32, z: f32, value: f32) -> f32 {
    let twice = 1.5957691 * (z + 0.044715 * z * z * z);
    return z / (1.0 + exp(-select(z, twice, activation == 1u))) * value;
}
