// The models that the app offers.

package org.hala.demo.models

import androidx.annotation.StringRes
import java.io.File
import org.hala.HalaException
import org.hala.LoadOptions
import org.hala.ModelSource
import org.hala.ModelStore
import org.hala.RemoteModel
import org.hala.StoredModel
import org.hala.demo.R

/**
 * A model to choose.
 *
 * @property key What it is remembered by.
 * @property title Its own name; null for the one that comes with the app, which has one in each language.
 * @property remote Where it comes from; null where it comes with the app.
 */
data class OfferedModel(
    val key: String,
    val title: String?,
    @param:StringRes val about: Int,
    val remote: RemoteModel.Hub?,
    val canChat: Boolean = true,
) {
    /** Held in 8 bits: a phone's memory is small, and text hardly changes by that. */
    val options: LoadOptions get() = if (remote == null) LoadOptions() else LoadOptions(weights = "int8")

    /** What is loaded. Throws a [HalaException] where it has not been downloaded. */
    suspend fun source(store: ModelStore): ModelSource = when (remote) {
        null -> ModelSource.BuiltIn
        else -> (store.find(remote.name) ?: StoredModel(remote.name, path = null, bytes = 0, lastChanged = 0)).source
    }

    /** What is estimated, before anything is downloaded but the headers of its files. */
    fun remoteSource(cache: File): ModelSource = remote?.let { ModelSource.Hub(it.id, cache) } ?: ModelSource.BuiltIn

    companion object {
        val BUILT_IN = OfferedModel("built-in", null, R.string.model_built_in_about, null, canChat = false)

        val ALL = listOf(
            BUILT_IN,
            hub("Hala 350M", R.string.model_translator_about, "hammh0a/Hala-350M"),
            hub("Hala 1.2B", R.string.model_translator_about, "hammh0a/Hala-1.2B"),
            hub("LFM2 350M", R.string.model_chat_about, "LiquidAI/LFM2-350M"),
            hub("LFM2 1.2B", R.string.model_chat_about, "LiquidAI/LFM2-1.2B"),
        )

        private fun hub(title: String, about: Int, id: String) = OfferedModel(id, title, about, RemoteModel.Hub(id))
    }
}
