// A model on this device, as apps use it.

package org.hala

import java.io.File
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * A loaded model. May be used from any thread; what waits does so on threads that may, and several calls at once run together.
 *
 * Closing lets go of the model: what is under way comes to its end. One that nobody closes is let go of when nobody can reach it any more.
 */
public class Hala private constructor(internal val engine: Handle, info: HalaInfo) : AutoCloseable {
    /** What was loaded and what runs it, as of the loading or the last [refresh]. */
    @Volatile public var info: HalaInfo = info
        private set

    /** Looks at backend and device again, which may be others after a lost device. */
    public suspend fun refresh(): HalaInfo = aside { infoOf(engine) }.also { info = it }

    /**
     * Translates a text between Arabic and English; sentences, paragraphs and white space stay where they were.
     *
     * @param from The language of the text; found out where it is not given.
     * @param to The language wanted; the other one where it is not given.
     */
    public suspend fun translate(text: String, from: Language? = null, to: Language? = null): Translation {
        lateinit var translation: Translation
        translateStreaming(text, from, to).collect { if (it is TranslationEvent.Done) translation = it.translation }
        return translation
    }

    /** As [translate], while it comes. The model goes as far as the flow is collected: `buffer()` lets it run ahead. */
    public fun translateStreaming(text: String, from: Language? = null, to: Language? = null): Flow<TranslationEvent> = flow {
        val request = Json.bytes(request(text, from, to))
        val source = Utf16(text)
        var target = 0
        Pull.STREAM.each({ engine.use { Native.translate(it, request) } }) { _, told ->
            when (told.int("kind")) {
                Kind.TEXT -> {
                    val piece = told.text("text")
                    val start = target
                    target += piece.length
                    emit(TranslationEvent.Text(piece, source.span(told.span("source")), Span(start, target)))
                }
                Kind.DONE -> emit(TranslationEvent.Done(Translation.of(told.fields("answer"), text)))
            }
        }
    }

    /** Translates texts, as many at once as the device likes, in their order. What is wrong with one of them stops no other. */
    public fun translateAll(texts: List<String>, from: Language? = null, to: Language? = null): Flow<TranslatedItem> = flow {
        val requests = Json.bytes(texts.map { request(it, from, to) })
        Pull.STREAM.each({ engine.use { Native.translateAll(it, requests) } }) { _, told ->
            val index = told.int("index")
            when (told.int("kind")) {
                Kind.DONE -> {
                    val translation = Translation.of(told.fields("answer"), texts[index])
                    emit(TranslatedItem(index, Result.success(translation)))
                }
                Kind.FAILED -> {
                    val failure = HalaException(told.text("code"), told.text("text"))
                    emit(TranslatedItem(index, Result.failure(failure)))
                }
            }
        }
    }

    /**
     * Begins a conversation.
     *
     * @param messages What was said before, a system message first where there is one.
     */
    public fun chat(messages: List<ChatMessage> = emptyList(), options: ChatOptions = ChatOptions()): Chat {
        val session = Handle("chat", engine.use(Native::sessionNew), Native::sessionRelease)
        return Chat(engine, session, messages, options)
    }

    /** As [chat], with nothing but a system message. */
    public fun chat(system: String, options: ChatOptions = ChatOptions()): Chat =
        chat(listOf(ChatMessage(ChatMessage.Role.SYSTEM, system)), options)

    /**
     * Goes on with a conversation from a file of [Chat.saveSession], with the same model held in the same way.
     *
     * @param messages What was said in it.
     */
    public suspend fun restoreSession(file: File, messages: List<ChatMessage>, options: ChatOptions = ChatOptions()): Chat {
        lateinit var session: Handle
        aside {
            val number = engine.use { Native.sessionRestore(it, file.path.encodeToByteArray()) }
            session = Handle("chat", number, Native::sessionRelease)
        }
        return Chat(engine, session, messages, options)
    }

    /**
     * Goes on with a prompt as it stands, in the model's own format: special tokens in it are special.
     *
     * @param ignoresEnd Goes on after the model's tokens that end a text.
     */
    public fun generate(
        prompt: String,
        options: GenerateOptions = GenerateOptions(),
        ignoresEnd: Boolean = false,
    ): Flow<ReplyEvent> = generated(prompt, options, ignoresEnd)

    /** As [generate], after the tokens of a prompt. */
    public fun generate(
        prompt: IntArray,
        options: GenerateOptions = GenerateOptions(),
        ignoresEnd: Boolean = false,
    ): Flow<ReplyEvent> = generated(prompt.asList(), options, ignoresEnd)

    private fun generated(prompt: Any, options: GenerateOptions, ignoresEnd: Boolean): Flow<ReplyEvent> = flow {
        val request = Json.bytes(options.told() + mapOf("prompt" to prompt, "ignore_eos" to ignoresEnd))
        Pull.STREAM.each({ engine.use { Native.generate(it, 0, request) } }) { _, told -> replyEvent(told)?.let { emit(it) } }
    }

    /** The tokens of a text. [special] takes special tokens in it for what they are; text from outside is to have false. */
    public suspend fun tokenize(text: String, special: Boolean = false): IntArray =
        aside { engine.use { Native.tokenize(it, text.encodeToByteArray(), special) } }

    /** The text of tokens, special ones among them. */
    public suspend fun detokenize(tokens: IntArray): String =
        aside { engine.use { Native.detokenize(it, tokens) }.decodeToString() }

    /** Tokens of a text alone. */
    public suspend fun countTokens(text: String): Int = tokenize(text).size

    /** Tokens of the prompt that these messages make: what they take of the context. */
    public suspend fun countPrompt(messages: List<ChatMessage>): Int =
        aside { engine.use { Native.countPrompt(it, Json.bytes(messages.map(ChatMessage::told))) } }

    /**
     * Gives memory back to the system, as where it runs out of it. Waits for the step that is under way.
     *
     * @param chats Whether also what chats have computed goes: a chat's next turn then computes it again.
     */
    public suspend fun trim(chats: Boolean = false): Unit = aside { engine.use { Native.trim(it, chats) } }

    /** Lets go of the model. What is under way comes to its end. */
    override fun close(): Unit = engine.close()

    public companion object {
        /**
         * Loads a model. Cancelling stops it.
         *
         * @param onProgress Is told how far it is, where the caller runs.
         */
        public suspend fun load(
            source: ModelSource = ModelSource.BuiltIn,
            options: LoadOptions = LoadOptions(),
            onProgress: (LoadProgress) -> Unit = {},
        ): Hala {
            val request = request(source, options)
            var loaded: Handle? = null
            try {
                Pull.TASK.each({ Native.load(request) }) { task, told ->
                    if (told.boolean("loaded")) {
                        loaded = Handle("model", Native.taskEngine(task), Native::engineRelease)
                    } else {
                        onProgress(progressOf(told))
                    }
                }
                val engine = checkNotNull(loaded) { "a model that is loaded has a handle" }
                return Hala(engine, aside { infoOf(engine) })
            } catch (failure: Throwable) {
                loaded?.close()
                throw failure
            }
        }

        /** What a model will take, without loading it: the headers of its files are read, and for a model of the Hub these are fetched. */
        public suspend fun estimate(source: ModelSource = ModelSource.BuiltIn, options: LoadOptions = LoadOptions()): Estimate {
            val request = request(source, options)
            lateinit var estimate: Estimate
            Pull.TASK.each({ Native.estimate(request) }) { _, told ->
                estimate = Estimate(
                    weightBytes = told.long("weightBytes"),
                    tokenizerBytes = told.long("tokenizerBytes"),
                    cacheBytesPerToken = told.long("cacheBytesPerToken"),
                    sessionBytes = told.long("sessionBytes"),
                    peakBytes = told.long("peakBytes"),
                )
            }
            return estimate
        }

        /**
         * What is good to know and belongs to no call, of everything that this library does: notices of loading, GPUs that are left alone, lost
         * devices, what drivers say. Whoever collects gets it from then on; one at a time: another one ends the flow of the one before.
         */
        public fun log(level: LogLevel = LogLevel.WARN): Flow<LogLine> = logOf(level)

        private fun infoOf(engine: Handle) = HalaInfo.of(Json.parse(engine.use(Native::info)))

        private fun progressOf(told: Fields) =
            LoadProgress(phaseOf(told.int("progress")), told.text("name"), told.long("done"), told.long("total"))

        private fun request(text: String, from: Language?, to: Language?) =
            Json.given("text" to text, "from" to from?.code, "to" to to?.code)
    }
}
