// Texts on their way into the library and out of it.

internal import CHala

/// Texts in UTF-8 that stay where they are until this goes: the library copies them, or uses them until its function returns.
final class Lent {
    private var buffers: [UnsafeMutableBufferPointer<CChar>] = []

    deinit {
        for buffer in buffers { buffer.deallocate() }
    }

    /// A text; none is an empty one, which in options means the default.
    func text(_ text: String?) -> HalaText {
        var text = text ?? ""
        return text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { chars in
                let (data, len) = keep(chars)
                return HalaText(data: data, len: len)
            }
        }
    }

    /// A file in memory.
    func file(_ name: String, _ bytes: [UInt8]) -> HalaFile {
        bytes.withUnsafeBytes { raw in
            let (data, len) = keep(raw.bindMemory(to: CChar.self))
            return HalaFile(name: text(name), data: UnsafeRawPointer(data)?.assumingMemoryBound(to: UInt8.self), len: len)
        }
    }

    /// A path, which must name something: an empty one would mean the default.
    func path(_ path: String) throws -> HalaText {
        guard !path.isEmpty else { throw HalaError(.invalidArgument, "the path is empty: name a file") }
        return text(path)
    }

    private func keep(_ chars: UnsafeBufferPointer<CChar>) -> (data: UnsafePointer<CChar>?, len: Int) {
        guard !chars.isEmpty else { return (nil, 0) }
        let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: chars.count)
        _ = buffer.initialize(from: chars)
        buffers.append(buffer)
        return (UnsafePointer(buffer.baseAddress), buffer.count)
    }
}

/// Calls with texts that stay until that returns.
func withLent<Value>(_ body: (Lent) throws -> Value) rethrows -> Value {
    let lent = Lent()
    return try withExtendedLifetime(lent) { try body(lent) }
}

extension String {
    /// A text that the library holds, copied.
    init(_ text: HalaText) {
        self.init(decoding: UnsafeRawBufferPointer(start: text.data, count: text.len), as: UTF8.self)
    }

    /// A text that the library gives away.
    init(given call: (UnsafeMutablePointer<HalaString>) -> Int32) throws {
        var place = HalaString()
        defer { hala_string_free(&place) }
        try check(call(&place))
        self.init(decoding: UnsafeRawBufferPointer(start: place.data, count: place.len), as: UTF8.self)
    }
}
