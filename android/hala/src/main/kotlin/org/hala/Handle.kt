// Handles of native things: let go of when they are closed, or when nobody can reach them any more.

package org.hala

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.Collections
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.thread

/** A native thing, which [release] lets go of once: when this is closed, or when nobody can reach it any more. */
internal class Handle(private val what: String, private val number: Long, release: (Long) -> Unit) : AutoCloseable {
    private val watch = number.let { number -> Reaper.watch(this) { release(number) } }

    @Volatile private var isClosed = false

    /** Does something with the handle, which stays until that is done. */
    fun <T> use(work: (Long) -> T): T {
        try {
            // Read before and after, so that the garbage collector sees this in use meanwhile.
            if (isClosed) throw HalaException(HalaException.DISPOSED, "the $what was closed: make another")
            return work(number)
        } finally {
            isClosed = isClosed
        }
    }

    /** Lets go of it; again is nothing. */
    override fun close() {
        isClosed = true
        watch.run()
    }
}

/**
 * What runs when an owner cannot be reached any more, as java.lang.ref.Cleaner does it. Android has that since version 13 only, and Hala runs on
 * Android 8; one way for all versions is one that is tested.
 */
internal object Reaper {
    private val queue = ReferenceQueue<Any>()

    /** References that nobody holds are not queued. */
    private val watches: MutableSet<Watch> = Collections.newSetFromMap(ConcurrentHashMap())

    init {
        thread(isDaemon = true, name = "hala-reaper") {
            while (true) (queue.remove() as Watch).run()
        }
    }

    /** Actions that have not run. */
    val size: Int get() = watches.size

    /** Runs [action] once, when [owner] is gone or earlier; it must not hold the owner. */
    fun watch(owner: Any, action: () -> Unit): Watch = Watch(owner, action).also { watches.add(it) }

    /** An action that has not run yet. */
    class Watch(owner: Any, private val action: () -> Unit) : PhantomReference<Any>(owner, queue) {
        /** Runs it, unless it has run. */
        fun run() {
            if (!watches.remove(this)) return
            clear()
            action()
        }
    }
}
