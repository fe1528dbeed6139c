// What of Compose's runtime-saveable is used.

package androidx.compose.runtime.saveable

import androidx.compose.runtime.Composable

@Composable
fun <T : Any> rememberSaveable(vararg inputs: Any?, init: () -> T): T = throw NotImplementedError("$inputs $init")
