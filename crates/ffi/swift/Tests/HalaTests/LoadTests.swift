// Loading, what there is to know of a model, the log, and errors.

import XCTest

@testable import Hala

final class LoadTests: XCTestCase {
    func testInfoTellsWhatRuns() async throws {
        let info = try await Shared.hala.info
        XCTAssertEqual(info.family, "lfm2")
        XCTAssertEqual(info.backend, "cpu")
        XCTAssertEqual(info.threads, 2)
        XCTAssertGreaterThan(info.weightBytes, info.parameters)
        XCTAssertTrue(Hala.features.contains("built-in"))
        XCTAssertEqual(Hala.version.split(separator: ".").count, 3)
    }

    func testFilesInMemoryAreAFolder() async throws {
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: Shared.tiny) {
            files[name] = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(Shared.tiny)/\(name)")))
        }
        let options = LoadOptions(backend: .plain, weights: .int8, context: 64, threads: 1)
        let loaded = try await Hala.load(.files(files), options: options).info
        let opened = try await Hala.load(.path(Shared.tiny), options: options).info
        XCTAssertEqual(loaded, opened)
        XCTAssertEqual(loaded.context, 64)
        XCTAssertLessThan(loaded.weightBytes, 2 * loaded.parameters)
    }

    func testProgressIsToldToTheEnd() async throws {
        let steps = Steps()
        _ = try await Hala.load { steps.add($0) }
        XCTAssertEqual(Set(steps.all.map(\.kind)), [.loading])
        XCTAssertEqual(steps.all.last?.done, steps.all.last?.total)
    }

    func testAnEstimateIsOfTheLoadedModel() async throws {
        let told = try await Hala.estimate()
        let info = try await Shared.hala.info
        XCTAssertEqual(Int(told.weightBytes), info.weightBytes)
        XCTAssertEqual(Int(told.cacheBytesPerToken), info.cacheBytesPerToken)
        XCTAssertGreaterThan(told.peakBytes, told.weightBytes)
    }

    func testTrimLeavesTheEngineAtWork() async throws {
        let hala = try await Shared.hala
        try await hala.trim()
        try await hala.trim(.sessions)
        let text = try await hala.translate("Good morning.").text
        XCTAssertEqual(text, "صباح الخير.")
    }

    func testErrorsHaveTheirCodesAndWords() async throws {
        let missing = await thrown { try await Hala.load(.path("no/such/مجلّد عربيّ 🇪🇬")) } as? HalaError
        XCTAssertEqual(missing?.code, .missingFile)
        XCTAssertTrue(missing?.message.contains("مجلّد عربيّ 🇪🇬") == true, missing?.message ?? "no error")
        XCTAssertEqual(missing?.localizedDescription, missing?.message)
        for source in [ModelSource.path(""), .hub(""), .files([:])] {
            let empty = await code { try await Hala.load(source) }
            XCTAssertEqual(empty, .invalidArgument)
        }
        let none = await code { try await Hala.load(options: LoadOptions(context: 0)) }
        XCTAssertEqual(none, .invalidArgument)
        _ = await code { try await Hala.load(.files(["config.json": Array("{}".utf8)])) }
    }

    func testTheEngineStaysWhileAStreamWorksWithIt() async throws {
        var hala: Hala? = try await Hala.load(options: LoadOptions(threads: 1))
        let pieces = hala?.translateStreaming(Shared.english)
        hala = nil
        var text = ""
        for try await piece in pieces! { text += piece.text }
        XCTAssertTrue(text.hasPrefix("صباح الخير."), text)
    }

    func testFiftyLoadsLeaveNothingBehind() async throws {
        var first = 0
        for turn in 1...50 {
            let hala = try await Hala.load(options: LoadOptions(threads: 1))
            XCTAssertFalse(try hala.tokenize("صباح").isEmpty)
            if turn == 10 { first = residentBytes() }
        }
        let weights = try await Shared.hala.info.weightBytes
        // Forty models that stayed would be forty times as much.
        XCTAssertLessThan(residentBytes() - first, 4 * weights)
    }

    func testTheLogGoesToAListenerUntilItEnds() async throws {
        let lines = Counter()
        let options = LoadOptions(backend: .cpu)
        try Hala.setLog { level, line in
            XCTAssertEqual(level, .info)
            XCTAssertFalse(line.isEmpty)
            lines.grow()
        }
        _ = try await Hala.load(.path(Shared.noted), options: options)
        try Hala.setLog(nil)
        let told = lines.value
        XCTAssertGreaterThan(told, 0)
        _ = try await Hala.load(.path(Shared.noted), options: options)
        XCTAssertEqual(lines.value, told)
    }
}

/// Bytes of memory that this process has; 0 where the system does not tell as Linux does.
private func residentBytes() -> Int {
    guard let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1] else { return 0 }
    return (Int(pages) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}

/// LoadProgress in the order in which it was told.
final class Steps: @unchecked Sendable {
    private let lock = NSLock()
    private var told: [LoadProgress] = []

    func add(_ step: LoadProgress) {
        lock.withLock { told.append(step) }
    }

    var all: [LoadProgress] { lock.withLock { told } }
}
