// Models, and choices with their defaults.

internal import CHala

/// Where a model comes from.
public enum ModelSource: Sendable, Hashable {
    /// The small Arabic-English translator that ships with Hala.
    case builtIn
    /// A folder in Hugging Face layout, or one .safetensors or GGUF file.
    case path(String)
    /// A model of the Hugging Face Hub, `owner/name[@revision][:file]`, fetched where it is not there.
    case hub(String)
    /// The files of a folder in Hugging Face layout, by their names.
    case files([String: [UInt8]])

    /// Calls with the source as the library takes it.
    func use(_ lent: Lent, _ body: (UnsafePointer<HalaSource>) throws -> Int32) throws -> Int32 {
        var made = HalaSource()
        made.struct_size = MemoryLayout<HalaSource>.size
        var files: [HalaFile] = []
        switch self {
        case .builtIn: break
        case .path(let path): made.path = try lent.path(path)
        case .hub(let hub): made.hub = try lent.path(hub)
        case .files(let given):
            guard !given.isEmpty else { throw HalaError(.invalidArgument, "there are no files: give those of a model's folder") }
            files = given.map { lent.file($0.key, $0.value) }
        }
        return try files.withUnsafeBufferPointer { files in
            made.files = files.isEmpty ? nil : files.baseAddress
            made.n_files = files.count
            return try body(&made)
        }
    }
}

/// What runs a model.
public enum Backend: String, Sendable {
    /// A real GPU, or else the CPU; for the built-in model the CPU.
    case auto
    case cpu
    case wgpu
    /// Slow, and the truth that others are tested against.
    case plain
}

/// How matrices are held.
public enum WeightFormat: String, Sendable {
    case auto, f32, bf16, f16, fp8, int8, int4
}

/// Choices made when a model is loaded.
public struct LoadOptions: Sendable, Hashable {
    public var backend: Backend
    public var weights: WeightFormat
    /// The GPU whose name contains this, whatever its case.
    public var adapter: String?
    /// Tokens that a sequence can hold; none for what suits the model.
    public var context: Int?
    /// Threads of the CPU; none for as many as the machine runs at once.
    public var threads: Int?
    /// Sequences at once; none for as many as suit the device.
    public var parallel: Int?
    /// The path of the folder in which is kept what is known of GPUs; none for Hala's in the user's folder for caches.
    public var devices: String?

    public init(
        backend: Backend = .auto, weights: WeightFormat = .auto, context: Int? = nil, threads: Int? = nil,
        parallel: Int? = nil
    ) {
        self.backend = backend
        self.weights = weights
        self.context = context
        self.threads = threads
        self.parallel = parallel
    }

    func made(_ lent: Lent) throws -> HalaLoadOptions {
        var made = HalaLoadOptions()
        made.struct_size = MemoryLayout<HalaLoadOptions>.size
        made.backend = lent.text(backend.rawValue)
        made.weights = lent.text(weights.rawValue)
        made.adapter = lent.text(adapter)
        made.devices = lent.text(devices)
        made.context = try Self.count(context, "context")
        made.threads = try Self.count(threads, "threads")
        made.parallel = try Self.count(parallel, "parallel")
        return made
    }

    private static func count(_ value: Int?, _ name: String) throws -> Int {
        guard value.map({ $0 > 0 }) ?? true else {
            throw HalaError(.invalidArgument, "\(name) is \(value ?? 0): it must be at least 1, or left out")
        }
        return value ?? 0
    }
}

/// A language that the translators know.
public enum Language: String, Sendable, Decodable {
    case arabic = "ar"
    case english = "en"
}

/// How a text is translated.
public struct TranslateOptions: Sendable, Hashable {
    /// The language of the text; found out where it is not given.
    public var from: Language?
    /// The language wanted; the other one where it is not given.
    public var to: Language?

    public init(from: Language? = nil, to: Language? = nil) {
        self.from = from
        self.to = to
    }

    func made(_ lent: Lent, _ flag: OpaquePointer) -> HalaTranslateOptions {
        var made = HalaTranslateOptions()
        made.struct_size = MemoryLayout<HalaTranslateOptions>.size
        made.from = lent.text(from?.rawValue)
        made.to = lent.text(to?.rawValue)
        made.cancel = flag
        return made
    }
}

/// How far loading or a download has come.
public struct LoadProgress: Sendable, Hashable {
    public enum Kind: Sendable {
        /// A file comes: bytes of it, those of an earlier attempt included.
        case downloading
        /// What has come is checked against its SHA-256: bytes.
        case verifying
        /// The connection broke and is tried again; what has come is kept.
        case retrying
        /// No byte has come for a moment.
        case waiting
        /// Weights go to the device: numbers in them.
        case loading
    }

    public let kind: Kind
    /// The file or the tensor.
    public let name: String
    /// How much of it is done.
    public let done: UInt64
    /// How much there is; 0 where it is not known.
    public let total: UInt64

    /// None where it is of a kind that a newer library has.
    init?(_ told: HalaProgress) {
        switch UInt32(bitPattern: told.kind) {
        case HALA_PROGRESS_KIND_DOWNLOADING.rawValue: kind = .downloading
        case HALA_PROGRESS_KIND_VERIFYING.rawValue: kind = .verifying
        case HALA_PROGRESS_KIND_RETRYING.rawValue: kind = .retrying
        case HALA_PROGRESS_KIND_WAITING.rawValue: kind = .waiting
        case HALA_PROGRESS_KIND_LOADING.rawValue: kind = .loading
        default: return nil
        }
        name = String(told.name)
        done = told.done
        total = told.total
    }
}

/// Is told how something goes, on the thread that works. Nothing of Hala may be called in it.
public typealias OnProgress = @Sendable (LoadProgress) -> Void

/// A listener as the library calls it: `user_data` of ``told``, there until the call is over.
final class Listener {
    let onProgress: OnProgress

    init(_ onProgress: @escaping OnProgress) {
        self.onProgress = onProgress
    }

    static let told: HalaProgressCallback = { progress, user in
        if let progress, let user, let told = LoadProgress(progress.pointee) {
            Unmanaged<Listener>.fromOpaque(user).takeUnretainedValue().onProgress(told)
        }
        return true
    }

    /// Calls with a listener's address, where there is one to tell.
    static func use<Value>(_ onProgress: OnProgress?, _ body: (UnsafeMutableRawPointer?) throws -> Value) rethrows -> Value {
        guard let onProgress else { return try body(nil) }
        let listener = Listener(onProgress)
        return try withExtendedLifetime(listener) { try body(Unmanaged.passUnretained(listener).toOpaque()) }
    }
}
