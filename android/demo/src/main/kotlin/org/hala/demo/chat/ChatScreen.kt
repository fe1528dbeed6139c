// The conversation's screen.

package org.hala.demo.chat

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.compose.LifecycleEventEffect
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import org.hala.ChatMessage
import org.hala.demo.R
import org.hala.demo.look.FailureCard

@Composable
fun ChatScreen(screen: ChatViewModel) {
    val state by screen.state.collectAsStateWithLifecycle()
    val model by screen.modelState.collectAsStateWithLifecycle()
    LifecycleEventEffect(Lifecycle.Event.ON_STOP) { screen.keep() }
    Column(Modifier.fillMaxSize()) {
        Said(state, Modifier.weight(1f))
        state.failure?.let { FailureCard(it) }
        if (!model.model.canChat) Text(stringResource(R.string.chat_translates_only), Modifier.padding(16.dp))
        else ChatInput(state, screen)
    }
}

/** What was said, the newest at the bottom and in sight. */
@Composable
private fun Said(state: ChatState, modifier: Modifier) {
    val coming = state.asked?.let { asked ->
        val reply = ChatMessage(ChatMessage.Role.ASSISTANT, state.reply, state.reasoning.ifEmpty { null })
        listOf(ChatMessage(ChatMessage.Role.USER, asked), reply)
    }
    val all = state.messages + coming.orEmpty()
    if (all.isEmpty()) {
        Text(stringResource(R.string.chat_empty), modifier.fillMaxWidth().padding(24.dp))
        return
    }
    LazyColumn(
        modifier = modifier.fillMaxWidth(),
        contentPadding = PaddingValues(16.dp),
        reverseLayout = true,
        verticalArrangement = Arrangement.spacedBy(8.dp, Alignment.Bottom),
    ) {
        // A message keeps its number while others come, and so does what was unfolded of it.
        items(all.size, key = { all.lastIndex - it }) { index ->
            Bubble(all[all.lastIndex - index], isComing = state.isBusy && index == 0)
        }
    }
}
