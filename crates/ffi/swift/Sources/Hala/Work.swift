// Work that the library gives piece by piece.

internal import CHala

/// Begins work under a flag, and writes its stream's handle.
typealias Begin = @Sendable (_ flag: Flag, _ place: UnsafeMutablePointer<OpaquePointer?>) throws -> Int32

/// An event, copied: the library's lasts until the next one.
struct Told: Sendable {
    enum Kind: Sendable {
        case text, reasoning, toolCall, done, failed
    }

    let kind: Kind
    let status: Int32
    let index: Int
    let text: String
    let source: UTF8Range
    let target: UTF8Range
    let json: String

    /// None where it is of a kind that a newer library has.
    init?(_ event: HalaEvent) {
        switch UInt32(bitPattern: event.kind) {
        case HALA_EVENT_KIND_TEXT.rawValue: kind = .text
        case HALA_EVENT_KIND_REASONING.rawValue: kind = .reasoning
        case HALA_EVENT_KIND_TOOL_CALL.rawValue: kind = .toolCall
        case HALA_EVENT_KIND_DONE.rawValue: kind = .done
        case HALA_EVENT_KIND_FAILED.rawValue: kind = .failed
        default: return nil
        }
        status = event.status
        index = event.index
        text = String(event.text)
        source = UTF8Range(start: event.source.start, end: event.source.end)
        target = UTF8Range(start: event.target.start, end: event.target.end)
        json = String(event.json)
    }

    /// How this one of several texts failed.
    var failure: HalaError {
        HalaError(status: status, message: text, bytes: 0)
    }
}

/// Begins work and tells its events until it ends or `tell` wants no more. It waits, so it is for threads of its own.
func drive(_ begin: Begin, under flag: Flag, tell: (Told) throws -> Bool) throws {
    let made = try Handle(releasedBy: hala_stream_release) { try begin(flag, $0) }
    while true {
        var event: UnsafePointer<HalaEvent>?
        try made.use { try check(hala_stream_next($0, &event)) }
        guard let event else { return }
        // The event lasts as long as the stream.
        let told = withExtendedLifetime(made) { Told(event.pointee) }
        if let told, try !tell(told) { return }
    }
}

/// Waits for the end of work on one text or conversation, which tells all of it.
func whole<Value: Decodable & Sendable>(_ begin: @escaping Begin, as kind: Value.Type) async throws -> Value {
    let flag = Flag()
    return try await onThread(flag) {
        var value: Value?
        try drive(begin, under: flag) { told in
            switch told.kind {
            case .done: value = try JSON.decode(kind, told.json)
            case .failed: throw told.failure
            case .text, .reasoning, .toolCall: break
            }
            return true
        }
        guard let value else { throw HalaError(.internal, "the work ended without telling its end") }
        return value
    }
}

/// Work as a stream of what `given` makes of its events. It begins at once, on a thread of its own, and ends before its next token when nobody
/// reads any more. Pieces wait for a slow reader; none is lost.
func stream<Element: Sendable>(
    _ begin: @escaping Begin,
    _ given: @escaping @Sendable (Told) throws -> Element?
) -> AsyncThrowingStream<Element, any Error> {
    AsyncThrowingStream { continuation in
        let flag = Flag()
        continuation.onTermination = { _ in flag.raise() }
        do {
            try Worker.start {
                do {
                    try drive(begin, under: flag) { told in
                        guard let element = try given(told) else { return true }
                        if case .terminated = continuation.yield(element) { return false }
                        return true
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
        } catch {
            continuation.finish(throwing: error)
        }
    }
}
