// What of Compose's text is used.

package androidx.compose.ui.text

import androidx.compose.runtime.Immutable
import androidx.compose.ui.text.style.TextDirection

@Immutable
class TextStyle internal constructor() {
    fun copy(textDirection: TextDirection = TextDirection.Content): TextStyle = throw NotImplementedError("$textDirection")
}
