// What of Material 3's theme is used: the parameters that are given, in their order.

package androidx.compose.material3

import android.content.Context
import androidx.compose.runtime.Composable
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.ReadOnlyComposable
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.text.TextStyle

@RequiresOptIn
@Retention(AnnotationRetention.BINARY)
annotation class ExperimentalMaterial3Api

@Immutable
class ColorScheme internal constructor(
    val primaryContainer: Color,
    val surfaceVariant: Color,
    val errorContainer: Color,
    val onErrorContainer: Color,
)

@Immutable
class Typography internal constructor(
    val titleMedium: TextStyle,
    val bodyLarge: TextStyle,
    val bodyMedium: TextStyle,
    val bodySmall: TextStyle,
    val labelLarge: TextStyle,
)

@Immutable
class Shapes internal constructor(val medium: Shape)

fun lightColorScheme(primary: Color, secondary: Color, tertiary: Color): ColorScheme = throw NotImplementedError("$primary $secondary $tertiary")

fun darkColorScheme(primary: Color, secondary: Color, tertiary: Color): ColorScheme = throw NotImplementedError("$primary $secondary $tertiary")

/** Since API 31. */
fun dynamicLightColorScheme(context: Context): ColorScheme = throw NotImplementedError("$context")

/** Since API 31. */
fun dynamicDarkColorScheme(context: Context): ColorScheme = throw NotImplementedError("$context")

object MaterialTheme {
    val colorScheme: ColorScheme
        @Composable @ReadOnlyComposable get() = throw NotImplementedError()
    val typography: Typography
        @Composable @ReadOnlyComposable get() = throw NotImplementedError()
    val shapes: Shapes
        @Composable @ReadOnlyComposable get() = throw NotImplementedError()
}

@Composable
fun MaterialTheme(colorScheme: ColorScheme = MaterialTheme.colorScheme, content: @Composable () -> Unit): Unit =
    throw NotImplementedError("$colorScheme $content")
