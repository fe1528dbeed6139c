internal import CHala

extension Hala {
    /// Translates a text between Arabic and English; sentences, paragraphs and white space stay where they were.
    ///
    /// - Throws: ``HalaError``, of contradictory languages or a model that is no translator; `CancellationError`.
    public func translate(_ text: String, options: TranslateOptions = TranslateOptions()) async throws -> Translation {
        try await whole(beginTranslating(text, options), as: Translation.self)
    }

    /// The pieces of a translation as they come, which together are its text.
    public func translateStreaming(
        _ text: String,
        options: TranslateOptions = TranslateOptions()
    ) -> AsyncThrowingStream<Piece, any Error> {
        stream(beginTranslating(text, options)) { told in
            switch told.kind {
            case .text: Piece(text: told.text, source: told.source, target: told.target)
            case .failed: throw told.failure
            case .done, .reasoning, .toolCall: nil
            }
        }
    }

    /// Translates texts, as many at once as the device likes. What is wrong with one text stops no other: each has a result, in the order of the
    /// texts.
    ///
    /// - Throws: What concerns all of them, as a model that is no translator; `CancellationError`.
    public func translateAll(
        _ texts: [String],
        options: TranslateOptions = TranslateOptions()
    ) async throws -> [Result<Translation, HalaError>] {
        let flag = Flag()
        let begin = beginTranslating(texts, options)
        return try await onThread(flag) {
            var results: [Result<Translation, HalaError>] = []
            try drive(begin, under: flag) { told in
                if let ended = try TranslatedText(told) { results.append(ended.result) }
                return true
            }
            return results
        }
    }

    /// The same, each text as it has ended, in the order of the texts.
    public func translateAllStreaming(
        _ texts: [String],
        options: TranslateOptions = TranslateOptions()
    ) -> AsyncThrowingStream<TranslatedText, any Error> {
        stream(beginTranslating(texts, options)) { try TranslatedText($0) }
    }

    private func beginTranslating(_ text: String, _ options: TranslateOptions) -> Begin {
        { [engine] flag, place in
            withLent { lent in
                flag.use { flag in
                    var made = options.made(lent, flag)
                    return engine.use { hala_translate_start($0, lent.text(text), &made, place) }
                }
            }
        }
    }

    private func beginTranslating(_ texts: [String], _ options: TranslateOptions) -> Begin {
        { [engine] flag, place in
            withLent { lent in
                flag.use { flag in
                    var made = options.made(lent, flag)
                    let given = texts.map { lent.text($0) }
                    return engine.use { hala_translate_all_start($0, given, given.count, &made, place) }
                }
            }
        }
    }
}

extension TranslatedText {
    /// The end of a text; none for what comes before.
    init?(_ told: Told) throws {
        switch told.kind {
        case .done: self.init(index: told.index, result: .success(try JSON.decode(Translation.self, told.json)))
        case .failed: self.init(index: told.index, result: .failure(told.failure))
        case .text, .reasoning, .toolCall: return nil
        }
    }
}
