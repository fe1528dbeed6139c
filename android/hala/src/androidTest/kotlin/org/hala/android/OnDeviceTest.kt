// What must hold on a phone: the library is found, loaded, translates, and keeps a conversation.

package org.hala.android

import androidx.test.ext.junit.runners.AndroidJUnit4
import androidx.test.platform.app.InstrumentationRegistry
import java.io.File
import kotlinx.coroutines.flow.last
import kotlinx.coroutines.runBlocking
import org.hala.ChatOptions
import org.hala.GenerateOptions
import org.hala.Hala
import org.hala.HalaException
import org.hala.ReplyEvent
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith

@RunWith(AndroidJUnit4::class)
public class OnDeviceTest {
    private val context get() = InstrumentationRegistry.getInstrumentation().targetContext

    @Test
    public fun translates(): Unit = runBlocking {
        Hala.load().use { hala -> assertEquals("صباح الخير.", hala.translate("Good morning.").text) }
    }

    @Test
    public fun goesOnWithASavedConversation(): Unit = runBlocking {
        val options = ChatOptions(GenerateOptions(temperature = 0f, maxTokens = 8))
        val file = File(context.cacheDir, "session")
        Hala.load().use { hala ->
            val chat = hala.chat(options = options)
            chat.send("Good morning.").last()
            chat.saveSession(file)
            val again = hala.restoreSession(file, chat.messages, options)
            val reply = (again.send("Good evening.").last() as ReplyEvent.Done).reply
            assertTrue(reply.usage.cachedTokens > 0)
        }
        assertTrue(file.delete())
    }

    @Test
    public fun saysWhatIsWrong() {
        val failure = assertThrows(HalaException::class.java) { runBlocking { Hala.load(org.hala.ModelSource.Path(File("/none"))) } }
        assertEquals("missing-file", failure.code)
    }
}
