// What is downloaded, when it may be, and how that goes.

package org.hala

import java.io.File
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flowOf

/** A model that is somewhere else. [name] is what a [ModelStore] knows it by. */
public sealed interface RemoteModel {
    public val name: String

    /** A model of the Hugging Face Hub, `owner/name[@revision][:file]`. What the Hub says of its files' SHA-256 is checked. */
    public data class Hub(val id: String, override val name: String = id) : RemoteModel

    /**
     * One file, `.gguf` or `.safetensors`, by its address.
     *
     * @property sha256 What its SHA-256 must be, in hexadecimal; not checked where it is not given.
     */
    public data class Url(val url: String, val sha256: String? = null, override val name: String = fileName(url)) : RemoteModel
}

/** The last part of an address. */
internal fun fileName(url: String): String =
    url.substringBefore('?').substringBefore('#').trimEnd('/').substringAfterLast('/').ifEmpty { "model" }

/** Whether downloads may use the network, from now on: `org.hala.android` has one for networks that cost nothing. */
public fun interface NetworkPolicy {
    /** Whether they may, and each change of that. A download that may no longer stops and goes on when it may again. */
    public fun isAllowed(): Flow<Boolean>

    public companion object {
        /** Any network, at any time. */
        public val ANY: NetworkPolicy = NetworkPolicy { flowOf(true) }
    }
}

/** How a download goes. [Ready] or [Failed] is the last. */
public sealed interface DownloadState {
    /** Nothing comes at the moment. */
    public data class Waiting(val reason: Reason) : DownloadState {
        /** What is waited for. */
        public enum class Reason {
            /** A network that may be used. */
            NETWORK,

            /** The server's next bytes. */
            SERVER,

            /** The next try, after a connection that broke. */
            RETRY,
        }
    }

    /** A file comes: [bytes] of it are there, those of earlier tries included, of [totalBytes], which is 0 where that is not known. */
    public data class Running(val file: String, val bytes: Long, val totalBytes: Long) : DownloadState

    /** What has come is checked against its SHA-256. */
    public data class Verifying(val file: String, val bytes: Long, val totalBytes: Long) : DownloadState

    /** It is there. */
    public data class Ready(val model: StoredModel) : DownloadState

    /** It is not; what has come is kept where a later try may go on with it. */
    public data class Failed(val failure: HalaException) : DownloadState
}

/** What a task tells, as a HalaProgressKind of the C interface; null for what only later versions know. */
internal fun downloadState(told: Fields): DownloadState? = when (told.int("progress")) {
    1 -> DownloadState.Running(told.text("name"), told.long("done"), told.long("total"))
    2 -> DownloadState.Verifying(told.text("name"), told.long("done"), told.long("total"))
    3 -> DownloadState.Waiting(DownloadState.Waiting.Reason.RETRY)
    5 -> DownloadState.Waiting(DownloadState.Waiting.Reason.SERVER)
    else -> null
}

/**
 * A model that a store keeps, whole or in part.
 *
 * @property path What [ModelSource.Path] takes; null while it is not whole.
 * @property bytes Bytes held.
 * @property lastChanged When it was last downloaded, in milliseconds since 1970.
 */
public data class StoredModel(val name: String, val path: File?, val bytes: Long, val lastChanged: Long) {
    /** Whether all of it is there. */
    val isComplete: Boolean get() = path != null

    /** What [Hala.load] takes. Throws a [HalaException] with code `missing-file` while it is not whole. */
    val source: ModelSource
        get() = ModelSource.Path(path ?: throw HalaException("missing-file", "$name is not whole: download it once more"))
}
