// What the translation's screen shows and does.

package org.hala.demo.translate

import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.hala.HalaException
import org.hala.Language
import org.hala.TranslationEvent
import org.hala.android.ThermalStatus
import org.hala.android.cooled
import org.hala.demo.models.CurrentModel

/** @property from The language of [text]. */
data class TranslateState(
    val text: String = "",
    val translation: String = "",
    val from: Language = Language.ARABIC,
    val isBusy: Boolean = false,
    val failure: HalaException? = null,
) {
    val to: Language get() = if (from == Language.ARABIC) Language.ENGLISH else Language.ARABIC
}

class TranslateViewModel(
    private val model: CurrentModel,
    private val saved: SavedStateHandle,
    private val heat: Flow<ThermalStatus>,
) : ViewModel() {
    private val now = MutableStateFlow(restored())
    private var work: Job? = null

    val state: StateFlow<TranslateState> = now.asStateFlow()

    fun onText(text: String): Unit = change { it.copy(text = text, failure = null) }

    /** Turns the direction round; the translation becomes the text. */
    fun swap() {
        stop()
        change { it.copy(text = it.translation.ifEmpty { it.text }, translation = "", from = it.to, failure = null) }
    }

    fun translate() {
        val asked = now.value
        if (asked.isBusy || asked.text.isBlank()) return
        change { it.copy(translation = "", isBusy = true, failure = null) }
        work = viewModelScope.launch {
            try {
                model.ready().translateStreaming(asked.text, asked.from, asked.to).cooled(heat).collect(::note)
            } catch (failure: HalaException) {
                change { it.copy(failure = failure) }
            } finally {
                change { it.copy(isBusy = false) }
            }
        }
    }

    /** Stops; what has come stays. */
    fun stop() {
        work?.cancel()
    }

    private fun note(event: TranslationEvent) {
        when (event) {
            is TranslationEvent.Text -> change { it.copy(translation = it.translation + event.text) }
            is TranslationEvent.Done -> change { it.copy(translation = event.translation.text) }
        }
    }

    private fun change(how: (TranslateState) -> TranslateState) {
        now.update(how)
        val state = now.value
        saved[TEXT] = state.text
        saved[TRANSLATION] = state.translation
        saved[FROM] = state.from.name
    }

    private fun restored() = TranslateState(
        text = saved[TEXT] ?: "",
        translation = saved[TRANSLATION] ?: "",
        from = Language.entries.find { it.name == saved[FROM] } ?: Language.ARABIC,
    )

    private companion object {
        const val TEXT = "text"
        const val TRANSLATION = "translation"
        const val FROM = "from"
    }
}
