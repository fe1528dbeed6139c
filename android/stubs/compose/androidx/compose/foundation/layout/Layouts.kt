// What of Compose's layouts is used.

package androidx.compose.foundation.layout

import androidx.compose.runtime.Composable
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.Stable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp

object Arrangement {
    @Stable
    interface Horizontal

    @Stable
    interface Vertical

    @Stable
    interface HorizontalOrVertical : Horizontal, Vertical

    val Start: Horizontal = object : Horizontal {}
    val Top: Vertical = object : Vertical {}
    val SpaceBetween: HorizontalOrVertical = object : HorizontalOrVertical {}

    fun spacedBy(space: Dp): HorizontalOrVertical = throw NotImplementedError("$space")

    fun spacedBy(space: Dp, alignment: Alignment.Vertical): Vertical = throw NotImplementedError("$space $alignment")
}

@Immutable
interface ColumnScope {
    fun Modifier.weight(weight: Float, fill: Boolean = true): Modifier
}

@Immutable
interface RowScope {
    fun Modifier.weight(weight: Float, fill: Boolean = true): Modifier
}

@Composable
inline fun Column(
    modifier: Modifier = Modifier,
    verticalArrangement: Arrangement.Vertical = Arrangement.Top,
    horizontalAlignment: Alignment.Horizontal = Alignment.Start,
    content: @Composable ColumnScope.() -> Unit,
): Unit = throw NotImplementedError("$modifier $verticalArrangement $horizontalAlignment ${columnScope().content()}")

@Composable
inline fun Row(
    modifier: Modifier = Modifier,
    horizontalArrangement: Arrangement.Horizontal = Arrangement.Start,
    verticalAlignment: Alignment.Vertical = Alignment.CenterVertically,
    content: @Composable RowScope.() -> Unit,
): Unit = throw NotImplementedError("$modifier $horizontalArrangement $verticalAlignment ${rowScope().content()}")

@PublishedApi internal fun columnScope(): ColumnScope = throw NotImplementedError()

@PublishedApi internal fun rowScope(): RowScope = throw NotImplementedError()

@Stable
interface PaddingValues

fun PaddingValues(all: Dp): PaddingValues = throw NotImplementedError("$all")

fun PaddingValues(start: Dp = 0.dp, top: Dp = 0.dp, end: Dp = 0.dp, bottom: Dp = 0.dp): PaddingValues =
    throw NotImplementedError("$start $top $end $bottom")

fun Modifier.padding(all: Dp): Modifier = throw NotImplementedError("$this $all")

fun Modifier.padding(horizontal: Dp = 0.dp, vertical: Dp = 0.dp): Modifier = throw NotImplementedError("$this $horizontal $vertical")

fun Modifier.padding(start: Dp = 0.dp, top: Dp = 0.dp, end: Dp = 0.dp, bottom: Dp = 0.dp): Modifier =
    throw NotImplementedError("$this $start $top $end $bottom")

fun Modifier.padding(paddingValues: PaddingValues): Modifier = throw NotImplementedError("$this $paddingValues")

fun Modifier.consumeWindowInsets(paddingValues: PaddingValues): Modifier = throw NotImplementedError("$this $paddingValues")

fun Modifier.imePadding(): Modifier = throw NotImplementedError("$this")

fun Modifier.fillMaxWidth(fraction: Float = 1f): Modifier = throw NotImplementedError("$this $fraction")

fun Modifier.fillMaxSize(fraction: Float = 1f): Modifier = throw NotImplementedError("$this $fraction")
