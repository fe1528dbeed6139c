// A conversation that outlives the process.

package org.hala.demo.chat

import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.File
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.hala.Chat
import org.hala.ChatMessage
import org.hala.ChatOptions
import org.hala.Hala
import org.hala.HalaException

/** Keeps one conversation in a folder: what was said, and what the model had computed of it. */
class Conversations(private val folder: File) {
    private val messages = File(folder, "messages")
    private val session = File(folder, "session")

    /** What was said; nothing where nothing is kept, or it cannot be read. */
    suspend fun messages(): List<ChatMessage> = withContext(Dispatchers.IO) {
        try {
            DataInputStream(messages.inputStream().buffered()).use { from -> List(from.readInt()) { read(from) } }
        } catch (_: IOException) {
            emptyList()
        }
    }

    suspend fun write(said: List<ChatMessage>): Unit = withContext(Dispatchers.IO) {
        folder.mkdirs()
        val whole = File(folder, "messages.new")
        DataOutputStream(whole.outputStream().buffered()).use { to ->
            to.writeInt(said.size)
            said.forEach { write(it, to) }
        }
        whole.renameTo(messages)
    }

    /** Keeps what the model has computed. */
    suspend fun save(chat: Chat) {
        withContext(Dispatchers.IO) { folder.mkdirs() }
        chat.saveSession(session)
    }

    /** Goes on with a conversation: from what was computed where that fits this model, and else with what was said alone. */
    suspend fun open(hala: Hala, said: List<ChatMessage>): Chat {
        if (session.isFile) {
            try {
                return hala.restoreSession(session, said, OPTIONS)
            } catch (_: HalaException) {
                // It is of another model or version, and of no use any more.
                withContext(Dispatchers.IO) { session.delete() }
            }
        }
        return hala.chat(said, OPTIONS)
    }

    suspend fun clear(): Unit = withContext(Dispatchers.IO) {
        messages.delete()
        session.delete()
    }

    private fun write(message: ChatMessage, to: DataOutputStream) {
        to.writeUTF(message.role.name)
        writeText(message.content, to)
        to.writeBoolean(message.reasoning != null)
        message.reasoning?.let { writeText(it, to) }
    }

    private fun read(from: DataInputStream): ChatMessage {
        val name = from.readUTF()
        val role = ChatMessage.Role.entries.find { it.name == name } ?: throw IOException("no role $name")
        return ChatMessage(role, readText(from), if (from.readBoolean()) readText(from) else null)
    }

    /** Of any length, which writeUTF is not. */
    private fun writeText(text: String, to: DataOutputStream) {
        val bytes = text.encodeToByteArray()
        to.writeInt(bytes.size)
        to.write(bytes)
    }

    private fun readText(from: DataInputStream): String = ByteArray(from.readInt()).also(from::readFully).decodeToString()

    private companion object {
        /** Long conversations go on without their oldest turns. */
        val OPTIONS = ChatOptions(dropsOldest = true)
    }
}
