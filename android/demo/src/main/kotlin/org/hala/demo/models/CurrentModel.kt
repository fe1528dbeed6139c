// The model in use, which the screens share.

package org.hala.demo.models

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import org.hala.Hala
import org.hala.HalaException
import org.hala.LoadProgress

/** How it is with the model in use. */
sealed interface ModelState {
    val model: OfferedModel

    /** It comes: [part] of it is there, where that is known. */
    data class Loading(override val model: OfferedModel, val part: Float? = null) : ModelState

    data class Ready(override val model: OfferedModel, val hala: Hala) : ModelState

    data class Failed(override val model: OfferedModel, val failure: HalaException) : ModelState
}

/** Holds one model, and loads another when it is chosen. Everything here runs on the thread of [scope]. */
class CurrentModel(
    private val scope: CoroutineScope,
    first: OfferedModel,
    private val open: Open,
    private val onChoice: (OfferedModel) -> Unit = {},
) {
    /** How a model is loaded. */
    fun interface Open {
        suspend fun load(model: OfferedModel, tell: (LoadProgress) -> Unit): Hala
    }

    private val now = MutableStateFlow<ModelState>(ModelState.Loading(first))
    private var loading: Job? = null

    val state: StateFlow<ModelState> = now.asStateFlow()

    init {
        load(first)
    }

    /** Loads another one. What the one before is doing comes to its end, and then it goes. */
    fun choose(model: OfferedModel) {
        if (model == now.value.model && now.value !is ModelState.Failed) return
        onChoice(model)
        load(model)
    }

    /** The model, once it is there. Throws what its loading ended with. */
    suspend fun ready(): Hala = when (val state = state.first { it !is ModelState.Loading }) {
        is ModelState.Ready -> state.hala
        is ModelState.Failed -> throw state.failure
        is ModelState.Loading -> error("it is loading yet")
    }

    private fun load(model: OfferedModel) {
        val before = loading
        before?.cancel()
        (now.value as? ModelState.Ready)?.hala?.close()
        now.value = ModelState.Loading(model)
        loading = scope.launch {
            // Two models at once may be more than the device has.
            before?.join()
            now.value = try {
                ModelState.Ready(model, open.load(model) { now.value = ModelState.Loading(model, it.part) })
            } catch (failure: HalaException) {
                ModelState.Failed(model, failure)
            }
        }
    }

    private val LoadProgress.part: Float?
        get() = if (phase == LoadProgress.Phase.LOAD && total > 0) loaded.toFloat() / total else null
}
