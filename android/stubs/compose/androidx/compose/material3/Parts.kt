// What of Material 3's small parts is used: the parameters that are given, in their order.

package androidx.compose.material3

import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.RowScope
import androidx.compose.runtime.Composable
import androidx.compose.runtime.Immutable
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.Shape
import androidx.compose.ui.graphics.painter.Painter
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.style.TextOverflow

private val unspecified = Color(0uL)

private val defaultShape get() = object : Shape {}

private val defaultStyle: TextStyle get() = throw NotImplementedError()

@Composable
fun Text(
    text: String,
    modifier: Modifier = Modifier,
    overflow: TextOverflow = TextOverflow.Clip,
    maxLines: Int = Int.MAX_VALUE,
    style: TextStyle = defaultStyle,
): Unit = throw NotImplementedError("$text $modifier $overflow $maxLines $style")

@Composable
fun Icon(painter: Painter, contentDescription: String?, modifier: Modifier = Modifier): Unit =
    throw NotImplementedError("$painter $contentDescription $modifier")

@Composable
fun IconButton(onClick: () -> Unit, modifier: Modifier = Modifier, enabled: Boolean = true, content: @Composable () -> Unit): Unit =
    throw NotImplementedError("$onClick $modifier $enabled $content")

@Composable
fun Button(onClick: () -> Unit, modifier: Modifier = Modifier, enabled: Boolean = true, content: @Composable RowScope.() -> Unit): Unit =
    throw NotImplementedError("$onClick $modifier $enabled $content")

@Immutable
class CardColors internal constructor()

object CardDefaults {
    @Composable
    fun cardColors(containerColor: Color, contentColor: Color): CardColors = throw NotImplementedError("$containerColor $contentColor")

    @Composable
    fun cardColors(): CardColors = throw NotImplementedError()
}

@Composable
fun Card(
    modifier: Modifier = Modifier,
    shape: Shape = defaultShape,
    colors: CardColors = CardDefaults.cardColors(),
    content: @Composable ColumnScope.() -> Unit,
): Unit = throw NotImplementedError("$modifier $shape $colors $content")

@Composable
fun Surface(modifier: Modifier = Modifier, shape: Shape = defaultShape, color: Color = unspecified, content: @Composable () -> Unit): Unit =
    throw NotImplementedError("$modifier $shape $color $content")

@Composable
fun LinearProgressIndicator(modifier: Modifier = Modifier): Unit = throw NotImplementedError("$modifier")

@Composable
fun LinearProgressIndicator(progress: () -> Float, modifier: Modifier = Modifier): Unit = throw NotImplementedError("$progress $modifier")

@Composable
fun HorizontalDivider(modifier: Modifier = Modifier): Unit = throw NotImplementedError("$modifier")

@Composable
fun OutlinedTextField(
    value: String,
    onValueChange: (String) -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    readOnly: Boolean = false,
    textStyle: TextStyle = defaultStyle,
    label: @Composable (() -> Unit)? = null,
    placeholder: @Composable (() -> Unit)? = null,
    maxLines: Int = Int.MAX_VALUE,
    minLines: Int = 1,
): Unit = throw NotImplementedError("$value $onValueChange $modifier $enabled $readOnly $textStyle $label $placeholder $maxLines $minLines")
