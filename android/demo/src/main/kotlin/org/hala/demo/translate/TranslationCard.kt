// A translation, which can be copied and handed on.

package org.hala.demo.translate

import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.Card
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import org.hala.demo.R
import org.hala.demo.look.copy
import org.hala.demo.look.share
import org.hala.demo.look.styleOf

@Composable
fun TranslationCard(state: TranslateState) {
    val context = LocalContext.current
    Card(Modifier.fillMaxWidth()) {
        SelectionContainer(Modifier.padding(16.dp)) {
            Text(state.translation, Modifier.fillMaxWidth(), style = styleOf(state.to))
        }
        if (!state.isBusy) {
            Row(Modifier.padding(horizontal = 8.dp)) {
                IconButton(onClick = { context.copy(state.translation) }) {
                    Icon(painterResource(R.drawable.ic_copy), stringResource(R.string.copy))
                }
                IconButton(onClick = { context.share(state.translation) }) {
                    Icon(painterResource(R.drawable.ic_share), stringResource(R.string.share))
                }
            }
        }
    }
}
