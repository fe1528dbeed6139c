// Threads for calls that wait.
//
// A task must not wait on one of the few threads that all tasks share, and whoever waits for the library computes for it. So each call that may
// take long has a thread of its own while it goes on; several such threads on one engine share its runs.

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Android)
    import Android
#endif

enum Worker {
    /// Rust's and drivers' frames need more than the 512 KiB that Apple's systems give a thread; untouched pages cost nothing.
    private static let stackBytes = 4 << 20

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    /// Runs `body` on a new thread.
    ///
    /// - Throws: The system starts no more threads.
    static func start(_ body: @escaping @Sendable () -> Void) throws {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stackBytes)
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let given = Unmanaged.passRetained(Body(run: body))
        let failed = pthread_create(
            &thread, &attributes,
            { given in
                Worker.run(given)
                return nil
            }, given.toOpaque())
        if failed != 0 {
            given.release()
            throw HalaError(.outOfMemory, "the system starts no thread (error \(failed)): ask for less at once")
        }
    }

    private static func run(_ given: UnsafeMutableRawPointer?) {
        guard let given else { return }
        Unmanaged<Body>.fromOpaque(given).takeRetainedValue().run()
    }
}

/// Waits for `work` on a thread of its own. When the task is cancelled the flag is raised, which the work must have been given.
///
/// - Throws: What `work` throws; `CancellationError` where the task was cancelled.
func onThread<Value: Sendable>(_ flag: Flag, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try Task.checkCancellation()
    do {
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    try Worker.start { continuation.resume(with: Result(catching: work)) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            flag.raise()
        }
    } catch let error as HalaError where error.code == .aborted && Task.isCancelled {
        throw CancellationError()
    }
}
