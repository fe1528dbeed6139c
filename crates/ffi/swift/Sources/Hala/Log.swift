internal import CHala

/// How much a line of the log matters.
public enum LogLevel: Int32, Sendable, Comparable {
    /// Something failed.
    case error = 1
    /// Something is not as it should be.
    case warn = 2
    /// Something is good to know.
    case info = 3
    /// For those who look for a fault.
    case debug = 4

    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// Takes a line of the log, on any thread, several at once. Nothing of Hala may be called in it.
public typealias OnLog = @Sendable (LogLevel, String) -> Void

extension Hala {
    /// Sends the log to `onLog`: lines up to `level`. Without it the log ends. A listener is kept until the process ends, a few bytes for each call: one
    /// may be at work while another takes its place.
    public static func setLog(_ onLog: OnLog?, upTo level: LogLevel = .info) throws {
        guard let onLog else { return try check(hala_set_log(nil, nil, level.rawValue)) }
        let listener = Unmanaged.passRetained(LogListener(onLog))
        do {
            try check(hala_set_log(LogListener.told, listener.toOpaque(), level.rawValue))
        } catch {
            listener.release()
            throw error
        }
    }
}

private final class LogListener {
    let onLog: OnLog

    init(_ onLog: @escaping OnLog) {
        self.onLog = onLog
    }

    static let told: HalaLogCallback = { level, message, user in
        if let user, let level = LogLevel(rawValue: level) {
            Unmanaged<LogListener>.fromOpaque(user).takeUnretainedValue().onLog(level, String(message))
        }
        return true
    }
}
