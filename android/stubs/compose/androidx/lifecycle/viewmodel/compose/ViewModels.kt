// What of androidx.lifecycle 2.11's view models is used with Compose.

package androidx.lifecycle.viewmodel.compose

import androidx.compose.runtime.Composable
import androidx.lifecycle.ViewModel
import androidx.lifecycle.ViewModelProvider
import androidx.lifecycle.ViewModelStoreOwner

@Composable
inline fun <reified VM : ViewModel> viewModel(
    viewModelStoreOwner: ViewModelStoreOwner? = null,
    key: String? = null,
    factory: ViewModelProvider.Factory? = null,
): VM = throw NotImplementedError("$viewModelStoreOwner $key $factory ${VM::class}")
