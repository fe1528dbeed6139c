// What of androidx.activity 1.13 is used with Compose.

package androidx.activity.compose

import androidx.activity.ComponentActivity
import androidx.activity.result.contract.ActivityResultContract
import androidx.compose.runtime.Composable

class ManagedActivityResultLauncher<I, O> internal constructor() {
    fun launch(input: I): Unit = throw NotImplementedError("$input")
}

fun ComponentActivity.setContent(content: @Composable () -> Unit): Unit = throw NotImplementedError("$this $content")

@Composable
fun <I, O> rememberLauncherForActivityResult(contract: ActivityResultContract<I, O>, onResult: (O) -> Unit): ManagedActivityResultLauncher<I, O> =
    throw NotImplementedError("$contract $onResult")
