// What passes a gate; `params.gelu` says through which function.

// silu(z) = z / (1 + e⁻ᶻ); gelu(z) = z / 2 · (1 + tanh u) = z / (1 + e⁻²ᵘ), u = √(2/π) · (z + 0.044715 z³)
fn gate(z: f32, value: f32) -> f32 {
    let twice = 1.5957691 * (z + 0.044715 * z * z * z);
    return z / (1.0 + exp(-select(z, twice, params.gelu == 1u))) * value;
}
