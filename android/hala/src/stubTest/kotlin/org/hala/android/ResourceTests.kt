// Tests of resources: each text in both languages, with the same places for what is filled in.

package org.hala.android

import java.io.File
import javax.xml.parsers.DocumentBuilderFactory
import org.hala.Checks
import org.hala.holds
import org.hala.same
import org.w3c.dom.Element

/** Modules with resources; the tests run where the project lies. */
private val MODULES = listOf("android/hala", "android/demo")

/** `%1$s`, `%d`, `%%`. */
private val PLACE = Regex("""%(\d+\$)?[a-z%]""")

private fun parsed(file: File): Element = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file).documentElement

/** Texts by name; those of one number or another by name and quantity. */
private fun texts(file: File): Map<String, String> {
    val all = parsed(file).children().filter { it.getAttribute("translatable") != "false" }
    return all.flatMap { text ->
        val name = text.getAttribute("name")
        if (text.tagName == "string") listOf(name to text.textContent)
        else text.children().map { "$name ${it.getAttribute("quantity")}" to it.textContent }
    }.toMap()
}

private fun Element.children(): List<Element> = (0 until childNodes.length).mapNotNull { childNodes.item(it) as? Element }

private fun places(text: String) = PLACE.findAll(text).map { it.value }.sorted().toList()

/** The name of a text without its quantity: Arabic has more of these than English. */
private fun plain(name: String) = name.substringBefore(' ')

internal fun Checks.ofResources() {
    test("every XML file is well formed, and of UTF-8") {
        val files = MODULES.flatMap { File(it, "src").walk().filter { file -> file.extension == "xml" } }
        holds(files.size >= 3) { files }
        files.forEach { file ->
            parsed(file)
            holds(file.readText().startsWith("<?xml version=\"1.0\" encoding=\"utf-8\"?>")) { file }
        }
    }

    test("both languages have the same texts, with the same places") {
        for (module in MODULES.filter { File(it, "src/main/res").isDirectory }) {
            val (english, arabic) = listOf("values", "values-ar").map { texts(File(module, "src/main/res/$it/strings.xml")) }
            holds(english.size > 3) { module }
            same(arabic.keys.map(::plain).toSet(), english.keys.map(::plain).toSet())
            for ((name, text) in arabic) {
                val other = english[name] ?: english.getValue("${plain(name)} other")
                // One of something, or two, may go without the number.
                val isCounted = name.endsWith(" one") || name.endsWith(" two") || name.endsWith(" zero")
                holds(places(text) == places(other) || isCounted) { "$module $name: $text | $other" }
            }
        }
    }

    test("Arabic texts are Arabic") {
        for (module in MODULES.filter { File(it, "src/main/res").isDirectory }) {
            val latin = texts(File(module, "src/main/res/values-ar/strings.xml")).filterValues { text -> text.none { it in '\u0600'..'\u06ff' } }
            same(latin, emptyMap())
        }
    }
}
