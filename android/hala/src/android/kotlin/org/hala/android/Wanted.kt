// What is to be downloaded, as WorkManager keeps it.

package org.hala.android

import androidx.work.Data
import androidx.work.workDataOf
import java.io.File
import org.hala.ModelStore
import org.hala.RemoteModel

/** What is to be downloaded, and where to. */
internal class Wanted(val model: RemoteModel, private val folder: File, private val token: String?, private val endpoint: String?) {
    /** The store that it goes to. WorkManager's constraints say when the network may be used. */
    fun store(): ModelStore = ModelStore(folder, token, endpoint = endpoint)

    fun data(): Data {
        val where = when (model) {
            is RemoteModel.Hub -> arrayOf(HUB to model.id)
            is RemoteModel.Url -> arrayOf(URL to model.url, SHA256 to model.sha256)
        }
        return workDataOf(*where, NAME to model.name, FOLDER to folder.path, TOKEN to token, ENDPOINT to endpoint)
    }

    companion object {
        private const val HUB = "hub"
        private const val URL = "url"
        private const val SHA256 = "sha256"
        private const val NAME = "name"
        private const val FOLDER = "folder"
        private const val TOKEN = "token"
        private const val ENDPOINT = "endpoint"

        /** Throws where the data are none of [Wanted.data]. */
        fun of(data: Data): Wanted {
            val name = requireNotNull(data.getString(NAME)) { "no name" }
            val folder = File(requireNotNull(data.getString(FOLDER)) { "no folder" })
            val model = data.getString(HUB)?.let { RemoteModel.Hub(it, name) }
                ?: RemoteModel.Url(requireNotNull(data.getString(URL)) { "no address" }, data.getString(SHA256), name)
            return Wanted(model, folder, data.getString(TOKEN), data.getString(ENDPOINT))
        }
    }
}
