// What was loaded, and what an answer cost.

package org.hala

/**
 * What was loaded and what runs it.
 *
 * @property version Version of the library.
 * @property family The model's, as config.json's `model_type` has it.
 * @property parameters Elements in all weights.
 * @property context Tokens that a conversation can hold.
 * @property maxContext Tokens that the model was made for.
 * @property weightBytes All weights as they are held.
 * @property cacheBytesPerToken Keys and values of one token.
 * @property backend `cpu` or `wgpu`.
 * @property device The device in its maker's words.
 * @property reason Why it is this device, in words.
 * @property reasonCode The same as a word: `asked`, `gpu`, `small-model`, `no-adapter`, or why a GPU is left alone, as `died` or `slower-than-cpu`.
 * @property threads Threads that compute.
 */
public data class HalaInfo(
    val version: String,
    val family: String,
    val parameters: Long,
    val layers: Int,
    val width: Int,
    val vocabulary: Int,
    val context: Int,
    val maxContext: Int,
    val weightBytes: Long,
    val cacheBytesPerToken: Long,
    val backend: String,
    val device: String,
    val reason: String,
    val reasonCode: String,
    val threads: Int,
) {
    internal companion object {
        fun of(told: Fields) = HalaInfo(
            version = Native.version().decodeToString(),
            family = told.text("family"),
            parameters = told.long("parameters"),
            layers = told.int("layers"),
            width = told.int("width"),
            vocabulary = told.int("vocabulary"),
            context = told.int("context"),
            maxContext = told.int("maxContext"),
            weightBytes = told.long("weightBytes"),
            cacheBytesPerToken = told.long("cacheBytesPerToken"),
            backend = told.text("backend"),
            device = told.text("device"),
            reason = told.text("reason"),
            reasonCode = told.text("reasonCode"),
            threads = told.int("threads"),
        )
    }
}

/**
 * Tokens of an answer.
 *
 * @property cachedTokens Of the prompt's, those that were still held from before and cost nothing.
 * @property reasoningTokens Of the answer's, those of a thought before it.
 */
public data class Usage(val promptTokens: Int, val completionTokens: Int, val cachedTokens: Int, val reasoningTokens: Int) {
    internal companion object {
        fun of(told: Fields) = Usage(
            promptTokens = told.int("prompt_tokens"),
            completionTokens = told.int("completion_tokens"),
            cachedTokens = told.fields("prompt_tokens_details").int("cached_tokens"),
            reasoningTokens = told.fields("completion_tokens_details").int("reasoning_tokens"),
        )
    }
}

/** Where the time of an answer went, in milliseconds and in tokens a second. */
public data class Timings(
    val promptMs: Double,
    val promptPerSecond: Double,
    val predictedMs: Double,
    val predictedPerSecond: Double,
) {
    internal companion object {
        fun of(told: Fields) = Timings(
            promptMs = told.double("prompt_ms"),
            promptPerSecond = told.double("prompt_per_second"),
            predictedMs = told.double("predicted_ms"),
            predictedPerSecond = told.double("predicted_per_second"),
        )
    }
}

/** Why an answer ended. */
public enum class FinishReason {
    /** It was at its end, or at a stop string. */
    STOP,

    /** It ran into a limit of tokens. */
    LENGTH;

    internal companion object {
        fun of(word: String) = if (word == "length") LENGTH else STOP
    }
}
