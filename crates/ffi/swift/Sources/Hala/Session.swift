internal import CHala

/// What keeps the states of a conversation's tokens between its turns, so that none is computed twice. It holds its engine.
///
/// One turn at a time: another one meanwhile throws ``HalaError/Code/busy``, and so does one that follows a turn whose stream was left, until that has
/// ended, which is before its next token. Turns of several sessions run together.
public final class Session: Sendable {
    let handle: Handle

    init(_ handle: Handle) {
        self.handle = handle
    }

    /// Writes the tokens and their states to a file, which appears under its name when it is whole.
    ///
    /// - Throws: ``HalaError``, of a file that cannot be written, and of a session that is at work.
    public func save(to path: String) async throws {
        try await onThread(Flag()) { [handle] in
            try withLent { lent in
                let path = try lent.path(path)
                try handle.use { try check(hala_session_save($0, path)) }
            }
        }
    }
}

extension Hala {
    /// A session without any tokens.
    public func session() throws -> Session {
        Session(
            try Handle(releasedBy: hala_session_release) { place in
                engine.use { hala_session_new($0, place) }
            })
    }

    /// A session from a file that ``Session/save(to:)`` wrote, with the same model held in the same way: nothing is computed again.
    ///
    /// - Throws: ``HalaError``, of a file that is no saved session, and of one that is of another model.
    public func restoreSession(from path: String) async throws -> Session {
        try await onThread(Flag()) { [engine] in
            Session(
                try Handle(releasedBy: hala_session_release) { place in
                    try withLent { lent in
                        let path = try lent.path(path)
                        return engine.use { hala_session_restore($0, path, place) }
                    }
                })
        }
    }
}
