// What of Compose's painters is used.

package androidx.compose.ui.graphics.painter

abstract class Painter
