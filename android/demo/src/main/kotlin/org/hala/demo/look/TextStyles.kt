// Text in the direction of its own language, whatever the screen's is.

package org.hala.demo.look

import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.style.TextDirection
import org.hala.Language

/** For text whose language is known. */
@Composable
fun styleOf(language: Language): TextStyle =
    MaterialTheme.typography.bodyLarge.copy(textDirection = if (language == Language.ARABIC) TextDirection.Rtl else TextDirection.Ltr)

/** For text in any language: its first letters decide. */
@Composable
fun styleOfAny(): TextStyle = MaterialTheme.typography.bodyLarge.copy(textDirection = TextDirection.Content)
