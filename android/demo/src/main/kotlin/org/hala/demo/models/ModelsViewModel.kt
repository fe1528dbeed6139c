// What the sheet with the models shows.

package org.hala.demo.models

import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import java.io.File
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import org.hala.DownloadState
import org.hala.Hala
import org.hala.HalaException
import org.hala.ModelStore
import org.hala.StoredModel
import org.hala.android.BackgroundDownloads

class ModelsViewModel(
    private val model: CurrentModel,
    private val store: ModelStore,
    private val downloads: BackgroundDownloads,
    private val cache: File,
) : ViewModel() {
    private val stored = MutableStateFlow<Map<String, StoredModel>>(emptyMap())
    private val memory = MutableStateFlow<Map<OfferedModel, Memory>>(emptyMap())

    val current: StateFlow<ModelState> get() = model.state

    val rows: StateFlow<List<ModelRow>> = combine(OfferedModel.ALL.map(::row)) { it.toList() }
        .stateIn(viewModelScope, SharingStarted.WhileSubscribed(5000), emptyList())

    /** Looks at what is on the device, and what each would take. */
    fun look() {
        viewModelScope.launch {
            stored.value = store.list().associateBy(StoredModel::name)
            OfferedModel.ALL.filter { it !in memory.value }.forEach { estimate(it) }
        }
    }

    fun use(offered: OfferedModel): Unit = model.choose(offered)

    fun download(offered: OfferedModel) {
        val remote = offered.remote ?: return
        viewModelScope.launch { downloads.start(remote) }
    }

    fun stop(offered: OfferedModel) {
        val remote = offered.remote ?: return
        viewModelScope.launch { downloads.stop(remote.name); look() }
    }

    /** Forgets a model; where it is the one in use, the one that comes with the app takes its place. */
    fun delete(offered: OfferedModel) {
        val remote = offered.remote ?: return
        viewModelScope.launch {
            if (model.state.value.model == offered) model.choose(OfferedModel.BUILT_IN)
            store.delete(remote.name)
            look()
        }
    }

    private fun row(offered: OfferedModel): Flow<ModelRow> {
        val download = offered.remote?.let { downloads.states(it.name) } ?: flowOf(null)
        return combine(current, stored, memory, download) { current, stored, memory, state ->
            val file = offered.remote?.let { stored[it.name] } ?: (state as? DownloadState.Ready)?.model
            ModelRow(offered, current.model == offered, file, memory[offered] ?: Memory.Unknown, state)
        }
    }

    private suspend fun estimate(offered: OfferedModel) {
        val found = try {
            Memory.Bytes(Hala.estimate(offered.remoteSource(cache), offered.options).peakBytes)
        } catch (_: HalaException) {
            // Without a network there is no telling; the next look tries again.
            return
        }
        memory.update { it + (offered to found) }
    }
}
