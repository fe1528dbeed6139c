internal import CHala

extension Hala {
    /// Answers a conversation.
    ///
    /// - Parameters:
    ///   - messages: The conversation so far.
    ///   - options: What is left out is as the model's publisher has it.
    ///   - session: What keeps the tokens between the turns of a conversation, so that none is computed twice.
    /// - Throws: ``HalaError``, of what cannot be answered, and of a session that is at work; `CancellationError`.
    public func chat(
        _ messages: [ChatMessage],
        options: ChatOptions = ChatOptions(),
        session: Session? = nil
    ) async throws -> ChatCompletion {
        let begin = beginRunning(Request(messages, options), session) { hala_chat_start($0, $1, $2, $3) }
        return try await whole(begin, as: ChatCompletion.self)
    }

    /// The replies to a conversation as they come: texts, thoughts, calls of functions, and at the end all of it.
    public func chatStreaming(
        _ messages: [ChatMessage],
        options: ChatOptions = ChatOptions(),
        session: Session? = nil
    ) -> AsyncThrowingStream<ChatEvent, any Error> {
        let begin = beginRunning(Request(messages, options), session) { hala_chat_start($0, $1, $2, $3) }
        return stream(begin) { told in
            switch told.kind {
            case .text: .text(told.text, index: told.index)
            case .reasoning: .reasoning(told.text, index: told.index)
            case .toolCall: .toolCall(try JSON.decode(JSONValue.self, told.json), index: told.index)
            case .done: .done(try JSON.decode(ChatCompletion.self, told.json))
            case .failed: throw told.failure
            }
        }
    }

    /// Goes on with a prompt as it stands, in the model's own format.
    ///
    /// - Throws: As for ``chat(_:options:session:)``.
    public func generate(
        _ prompt: Prompt,
        options: TextOptions = TextOptions(),
        session: Session? = nil
    ) async throws -> TextCompletion {
        let begin = beginRunning(Request(prompt, options), session) { hala_generate_start($0, $1, $2, $3) }
        return try await whole(begin, as: TextCompletion.self)
    }

    /// What is written after a prompt as it comes, and at the end all of it.
    public func generateStreaming(
        _ prompt: Prompt,
        options: TextOptions = TextOptions(),
        session: Session? = nil
    ) -> AsyncThrowingStream<TextEvent, any Error> {
        let begin = beginRunning(Request(prompt, options), session) { hala_generate_start($0, $1, $2, $3) }
        return stream(begin) { told in
            switch told.kind {
            case .text: .text(told.text, index: told.index)
            case .done: .done(try JSON.decode(TextCompletion.self, told.json))
            case .failed: throw told.failure
            case .reasoning, .toolCall: nil
            }
        }
    }

    /// A function of the library that begins to answer a request: engine, request, options, place.
    typealias Start = @Sendable (
        OpaquePointer, HalaText, UnsafePointer<HalaRunOptions>, UnsafeMutablePointer<OpaquePointer?>
    ) -> Int32

    func beginRunning(_ request: Request, _ session: Session?, _ start: @escaping Start) -> Begin {
        { [engine] flag, place in
            let request = try JSON.encode(request)
            return withLent { lent in
                flag.use { flag in
                    var made = HalaRunOptions()
                    made.struct_size = MemoryLayout<HalaRunOptions>.size
                    made.cancel = flag
                    return engine.use { engine in
                        guard let session else { return start(engine, lent.text(request), &made, place) }
                        return session.handle.use { session in
                            made.session = session
                            return start(engine, lent.text(request), &made, place)
                        }
                    }
                }
            }
        }
    }
}
