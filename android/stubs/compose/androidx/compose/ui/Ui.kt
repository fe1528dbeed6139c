// What of Compose's ui is used: modifiers and alignment.

package androidx.compose.ui

import androidx.compose.runtime.Stable

@Stable
interface Modifier {
    companion object : Modifier
}

@Stable
interface Alignment {
    fun interface Horizontal {
        fun align(size: Int, space: Int): Int
    }

    fun interface Vertical {
        fun align(size: Int, space: Int): Int
    }

    companion object {
        val Bottom: Vertical = Vertical { size, space -> space - size }
        val CenterVertically: Vertical = Vertical { size, space -> (space - size) / 2 }
        val Start: Horizontal = Horizontal { _, _ -> 0 }
    }
}
