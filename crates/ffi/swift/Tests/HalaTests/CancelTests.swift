// Stopping what was begun: in prefill, in decode, while loading, and by leaving a loop.

import CHala
import XCTest

@testable import Hala

final class CancelTests: XCTestCase {
    /// A begin that tells when work has begun.
    private func telling(_ begin: @escaping Begin, _ begun: AsyncStream<Void>.Continuation) -> Begin {
        { flag, place in
            let status = try begin(flag, place)
            begun.yield()
            return status
        }
    }

    private func beginning(_ hala: Hala, _ prompt: Prompt) -> Begin {
        hala.beginRunning(Request(prompt, Shared.long), nil) { hala_generate_start($0, $1, $2, $3) }
    }

    func testALongPromptIsStopped() async throws {
        let hala = try await Shared.hala
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        let begin = telling(beginning(hala, Shared.longPrompt), continuation)
        let task = Task { try await whole(begin, as: TextCompletion.self) }
        for await _ in begun { break }
        task.cancel()
        let error = await thrown { try await task.value }
        XCTAssertTrue(error is CancellationError, String(describing: error))
    }

    func testAStreamThatIsLeftBeforeItsFirstPieceComputesNone() async throws {
        let hala = try await Shared.hala
        let (begun, isBegun) = AsyncStream.makeStream(of: Void.self)
        let (ended, isEnded) = AsyncStream.makeStream(of: Void.self)
        let (begin, events) = (telling(beginning(hala, Shared.longPrompt), isBegun), Counter())
        let cancelled = DispatchSemaphore(value: 0)
        let task = Task {
            let token = Token { isEnded.yield() }
            let held: Begin = { flag, place in
                let status = try begin(flag, place)
                cancelled.wait()
                return status
            }
            let texts = stream(held) { told in
                withExtendedLifetime(token) { _ = events.grow() }
                return told.text
            }
            for try await _ in texts {}
        }
        for await _ in begun { break }
        task.cancel()
        cancelled.signal()
        for await _ in ended { break }
        XCTAssertEqual(events.value, 0)
    }

    func testWorkEndsBeforeItsNextToken() async throws {
        let hala = try await Shared.hala
        let begin = beginning(hala, "Good morning")
        let flag = Flag()
        let events = Counter()
        let error = await code {
            try await onThread(Flag()) {
                try drive(begin, under: flag) { _ in
                    if events.grow() == 3 { flag.raise() }
                    return true
                }
            }
        }
        XCTAssertEqual(error, .aborted)
        // What was certain before the flag was raised is told yet, and no more.
        XCTAssertTrue((3...5).contains(events.value), "\(events.value)")
    }

    /// Each way to leave a stream ends its thread long before the text's end.
    func testALoopThatIsLeftEndsTheWork() async throws {
        let hala = try await Shared.hala
        for cancels in [false, true] {
            let (ended, continuation) = AsyncStream.makeStream(of: Void.self)
            let (begin, events) = (beginning(hala, "Good morning"), Counter())
            let task = Task {
                // Whoever works has it; when the work has ended nobody has.
                let token = Token { continuation.yield() }
                let texts = stream(begin) { told in
                    withExtendedLifetime(token) { _ = events.grow() }
                    return told.text
                }
                for try await _ in texts {
                    if cancels {
                        withUnsafeCurrentTask { $0?.cancel() }
                    } else {
                        break
                    }
                }
            }
            try await task.value
            for await _ in ended { break }
            XCTAssertLessThan(events.value, 1000)
        }
        let after = try await hala.translate("Good morning.").text
        XCTAssertEqual(after, "صباح الخير.")
    }

    func testATaskThatWasCancelledBeginsNothing() async throws {
        let hala = try await Shared.hala
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await hala.translate(Shared.english)
        }
        let error = await thrown { try await task.value }
        XCTAssertTrue(error is CancellationError, String(describing: error))
    }

    func testManyTranslationsAreStopped() async throws {
        let hala = try await Shared.hala
        let task = Task {
            for try await _ in hala.translateAllStreaming(Array(repeating: Shared.english, count: 2000)) {
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        try await task.value
        let after = try await hala.translate("Good morning.").text
        XCTAssertEqual(after, "صباح الخير.")
    }

    func testLoadingIsStopped() async throws {
        let (begun, continuation) = AsyncStream.makeStream(of: Void.self)
        let (cancelled, go) = (DispatchSemaphore(value: 0), Counter())
        let task = Task {
            try await Hala.load { _ in
                // The first step waits until the task was cancelled.
                guard go.grow() == 1 else { return }
                continuation.yield()
                cancelled.wait()
            }
        }
        for await _ in begun { break }
        task.cancel()
        cancelled.signal()
        let error = await thrown { try await task.value }
        XCTAssertTrue(error is CancellationError, String(describing: error))
    }
}

/// Tells when nobody has it any more.
private final class Token: Sendable {
    let ended: @Sendable () -> Void

    init(_ ended: @escaping @Sendable () -> Void) {
        self.ended = ended
    }

    deinit {
        ended()
    }
}
