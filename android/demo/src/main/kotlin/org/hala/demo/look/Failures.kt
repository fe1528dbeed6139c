// What went wrong, as a sentence, and what to do next.

package org.hala.demo.look

import androidx.annotation.StringRes
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Card
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import org.hala.HalaException
import org.hala.demo.R

@Composable
fun FailureCard(failure: HalaException) {
    val colors = CardDefaults.cardColors(
        containerColor = MaterialTheme.colorScheme.errorContainer,
        contentColor = MaterialTheme.colorScheme.onErrorContainer,
    )
    Card(Modifier.fillMaxWidth().padding(16.dp), colors = colors) {
        Text(stringResource(sentenceOf(failure.code), failure.code), Modifier.padding(16.dp))
    }
}

/** The sentence for an error's code; what only a developer could mend is said with its code. */
@StringRes
fun sentenceOf(code: String): Int = when (code) {
    "out-of-memory" -> R.string.failure_memory
    "network", "http" -> R.string.failure_network
    "not-found" -> R.string.failure_not_found
    "unauthorized" -> R.string.failure_unauthorized
    "missing-file", "damaged-model", "corrupt-download", "no-tokenizer" -> R.string.failure_damaged
    "unsupported-model", "not-in-build", "not-finite" -> R.string.failure_unsupported
    "context-length-exceeded" -> R.string.failure_context
    "same-language" -> R.string.failure_same_language
    "reader" -> R.string.failure_storage
    "device-lost", "device-refused" -> R.string.failure_device
    HalaException.BUSY -> R.string.failure_busy
    else -> R.string.failure_other
}
