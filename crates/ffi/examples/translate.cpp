// Streams a translation with the small model that ships with Hala, each piece with the sentence it is of: `translate [TEXT]`.

#include <hala.hpp>

#include <iostream>
#include <string>

int main(int argc, char **argv) {
    const std::string text = argc > 1 ? argv[1] : "Good morning. Where is the station?";
    try {
        hala::Engine engine = hala::Engine::built_in();

        // A stream is gone through as a list is; leaving the loop would end the work.
        hala::Stream stream = engine.translate_start(text);
        std::size_t sentence = text.size();
        for (const hala::Event &event : stream) {
            if (event.kind != hala::EventKind::Text) {
                continue;
            }
            if (event.source.start != sentence && event.text.find_first_not_of(" \n") != std::string_view::npos) {
                sentence = event.source.start;
                std::cout << "\n" << text.substr(sentence, event.source.end - sentence) << " -> ";
            }
            std::cout << event.text << std::flush;
        }
        std::cout << "\n";
    } catch (const hala::Error &error) {
        std::cerr << error.name() << ": " << error.what() << "\n";
        return 1;
    }
    return 0;
}
