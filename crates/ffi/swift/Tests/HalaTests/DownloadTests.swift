// Downloads from a server on this machine.

import XCTest

@testable import Hala

final class DownloadTests: XCTestCase {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hala-\(UUID())").path
    private var path: String { folder + "/عميق/file" }

    override func setUpWithError() throws {
        try XCTSkipUnless(Hala.features.contains("hub"), "this library downloads nothing")
    }

    override func tearDown() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The kinds of events without repetitions next to each other, and the path at the end.
    private func events(_ wanted: Download) async throws -> [String] {
        var kinds: [String] = []
        for try await event in Hala.download(wanted) {
            let kind =
                switch event {
                case .waiting: "waiting"
                case .running: "running"
                case .verifying: "verifying"
                case .ready(let path): "ready \(path)"
                }
            if kinds.last != kind { kinds.append(kind) }
        }
        return kinds
    }

    func testAFileComesWholeAndOnce() async throws {
        let server = try Server()
        let first = try await events(.file(url: server.url + "/file", path: path))
        XCTAssertEqual(first.last, "ready \(path)")
        XCTAssertTrue(first.contains("running"), "\(first)")
        XCTAssertEqual(FileManager.default.contents(atPath: path), Server.data)
    }

    func testOneThatWasLeftGoesOn() async throws {
        let server = try Server()
        let wanted = Download.file(url: server.url + "/file", path: path)
        for try await event in Hala.download(wanted) {
            if case .running(let step) = event, step.done > 0 { break }
        }
        XCTAssertFalse(FileManager.default.fileExists(atPath: path))
        // The one that was left ends by itself; until then it has the file.
        var kinds: [String] = []
        while kinds.isEmpty {
            do {
                kinds = try await events(wanted)
            } catch let error as HalaError where error.message.contains("is going on") {
                await Task.yield()
            }
        }
        XCTAssertEqual(kinds.last, "ready \(path)")
        XCTAssertEqual(FileManager.default.contents(atPath: path), Server.data)
        withExtendedLifetime(server) {}
    }

    func testWhatIsWrongHasItsCode() async throws {
        let server = try Server()
        let none = await code { try await events(.file(url: server.url + "/none", path: path)) }
        XCTAssertEqual(none, .notFound)
        let wrong = Download.file(url: server.url + "/file", path: path, sha256: String(repeating: "0", count: 64))
        let corrupt = await code { try await events(wrong) }
        XCTAssertEqual(corrupt, .corruptDownload)
        let unknown = await code { try await events(.file(url: "ftp://nowhere/file", path: path)) }
        XCTAssertNotNil(unknown)
        XCTAssertFalse(FileManager.default.fileExists(atPath: path))
    }
}
