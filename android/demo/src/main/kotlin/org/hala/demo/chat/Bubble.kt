// A message, with the thought behind it folded.

package org.hala.demo.chat

import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.Icon
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.rotate
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import org.hala.ChatMessage
import org.hala.demo.R
import org.hala.demo.look.styleOfAny

@Composable
fun Bubble(message: ChatMessage, isComing: Boolean) {
    val isOwn = message.role == ChatMessage.Role.USER
    val color = if (isOwn) MaterialTheme.colorScheme.primaryContainer else MaterialTheme.colorScheme.surfaceVariant
    Surface(Modifier.fillMaxWidth().padding(start = if (isOwn) 48.dp else 0.dp), MaterialTheme.shapes.medium, color) {
        Column(Modifier.padding(12.dp)) {
            message.reasoning?.let { Thought(it, isComing && message.content.isEmpty()) }
            SelectionContainer { Text(message.content, Modifier.fillMaxWidth(), style = styleOfAny()) }
            if (isComing) LinearProgressIndicator(Modifier.fillMaxWidth().padding(top = 8.dp))
        }
    }
}

/** Open while it comes and folded once the answer begins, unless the reader unfolds it. */
@Composable
private fun Thought(text: String, isComing: Boolean) {
    var isUnfolded by rememberSaveable { mutableStateOf(false) }
    val isOpen = isUnfolded || isComing
    Row(Modifier.fillMaxWidth().clickable { isUnfolded = !isUnfolded }.padding(vertical = 4.dp), verticalAlignment = Alignment.CenterVertically) {
        Text(stringResource(R.string.chat_thought), Modifier.weight(1f), style = MaterialTheme.typography.labelLarge)
        val label = stringResource(if (isOpen) R.string.chat_fold else R.string.chat_unfold)
        Icon(painterResource(R.drawable.ic_unfold), label, Modifier.rotate(if (isOpen) 180f else 0f))
    }
    if (isOpen) Text(text, Modifier.padding(bottom = 8.dp), style = MaterialTheme.typography.bodyMedium)
}
