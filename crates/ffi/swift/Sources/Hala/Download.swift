internal import CHala

/// What is fetched.
public enum Download: Sendable, Hashable {
    /// A model of the Hugging Face Hub, `owner/name[@revision][:file]`, into the cache that Python shares. What the Hub says of its files'
    /// SHA-256 is checked.
    case hub(String)
    /// One file by its address, to `path`; until it is whole and checked it is `path` with `.part` behind it, from which a later call goes on.
    /// `sha256`, in hexadecimal, is what it must be.
    case file(url: String, path: String, sha256: String? = nil)
}

/// How a download goes.
public enum DownloadEvent: Sendable, Hashable {
    /// Nothing comes at this moment: it has just begun, the server is silent, or the connection broke and is tried again.
    case waiting
    /// A file comes.
    case running(LoadProgress)
    /// What has come is checked.
    case verifying(LoadProgress)
    /// It is there: `path` is what ``ModelSource/path(_:)`` takes. Always the last one.
    case ready(path: String)
}

extension Hala {
    /// Fetches a model, or goes on where an earlier call stopped; what is there already and is right is not fetched again.
    ///
    /// The stream ends with ``DownloadEvent/ready(path:)``, or throws a ``HalaError``. Leaving it stops the download, at once and even where no byte comes;
    /// what has come is kept, and a download into the same place is refused until this one has ended. A slow reader misses progress, and never the end.
    public static func download(_ wanted: Download) -> AsyncThrowingStream<DownloadEvent, any Error> {
        AsyncThrowingStream(bufferingPolicy: .bufferingNewest(64)) { continuation in
            let flag = Flag()
            continuation.onTermination = { _ in flag.raise() }
            continuation.yield(.waiting)
            do {
                try Worker.start {
                    do {
                        let path = try fetch(wanted, flag) { continuation.yield(DownloadEvent($0)) }
                        continuation.yield(.ready(path: path))
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

    private static func fetch(_ wanted: Download, _ flag: Flag, _ onProgress: @escaping OnProgress) throws -> String {
        try withLent { lent in
            var made = HalaDownloadOptions()
            made.struct_size = MemoryLayout<HalaDownloadOptions>.size
            switch wanted {
            case .hub(let id): made.hub = try lent.path(id)
            case .file(let url, let path, let sha256):
                made.url = lent.text(url)
                made.path = lent.text(path)
                made.sha256 = lent.text(sha256)
            }
            made.on_progress = Listener.told
            return try flag.use { flag in
                made.cancel = flag
                return try Listener.use(onProgress) { listener in
                    made.user_data = listener
                    return try String(given: { hala_download(&made, $0) })
                }
            }
        }
    }
}

extension DownloadEvent {
    init(_ progress: LoadProgress) {
        switch progress.kind {
        case .verifying: self = .verifying(progress)
        case .waiting, .retrying: self = .waiting
        case .downloading, .loading: self = .running(progress)
        }
    }
}
