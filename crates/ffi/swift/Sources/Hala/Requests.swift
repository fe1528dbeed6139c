// What is asked of a model that talks.

/// One message of a conversation.
public struct ChatMessage: Sendable, Hashable, Encodable {
    public enum Role: String, Sendable, Encodable {
        case system, user, assistant, tool
    }

    public var role: Role
    public var content: String
    /// What the model thought before it answered, as its reply had it. Whether it becomes part of the prompt is for the model's template to say.
    public var reasoningContent: String?

    public init(role: Role, content: String, reasoningContent: String? = nil) {
        self.role = role
        self.content = content
        self.reasoningContent = reasoningContent
    }

    public static func system(_ content: String) -> ChatMessage { ChatMessage(role: .system, content: content) }
    public static func user(_ content: String) -> ChatMessage { ChatMessage(role: .user, content: content) }
    public static func assistant(_ content: String) -> ChatMessage { ChatMessage(role: .assistant, content: content) }
}

/// How tokens are chosen. What is left out is as the model's publisher has it.
public struct Sampling: Sendable, Hashable {
    /// 0 takes the likeliest token; higher is more varied.
    public var temperature: Double?
    /// Chooses among the likeliest tokens that together reach this probability.
    public var topP: Double?
    /// Chooses among this many of the likeliest tokens; 0 for all.
    public var topK: Int?
    /// Chooses among tokens at least this many times as likely as the likeliest.
    public var minP: Double?
    /// Makes tokens of prompt and output less likely by this factor.
    public var repetitionPenalty: Double?
    public var frequencyPenalty: Double?
    public var presencePenalty: Double?
    /// Added to the logits of ids.
    public var logitBias: [UInt32: Double]?
    /// The same seed gives the same text.
    public var seed: UInt64?

    public init(temperature: Double? = nil, topP: Double? = nil, topK: Int? = nil, minP: Double? = nil, seed: UInt64? = nil) {
        self.temperature = temperature
        self.topP = topP
        self.topK = topK
        self.minP = minP
        self.seed = seed
    }

    /// The likeliest token each time.
    public static let greedy = Sampling(temperature: 0)
}

/// How a conversation is answered.
public struct ChatOptions: Sendable, Hashable {
    public var sampling: Sampling
    /// The most tokens of a reply.
    public var maxTokens: Int?
    /// How many replies.
    public var n: Int?
    /// Strings that end a reply; they are not part of it.
    public var stop: [String]?
    /// Whether each token comes with its log-probability.
    public var logprobs: Bool?
    /// Log-probabilities of so many of the likeliest tokens besides.
    public var topLogprobs: Int?
    /// Descriptions of functions that the model may call.
    public var tools: [JSONValue]?
    /// Variables for the chat template.
    public var chatTemplateKwargs: [String: JSONValue]?

    public init(sampling: Sampling = Sampling(), maxTokens: Int? = nil, stop: [String]? = nil) {
        self.sampling = sampling
        self.maxTokens = maxTokens
        self.stop = stop
    }
}

/// How a prompt is gone on with.
public struct TextOptions: Sendable, Hashable {
    public var sampling: Sampling
    /// The most tokens of a text.
    public var maxTokens: Int?
    /// How many texts.
    public var n: Int?
    /// Strings that end a text; they are not part of it.
    public var stop: [String]?
    /// Log-probabilities of each token and of so many of the likeliest besides.
    public var logprobs: Int?
    /// Goes on after the model's end-of-text tokens.
    public var ignoreEos: Bool?

    public init(sampling: Sampling = Sampling(), maxTokens: Int? = nil, stop: [String]? = nil, ignoreEos: Bool? = nil) {
        self.sampling = sampling
        self.maxTokens = maxTokens
        self.stop = stop
        self.ignoreEos = ignoreEos
    }
}

/// A prompt in the model's own format: special tokens in its text are special.
public enum Prompt: Sendable, Hashable, ExpressibleByStringLiteral, Encodable {
    case text(String)
    case tokens([UInt32])

    public init(stringLiteral value: String) { self = .text(value) }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .text(let text): try value.encode(text)
        case .tokens(let ids): try value.encode(ids)
        }
    }
}

/// A request as the OpenAI API has it: one of messages and prompt.
struct Request: Encodable {
    var messages: [ChatMessage]?
    var prompt: Prompt?
    var temperature: Double?
    var topP: Double?
    var topK: Int?
    var minP: Double?
    var repetitionPenalty: Double?
    var frequencyPenalty: Double?
    var presencePenalty: Double?
    var logitBias: [String: Double]?
    var seed: UInt64?
    var maxTokens: Int?
    var n: Int?
    var stop: [String]?
    var logprobs: JSONValue?
    var topLogprobs: Int?
    var tools: [JSONValue]?
    var chatTemplateKwargs: [String: JSONValue]?
    var ignoreEos: Bool?

    init(_ messages: [ChatMessage], _ options: ChatOptions) {
        self.messages = messages
        take(options.sampling)
        maxTokens = options.maxTokens
        n = options.n
        stop = options.stop
        logprobs = options.logprobs.map { .bool($0) }
        topLogprobs = options.topLogprobs
        tools = options.tools
        chatTemplateKwargs = options.chatTemplateKwargs
    }

    init(_ prompt: Prompt, _ options: TextOptions) {
        self.prompt = prompt
        take(options.sampling)
        maxTokens = options.maxTokens
        n = options.n
        stop = options.stop
        logprobs = options.logprobs.map { .number(Double($0)) }
        ignoreEos = options.ignoreEos
    }

    private mutating func take(_ sampling: Sampling) {
        temperature = sampling.temperature
        topP = sampling.topP
        topK = sampling.topK
        minP = sampling.minP
        repetitionPenalty = sampling.repetitionPenalty
        frequencyPenalty = sampling.frequencyPenalty
        presencePenalty = sampling.presencePenalty
        logitBias = sampling.logitBias.map { bias in
            Dictionary(uniqueKeysWithValues: bias.map { (String($0.key), $0.value) })
        }
        seed = sampling.seed
    }
}
