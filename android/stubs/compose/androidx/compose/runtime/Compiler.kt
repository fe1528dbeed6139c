// What Compose's compiler calls of the runtime: as it looks for it, and never run.

package androidx.compose.runtime

import androidx.compose.runtime.internal.StabilityInferred

object ComposeVersion {
    const val version: Int = 12000
}

interface Composer {
    val applier: Any
    val inserting: Boolean
    val skipping: Boolean
    val defaultsInvalid: Boolean
    val recomposeScope: RecomposeScope?
    val compoundKeyHash: Int
    val currentMarker: Int

    fun startReplaceableGroup(key: Int)

    fun endReplaceableGroup()

    fun startReplaceGroup(key: Int)

    fun endReplaceGroup()

    fun startMovableGroup(key: Int, dataKey: Any?)

    fun endMovableGroup()

    fun startDefaults()

    fun endDefaults()

    fun startRestartGroup(key: Int): Composer

    fun endRestartGroup(): ScopeUpdateScope?

    fun skipToGroupEnd()

    fun skipCurrentGroup()

    fun endToMarker(marker: Int)

    fun shouldExecute(parametersChanged: Boolean, flags: Int): Boolean

    fun deactivateToEndGroup(changed: Boolean)

    fun startNode()

    fun startReusableNode()

    fun <T> createNode(factory: () -> T)

    fun useNode()

    fun endNode()

    fun sourceInformation(sourceInformation: String)

    fun sourceInformationMarkerStart(key: Int, sourceInformation: String)

    fun sourceInformationMarkerEnd()

    fun joinKey(left: Any?, right: Any?): Any

    fun rememberedValue(): Any?

    fun updateRememberedValue(value: Any?)

    fun changed(value: Any?): Boolean

    fun changed(value: Boolean): Boolean

    fun changed(value: Char): Boolean

    fun changed(value: Byte): Boolean

    fun changed(value: Short): Boolean

    fun changed(value: Int): Boolean

    fun changed(value: Float): Boolean

    fun changed(value: Long): Boolean

    fun changed(value: Double): Boolean

    fun changedInstance(value: Any?): Boolean

    companion object {
        val Empty: Any = Any()
    }
}

interface RecomposeScope {
    fun invalidate()
}

interface ScopeUpdateScope {
    fun updateScope(block: (Composer, Int) -> Unit)
}

val currentComposer: Composer
    @ReadOnlyComposable @Composable get() = throw NotImplementedError()

@Composable
inline fun <T> cache(invalid: Boolean, block: () -> T): T = throw NotImplementedError("$invalid ${block()}")

inline fun <T> Composer.cache(invalid: Boolean, block: () -> T): T = throw NotImplementedError("$invalid ${block()}")

fun sourceInformation(composer: Composer, sourceInformation: String): Unit = composer.sourceInformation(sourceInformation)

fun sourceInformationMarkerStart(composer: Composer, key: Int, sourceInformation: String): Unit =
    composer.sourceInformationMarkerStart(key, sourceInformation)

fun sourceInformationMarkerEnd(composer: Composer): Unit = composer.sourceInformationMarkerEnd()

fun isTraceInProgress(): Boolean = false

fun traceEventStart(key: Int, dirty1: Int, dirty2: Int, info: String): Unit = throw NotImplementedError("$key $dirty1 $dirty2 $info")

fun traceEventEnd(): Unit = Unit

fun updateChangedFlags(flags: Int): Int = flags

@Target(AnnotationTarget.FUNCTION, AnnotationTarget.TYPE, AnnotationTarget.TYPE_PARAMETER, AnnotationTarget.PROPERTY_GETTER)
@Retention(AnnotationRetention.BINARY)
annotation class Composable

@Target(AnnotationTarget.FUNCTION, AnnotationTarget.PROPERTY_GETTER)
@Retention(AnnotationRetention.BINARY)
annotation class ReadOnlyComposable

@Target(AnnotationTarget.FUNCTION, AnnotationTarget.TYPE)
@Retention(AnnotationRetention.BINARY)
annotation class DisallowComposableCalls

@Target(AnnotationTarget.FUNCTION)
@Retention(AnnotationRetention.BINARY)
annotation class NonRestartableComposable

@Target(AnnotationTarget.FUNCTION, AnnotationTarget.PROPERTY_GETTER)
@Retention(AnnotationRetention.BINARY)
annotation class ExplicitGroupsComposable

@Target(AnnotationTarget.CLASS)
@Retention(AnnotationRetention.BINARY)
annotation class Immutable

@Target(AnnotationTarget.CLASS, AnnotationTarget.FUNCTION, AnnotationTarget.PROPERTY_GETTER, AnnotationTarget.PROPERTY)
@Retention(AnnotationRetention.BINARY)
annotation class Stable

@Retention(AnnotationRetention.BINARY)
annotation class ComposeCompilerApi

@Target(AnnotationTarget.CLASS)
@Retention(AnnotationRetention.BINARY)
annotation class StableMarker

@Target(AnnotationTarget.FILE, AnnotationTarget.FUNCTION, AnnotationTarget.TYPE, AnnotationTarget.TYPE_PARAMETER, AnnotationTarget.PROPERTY_GETTER)
@Retention(AnnotationRetention.BINARY)
annotation class ComposableTarget(val applier: String)

@Target(AnnotationTarget.FILE, AnnotationTarget.FUNCTION, AnnotationTarget.TYPE, AnnotationTarget.TYPE_PARAMETER, AnnotationTarget.PROPERTY_GETTER)
@Retention(AnnotationRetention.BINARY)
annotation class ComposableOpenTarget(val index: Int)

@Target(AnnotationTarget.FUNCTION, AnnotationTarget.PROPERTY_GETTER)
@Retention(AnnotationRetention.BINARY)
annotation class ComposableInferredTarget(val scheme: String)
