internal import CHala

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What went wrong: a word to decide by, and a sentence that says what was found, what was expected, and what to do next.
public struct HalaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of an error, by a word that never changes and that all of Hala's interfaces share. A newer library may have more of them.
    public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The word, as `invalid-request`.
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        public var description: String { rawValue }

        /// A value that means nothing.
        public static let invalidArgument = Code(rawValue: "invalid-argument")
        /// Called inside of a callback of the library, where only few functions may be.
        public static let reentered = Code(rawValue: "reentered")
        /// The session is at work: one turn at a time.
        public static let busy = Code(rawValue: "busy")
        /// The library was built without what the call needs.
        public static let notInBuild = Code(rawValue: "not-in-build")
        /// A fault of Hala itself.
        public static let `internal` = Code(rawValue: "internal")
        /// An option, a message or a prompt that cannot be answered.
        public static let invalidRequest = Code(rawValue: "invalid-request")
        /// A text was to be translated into the language that it is in.
        public static let sameLanguage = Code(rawValue: "same-language")
        /// The prompt leaves no room in the context.
        public static let contextLengthExceeded = Code(rawValue: "context-length-exceeded")
        /// Stopped by whoever asked for it. A cancelled task throws `CancellationError` instead.
        public static let aborted = Code(rawValue: "aborted")
        /// A file of the model is not there.
        public static let missingFile = Code(rawValue: "missing-file")
        /// A file of the model is not what it must be.
        public static let damagedModel = Code(rawValue: "damaged-model")
        /// The model needs what Hala does not do.
        public static let unsupportedModel = Code(rawValue: "unsupported-model")
        /// The checkpoint has no tokenizer, so that text can neither go in nor come out.
        public static let noTokenizer = Code(rawValue: "no-tokenizer")
        /// The model computed values that are no numbers.
        public static let notFinite = Code(rawValue: "not-finite")
        /// A file cannot be read or written.
        public static let reader = Code(rawValue: "reader")
        /// The server cannot be reached, or the connection broke.
        public static let network = Code(rawValue: "network")
        /// The server answered with an error of its own.
        public static let http = Code(rawValue: "http")
        /// The server has no such model, revision or file.
        public static let notFound = Code(rawValue: "not-found")
        /// The model is not open to this user.
        public static let unauthorized = Code(rawValue: "unauthorized")
        /// A file that came is not what it should be.
        public static let corruptDownload = Code(rawValue: "corrupt-download")
        /// Memory was refused; ``HalaError/bytes`` says how much.
        public static let outOfMemory = Code(rawValue: "out-of-memory")
        /// The device went away and could not be set up again.
        public static let deviceLost = Code(rawValue: "device-lost")
        /// The device cannot be used, or refused its work.
        public static let deviceRefused = Code(rawValue: "device-refused")
        /// A file is no saved session, or not as it was written.
        public static let damagedSequence = Code(rawValue: "damaged-sequence")
        /// A saved session is of another model, held in another way, or of another version of Hala.
        public static let otherModel = Code(rawValue: "other-model")
    }

    /// The kind of the error.
    public let code: Code
    /// A sentence for whoever reads logs, in English; what it quotes is in its own language.
    public let message: String
    /// Bytes of memory that were refused, where it is of that kind; else 0.
    public let bytes: Int

    public var description: String { "\(code): \(message)" }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
        bytes = 0
    }

    init(status: Int32, message: String, bytes: Int) {
        code = Code(rawValue: String(hala_status_name(status)))
        self.message = message
        self.bytes = bytes
    }
}

extension HalaError: LocalizedError {
    public var errorDescription: String? { message }
}
