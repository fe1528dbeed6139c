// Tests of conversations.

package org.hala

import java.io.File
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch

private const val TASK = "Translate everything that follows into Arabic:\n\nGood morning."

/** The likeliest tokens, and few. */
private val SHORT = ChatOptions(GenerateOptions(temperature = 0f, maxTokens = 8))

internal fun Checks.ofChats() {
    test("a conversation remembers its turns, and computes none of them twice") {
        loaded().use { hala ->
            hala.chat(options = SHORT).use { chat ->
                val events = chat.send(TASK).toList()
                val first = (events.last() as ReplyEvent.Done).reply
                same(events.dropLast(1).joinToString("") { (it as ReplyEvent.Text).text }, first.text)
                same(chat.messages.map { it.content }, listOf(TASK, first.text))
                same(first.usage.cachedTokens, 0)
                val second = (chat.send("Where is the station?").toList().last() as ReplyEvent.Done).reply
                holds(second.usage.cachedTokens > first.usage.promptTokens / 2) { Pair(first, second) }
                same(chat.messages.size, 4)
                // The same conversation, in a chat that has nothing of it yet.
                val again = hala.chat(chat.messages.dropLast(2), SHORT)
                same((again.send("Where is the station?").toList().last() as ReplyEvent.Done).reply.text, second.text)
            }
        }
    }

    test("a second turn is refused at once while one goes on") {
        loaded().use { hala ->
            val chat = hala.chat(options = ChatOptions(GenerateOptions(temperature = 0f, maxTokens = 20)))
            val (isGoing, mayEnd) = Pair(CompletableDeferred<Unit>(), CompletableDeferred<Unit>())
            val turn = launch { chat.send(TASK).collect { isGoing.complete(Unit); mayEnd.await() } }
            isGoing.await()
            failure(HalaException.BUSY) { chat.send("Hello").toList() }
            // Another conversation has nothing to do with it.
            holds(hala.chat(options = SHORT).send(TASK).toList().last() is ReplyEvent.Done) { "no end" }
            mayEnd.complete(Unit)
            turn.join()
            same(chat.messages.size, 2)
            holds(chat.send("Hello").toList().last() is ReplyEvent.Done) { "no end" }
        }
    }

    test("what was answered before a turn was stopped stays, and a turn that failed never was") {
        loaded().use { hala ->
            val chat = hala.chat(options = ChatOptions(GenerateOptions(temperature = 0f, maxTokens = 20)))
            val pieces = chat.send(TASK).take(2).toList().map { (it as ReplyEvent.Text).text }
            same(chat.messages.map { it.content }, listOf(TASK, pieces.joinToString("")))
            // Nothing of the turn is left at work.
            holds(chat.send("Go on.").first() is ReplyEvent.Text) { "no text" }
            val before = chat.messages
            failure("context-length-exceeded") { chat.send("word ".repeat(20_000)).toList() }
            same(chat.messages, before)
        }
    }

    test("conversations that go on beside each other say what they say alone") {
        loaded().use { hala ->
            val alone = (hala.chat(options = SHORT).send(TASK).toList().last() as ReplyEvent.Done).reply.text
            val replies = (0 until 4).map { async { hala.chat(options = SHORT).send(TASK).toList().last() } }
            for (reply in replies) same((reply.await() as ReplyEvent.Done).reply.text, alone)
        }
    }

    test("memory is given back, and what it held computed again") {
        loaded().use { hala ->
            val chat = hala.chat(options = SHORT)
            chat.send(TASK).toList()
            hala.trim()
            hala.trim(chats = true)
            val reply = (chat.send("Where is the station?").toList().last() as ReplyEvent.Done).reply
            same(reply.usage.cachedTokens, 0)
        }
    }

    test("a conversation goes on from a file, and computes none of it again") {
        inFolder { folder ->
            val file = File(folder, "محادثة 😀")
            val messages: List<ChatMessage>
            val expected: Reply
            loaded().use { hala ->
                val chat = hala.chat(options = SHORT)
                chat.send(TASK).toList()
                chat.saveSession(file)
                messages = chat.messages
                expected = (chat.send("Where is the station?").toList().last() as ReplyEvent.Done).reply
            }
            loaded().use { hala ->
                val chat = hala.restoreSession(file, messages, SHORT)
                val reply = (chat.send("Where is the station?").toList().last() as ReplyEvent.Done).reply
                same(Pair(reply.text, reply.usage.cachedTokens), Pair(expected.text, expected.usage.cachedTokens))
                file.writeText("of something else")
                failure("damaged-sequence") { hala.restoreSession(file, messages) }
            }
        }
    }

    test("events that only later versions know are passed over, and calls are given as they are") {
        same(replyEvent(Fields(mapOf("kind" to 77L))), null)
        val call = mapOf("kind" to 3L, "answer" to mapOf("name" to "طقس", "n" to 1L))
        same(replyEvent(Fields(call)), ReplyEvent.ToolCalls(listOf("{\"name\":\"طقس\",\"n\":1}")))
    }

    test("options are asked for by the words of the API") {
        loaded().use { hala ->
            val generate = GenerateOptions(
                temperature = 0.5f, topP = 0.9f, topK = 40, minP = 0.1f, repetitionPenalty = 1.1f, frequencyPenalty = 0.1f, presencePenalty = 0.1f,
                logitBias = mapOf(5 to -1f), seed = 7, stop = listOf("\n\n"), maxTokens = 3,
            )
            val options = ChatOptions(generate, listOf("{\"type\":\"function\"}"), mapOf("enable_thinking" to false), dropsOldest = true)
            val texts = (0 until 2).map { hala.chat("Be short.", options).send(TASK).toList().last() as ReplyEvent.Done }
            // The same seed, the same text.
            same(texts[0].reply.text, texts[1].reply.text)
            failure("invalid-request") { hala.chat(options = ChatOptions(tools = listOf("{"))).send("a").toList() }
        }
    }
}
