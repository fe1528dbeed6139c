// What of androidx.activity 1.13 is used without Compose.

package androidx.activity

import android.app.Activity

open class ComponentActivity : Activity()

fun ComponentActivity.enableEdgeToEdge(): Unit = throw NotImplementedError("$this")
