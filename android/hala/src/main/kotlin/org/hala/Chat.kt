// Conversations.

package org.hala

import java.io.File
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/** A message of a conversation. */
public data class ChatMessage(val role: Role, val content: String, val reasoning: String? = null) {
    /** Who says it. */
    public enum class Role(internal val word: String) {
        SYSTEM("system"),
        USER("user"),
        ASSISTANT("assistant"),
        TOOL("tool"),
    }

    internal fun told(): Map<String, Any> =
        Json.given("role" to role.word, "content" to content, "reasoning_content" to reasoning)
}

/**
 * How text is generated. What is null is as the model's publisher has it.
 *
 * @property temperature 0 takes the likeliest token; higher is more varied.
 * @property topP Chooses among the likeliest tokens that together reach this probability.
 * @property topK Chooses among this many of the likeliest tokens.
 * @property minP Chooses among tokens at least this many times as likely as the likeliest.
 * @property repetitionPenalty Makes tokens of prompt and output less likely by this factor.
 * @property frequencyPenalty Taken off a token's logit for each time it is in the output.
 * @property presencePenalty Taken off a token's logit once it is in the output.
 * @property logitBias Added to the logits of ids.
 * @property seed The same seed gives the same text.
 * @property stop Strings that end the text; they are not part of it.
 * @property maxTokens The most tokens.
 */
public data class GenerateOptions(
    val temperature: Float? = null,
    val topP: Float? = null,
    val topK: Int? = null,
    val minP: Float? = null,
    val repetitionPenalty: Float? = null,
    val frequencyPenalty: Float? = null,
    val presencePenalty: Float? = null,
    val logitBias: Map<Int, Float> = emptyMap(),
    val seed: Long? = null,
    val stop: List<String> = emptyList(),
    val maxTokens: Int? = null,
) {
    internal fun told(): Map<String, Any> = Json.given(
        "temperature" to temperature,
        "top_p" to topP,
        "top_k" to topK,
        "min_p" to minP,
        "repetition_penalty" to repetitionPenalty,
        "frequency_penalty" to frequencyPenalty,
        "presence_penalty" to presencePenalty,
        "logit_bias" to logitBias.ifEmpty { null },
        "seed" to seed,
        "stop" to stop.ifEmpty { null },
        "max_tokens" to maxTokens,
    )
}

/**
 * How a conversation is answered.
 *
 * @property tools Functions that the model may call, each a description in JSON.
 * @property templateVariables Variables for the model's chat template, such as `enable_thinking` to false.
 * @property dropsOldest Whether the oldest turns are left out when the conversation outgrows the context; else that is an error.
 */
public data class ChatOptions(
    val generate: GenerateOptions = GenerateOptions(),
    val tools: List<String> = emptyList(),
    val templateVariables: Map<String, Any?> = emptyMap(),
    val dropsOldest: Boolean = false,
) {
    internal fun told(): Map<String, Any> = generate.told() + Json.given(
        "tools" to tools.map { Json.parse(it) }.ifEmpty { null },
        "chat_template_kwargs" to templateVariables.ifEmpty { null },
        "overflow" to if (dropsOldest) "drop-oldest" else null,
    )
}

/** What comes of a reply, or of a text, while it goes on. */
public sealed interface ReplyEvent {
    /** The next of the text, in whole characters. */
    public data class Text(val text: String) : ReplyEvent

    /** The next of what the model thinks before it answers. */
    public data class Reasoning(val text: String) : ReplyEvent

    /** Functions that the model calls, each as JSON in the words of the OpenAI API. No model's calls are told apart yet. */
    public data class ToolCalls(val calls: List<String>) : ReplyEvent

    /** The end. */
    public data class Done(val reply: Reply) : ReplyEvent
}

/** A whole reply, or a whole text. */
public data class Reply(
    val text: String,
    val reasoning: String?,
    val finishReason: FinishReason,
    val usage: Usage,
    val timings: Timings,
) {
    internal companion object {
        /** Of a completion of the OpenAI API, of either kind. */
        fun of(told: Fields): Reply {
            val choice = told.list("choices").firstOrNull() ?: Fields(emptyMap<String, Any?>())
            val message = choice.fields("message")
            return Reply(
                text = message.textGiven("content") ?: choice.text("text"),
                reasoning = message.textGiven("reasoning_content"),
                finishReason = FinishReason.of(choice.text("finish_reason")),
                usage = Usage.of(told.fields("usage")),
                timings = Timings.of(told.fields("timings")),
            )
        }
    }
}

/** An event of the native library as one of a reply; null for what only later versions know. */
internal fun replyEvent(told: Fields): ReplyEvent? = when (told.int("kind")) {
    Kind.TEXT -> ReplyEvent.Text(told.text("text"))
    Kind.REASONING -> ReplyEvent.Reasoning(told.text("text"))
    Kind.TOOL_CALL -> ReplyEvent.ToolCalls(listOf(told.json("answer")))
    Kind.DONE -> ReplyEvent.Done(Reply.of(told.fields("answer")))
    else -> null
}

/** Kinds of events, as HalaEventKind of the C interface has them. */
internal object Kind {
    const val TEXT = 1
    const val REASONING = 2
    const val TOOL_CALL = 3
    const val DONE = 4
    const val FAILED = 5
}

/**
 * A conversation, which keeps what was computed of it between its turns. One turn at a time; several conversations of one [Hala] run together.
 */
public class Chat internal constructor(
    private val engine: Handle,
    private val session: Handle,
    messages: List<ChatMessage>,
    private val options: ChatOptions,
) : AutoCloseable {
    private val said = ArrayList(messages)
    private val isBusy = AtomicBoolean(false)

    /** What was said so far. */
    public val messages: List<ChatMessage> get() = synchronized(said) { said.toList() }

    /**
     * Says something, and gives the answer while it comes. The model goes as far as the flow is collected: `buffer()` lets it run ahead.
     *
     * Whoever stops collecting stops the model before its next token; what was answered till then stays in [messages], and a turn without any answer,
     * or one that fails, leaves them as they were. A turn that is collected while another goes on throws at once, with code [HalaException.BUSY].
     */
    public fun send(content: String): Flow<ReplyEvent> = flow {
        if (!isBusy.compareAndSet(false, true)) {
            throw HalaException(HalaException.BUSY, "the chat is at work: wait for the end of its turn, or cancel it")
        }
        val turn = Turn(ChatMessage(ChatMessage.Role.USER, content))
        try {
            val request = Json.bytes(options.told() + mapOf("messages" to (messages + turn.asked).map { it.told() }))
            Pull.STREAM.each({ engine.use { e -> session.use { s -> Native.chat(e, s, request) } } }) { _, told ->
                replyEvent(told)?.let { turn.note(it); emit(it) }
            }
        } catch (failure: HalaException) {
            turn.fail()
            throw failure
        } finally {
            turn.answer()?.let { answer -> synchronized(said) { said.add(turn.asked); said.add(answer) } }
            isBusy.set(false)
        }
    }

    /**
     * Writes what was computed to a file, from which [Hala.restoreSession] goes on without computing it again. The app keeps [messages] itself. Throws
     * with code [HalaException.BUSY] while a turn goes on.
     */
    public suspend fun saveSession(file: File): Unit = aside { session.use { Native.sessionSave(it, file.path.encodeToByteArray()) } }

    /** Lets go of what was computed; a turn that goes on comes to its end. */
    override fun close(): Unit = session.close()
}

/** A turn while it goes on. */
private class Turn(val asked: ChatMessage) {
    private val text = StringBuilder()
    private val reasoning = StringBuilder()
    private var hasFailed = false
    private var isDone = false

    fun note(event: ReplyEvent) {
        when (event) {
            is ReplyEvent.Text -> text.append(event.text)
            is ReplyEvent.Reasoning -> reasoning.append(event.text)
            is ReplyEvent.Done -> {
                text.setLength(0)
                text.append(event.reply.text)
                isDone = true
            }
            is ReplyEvent.ToolCalls -> Unit
        }
    }

    fun fail() {
        hasFailed = true
    }

    fun answer(): ChatMessage? =
        if (hasFailed || !isDone && text.isEmpty()) null
        else ChatMessage(ChatMessage.Role.ASSISTANT, text.toString(), reasoning.toString().ifEmpty { null })
}
