// What changes from run to run: where this call's tokens stand.

struct Step {
    // Tokens that the state holds already.
    position: u32,
    // T, tokens of this call.
    n_tokens: u32,
}
