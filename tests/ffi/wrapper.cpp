// hala.hpp: what it adds to hala.h. `wrapper FOLDER` with a model that gives a notice.

#include "hala.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#define CHECK(what) ((what) ? (void)0 : fail(#what, __LINE__))
#define CHECK_EQUAL(found, expected) same((found), (expected), #found, __LINE__)

static void fail(const char *what, int line) {
    std::fprintf(stderr, "wrapper.cpp:%d: expected: %s\n", line, what);
    std::exit(1);
}

static void same(std::string_view found, std::string_view expected, const char *what, int line) {
    if (found != expected) {
        std::fprintf(stderr, "wrapper.cpp:%d: %s:\n    expected \"%s\"\n    found    \"%s\"\n", line, what, std::string(expected).c_str(),
                     std::string(found).c_str());
        std::exit(1);
    }
}

// What a call throws.
template <typename E, typename F>
static E thrown(F call, int line) {
    try {
        call();
    } catch (const E &error) {
        return error;
    }
    fail("an exception", line);
    std::abort();
}
#define THROWN(E, call) thrown<E>([&] { call; }, __LINE__)

static const char *const LONG = R"({"prompt": "Hello", "temperature": 0, "max_tokens": 60, "ignore_eos": true})";

static hala::LoadOptions threads() {
    const char *given = std::getenv("HALA_TEST_THREADS");
    hala::LoadOptions options;
    options.backend = "cpu";
    options.threads = given == nullptr ? 2 : std::strtoul(given, nullptr, 10);
    return options;
}

static void answers(const hala::Engine &engine) {
    CHECK_EQUAL(engine.translate("Good morning."), "صباح الخير.");
    hala::TranslateOptions to;
    to.from = "ar";
    to.to = "en";
    CHECK_EQUAL(engine.translate("صباح الخير.", to), "Good morning.");
    std::vector<std::string> all = engine.translate_all({"Good morning.", "", "صباح الخير."});
    CHECK(all.size() == 3 && all[1].empty());
    CHECK_EQUAL(all[0], "صباح الخير.");
    CHECK_EQUAL(all[2], "Good morning.");
    CHECK(engine.translate_all({}).empty());
    CHECK(engine.generate(R"({"prompt": [1, 5], "max_tokens": 2})").find("text_completion") != std::string::npos);
    CHECK(engine.chat(R"({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2})").find("chat.completion") != std::string::npos);
    hala::TokenizeOptions bare;
    bare.bos = false;
    std::vector<std::uint32_t> ids = engine.tokenize("Good morning.", bare);
    CHECK(engine.tokenize("Good morning.").size() == ids.size() + 1);
    CHECK(engine.tokenize("", bare).empty());
    CHECK_EQUAL(engine.detokenize(ids), "Good morning.");
    CHECK(engine.count_prompt(R"([{"role": "user", "content": "Hi"}])") > 3);
    CHECK(engine.info().find("lfm2") != std::string::npos);
    engine.trim();
    CHECK(hala::abi_version() == HALA_ABI_VERSION && !hala::version().empty() && !hala::features().empty());
    hala::Estimate estimate = hala::estimate({}, threads());
    CHECK(estimate.peak_bytes > estimate.weight_bytes && estimate.weight_bytes > 1000000);
}

static void failures_are_exceptions(const hala::Engine &engine) {
    hala::Error error = THROWN(hala::Error, engine.generate(R"({"promt": 1})"));
    CHECK(error.status() == HALA_STATUS_INVALID_REQUEST && error.bytes() == 0);
    CHECK_EQUAL(error.name(), "invalid-request");
    CHECK(std::string(error.what()).find("promt") != std::string::npos);
    hala::TranslateOptions none;
    none.to = "xx";
    CHECK(THROWN(hala::Error, engine.translate("Hello.", none)).status() == HALA_STATUS_INVALID_ARGUMENT);
    CHECK(THROWN(hala::Error, engine.translate("\xFF")).status() == HALA_STATUS_INVALID_UTF8);
    CHECK(THROWN(hala::Error, hala::Engine().info()).status() == HALA_STATUS_INVALID_HANDLE);
    CHECK(THROWN(hala::Error, hala::Engine(hala::Source::from_path("no/such/folder"))).status() == HALA_STATUS_MISSING_FILE);
    hala::Source two = hala::Source::from_path("a");
    two.hub = "b/c";
    CHECK(THROWN(hala::Error, hala::estimate(two)).status() == HALA_STATUS_INVALID_ARGUMENT);
    CHECK(THROWN(hala::Error, engine.restore("no/such/file")).status() != HALA_STATUS_OK);
}

static void streams_are_ranges(const hala::Engine &engine) {
    const std::string text = "Good morning. Where is the station?\n";
    std::string whole;
    int n_done = 0;
    for (const hala::Event &event : engine.translate_start(text)) {
        if (event.kind == hala::EventKind::Text) {
            CHECK(event.target.start == whole.size() && event.source.end <= text.size());
            whole += event.text;
        }
        n_done += event.kind == hala::EventKind::Done && !event.json.empty();
    }
    CHECK_EQUAL(whole, engine.translate(text));
    CHECK(n_done == 1);
    // One that is left is ended, and one that is moved goes on.
    for (const hala::Event &event : engine.generate_start(LONG)) {
        CHECK(!event.text.empty());
        break;
    }
    hala::Stream first = engine.generate_start(LONG);
    CHECK(first.next() != nullptr);
    hala::Stream second = std::move(first);
    CHECK(!first && second && second.next() != nullptr);
    second.cancel();
    THROWN(hala::Aborted, while (second.next() != nullptr) {});
    std::size_t n_texts = 0;
    for (const hala::Event &event : engine.translate_all_start({"Good morning.", "Hello."})) {
        n_texts += event.kind == hala::EventKind::Done;
        CHECK(event.index < 2);
    }
    CHECK(n_texts == 2);
}

struct Mine {
    int n;
};

static void callbacks_are_functions(const hala::Engine &engine) {
    std::string told;
    hala::TranslateOptions options;
    options.on_event = [&](const hala::Event &event) { told += event.text; };
    const std::string whole = engine.translate("Good morning.", options);
    CHECK_EQUAL(whole, told);
    hala::RunOptions run;
    int n_events = 0;
    run.on_event = [&](const hala::Event &) { return ++n_events < 3; };
    CHECK(THROWN(hala::Aborted, engine.generate(LONG, run)).status() == HALA_STATUS_ABORTED);
    CHECK(n_events == 3);
    // What is thrown in a callback stops the work, and comes out of the call as it was.
    run.on_event = [&](const hala::Event &) { throw Mine{++n_events}; };
    CHECK(THROWN(Mine, engine.generate(LONG, run)).n == 4);
    CHECK(n_events == 4);
    options.on_event = [&](const hala::Event &) { engine.trim(); };
    CHECK(THROWN(hala::Error, engine.translate("Hello.", options)).status() == HALA_STATUS_REENTERED);
    hala::LoadOptions load = threads();
    int n_steps = 0;
    load.on_progress = [&](const hala::Progress &progress) {
        CHECK(progress.kind == HALA_PROGRESS_KIND_LOADING && !progress.name.empty());
        return ++n_steps < 2;
    };
    THROWN(hala::Aborted, hala::Engine{load});
    load.on_progress = [](const hala::Progress &) { throw Mine{7}; };
    CHECK(THROWN(Mine, hala::Engine{load}).n == 7);
}

static void work_is_stopped_by_a_flag(const hala::Engine &engine) {
    hala::RunOptions run;
    run.cancel = hala::Cancel();
    std::atomic<bool> has_begun{false}, is_raised{false};
    std::thread other([flag = run.cancel, &has_begun, &is_raised] {
        while (!has_begun) {
            std::this_thread::yield();
        }
        flag.raise();
        is_raised = true;
    });
    run.on_event = [&](const hala::Event &) {
        has_begun = true;
        while (!is_raised) {
            std::this_thread::yield();
        }
    };
    THROWN(hala::Aborted, engine.generate(LONG, run));
    other.join();
    run.cancel.lower();
    CHECK(!engine.generate(R"({"prompt": [1, 5], "max_tokens": 1})", run).empty());
}

static void handles_are_counted() {
    hala::Stream stream;
    {
        hala::Engine engine(threads()), copy = engine, moved = std::move(engine);
        CHECK(!engine && copy && moved && copy.get() == moved.get());
        engine = copy;
        copy = copy;
        hala::Session session = engine.session(), again = session;
        CHECK(again.get() == session.get());
        stream = moved.translate_start("Good morning.");
    }
    std::string whole;
    for (const hala::Event &event : stream) {
        whole += event.text;
    }
    CHECK_EQUAL(whole, "صباح الخير.");
}

static void the_log_is_a_function(const std::string &folder) {
    std::vector<std::string> lines;
    hala::set_log([&](const hala::LogLine &line) { lines.emplace_back(line.message); });
    hala::Engine{hala::Source::from_path(folder), threads()};
    CHECK(lines.size() == 1);
    hala::set_log([&](const hala::LogLine &line) { throw lines.emplace_back(line.message); });
    hala::Engine{hala::Source::from_path(folder), threads()};
    hala::Engine{hala::Source::from_path(folder), threads()};
    CHECK(lines.size() == 2);
    hala::set_log(nullptr);
    hala::Engine{hala::Source::from_path(folder), threads()};
    CHECK(lines.size() == 2);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    hala::Engine engine(threads());
    answers(engine);
    failures_are_exceptions(engine);
    streams_are_ranges(engine);
    callbacks_are_functions(engine);
    work_is_stopped_by_a_flag(engine);
    handles_are_counted();
    the_log_is_a_function(argv[1]);
    return 0;
}
