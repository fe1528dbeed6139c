// A server on this machine that has one file, and gives it from any byte on.

import Foundation

#if canImport(Darwin)
    import Darwin
    private let streamKind = SOCK_STREAM
#elseif canImport(Glibc)
    import Glibc
    private let streamKind = Int32(SOCK_STREAM.rawValue)
#endif

/// Serves ``data`` as /file until it goes.
final class Server: Sendable {
    /// More than comes in one piece.
    static let data = Data((0..<10_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) })

    private let listening: Int32
    let url: String

    /// Listens on a port that the system chooses.
    init() throws {
        let listener = socket(AF_INET, streamKind, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let done = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard done else { throw POSIXError(.EADDRNOTAVAIL) }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        listening = listener
        Thread.detachNewThread {
            // Closing the socket ends it.
            while case let client = accept(listener, nil, nil), client >= 0 {
                Self.answer(client)
                close(client)
            }
        }
    }

    deinit {
        shutdown(listening, Int32(SHUT_RDWR))
        close(listening)
    }

    private static func answer(_ client: Int32) {
        var request = ""
        while !request.hasSuffix("\r\n\r\n") {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let n = recv(client, &buffer, buffer.count, 0)
            guard n > 0 else { return }
            request += String(decoding: buffer[..<n], as: UTF8.self)
        }
        guard request.hasPrefix("GET /file ") else {
            return send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", Data(), to: client)
        }
        let range = request.lowercased().components(separatedBy: "range: bytes=").dropFirst().first
        let start = range.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        var head = "HTTP/1.1 \(range == nil ? "200 OK" : "206 Partial Content")\r\nETag: \"one\"\r\nConnection: close\r\n"
        head += "Content-Length: \(data.count - start)\r\n"
        if range != nil { head += "Content-Range: bytes \(start)-\(data.count - 1)/\(data.count)\r\n" }
        send(head + "\r\n", data[start...], to: client)
    }

    private static func send(_ head: String, _ body: Data, to client: Int32) {
        for part in [Data(head.utf8), body] {
            part.withUnsafeBytes { bytes in
                var at = 0
                while at < bytes.count {
                    #if canImport(Darwin)
                        let n = Darwin.send(client, bytes.baseAddress! + at, bytes.count - at, 0)
                    #else
                        // Whoever asked may have gone, as the tests do.
                        let n = Glibc.send(client, bytes.baseAddress! + at, bytes.count - at, Int32(MSG_NOSIGNAL))
                    #endif
                    guard n > 0 else { return }
                    at += n
                }
            }
        }
    }
}
