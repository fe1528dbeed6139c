// What the conversation's screen shows and does.

package org.hala.demo.chat

import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.hala.Chat
import org.hala.ChatMessage
import org.hala.Hala
import org.hala.HalaException
import org.hala.ReplyEvent
import org.hala.android.ThermalStatus
import org.hala.android.cooled
import org.hala.demo.models.CurrentModel

/**
 * @property messages What was said.
 * @property asked What is being answered, with [reasoning] and [reply] as far as they have come; null between turns.
 * @property draft What is being written.
 */
data class ChatState(
    val messages: List<ChatMessage> = emptyList(),
    val asked: String? = null,
    val reasoning: String = "",
    val reply: String = "",
    val draft: String = "",
    val failure: HalaException? = null,
) {
    val isBusy: Boolean get() = asked != null
}

class ChatViewModel(
    private val model: CurrentModel,
    private val conversations: Conversations,
    private val saved: SavedStateHandle,
    private val heat: Flow<ThermalStatus>,
) : ViewModel() {
    private val now = MutableStateFlow(ChatState(draft = saved[DRAFT] ?: ""))
    private var chat: Chat? = null

    /** The model that [chat] is with. */
    private var partner: Hala? = null
    private var work: Job? = null

    val state: StateFlow<ChatState> = now.asStateFlow()
    val modelState get() = model.state

    init {
        work = viewModelScope.launch {
            val messages = conversations.messages()
            now.update { it.copy(messages = messages) }
        }
    }

    fun onDraft(text: String) {
        now.update { it.copy(draft = text) }
        saved[DRAFT] = text
    }

    fun send() {
        val text = now.value.draft.trim()
        if (text.isEmpty() || now.value.isBusy) return
        onDraft("")
        now.update { it.copy(asked = text, reasoning = "", reply = "", failure = null) }
        val before = work
        work = viewModelScope.launch {
            before?.join()
            try {
                opened().send(text).cooled(heat).collect(::note)
            } catch (failure: HalaException) {
                // What was asked can be asked again.
                onDraft(text)
                now.update { it.copy(failure = failure) }
            } finally {
                now.update { it.copy(messages = chat?.messages ?: it.messages, asked = null, reasoning = "", reply = "") }
            }
            conversations.write(now.value.messages)
        }
    }

    /** Stops the reply; what has come of it stays. */
    fun stop() {
        work?.cancel()
    }

    fun newChat() {
        val before = work
        before?.cancel()
        work = viewModelScope.launch {
            before?.join()
            close()
            conversations.clear()
            now.update { ChatState(draft = it.draft) }
        }
    }

    /** Keeps the conversation, as the app may not come back in this process. */
    fun keep() {
        viewModelScope.launch {
            conversations.write(chat?.messages ?: return@launch)
            try {
                chat?.let { conversations.save(it) }
            } catch (_: HalaException) {
                // In the middle of a turn, or on a full device: then the next process computes it again.
                return@launch
            }
        }
    }

    override fun onCleared(): Unit = close()

    /** The conversation with the model in use, from where the last process left it. */
    private suspend fun opened(): Chat {
        val hala = model.ready()
        val open = chat
        if (open != null && partner === hala) return open
        val messages = open?.messages ?: now.value.messages
        close()
        partner = hala
        return conversations.open(hala, messages).also { chat = it }
    }

    private fun close() {
        chat?.close()
        chat = null
        partner = null
    }

    private fun note(event: ReplyEvent) {
        when (event) {
            is ReplyEvent.Text -> now.update { it.copy(reply = it.reply + event.text) }
            is ReplyEvent.Reasoning -> now.update { it.copy(reasoning = it.reasoning + event.text) }
            is ReplyEvent.ToolCalls, is ReplyEvent.Done -> Unit
        }
    }

    private companion object {
        const val DRAFT = "draft"
    }
}
