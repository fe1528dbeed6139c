// How the screens' models are made.

package org.hala.demo

import androidx.lifecycle.ViewModelProvider
import androidx.lifecycle.ViewModelProvider.AndroidViewModelFactory.Companion.APPLICATION_KEY
import androidx.lifecycle.createSavedStateHandle
import androidx.lifecycle.viewmodel.CreationExtras
import androidx.lifecycle.viewmodel.initializer
import androidx.lifecycle.viewmodel.viewModelFactory
import java.io.File
import org.hala.demo.chat.ChatViewModel
import org.hala.demo.models.ModelsViewModel
import org.hala.demo.translate.TranslateViewModel

private val CreationExtras.app get() = checkNotNull(this[APPLICATION_KEY]) as DemoApplication

/** Makes each with what the process shares, and with what is kept for it over the process's death. */
val ViewModels: ViewModelProvider.Factory = viewModelFactory {
    initializer { TranslateViewModel(app.model, createSavedStateHandle(), app.heat) }
    initializer { ChatViewModel(app.model, app.conversations, createSavedStateHandle(), app.heat) }
    initializer { ModelsViewModel(app.model, app.store, app.downloads, File(app.cacheDir, "estimates")) }
}
