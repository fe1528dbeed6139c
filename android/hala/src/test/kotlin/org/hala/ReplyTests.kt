// Tests of texts after prompts, of tokens, and of what is known about a model.

package org.hala

import kotlinx.coroutines.flow.toList

/** A text, and ids of the built-in model's tokens that make it, most of which are single bytes. */
private class Cut(val text: String, vararg val ids: Int)

private val CUTS = listOf(
    Cut("صباح", 156, 121, 283, 264, 291),
    Cut("مُعَلِّم", 157, 235, 470, 156, 125, 460, 265, 576, 327, 267),
    Cut("😀 سلام", 180, 261, 254, 230, 228, 156, 119, 157, 234, 264, 267),
    // A woman, joined to a rocket.
    Cut("👩\u200D🚀", 180, 261, 247, 110, 166, 230, 243, 4566),
    // A white flag in its coloured form, joined to a rainbow.
    Cut("🏳\uFE0F\u200D🌈", 180, 261, 245, 119, 179, 1871, 166, 230, 243, 688, 242, 238),
    // A thumb with a skin tone.
    Cut("👍🏽", 180, 261, 247, 243, 688, 245, 129),
)

internal fun Checks.ofReplies() {
    test("emoji and joined characters are whole in every chunk") {
        loaded().use { hala ->
            for (cut in CUTS) {
                same(hala.detokenize(cut.ids), cut.text)
                // Each is likelier than the next, and much less so once it was taken.
                val bias = cut.ids.withIndex().associate { (i, id) -> id to 10000f - 60 * i }
                val options = GenerateOptions(temperature = 0f, frequencyPenalty = 1000f, maxTokens = cut.ids.size, logitBias = bias)
                val chunks = hala.generate(intArrayOf(1), options, ignoresEnd = true).toList().filterIsInstance<ReplyEvent.Text>()
                same(chunks.joinToString("") { it.text }, cut.text)
                for (chunk in chunks) checkWhole(chunk.text)
            }
        }
    }

    test("a text goes on after a prompt, and says what it cost") {
        loaded().use { hala ->
            val options = GenerateOptions(temperature = 0f, maxTokens = 5)
            val events = hala.generate("Hello", options, ignoresEnd = true).toList()
            val done = (events.last() as ReplyEvent.Done).reply
            same(events.filterIsInstance<ReplyEvent.Text>().joinToString("") { it.text }, done.text)
            same(Pair(done.finishReason, done.usage.completionTokens), Pair(FinishReason.LENGTH, 5))
            same(hala.generate(hala.tokenize("Hello"), options, ignoresEnd = true).toList().last().let { (it as ReplyEvent.Done).reply.text }, done.text)
            failure("invalid-request") { hala.generate(intArrayOf()).toList() }
        }
    }

    test("tokens come from a text and make it again") {
        loaded().use { hala ->
            val text = "صباح الخير 😀"
            holds(hala.detokenize(hala.tokenize(text)).endsWith(text)) { hala.detokenize(hala.tokenize(text)) }
            same(hala.countTokens(text), hala.tokenize(text).size)
            val special = hala.tokenize("<|im_end|>", special = true).size
            holds(special < hala.countTokens("<|im_end|>")) { special }
            val message = ChatMessage(ChatMessage.Role.USER, text)
            holds(hala.countPrompt(listOf(message, message)) > hala.countPrompt(listOf(message))) { "no token for a message" }
        }
    }

    test("what a model takes is known before it is loaded") {
        val estimate = Hala.estimate()
        loaded().use { hala ->
            val info = hala.info
            holds(info.weightBytes in 1..estimate.weightBytes * 2) { Pair(info, estimate) }
            same(info.cacheBytesPerToken, estimate.cacheBytesPerToken)
            holds(estimate.peakBytes > estimate.weightBytes && estimate.sessionBytes > 0) { estimate }
            same(Triple(info.backend, info.threads, info.version.isNotEmpty()), Triple("cpu", 1, true))
            same(Pair(info.reasonCode, info.reason.isNotEmpty()), Pair("asked", true))
            holds(info.layers > 0 && info.context in 1..info.maxContext && info.device.isNotEmpty()) { info }
            same(hala.refresh(), info)
        }
    }
}

/** A chunk neither begins nor ends within a character as readers see it. */
private fun checkWhole(chunk: String) {
    val points = chunk.codePoints().toArray()
    holds(points.none { it in 0xD800..0xDFFF }) { "half a pair in $chunk" }
    val first = points.first()
    val isJoined = Character.getType(first) == Character.NON_SPACING_MARK.toInt() || first == 0x200D || first in 0x1F3FB..0x1F3FF
    holds(!isJoined) { "$chunk begins within a character" }
    holds(points.last() != 0x200D) { "$chunk ends within a character" }
}
