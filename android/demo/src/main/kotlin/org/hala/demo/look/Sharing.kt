// Text on its way to other apps.

package org.hala.demo.look

import android.content.ClipData
import android.content.ClipboardManager
import android.content.Context
import android.content.Intent

/** Lays a text on the clipboard. Android 13 and later says so itself. */
fun Context.copy(text: String) {
    getSystemService(ClipboardManager::class.java)?.setPrimaryClip(ClipData.newPlainText(null, text))
}

/** Lets the user hand a text to another app. */
fun Context.share(text: String) {
    val send = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text)
    startActivity(Intent.createChooser(send, null))
}
