// What of Compose's graphics is used.

package androidx.compose.ui.graphics

import androidx.compose.runtime.Immutable

@Immutable
@JvmInline
value class Color(val value: ULong)

fun Color(color: Long): Color = throw NotImplementedError("$color")

@Immutable
interface Shape
