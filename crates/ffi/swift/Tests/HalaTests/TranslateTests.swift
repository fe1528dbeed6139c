// Translations: whole, in pieces, and many.

import XCTest

@testable import Hala

final class TranslateTests: XCTestCase {
    func testATranslationHasItsSentences() async throws {
        let told = try await Shared.hala.translate(Shared.arabic)
        XCTAssertEqual([told.from, told.to], [.arabic, .english])
        XCTAssertEqual(told.finishReason, "stop")
        XCTAssertTrue(told.text.hasPrefix("Good morning"), told.text)
        let sentences = told.segments.map { $0.source.of(Shared.arabic) }
        XCTAssertEqual(sentences, ["صباح الخير.", "كيف حالك؟", "أنا بخير، شكرا."])
        XCTAssertEqual(told.segments.compactMap { $0.target.of(told.text) }.joined(separator: " "), told.text)
        XCTAssertGreaterThan(told.usage.completionTokens, 0)
        XCTAssertEqual(told.usage.totalTokens, told.usage.promptTokens + told.usage.completionTokens)
    }

    func testLanguagesAreAsAskedFor() async throws {
        let hala = try await Shared.hala
        let told = try await hala.translate("OK", options: TranslateOptions(from: .english, to: .arabic))
        XCTAssertEqual([told.from, told.to], [.english, .arabic])
        let same = await code {
            try await hala.translate(Shared.english, options: TranslateOptions(from: .english, to: .english))
        }
        XCTAssertEqual(same, .sameLanguage)
    }

    func testPiecesAreWholeCharactersAndMakeTheTranslation() async throws {
        let hala = try await Shared.hala
        for source in [Shared.arabic, Shared.english, Shared.joined, "", " \n "] {
            var pieces: [Piece] = []
            for try await piece in hala.translateStreaming(source) {
                pieces.append(piece)
            }
            let whole = try await hala.translate(source).text
            XCTAssertEqual(pieces.map(\.text).joined(), whole)
            // Characters that were cut would be more of them.
            XCTAssertEqual(pieces.map(\.text.count).reduce(0, +), whole.count)
            for piece in pieces {
                XCTAssertEqual(piece.target.of(whole), Substring(piece.text))
                XCTAssertNotNil(piece.source.of(source))
            }
        }
    }

    func testASlowReaderGetsEveryPiece() async throws {
        let hala = try await Shared.hala
        var text = ""
        for try await piece in hala.translateStreaming(Shared.english) {
            // The work goes on meanwhile.
            _ = try await hala.translate("Good morning.")
            text += piece.text
        }
        let whole = try await hala.translate(Shared.english).text
        XCTAssertEqual(text, whole)
    }

    func testEachOfManyTextsHasItsResult() async throws {
        let hala = try await Shared.hala
        let texts = ["Good morning.", "صباح الخير.", "Good morning."]
        let results = try await hala.translateAll(texts)
        XCTAssertEqual(results.map { try? $0.get().text }, ["صباح الخير.", "Good morning.", "صباح الخير."])
        // What fails is told for each, and ends nothing.
        let failed = try await hala.translateAll(texts, options: TranslateOptions(from: .arabic, to: .arabic))
        for result in failed {
            XCTAssertThrowsError(try result.get()) { XCTAssertEqual(($0 as? HalaError)?.code, .sameLanguage) }
        }
        XCTAssertEqual(failed.count, 3)

        var ends: [Int] = []
        for try await ended in hala.translateAllStreaming(texts) {
            XCTAssertNoThrow(try ended.result.get())
            ends.append(ended.index)
        }
        XCTAssertEqual(ends, [0, 1, 2])
        let none = try await hala.translateAll([])
        XCTAssertTrue(none.isEmpty)
    }

    func testAModelThatIsNoTranslatorSaysSo() async throws {
        let tiny = try await Hala.load(.path(Shared.tiny), options: LoadOptions(backend: .cpu))
        _ = await code { try await tiny.translate(Shared.english) }
        _ = await code { for try await _ in tiny.translateStreaming(Shared.english) {} }
    }

    func testEightTasksGetWhatOneGets() async throws {
        let hala = try await Shared.hala
        let texts = [Shared.english, Shared.arabic, "Good morning.", "شكرا.", Shared.joined, "I am fine.", "كيف حالك؟", "Thanks."]
        var alone: [String] = []
        for text in texts {
            alone.append(try await hala.translate(text).text)
        }
        let together = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for (index, text) in texts.enumerated() {
                group.addTask { (index, try await hala.translate(text).text) }
            }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        XCTAssertEqual(texts.indices.map { together[$0] }, alone)
    }
}
