// What of androidx.lifecycle 2.11's factories is used.

package androidx.lifecycle.viewmodel

import androidx.lifecycle.ViewModel
import androidx.lifecycle.ViewModelProvider

abstract class CreationExtras internal constructor() {
    interface Key<T>

    abstract operator fun <T> get(key: Key<T>): T?
}

class InitializerViewModelFactoryBuilder

inline fun <reified VM : ViewModel> InitializerViewModelFactoryBuilder.initializer(noinline initializer: CreationExtras.() -> VM): Unit =
    throw NotImplementedError("$this $initializer ${VM::class}")

inline fun viewModelFactory(builder: InitializerViewModelFactoryBuilder.() -> Unit): ViewModelProvider.Factory =
    throw NotImplementedError("${InitializerViewModelFactoryBuilder().builder()}")
