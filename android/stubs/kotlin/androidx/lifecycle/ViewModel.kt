// What of androidx.lifecycle 2.11 is used without Compose. Its scope is on the main thread there, and on one of its own here.

package androidx.lifecycle

import android.app.Application
import androidx.lifecycle.viewmodel.CreationExtras
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.SupervisorJob

abstract class ViewModel {
    @OptIn(ExperimentalCoroutinesApi::class)
    internal val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default.limitedParallelism(1))

    protected open fun onCleared() {}
}

val ViewModel.viewModelScope: CoroutineScope get() = scope

/** It holds what it is given, so that tests can look. */
class SavedStateHandle(initialState: Map<String, Any?> = emptyMap()) {
    private val values = HashMap(initialState)

    @Suppress("UNCHECKED_CAST")
    operator fun <T> get(key: String): T? = synchronized(values) { values[key] as T? }

    operator fun <T> set(key: String, value: T?): Unit = synchronized(values) { values[key] = value }
}

open class ViewModelProvider {
    interface Factory

    open class AndroidViewModelFactory : Factory {
        companion object {
            @JvmField val APPLICATION_KEY: CreationExtras.Key<Application> = object : CreationExtras.Key<Application> {}
        }
    }
}

fun CreationExtras.createSavedStateHandle(): SavedStateHandle = throw NotImplementedError("$this")

abstract class Lifecycle {
    enum class Event { ON_CREATE, ON_START, ON_RESUME, ON_PAUSE, ON_STOP, ON_DESTROY, ON_ANY }
}

interface LifecycleOwner

interface ViewModelStoreOwner
