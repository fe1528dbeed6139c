// A row of the sheet with the models.

package org.hala.demo.models

import org.hala.DownloadState
import org.hala.StoredModel

/** Memory that a model will take. */
sealed interface Memory {
    /** The network is needed to tell. */
    data object Unknown : Memory

    data class Bytes(val most: Long) : Memory
}

/**
 * @property isInUse Whether it is the chosen one.
 * @property stored What is on the device, whole or in part.
 * @property download How its download goes; null where there is none.
 */
data class ModelRow(
    val model: OfferedModel,
    val isInUse: Boolean,
    val stored: StoredModel?,
    val memory: Memory,
    val download: DownloadState?,
) {
    /** What can be done with it now. */
    val actions: Set<ModelAction>
        get() = when {
            isInUse && model.remote == null -> emptySet()
            model.remote == null -> setOf(ModelAction.USE)
            isDownloading -> setOf(ModelAction.STOP)
            stored?.isComplete == true && isInUse -> setOf(ModelAction.DELETE)
            stored?.isComplete == true -> setOf(ModelAction.USE, ModelAction.DELETE)
            stored != null -> setOf(ModelAction.DOWNLOAD, ModelAction.DELETE)
            else -> setOf(ModelAction.DOWNLOAD)
        }

    private val isDownloading get() = download != null && download !is DownloadState.Ready && download !is DownloadState.Failed
}

enum class ModelAction { USE, DOWNLOAD, STOP, DELETE }
