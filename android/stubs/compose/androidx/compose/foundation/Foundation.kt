// What of Compose's foundation is used: the parameters that are given, in their order.

package androidx.compose.foundation

import androidx.compose.runtime.Composable
import androidx.compose.runtime.ReadOnlyComposable
import androidx.compose.runtime.Stable
import androidx.compose.ui.Modifier

@Composable
@ReadOnlyComposable
fun isSystemInDarkTheme(): Boolean = throw NotImplementedError()

@Stable
class ScrollState(initial: Int) {
    val value: Int = initial
}

@Composable
fun rememberScrollState(initial: Int = 0): ScrollState = throw NotImplementedError("$initial")

fun Modifier.verticalScroll(state: ScrollState): Modifier = throw NotImplementedError("$this $state")

fun Modifier.clickable(enabled: Boolean = true, onClickLabel: String? = null, onClick: () -> Unit): Modifier =
    throw NotImplementedError("$this $enabled $onClickLabel $onClick")
