// What of androidx.annotation is used.

package androidx.annotation

annotation class StringRes

annotation class DrawableRes
