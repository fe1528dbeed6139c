// What tests have in common: one engine with the built-in model, and texts.

import XCTest

@testable import Hala

enum Shared {
    private static let loading = Task { try await Hala.load(options: LoadOptions(threads: 2)) }

    /// The engine that tests share.
    static var hala: Hala {
        get async throws { try await loading.value }
    }

    /// The root of the checkout.
    static let root = #filePath.split(separator: "/").dropLast(6).map { "/" + $0 }.joined()
    /// A model of two layers, which is no translator.
    static let tiny = root + "/tests/fixtures/lfm2/two-layer"
    /// One whose config.json has something that a notice tells of.
    static let noted = root + "/tests/fixtures/lfm3/as-published"

    static let arabic = "صباح الخير. كيف حالك؟ أنا بخير، شكرا."
    static let english = "Good morning. How are you? I am fine, thanks."
    /// Letters with marks, a family of four joined by zero-width joiners, a flag, and a zero in the text.
    static let joined = "مُحَمَّد قرأ الكتاب. 👨‍👩‍👧‍👦 Good morning 🇪🇬! e\u{301}\0 end."

    /// So many tokens that a test can stop what it began.
    static let long = TextOptions(sampling: Sampling(seed: 1), maxTokens: 1900, ignoreEos: true)
    /// A prompt that is computed in several steps.
    static let longPrompt = Prompt.tokens((0..<1800 as Range<UInt32>).map { id in 300 + id * 7 % 6000 })
}

/// The error that `work` throws.
func thrown<Value>(_ work: () async throws -> Value, file: StaticString = #filePath, line: UInt = #line) async -> (any Error)? {
    do {
        let value = try await work()
        XCTFail("no error, but \(value)", file: file, line: line)
        return nil
    } catch {
        return error
    }
}

/// The code of the error of Hala that `work` throws.
func code<Value>(
    _ work: () async throws -> Value, file: StaticString = #filePath, line: UInt = #line
) async -> HalaError.Code? {
    let error = await thrown(work, file: file, line: line)
    guard let error = error as? HalaError else {
        XCTFail("no error of Hala, but \(String(describing: error))", file: file, line: line)
        return nil
    }
    XCTAssertFalse(error.message.isEmpty, file: file, line: line)
    return error.code
}

/// A number that several threads count.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    /// The number after it has grown by one.
    @discardableResult
    func grow() -> Int {
        lock.withLock {
            count += 1
            return count
        }
    }

    var value: Int { lock.withLock { count } }
}
