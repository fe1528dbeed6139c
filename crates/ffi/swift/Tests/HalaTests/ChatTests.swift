// Conversations, prompts, tokens and sessions.

import XCTest

@testable import Hala

final class ChatTests: XCTestCase {
    private let options = ChatOptions(sampling: .greedy, maxTokens: 12)

    func testAReplyComesInPiecesAndThenWhole() async throws {
        let hala = try await Shared.hala
        var text = ""
        var done: ChatCompletion?
        for try await event in hala.chatStreaming([.user("Good morning.")], options: options) {
            switch event {
            case .text(let piece, index: 0): text += piece
            case .done(let completion): done = completion
            default: XCTFail("unexpected: \(event)")
            }
        }
        XCTAssertEqual(done?.text, text)
        XCTAssertFalse(text.isEmpty)
        let whole = try await hala.chat([.user("Good morning.")], options: options)
        XCTAssertEqual(whole.text, text)
        XCTAssertEqual(whole.choices[0].message.role, "assistant")
        XCTAssertEqual(whole.usage.promptTokens, try hala.countPrompt([.user("Good morning.")]))
    }

    func testASessionKeepsItsTokens() async throws {
        let hala = try await Shared.hala
        let session = try hala.session()
        var messages = [ChatMessage.user("Good morning.")]
        let first = try await hala.chat(messages, options: options, session: session)
        messages += [.assistant(first.text), .user("Thanks.")]
        let second = try await hala.chat(messages, options: options, session: session)
        XCTAssertGreaterThanOrEqual(second.usage.cachedTokens, first.usage.promptTokens)
        let alone = try await hala.chat(messages, options: options)
        XCTAssertEqual(second.text, alone.text)
    }

    func testASessionIsSavedAndRestored() async throws {
        let hala = try await Shared.hala
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("جلسة-\(UUID()).session").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let session = try hala.session()
        var messages = [ChatMessage.user("Good morning.")]
        let first = try await hala.chat(messages, options: options, session: session)
        try await session.save(to: path)
        messages += [.assistant(first.text), .user("Thanks.")]
        let expected = try await hala.chat(messages, options: options, session: session)

        let again = try await Hala.load(options: LoadOptions(threads: 1))
        let restored = try await again.restoreSession(from: path)
        let told = try await again.chat(messages, options: options, session: restored)
        XCTAssertEqual(told.text, expected.text)
        XCTAssertEqual(told.usage.cachedTokens, expected.usage.cachedTokens)
        XCTAssertGreaterThan(told.usage.cachedTokens, 0)

        let tiny = try await Hala.load(.path(Shared.tiny), options: LoadOptions(backend: .cpu))
        let other = await code { try await tiny.restoreSession(from: path) }
        XCTAssertEqual(other, .otherModel)
        try Data("no session".utf8).write(to: URL(fileURLWithPath: path))
        let damaged = await code { try await hala.restoreSession(from: path) }
        XCTAssertEqual(damaged, .damagedSequence)
        let missing = await code { try await hala.restoreSession(from: path + "/none") }
        XCTAssertNotNil(missing)
        let nowhere = await code { try await session.save(to: "") }
        XCTAssertEqual(nowhere, .invalidArgument)
    }

    func testASessionHasOneTurnAtATime() async throws {
        let hala = try await Shared.hala
        let session = try hala.session()
        for try await _ in hala.generateStreaming("Good morning", options: Shared.long, session: session) {
            let second = await code { try await hala.generate("Hi", session: session) }
            XCTAssertEqual(second, .busy)
            break
        }
        // The turn that was left ends by itself, and the session goes on.
        while true {
            do {
                _ = try await hala.generate("Hi", options: TextOptions(maxTokens: 1), session: session)
                break
            } catch let error as HalaError where error.code == .busy {
                await Task.yield()
            }
        }
    }

    func testAPromptIsGoneOnWith() async throws {
        let hala = try await Shared.hala
        var options = TextOptions(sampling: .greedy, maxTokens: 5, ignoreEos: true)
        let told = try await hala.generate("Good", options: options)
        XCTAssertEqual(told.usage.completionTokens, 5)
        let same = try await hala.generate(.tokens(hala.tokenize("Good", special: true)), options: options)
        XCTAssertEqual(same.text, told.text)
        options.logprobs = 2
        let explained = try await hala.generate("Good", options: options)
        guard case .object(let logprobs)? = explained.choices[0].logprobs, case .array(let tokens)? = logprobs["content"] else {
            return XCTFail("no log-probabilities: \(explained.choices[0])")
        }
        XCTAssertEqual(tokens.count, 5)
    }

    /// Tokens of the built-in model, most of them single bytes, that make a woman joined to a rocket.
    func testAJoinedEmojiComesWhole() async throws {
        let hala = try await Shared.hala
        let ids: [UInt32] = [180, 261, 247, 110, 166, 230, 243, 4566]
        XCTAssertEqual(try hala.detokenize(ids), "👩‍🚀")
        var sampling = Sampling.greedy
        // Each is likelier than the next, and much less so once it was taken.
        sampling.frequencyPenalty = 1000
        sampling.logitBias = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, Double(10000 - 60 * $0)) })
        let options = TextOptions(sampling: sampling, maxTokens: ids.count, ignoreEos: true)
        var pieces: [String] = []
        for try await case .text(let piece, index: _) in hala.generateStreaming(.tokens([1]), options: options) {
            pieces.append(piece)
        }
        XCTAssertEqual(pieces, ["👩‍🚀"])
    }

    func testTokensAreThoseOfTheText() async throws {
        let hala = try await Shared.hala
        for text in [Shared.arabic, Shared.joined, ""] {
            XCTAssertEqual(try hala.detokenize(hala.tokenize(text, bos: false)), text)
        }
        XCTAssertEqual(try hala.tokenize("a").count, try hala.tokenize("a", bos: false).count + 1)
    }

    func testRequestsAreRefusedWithTheirCodes() async throws {
        let hala = try await Shared.hala
        let hot = await code { try await hala.chat([.user("Hi")], options: ChatOptions(sampling: Sampling(temperature: -1))) }
        XCTAssertEqual(hot, .invalidRequest)
        let noNumber = await code {
            try await hala.chat([.user("Hi")], options: ChatOptions(sampling: Sampling(temperature: .nan)))
        }
        XCTAssertEqual(noNumber, .invalidRequest)
        let long = await code { try await hala.chat([.user(String(repeating: "كلمة ", count: 4000))]) }
        XCTAssertEqual(long, .contextLengthExceeded)
    }
}
