// What of Compose's styles of text is used.

package androidx.compose.ui.text.style

@JvmInline
value class TextDirection internal constructor(val value: Int) {
    companion object {
        val Ltr: TextDirection = TextDirection(1)
        val Rtl: TextDirection = TextDirection(2)
        val Content: TextDirection = TextDirection(3)
    }
}

@JvmInline
value class TextOverflow internal constructor(internal val value: Int) {
    companion object {
        val Clip: TextOverflow = TextOverflow(1)
        val Ellipsis: TextOverflow = TextOverflow(2)
    }
}
