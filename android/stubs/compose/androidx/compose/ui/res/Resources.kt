// How Compose reads Android's resources.

package androidx.compose.ui.res

import androidx.annotation.DrawableRes
import androidx.annotation.StringRes
import androidx.compose.runtime.Composable
import androidx.compose.runtime.ReadOnlyComposable
import androidx.compose.ui.graphics.painter.Painter

@Composable
@ReadOnlyComposable
fun stringResource(@StringRes id: Int): String = throw NotImplementedError("$id")

@Composable
@ReadOnlyComposable
fun stringResource(@StringRes id: Int, vararg formatArgs: Any): String = throw NotImplementedError("$id $formatArgs")

@Composable
fun painterResource(@DrawableRes id: Int): Painter = throw NotImplementedError("$id")
