// Tests of what is given back when the system asks for memory.

package org.hala.android

import android.content.ComponentCallbacks2
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.last
import kotlinx.coroutines.job
import org.hala.Chat
import org.hala.ChatOptions
import org.hala.Checks
import org.hala.GenerateOptions
import org.hala.ReplyEvent
import org.hala.holds
import org.hala.loaded
import org.hala.same

/** Tokens of a turn's prompt that were computed before it. */
private suspend fun Chat.cached(): Int = (send("Good morning.").last() as ReplyEvent.Done).reply.usage.cachedTokens

/** Calls as the system does, and waits for what comes of it. */
private suspend fun CoroutineScope.told(callbacks: TrimCallbacks, level: Int) {
    callbacks.onTrimMemory(level)
    coroutineContext.job.children.forEach { it.join() }
}

/** A registration that nothing but it holds; its model is gone when this returns. */
private suspend fun FakeContext.registeredForNone(): TrimCallbacks {
    val hala = loaded()
    return (hala.trimOnLowMemory(this) as TrimCallbacks).also { hala.close() }
}

internal fun Checks.ofTrims() {
    test("each level of the system's gives back what it is worth") {
        val given = listOf(5, 10, 15, 20, 40, 60, 80).map(Given::at)
        same(given, listOf(Given.NOTHING, Given.UNUSED, Given.CHATS, Given.UNUSED, Given.CHATS, Given.CHATS, Given.CHATS))
        same(listOf(12, 25, 50, 100).map(Given::at), listOf(Given.UNUSED, Given.UNUSED, Given.CHATS, Given.CHATS))
    }

    test("in the background chats lose what they computed, and while the app is only hidden they keep it") {
        loaded().use { hala ->
            val (context, scope) = Pair(FakeContext(), CoroutineScope(Dispatchers.Default + Job()))
            val callbacks = TrimCallbacks.register(context, hala, scope)
            val chat = hala.chat(options = ChatOptions(GenerateOptions(temperature = 0f, maxTokens = 2)))
            same(chat.cached(), 0)
            scope.told(callbacks, ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN)
            holds(chat.cached() > 0) { "it was lost" }
            scope.told(callbacks, ComponentCallbacks2.TRIM_MEMORY_BACKGROUND)
            same(chat.cached(), 0)
            holds(chat.cached() > 0) { "it keeps nothing" }
        }
    }

    test("it ends when it is closed, when the model is closed, and when the model is gone") {
        val context = FakeContext()
        loaded().use { it.trimOnLowMemory(context).close() }
        same(context.callbacks, emptyList())
        loaded().also { hala ->
            val scope = CoroutineScope(Dispatchers.Default + Job())
            val callbacks = TrimCallbacks.register(context, hala, scope)
            hala.close()
            scope.told(callbacks, ComponentCallbacks2.TRIM_MEMORY_BACKGROUND)
            same(context.callbacks, emptyList())
        }
        val left = context.registeredForNone()
        same(context.callbacks, listOf(left))
        // Below this level nothing is given, so it ends only because there is nobody to give it.
        while (context.callbacks.isNotEmpty()) {
            System.gc()
            delay(10)
            left.onTrimMemory(0)
        }
    }
}
