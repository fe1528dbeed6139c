internal import CHala

/// A model on a device.
///
/// ```swift
/// let hala = try await Hala.load(.builtIn)
/// let translation = try await hala.translate("صباح الخير.")
/// for try await piece in hala.translateStreaming("Good morning.") { print(piece.text, terminator: "") }
/// ```
///
/// It is a class and no actor: what several tasks ask for at once runs together, as rows of one run, and an actor would make each wait for the one
/// before. All of it may be called from any task. Nothing waits on the threads that tasks share: whatever may take long has a thread of its own
/// while it goes on.
///
/// **Cancelling** a task stops what it waits for before the next token, in the middle of a long prompt too, and throws `CancellationError`. A loop
/// over a stream ends without an error when its task is cancelled, as loops over `AsyncThrowingStream` do; the work then ends too, and so it
/// does when the loop is left.
///
/// **Memory** is given back when nobody has the engine any more, and no session or stream is left that works with it.
public final class Hala: Sendable {
    let engine: Handle

    private init(_ engine: Handle) {
        self.engine = engine
    }

    /// Chooses a device, opens a model, and moves it to the device.
    ///
    /// - Parameters:
    ///   - source: The model; without it the small translator that ships with Hala.
    ///   - options: Backend, weights, context and more.
    ///   - onProgress: Is told how it goes, on the thread that loads.
    /// - Throws: ``HalaError``, of a model or a device that cannot be used; `CancellationError`.
    public static func load(
        _ source: ModelSource = .builtIn,
        options: LoadOptions = LoadOptions(),
        onProgress: OnProgress? = nil
    ) async throws -> Hala {
        let flag = Flag()
        return try await onThread(flag) {
            Hala(
                try Handle(releasedBy: hala_engine_release) { place in
                    try withLent { lent in
                        var made = try options.made(lent)
                        made.on_progress = onProgress == nil ? nil : Listener.told
                        return try Listener.use(onProgress) { listener in
                            made.user_data = listener
                            return try flag.use { flag in
                                made.cancel = flag
                                return try source.use(lent) { hala_engine_load($0, &made, place) }
                            }
                        }
                    }
                })
        }
    }

    /// What a model will take of memory, without loading it: the headers of its files are read, and no weight.
    ///
    /// - Throws: ``HalaError``; `CancellationError`.
    public static func estimate(
        _ source: ModelSource = .builtIn,
        options: LoadOptions = LoadOptions()
    ) async throws -> Estimate {
        let flag = Flag()
        return try await onThread(flag) {
            var told = HalaEstimate()
            told.struct_size = MemoryLayout<HalaEstimate>.size
            try withLent { lent in
                var made = try options.made(lent)
                try flag.use { flag in
                    made.cancel = flag
                    try check(try source.use(lent) { hala_estimate($0, &made, &told) })
                }
            }
            return Estimate(
                weightBytes: told.weight_bytes, tokenizerBytes: told.tokenizer_bytes,
                cacheBytesPerToken: told.cache_bytes_per_token, sessionBytes: told.session_bytes,
                peakBytes: told.peak_bytes)
        }
    }

    /// What was loaded and what runs it.
    ///
    /// - Throws: ``HalaError``, of a device that was lost.
    public var info: ModelInfo {
        get throws {
            try JSON.decode(ModelInfo.self, String(given: { place in engine.use { hala_engine_info($0, place) } }))
        }
    }

    /// What ``trim(_:)`` gives back.
    public enum Trim: Sendable {
        /// What nothing holds, and what was kept of texts that have ended.
        case unused
        /// Also the states of sessions: a session's next turn computes its tokens again.
        case sessions
    }

    /// Gives memory back to the system, as on a phone that runs out of it. Waits for the step that is under way.
    public func trim(_ trim: Trim = .unused) async throws {
        let wanted = trim == .sessions ? HALA_TRIM_SESSIONS : HALA_TRIM_UNUSED
        try await onThread(Flag()) { [engine] in
            try engine.use { try check(hala_trim($0, Int32(wanted.rawValue))) }
        }
    }

    /// The library's version, as `0.1.0`.
    public static var version: String { String(hala_version()) }

    /// What the library was built with, of `wgpu` (GPUs), `hub` (downloads) and `built-in` (the small translator).
    public static var features: Set<String> { Set(String(hala_features()).split(separator: ",").map(String.init)) }
}
