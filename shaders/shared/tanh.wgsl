// tanh of any number, and what is made of it: drivers' own overflow where the argument is large.

fn bounded_tanh(z: f32) -> f32 {
    // Beyond 10 it is 1 in f32.
    return tanh(clamp(z, -10.0, 10.0));
}

// cap · tanh(z / cap); z where cap is 0.
fn capped(z: f32, cap: f32) -> f32 {
    if cap > 0.0 {
        return cap * bounded_tanh(z / cap);
    }
    return z;
}
