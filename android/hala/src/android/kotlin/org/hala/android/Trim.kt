// Memory goes back to the system when that asks for it.

package org.hala.android

import android.content.ComponentCallbacks2
import android.content.Context
import android.content.res.Configuration
import java.lang.ref.WeakReference
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import org.hala.Hala
import org.hala.HalaException

/**
 * Gives memory of this model back whenever the system asks the app for it, until what is returned is closed or the model is gone.
 *
 * | the system says | what goes back |
 * |---|---|
 * | the app is no longer seen | what no chat uses |
 * | the app is in the background, or memory is all but used up | what chats have computed too: their next turn computes it again |
 *
 * Since Android 14 the system says nothing else. Before that it also says that memory is running low while the app is seen: then what no chat uses
 * goes, and where it is critical what chats have computed too.
 */
public fun Hala.trimOnLowMemory(context: Context): AutoCloseable = TrimCallbacks.register(context.applicationContext, this)

/** What is given back. */
internal enum class Given {
    NOTHING,

    /** What no chat uses. */
    UNUSED,

    /** What chats have computed, too. */
    CHATS;

    companion object {
        /** At a level of onTrimMemory. Between those that are known others may come, as its documentation says. */
        @Suppress("DEPRECATION") // Levels that come before Android 14.
        fun at(level: Int): Given = when {
            level >= ComponentCallbacks2.TRIM_MEMORY_BACKGROUND -> CHATS
            level >= ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN -> UNUSED
            level >= ComponentCallbacks2.TRIM_MEMORY_RUNNING_CRITICAL -> CHATS
            level >= ComponentCallbacks2.TRIM_MEMORY_RUNNING_LOW -> UNUSED
            else -> NOTHING
        }
    }
}

/** What the system calls. It holds the model weakly: nobody has to remember to close this before the model can go. */
internal class TrimCallbacks private constructor(
    private val context: Context,
    private val scope: CoroutineScope,
    hala: Hala,
) : ComponentCallbacks2, AutoCloseable {
    private val hala = WeakReference(hala)

    override fun onTrimMemory(level: Int): Unit = give(Given.at(level))

    @Deprecated("As in Android: versions before 4 know nothing else, and some devices call it yet.")
    override fun onLowMemory(): Unit = give(Given.CHATS)

    override fun onConfigurationChanged(newConfig: Configuration): Unit = Unit

    override fun close(): Unit = context.unregisterComponentCallbacks(this)

    private fun give(given: Given) {
        val hala = hala.get() ?: return close()
        if (given == Given.NOTHING) return
        // The system calls on the main thread, and trimming waits for the step that is under way.
        scope.launch {
            try {
                hala.trim(chats = given == Given.CHATS)
            } catch (failure: HalaException) {
                // A model that was closed has given back everything. What else fails here is told to whoever asks the model next.
                if (failure.code == HalaException.DISPOSED) close()
            }
        }
    }

    companion object {
        fun register(context: Context, hala: Hala, scope: CoroutineScope = CoroutineScope(Dispatchers.Default)): TrimCallbacks =
            TrimCallbacks(context, scope, hala).also(context::registerComponentCallbacks)
    }
}
