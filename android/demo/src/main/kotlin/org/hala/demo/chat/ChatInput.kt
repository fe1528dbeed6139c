// Where a message is written, sent and stopped, and a new chat begun.

package org.hala.demo.chat

import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import org.hala.demo.R
import org.hala.demo.look.styleOfAny

@Composable
fun ChatInput(state: ChatState, screen: ChatViewModel) {
    Row(Modifier.fillMaxWidth().padding(8.dp), verticalAlignment = Alignment.Bottom) {
        IconButton(onClick = screen::newChat, enabled = state.messages.isNotEmpty()) {
            Icon(painterResource(R.drawable.ic_add), stringResource(R.string.chat_new))
        }
        OutlinedTextField(
            value = state.draft,
            onValueChange = screen::onDraft,
            modifier = Modifier.weight(1f),
            textStyle = styleOfAny(),
            placeholder = { Text(stringResource(R.string.chat_message)) },
            maxLines = 5,
        )
        if (state.isBusy) {
            IconButton(onClick = screen::stop) { Icon(painterResource(R.drawable.ic_stop), stringResource(R.string.stop)) }
        } else {
            IconButton(onClick = screen::send, enabled = state.draft.isNotBlank()) {
                Icon(painterResource(R.drawable.ic_send), stringResource(R.string.chat_send))
            }
        }
    }
}
