internal import CHala

extension Hala {
    /// The tokens of a text.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - special: Takes special tokens in the text for what they are, as in a prompt in the model's own format. Not for text from outside.
    ///   - bos: Adds the token that begins a text, where the model has one.
    public func tokenize(_ text: String, special: Bool = false, bos: Bool = true) throws -> [UInt32] {
        var made = HalaTokenizeOptions()
        made.struct_size = MemoryLayout<HalaTokenizeOptions>.size
        made.special = special ? 1 : 0
        made.no_bos = bos ? 0 : 1
        var place = HalaTokens()
        defer { hala_tokens_free(&place) }
        try withLent { lent in
            try engine.use { try check(hala_tokenize($0, lent.text(text), &made, &place)) }
        }
        return Array(UnsafeBufferPointer(start: place.data, count: place.len))
    }

    /// The text of tokens, special ones among them.
    public func detokenize(_ ids: [UInt32]) throws -> String {
        try String(given: { place in engine.use { hala_detokenize($0, ids, ids.count, place) } })
    }

    /// Tokens of the prompt that messages make: what they take of the context.
    public func countPrompt(_ messages: [ChatMessage]) throws -> Int {
        let request = try JSON.encode(messages)
        var n = 0
        try withLent { lent in
            try engine.use { try check(hala_count_prompt($0, lent.text(request), &n)) }
        }
        return n
    }
}
