// What of Compose's units is used.

package androidx.compose.ui.unit

import androidx.compose.runtime.Immutable

@Immutable
@JvmInline
value class Dp(val value: Float)

inline val Int.dp: Dp get() = Dp(toFloat())
