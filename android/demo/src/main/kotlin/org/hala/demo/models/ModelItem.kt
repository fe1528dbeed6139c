// How one model of the sheet looks.

package org.hala.demo.models

import android.text.format.Formatter
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import org.hala.DownloadState
import org.hala.demo.R
import org.hala.demo.look.FailureCard

@Composable
fun ModelItem(row: ModelRow, onAction: (ModelAction) -> Unit) {
    Column(Modifier.fillMaxWidth().padding(horizontal = 24.dp, vertical = 12.dp), Arrangement.spacedBy(4.dp)) {
        Row(verticalAlignment = Alignment.CenterVertically) {
            Text(nameOf(row.model), Modifier.weight(1f), style = MaterialTheme.typography.titleMedium)
            if (row.isInUse) Icon(painterResource(R.drawable.ic_check), stringResource(R.string.model_in_use))
            for (action in ModelAction.entries.filter { it in row.actions }) {
                IconButton(onClick = { onAction(action) }) { Icon(painterResource(action.icon), stringResource(action.title)) }
            }
        }
        Text(stringResource(row.model.about), style = MaterialTheme.typography.bodyMedium)
        Text(sizeOf(row), style = MaterialTheme.typography.bodySmall)
        row.download?.let { DownloadLine(it) }
    }
}

/** What it takes, or has taken. */
@Composable
private fun sizeOf(row: ModelRow): String {
    val memory = when (val memory = row.memory) {
        is Memory.Bytes -> stringResource(R.string.model_memory, sizeOf(memory.most))
        Memory.Unknown -> stringResource(R.string.model_memory_unknown)
    }
    val stored = row.stored ?: return memory
    return memory + " · " + stringResource(R.string.model_stored, sizeOf(stored.bytes))
}

@Composable
private fun DownloadLine(state: DownloadState) {
    when (state) {
        is DownloadState.Waiting -> Text(stringResource(textOf(state.reason)), style = MaterialTheme.typography.bodySmall)
        is DownloadState.Running -> {
            val text = stringResource(R.string.download_running, sizeOf(state.bytes), sizeOf(state.totalBytes))
            Text(text, style = MaterialTheme.typography.bodySmall)
            Part(state.bytes, state.totalBytes)
        }
        is DownloadState.Verifying -> {
            Text(stringResource(R.string.download_verifying), style = MaterialTheme.typography.bodySmall)
            Part(state.bytes, state.totalBytes)
        }
        is DownloadState.Failed -> FailureCard(state.failure)
        is DownloadState.Ready -> Unit
    }
}

@Composable
private fun Part(bytes: Long, total: Long) {
    if (total > 0) LinearProgressIndicator({ bytes.toFloat() / total }, Modifier.fillMaxWidth())
    else LinearProgressIndicator(Modifier.fillMaxWidth())
}

private fun textOf(reason: DownloadState.Waiting.Reason): Int = when (reason) {
    DownloadState.Waiting.Reason.NETWORK -> R.string.download_waiting
    DownloadState.Waiting.Reason.RETRY -> R.string.download_retry
    DownloadState.Waiting.Reason.SERVER -> R.string.download_server
}

/** Bytes in the words and digits of the language. */
@Composable
private fun sizeOf(bytes: Long): String = Formatter.formatShortFileSize(LocalContext.current, bytes)

private val ModelAction.icon: Int
    get() = when (this) {
        ModelAction.USE -> R.drawable.ic_check
        ModelAction.DOWNLOAD -> R.drawable.ic_download
        ModelAction.STOP -> R.drawable.ic_stop
        ModelAction.DELETE -> R.drawable.ic_delete
    }

private val ModelAction.title: Int
    get() = when (this) {
        ModelAction.USE -> R.string.model_use
        ModelAction.DOWNLOAD -> R.string.model_download
        ModelAction.STOP -> R.string.stop
        ModelAction.DELETE -> R.string.model_delete
    }
