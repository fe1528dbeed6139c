// Which model is meant, and how it is loaded.

package org.hala

import java.io.File

/** Where a model comes from. */
public sealed interface ModelSource {
    /** The small Arabic-English translator that ships with the library. */
    public data object BuiltIn : ModelSource

    /** A folder in Hugging Face layout, or one `.safetensors` or GGUF file; what [ModelStore] has downloaded is one of these. */
    public data class Path(val path: File) : ModelSource

    /**
     * A model of the Hugging Face Hub, `owner/name[@revision][:file]`, which is fetched into [cache] where it is not there. An app rather downloads
     * with a [ModelStore] first: that tells its state, and goes on later.
     */
    public data class Hub(val id: String, val cache: File, val token: String? = null) : ModelSource
}

/**
 * Choices made when a model is loaded. What is null or 0 is what suits the device and the model.
 *
 * @property backend `auto` (a real GPU, or else the CPU; for the built-in model the CPU), `cpu` or `wgpu`.
 * @property adapter The GPU whose name contains this, whatever its case.
 * @property weights How matrices are held: `auto`, `f32`, `bf16`, `f16`, `fp8`, `int8` or `int4`.
 * @property context Tokens that a conversation can hold.
 * @property threads Threads of the CPU.
 * @property parallel Sequences at once.
 * @property devices The folder in which what is known of this device's GPUs is kept: that the last process ended in the first run of one, so that the next
 * takes the CPU, and which kernels are fast. Where none is given it is in the user's folder for caches, and an app on Android has none: give
 * `Context.deviceFolder` of `org.hala.android`.
 */
public data class LoadOptions(
    val backend: String? = null,
    val adapter: String? = null,
    val weights: String? = null,
    val context: Int = 0,
    val threads: Int = 0,
    val parallel: Int = 0,
    val devices: File? = null,
)

/**
 * How far loading has come.
 *
 * @property name The file that comes, or the tensor that was loaded last.
 * @property loaded Bytes of the file, or elements of tensors.
 * @property total All of them; 0 where it is not known.
 */
public data class LoadProgress(val phase: Phase, val name: String, val loaded: Long, val total: Long) {
    /** What goes on. */
    public enum class Phase {
        /** The network is waited for. */
        WAIT,

        /** A file comes. */
        DOWNLOAD,

        /** What has come is checked against its SHA-256. */
        VERIFY,

        /** Weights go to the device. */
        LOAD,
    }
}

/**
 * Bytes of memory that a model will take at most, known from the headers of its files.
 *
 * @property weightBytes All weights as they will be held.
 * @property tokenizerBytes The tokenizer.
 * @property cacheBytesPerToken Caches for one token.
 * @property sessionBytes Caches and states of a conversation that fills its context.
 * @property peakBytes The most while the model is loaded.
 */
public data class Estimate(
    val weightBytes: Long,
    val tokenizerBytes: Long,
    val cacheBytesPerToken: Long,
    val sessionBytes: Long,
    val peakBytes: Long,
)

/** The same as native methods take it. */
internal fun request(source: ModelSource, options: LoadOptions): ByteArray {
    val where = when (source) {
        ModelSource.BuiltIn -> emptyMap()
        is ModelSource.Path -> mapOf("path" to source.path.path)
        is ModelSource.Hub -> mapOf("hub" to source.id, "server" to Json.given("cache" to source.cache.path, "token" to source.token))
    }
    val choices = Json.given(
        "backend" to options.backend,
        "adapter" to options.adapter,
        "weights" to options.weights,
        "devices" to options.devices?.path,
    )
    val numbers = mapOf("context" to options.context, "threads" to options.threads, "parallel" to options.parallel)
    return Json.bytes(where + choices + numbers)
}

/** What a task tells of its progress, as a HalaProgressKind of the C interface. */
internal fun phaseOf(kind: Int): LoadProgress.Phase = when (kind) {
    1 -> LoadProgress.Phase.DOWNLOAD
    2 -> LoadProgress.Phase.VERIFY
    4 -> LoadProgress.Phase.LOAD
    else -> LoadProgress.Phase.WAIT
}
