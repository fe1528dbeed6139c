// Translations with their alignment.

package org.hala

/** A language that can be translated from and into. */
public enum class Language(internal val code: String) {
    ARABIC("ar"),
    ENGLISH("en");

    internal companion object {
        fun of(code: String) = if (code == "ar") ARABIC else ENGLISH
    }
}

/** A part of a text, from [start] up to and without [end], as String counts: in UTF-16 units. */
public data class Span(val start: Int, val end: Int)

/**
 * A sentence and its translation.
 *
 * @property source Where it is in the text.
 * @property target Where it is in the translation.
 * @property copied Why it stands as it is in the source, as `no-letters` or `target-language`; null where it was translated.
 * @property looped What was done where its translation repeated itself: `retried` or `cut`.
 * @property isTruncated It ran into its limit of tokens.
 */
public data class TranslatedSegment(
    val source: Span,
    val target: Span,
    val copied: String? = null,
    val looped: String? = null,
    val isTruncated: Boolean = false,
)

/**
 * A translation.
 *
 * @property otherLanguage The language that the text seems to be in, as a BCP 47 tag, where that is neither Arabic nor English.
 */
public data class Translation(
    val text: String,
    val from: Language,
    val to: Language,
    val otherLanguage: String?,
    val segments: List<TranslatedSegment>,
    val finishReason: FinishReason,
    val usage: Usage,
    val timings: Timings,
) {
    internal companion object {
        fun of(told: Fields, source: String): Translation {
            val text = told.text("text")
            val (inSource, inTarget) = Pair(Utf16(source), Utf16(text))
            return Translation(
                text = text,
                from = Language.of(told.text("from")),
                to = Language.of(told.text("to")),
                otherLanguage = told.textGiven("other_language"),
                segments = told.list("segments").map { segment(it, inSource, inTarget) },
                finishReason = FinishReason.of(told.text("finish_reason")),
                usage = Usage.of(told.fields("usage")),
                timings = Timings.of(told.fields("timings")),
            )
        }

        private fun segment(told: Fields, source: Utf16, target: Utf16) = TranslatedSegment(
            source = source.span(told.span("source")),
            target = target.span(told.span("target")),
            copied = told.textGiven("copied"),
            looped = told.textGiven("looped"),
            isTruncated = told.boolean("truncated"),
        )
    }
}

/** What comes of a translation while it goes on. */
public sealed interface TranslationEvent {
    /**
     * The next of the translation, in whole characters; all of them together are the translation.
     *
     * @property source The sentence, or the white space, that it is the translation of.
     * @property target Where it is in the translation.
     */
    public data class Text(val text: String, val source: Span, val target: Span) : TranslationEvent

    /** The end. */
    public data class Done(val translation: Translation) : TranslationEvent
}

/** One of several texts, at its end: its translation, or a [HalaException] that says why there is none. */
public data class TranslatedItem(val index: Int, val result: Result<Translation>)

/** Places in a text, from bytes of its UTF-8 to UTF-16 units; quick where each is behind the one before. */
internal class Utf16(private val text: String) {
    private var bytes = 0
    private var units = 0

    fun span(ends: Pair<Int, Int>): Span = Span(at(ends.first), at(ends.second))

    private fun at(position: Int): Int {
        if (position < bytes) {
            bytes = 0
            units = 0
        }
        while (bytes < position && units < text.length) {
            val c = text[units++]
            bytes += when {
                c.code < 0x80 -> 1
                c.code < 0x800 -> 2
                c.isHighSurrogate() && text.getOrNull(units)?.isLowSurrogate() == true -> { units++; 4 }
                // Half a pair is no character, and goes as a question mark.
                c.isSurrogate() -> 1
                else -> 3
            }
        }
        return units
    }
}
