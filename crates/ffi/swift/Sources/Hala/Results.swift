// What comes back: translations, completions, and what there is to know of models.

/// A part of a text, in bytes of UTF-8 as `String.utf8` counts.
public struct UTF8Range: Sendable, Hashable {
    /// The first byte.
    public let start: Int
    /// The byte after the last.
    public let end: Int

    /// The part of `text`; none where the range is not of that text.
    public func of(_ text: String) -> Substring? {
        let utf8 = text.utf8
        guard start <= end, let from = utf8.index(utf8.startIndex, offsetBy: start, limitedBy: utf8.endIndex),
            let to = utf8.index(from, offsetBy: end - start, limitedBy: utf8.endIndex)
        else { return nil }
        return Substring(utf8[from..<to])
    }
}

extension UTF8Range: Decodable {
    /// From `[start, end]`.
    public init(from decoder: any Decoder) throws {
        var pair = try decoder.unkeyedContainer()
        start = try pair.decode(Int.self)
        end = try pair.decode(Int.self)
    }
}

/// Tokens of an answer, as the OpenAI API counts them.
public struct Usage: Sendable, Hashable, Decodable {
    public let promptTokens: Int
    public let completionTokens: Int
    public let totalTokens: Int
    private let promptTokensDetails: PromptDetails?
    private let completionTokensDetails: CompletionDetails?

    /// Tokens of the prompt that were still held from before and cost nothing.
    public var cachedTokens: Int { promptTokensDetails?.cachedTokens ?? 0 }
    /// Tokens of thoughts before the answer.
    public var reasoningTokens: Int { completionTokensDetails?.reasoningTokens ?? 0 }

    private struct PromptDetails: Sendable, Hashable, Decodable {
        let cachedTokens: Int?
    }

    private struct CompletionDetails: Sendable, Hashable, Decodable {
        let reasoningTokens: Int?
    }
}

/// Where the time went.
public struct Timings: Sendable, Hashable, Decodable {
    /// Milliseconds for the prompt.
    public let promptMs: Double
    /// Tokens of the prompt a second.
    public let promptPerSecond: Double
    /// Milliseconds for the tokens after the first.
    public let predictedMs: Double
    /// Tokens a second after the first.
    public let predictedPerSecond: Double
}

/// A whole translation.
public struct Translation: Sendable, Hashable, Decodable {
    /// A sentence and its translation, and what there is to say of it.
    public struct Segment: Sendable, Hashable, Decodable {
        /// Its place in the text.
        public let source: UTF8Range
        /// Its place in the translation.
        public let target: UTF8Range
        /// Why it was copied instead of translated.
        public let copied: String?
        /// What was done where the model began to repeat itself: `retried` or `cut`.
        public let looped: String?
        /// True where it ran into its limit.
        public let truncated: Bool?
        /// The language that it seems to be in, where that is neither Arabic nor English.
        public let otherLanguage: String?
    }

    /// The translation.
    public let text: String
    /// The language of the text.
    public let from: Language
    /// The language of the translation.
    public let to: Language
    /// Which sentence became which.
    public let segments: [Segment]
    /// Why it ended: `stop`, or `length` where a sentence ran into its limit.
    public let finishReason: String
    public let usage: Usage
    public let timings: Timings
    /// The language that the text seems to be in, where that is neither Arabic nor English.
    public let otherLanguage: String?
}

/// A piece of a translation, in whole characters; it follows the one before.
public struct Piece: Sendable, Hashable {
    public let text: String
    /// The sentence, or the white space, of which it is the translation, in the text that was given.
    public let source: UTF8Range
    /// Where it is in the translation.
    public let target: UTF8Range
}

/// How one of several texts ended.
public struct TranslatedText: Sendable {
    /// Which text, from 0.
    public let index: Int
    /// Its translation, or why there is none.
    public let result: Result<Translation, HalaError>
}

/// All replies to a conversation, in the shape of the OpenAI API.
public struct ChatCompletion: Sendable, Hashable, Decodable {
    /// A whole reply.
    public struct Choice: Sendable, Hashable, Decodable {
        public let index: Int
        public let message: Message
        /// Why it ended: `stop` or `length`.
        public let finishReason: String
        /// Of each token, where asked for, as in the OpenAI API.
        public let logprobs: JSONValue?
    }

    /// A reply as a message.
    public struct Message: Sendable, Hashable, Decodable {
        public let role: String
        public let content: String
        /// What the model thought before it answered, where it did.
        public let reasoningContent: String?
    }

    public let id: String
    public let created: Int
    public let model: String
    public let choices: [Choice]
    /// Of all together, the prompt counted once.
    public let usage: Usage
    public let timings: Timings

    /// The text of the first reply.
    public var text: String { choices.first?.message.content ?? "" }
}

/// Texts after a prompt, in the shape of the OpenAI API.
public struct TextCompletion: Sendable, Hashable, Decodable {
    /// A whole text.
    public struct Choice: Sendable, Hashable, Decodable {
        public let index: Int
        public let text: String
        /// Why it ended: `stop` or `length`.
        public let finishReason: String
        /// Of each token, where asked for, as in the OpenAI API.
        public let logprobs: JSONValue?
    }

    public let id: String
    public let created: Int
    public let model: String
    public let choices: [Choice]
    /// Of all together, the prompt counted once.
    public let usage: Usage
    public let timings: Timings

    /// The first text.
    public var text: String { choices.first?.text ?? "" }
}

/// What comes of a conversation while it is answered. `index` is which reply, from 0; texts come in whole characters.
public enum ChatEvent: Sendable, Hashable {
    /// The next of a reply.
    case text(String, index: Int)
    /// The next of what the model thinks before it answers.
    case reasoning(String, index: Int)
    /// A call of a function, as in `tool_calls` of the OpenAI API. No model's are told apart yet.
    case toolCall(JSONValue, index: Int)
    /// The end of all replies, with all that was said.
    case done(ChatCompletion)
}

/// What comes of a prompt while it is gone on with. `index` is which text, from 0; texts come in whole characters.
public enum TextEvent: Sendable, Hashable {
    /// The next of a text.
    case text(String, index: Int)
    /// The end of all texts, with all that was written.
    case done(TextCompletion)
}

/// What was loaded and what runs it.
public struct ModelInfo: Sendable, Hashable, Decodable {
    /// The family, as config.json's `model_type` has it.
    public let family: String
    /// Elements in all weights.
    public let parameters: Int
    public let layers: Int
    public let width: Int
    public let vocabulary: Int
    /// Tokens that a sequence can hold.
    public let context: Int
    /// Tokens that the model was made for.
    public let maxContext: Int
    /// Bytes of all weights as they are held.
    public let weightBytes: Int
    public let cacheBytesPerToken: Int
    /// How a chat chooses tokens where its request does not say.
    public let sampling: JSONValue?
    /// `cpu` or `wgpu`.
    public let backend: String
    /// The device in its maker's words.
    public let device: String
    /// Why it is this device, in words.
    public let reason: String?
    /// The same as a word: `asked`, `gpu`, `small-model`, `no-adapter`, or why a GPU is left alone, as `died` or `slower-than-cpu`.
    public let reasonCode: String?
    public let subgroups: Bool
    /// Threads that compute.
    public let threads: Int
}

/// Bytes that a model will take at most, known from the headers of its files. A run's activations are not among them: some 20 MB for 350
/// million parameters.
public struct Estimate: Sendable, Hashable {
    /// Of all weights as they will be held.
    public let weightBytes: UInt64
    /// Of the tokenizer.
    public let tokenizerBytes: UInt64
    /// Of caches for one token.
    public let cacheBytesPerToken: UInt64
    /// Of caches and states of a session that fills its context.
    public let sessionBytes: UInt64
    /// The most while the model is loaded.
    public let peakBytes: UInt64
}
