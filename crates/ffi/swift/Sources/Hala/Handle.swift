// Handles of the library, and how its functions fail.

internal import CHala

/// A counted handle, released when nobody has it any more. It is a number and points to nothing, so that threads may share it.
final class Handle: Sendable {
    private nonisolated(unsafe) let pointer: OpaquePointer
    private let release: @Sendable (OpaquePointer?) -> Int32

    init(_ pointer: OpaquePointer, release: @escaping @Sendable (OpaquePointer?) -> Int32) {
        self.pointer = pointer
        self.release = release
    }

    /// One that `make` writes.
    convenience init(
        releasedBy release: @escaping @Sendable (OpaquePointer?) -> Int32,
        make: (UnsafeMutablePointer<OpaquePointer?>) throws -> Int32
    ) throws {
        var place: OpaquePointer?
        try check(try make(&place))
        guard let place else { throw HalaError(.internal, "the library said that it made a handle and gave none") }
        self.init(place, release: release)
    }

    deinit {
        _ = release(pointer)
    }

    /// Calls with it; it is not released before that returns.
    func use<Value>(_ body: (OpaquePointer) throws -> Value) rethrows -> Value {
        try withExtendedLifetime(self) { try body(pointer) }
    }
}

/// A flag that stops work from any thread before its next token.
struct Flag: Sendable {
    private let handle: Handle

    init() {
        guard let pointer = hala_cancel_new() else { fatalError("the library gave no flag, which needs a few bytes") }
        handle = Handle(pointer, release: hala_cancel_release)
    }

    func raise() {
        handle.use { _ = hala_cancel_raise($0) }
    }

    func use<Value>(_ body: (OpaquePointer) throws -> Value) rethrows -> Value {
        try handle.use(body)
    }
}

/// Throws what the last call of this thread had to say, where its status is not OK.
func check(_ status: Int32) throws {
    guard status != Int32(HALA_STATUS_OK.rawValue) else { return }
    throw HalaError(status: status, message: String(hala_last_error()), bytes: hala_last_error_bytes())
}
