// Models that were downloaded, in a folder of the app's.

package org.hala

import java.io.File
import java.io.IOException
import java.net.URLEncoder
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.transformLatest
import kotlinx.coroutines.flow.transformWhile

/**
 * Models that were downloaded. Each has a folder of its own in [folder]: what has come, and `model.json`, which says what it is.
 *
 * @param folder Where they are, such as `File(context.filesDir, "models")`.
 * @param token An access token of the Hub, for models that are not open to all.
 * @param network When downloads may use the network.
 * @param endpoint The Hub's server, where it is another.
 */
public class ModelStore(
    private val folder: File,
    private val token: String? = null,
    private val network: NetworkPolicy = NetworkPolicy.ANY,
    private val endpoint: String? = null,
) {
    /**
     * Downloads a model, or goes on where an earlier download stopped; what is there and right is not fetched again. The flow ends with
     * [DownloadState.Ready] or [DownloadState.Failed], and whoever stops collecting stops the download, of which what has come is kept. States between
     * may be left out where the collector is slow.
     */
    @OptIn(ExperimentalCoroutinesApi::class)
    public fun download(model: RemoteModel): Flow<DownloadState> =
        network.isAllowed().distinctUntilChanged()
            .transformLatest { isAllowed ->
                if (!isAllowed) emit(DownloadState.Waiting(DownloadState.Waiting.Reason.NETWORK))
                else fetch(model).collect { emit(it) }
            }
            .transformWhile { state ->
                emit(state)
                state !is DownloadState.Ready && state !is DownloadState.Failed
            }

    private fun fetch(model: RemoteModel): Flow<DownloadState> = flow {
        val place = placeOf(model.name)
        try {
            aside { note(place, model, null) }
            var path: File? = null
            Pull.TASK.each({ Native.download(request(place, model)) }) { _, told ->
                told.textGiven("path")?.let { path = File(it) } ?: downloadState(told)?.let { emit(it) }
            }
            emit(DownloadState.Ready(aside { note(place, model, path); stored(place)!! }))
        } catch (failure: HalaException) {
            emit(DownloadState.Failed(failure))
        } catch (failure: IOException) {
            emit(DownloadState.Failed(HalaException("reader", "$place cannot be written: ${failure.message}")))
        }
    }

    /** Every model, whole or in part, by name. */
    public suspend fun list(): List<StoredModel> =
        aside { folder.listFiles().orEmpty().mapNotNull(::stored).sortedBy(StoredModel::name) }

    /** A model by its name, whole or in part. */
    public suspend fun find(name: String): StoredModel? = aside { stored(placeOf(name)) }

    /** Forgets a model and all that has come of it; false where none has that name. */
    public suspend fun delete(name: String): Boolean = aside {
        val place = placeOf(name)
        // What says that it is a model goes first: what is left of it where that fails is of none.
        place.isDirectory && File(place, RECORD).delete() && place.deleteRecursively()
    }

    /** Bytes of all models. */
    public suspend fun size(): Long = list().sumOf(StoredModel::bytes)

    private fun request(place: File, model: RemoteModel): ByteArray = Json.bytes(
        when (model) {
            is RemoteModel.Hub -> {
                val server = Json.given("cache" to place.path, "token" to token, "endpoint" to endpoint)
                mapOf("hub" to model.id, "server" to server)
            }
            is RemoteModel.Url ->
                Json.given("url" to model.url, "path" to File(place, fileName(model.url)).path, "sha256" to model.sha256)
        },
    )

    /** A name as a folder: any name is one, and no two names are the same. */
    private fun placeOf(name: String): File = File(folder, URLEncoder.encode(name, "UTF-8").replace(".", "%2E").replace("*", "%2A"))

    /** Writes what a folder holds, wholly or not at all. */
    private fun note(place: File, model: RemoteModel, path: File?) {
        place.mkdirs()
        val record = File(place, RECORD)
        val inside = path?.relativeTo(place)?.path
        // A model that was whole stays so while it is looked at again.
        if (inside == null && stored(place) != null) return
        val whole = File(place, "$RECORD.new")
        whole.writeBytes(Json.bytes(Json.given("name" to model.name, "path" to inside)))
        if (!whole.renameTo(record)) throw IOException("$record cannot be put in its place")
    }

    private fun stored(place: File): StoredModel? {
        val record = File(place, RECORD).takeIf(File::isFile) ?: return null
        val told = Json.parse(record.readBytes())
        val path = told.textGiven("path")?.let { File(place, it) }?.takeIf(File::exists)
        return StoredModel(told.text("name"), path, bytesIn(place), record.lastModified())
    }

    /** Bytes of files, each counted once: the Hub's folders link to them. */
    private fun bytesIn(place: File): Long = place.walk().onEnter { !isLink(it) }.filter { it.isFile && !isLink(it) }.sumOf(File::length)

    private fun isLink(file: File): Boolean = file.absoluteFile.parentFile?.canonicalFile?.let { File(it, file.name) }?.let { it.canonicalFile != it } == true

    private companion object {
        const val RECORD = "model.json"
    }
}
