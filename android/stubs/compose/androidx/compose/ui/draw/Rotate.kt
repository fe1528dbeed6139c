// What of Compose's drawing modifiers is used.

package androidx.compose.ui.draw

import androidx.compose.ui.Modifier

fun Modifier.rotate(degrees: Float): Modifier = throw NotImplementedError("$this $degrees")
