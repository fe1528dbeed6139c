// A server of this process that answers as the Hugging Face Hub does, with one model.

package org.hala

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.io.File
import java.net.InetSocketAddress
import java.util.concurrent.atomic.AtomicInteger

private const val COMMIT = "0123456789abcdef0123456789abcdef01234567"

/** Serves files as `team/small` to whoever has the token, and counts requests for what is in them. */
internal class HubServer(private val files: Map<String, ByteArray>, private val token: String) {
    val nFetched = AtomicInteger()
    private val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)

    init {
        server.createContext("/api/models/team/small/revision/main") { answer(it) { listing() } }
        for ((name, content) in files) {
            server.createContext("/team/small/resolve/$COMMIT/$name") { exchange ->
                if (exchange.requestMethod == "GET") nFetched.incrementAndGet()
                exchange.responseHeaders.add("X-Repo-Commit", COMMIT)
                // As of large files, whose hash the Hub knows.
                exchange.responseHeaders.add("ETag", "\"${hash(content)}\"")
                answer(exchange) { content }
            }
        }
        server.start()
    }

    val url = "http://127.0.0.1:${server.address.port}"

    private fun listing(): ByteArray =
        Json.bytes(mapOf("sha" to COMMIT, "siblings" to files.map { mapOf("rfilename" to it.key, "size" to it.value.size) }))

    private fun answer(exchange: HttpExchange, content: () -> ByteArray) {
        if (exchange.requestHeaders.getFirst("Authorization") != "Bearer $token") {
            exchange.responseHeaders.add("X-Error-Code", "GatedRepo")
            exchange.sendResponseHeaders(403, -1)
        } else if (exchange.requestMethod == "HEAD") {
            exchange.responseHeaders.add("Content-Length", content().size.toString())
            exchange.sendResponseHeaders(200, -1)
        } else {
            val bytes = content()
            exchange.sendResponseHeaders(200, bytes.size.toLong())
            exchange.responseBody.write(bytes)
        }
        exchange.close()
    }

    fun stop(): Unit = server.stop(0)

    companion object {
        /** A small model with the built-in one's tokenizer. */
        fun ofSmallModel(token: String): HubServer {
            val model = listOf("config.json", "model.safetensors").map { File("tests/fixtures/lfm3-page", it) }
            val text = listOf("tokenizer.json", "tokenizer_config.json").map { File("crates/demo-model/files", it) }
            return HubServer((model + text).associate { it.name to it.readBytes() }, token)
        }
    }
}
