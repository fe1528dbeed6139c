// The translation's screen.

package org.hala.demo.translate

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import org.hala.Language
import org.hala.demo.R
import org.hala.demo.look.FailureCard
import org.hala.demo.look.styleOf

@Composable
fun TranslateScreen(screen: TranslateViewModel) {
    val state by screen.state.collectAsStateWithLifecycle()
    Column(
        Modifier.fillMaxSize().verticalScroll(rememberScrollState()).padding(16.dp),
        Arrangement.spacedBy(12.dp),
    ) {
        Languages(state, screen::swap)
        OutlinedTextField(
            value = state.text,
            onValueChange = screen::onText,
            modifier = Modifier.fillMaxWidth(),
            textStyle = styleOf(state.from),
            label = { Text(stringResource(R.string.translate_source)) },
            minLines = 4,
        )
        Row(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
            if (state.isBusy) Button(onClick = screen::stop) { Text(stringResource(R.string.stop)) }
            else Button(onClick = screen::translate, enabled = state.text.isNotBlank()) { Text(stringResource(R.string.translate_go)) }
        }
        state.failure?.let { FailureCard(it) }
        if (state.translation.isNotEmpty()) TranslationCard(state)
    }
}

/** The direction, read as the screen is: from one language to the other. */
@Composable
private fun Languages(state: TranslateState, onSwap: () -> Unit) {
    Row(Modifier.fillMaxWidth(), Arrangement.SpaceBetween, Alignment.CenterVertically) {
        Text(nameOf(state.from))
        IconButton(onClick = onSwap) { Icon(painterResource(R.drawable.ic_swap), stringResource(R.string.translate_swap)) }
        Text(nameOf(state.to))
    }
}

@Composable
private fun nameOf(language: Language): String = stringResource(
    when (language) {
        Language.ARABIC -> R.string.language_arabic
        Language.ENGLISH -> R.string.language_english
    },
)
