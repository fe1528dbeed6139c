// A server of this process, which serves one file.

package org.hala

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.net.InetSocketAddress
import java.security.MessageDigest
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlinx.coroutines.CompletableDeferred

internal val CONTENT = Random(7).nextBytes(3 shl 20)

/** Serves [CONTENT] as `/model.gguf`, in parts where parts are asked for; after [nBefore] bytes it waits until [mayGoOn]. */
internal class Server {
    val ranges = ArrayList<String?>()
    val nBefore = AtomicInteger(CONTENT.size)
    val mayGoOn = CompletableDeferred<Unit>()
    private val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)

    init {
        server.createContext("/model.gguf") { Thread { answer(it) }.start() }
        server.start()
    }

    val url = "http://127.0.0.1:${server.address.port}"

    private fun answer(exchange: HttpExchange) {
        val range = exchange.requestHeaders.getFirst("Range")
        synchronized(ranges) { ranges.add(range) }
        val from = range?.removePrefix("bytes=")?.substringBefore('-')?.toInt() ?: 0
        exchange.responseHeaders.add("ETag", "\"one\"")
        exchange.responseHeaders.add("Accept-Ranges", "bytes")
        if (from > 0) exchange.responseHeaders.add("Content-Range", "bytes $from-${CONTENT.size - 1}/${CONTENT.size}")
        exchange.sendResponseHeaders(if (from > 0) 206 else 200, (CONTENT.size - from).toLong())
        runCatching {
            val upTo = maxOf(from, nBefore.get())
            exchange.responseBody.write(CONTENT, from, upTo - from)
            exchange.responseBody.flush()
            if (upTo < CONTENT.size) {
                kotlinx.coroutines.runBlocking { mayGoOn.await() }
                exchange.responseBody.write(CONTENT, upTo, CONTENT.size - upTo)
            }
        }
        exchange.close()
    }

    fun stop() {
        mayGoOn.complete(Unit)
        server.stop(0)
    }
}

internal suspend fun serving(work: suspend (Server) -> Unit) {
    val server = Server()
    try {
        work(server)
    } finally {
        server.stop()
    }
}

internal fun hash(bytes: ByteArray) = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }
