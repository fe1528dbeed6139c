// hala.hpp: hala.h for C++17. Classes that release what they hold, exceptions for failures, functions for callbacks, strings for texts.
//
// Rules that hold for all of it:
//
// - A call that fails throws hala::Error, which has the status, its word and what was found, expected and to be done.
// - Engine, Session, Stream and Cancel are counted handles: a copy holds the same thing, and the last one that goes releases it. They are as
//   small as a pointer. One that was made without anything, or that was moved from, is empty: `if (engine)` tells.
// - Texts go in as std::string_view and come out as std::string, in UTF-8. The texts of an event are views: they are there until the callback
//   returns or the stream goes on.
// - A callback that returns nothing goes on; one that returns bool stops the work with false, and the call then throws hala::Aborted.
//   An exception that is thrown in a callback stops the work too, and comes out of the call. Inside of a callback nothing may be called but
//   what hala.h says: to stop and to let go.
// - All of it may be used from any thread, as hala.h says. One object of these classes is changed by one thread at a time.
//
// Nothing of it is compiled into the library: a program needs this file, hala.h and libhala.

#ifndef HALA_HPP
#define HALA_HPP

#include "hala.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace hala {

namespace detail {

inline HalaText text(std::string_view given) {
    return HalaText{given.data(), given.size()};
}

inline std::string_view view(HalaText given) {
    return given.len == 0 ? std::string_view() : std::string_view(given.data, given.len);
}

}  // namespace detail

// Why a call failed.
class Error : public std::runtime_error {
public:
    Error(HalaStatus status, const std::string &message, std::size_t bytes = 0)
        : std::runtime_error(message), status_(status), bytes_(bytes) {}

    // The status that the call answered with.
    HalaStatus status() const noexcept { return status_; }

    // Its word, as `invalid-request`, which never changes.
    std::string_view name() const noexcept { return detail::view(hala_status_name(status_)); }

    // Bytes of memory that were refused, where status() is HALA_STATUS_OUT_OF_MEMORY; else 0.
    std::size_t bytes() const noexcept { return bytes_; }

private:
    HalaStatus status_;
    std::size_t bytes_;
};

// Work that was stopped on request: by a flag, a stream's cancel() or a callback that returned false.
class Aborted : public Error {
public:
    explicit Aborted(const std::string &message) : Error(HALA_STATUS_ABORTED, message) {}
};

namespace detail {

// Throws where a call failed.
inline void check(HalaStatus status) {
    if (status == HALA_STATUS_OK) {
        return;
    }
    std::string message(view(hala_last_error()));
    if (status == HALA_STATUS_ABORTED) {
        throw Aborted(message);
    }
    throw Error(status, message, hala_last_error_bytes());
}

// A text that the library gave, freed whatever happens.
struct OwnedText {
    HalaString string{nullptr, 0};

    OwnedText() = default;
    OwnedText(const OwnedText &) = delete;
    OwnedText &operator=(const OwnedText &) = delete;
    ~OwnedText() { hala_string_free(&string); }

    std::string take() const { return string.len == 0 ? std::string() : std::string(string.data, string.len); }
};

// How each kind of handle is counted.
inline HalaStatus retain(const HalaEngine *handle) { return hala_engine_retain(handle); }
inline HalaStatus retain(const HalaSession *handle) { return hala_session_retain(handle); }
inline HalaStatus retain(const HalaStream *handle) { return hala_stream_retain(handle); }
inline HalaStatus retain(const HalaCancel *handle) { return hala_cancel_retain(handle); }
inline HalaStatus release(const HalaEngine *handle) { return hala_engine_release(handle); }
inline HalaStatus release(const HalaSession *handle) { return hala_session_release(handle); }
inline HalaStatus release(const HalaStream *handle) { return hala_stream_release(handle); }
inline HalaStatus release(const HalaCancel *handle) { return hala_cancel_release(handle); }

// A counted handle.
template <typename T>
class Handle {
public:
    Handle() noexcept = default;
    // Takes over one hold of a handle.
    explicit Handle(T *handle) noexcept : handle_(handle) {}
    Handle(const Handle &other) : handle_(other.handle_) {
        if (handle_ != nullptr) {
            check(retain(handle_));
        }
    }
    Handle(Handle &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Handle &operator=(Handle other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Handle() { release(handle_); }

    // Whether it holds something.
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    // The handle, for the functions of hala.h. It is still this object's.
    T *get() const noexcept { return handle_; }

protected:
    T *handle_ = nullptr;
};

}  // namespace detail

// A flag that one thread raises to stop what another is doing. It is made by Cancel().
class Cancel : public detail::Handle<HalaCancel> {
public:
    // A flag that is down.
    Cancel() : Handle(hala_cancel_new()) {}
    // No flag: what has it cannot be stopped by one.
    explicit Cancel(std::nullptr_t) noexcept {}

    // Stops what runs under it. May be called inside of a callback.
    void raise() const { detail::check(hala_cancel_raise(handle_)); }
    // Makes it ready for the next work. May be called inside of a callback.
    void lower() const { detail::check(hala_cancel_lower(handle_)); }
};

// What an event tells, as HalaEventKind.
enum class EventKind : std::int32_t {
    Text = HALA_EVENT_KIND_TEXT,
    Reasoning = HALA_EVENT_KIND_REASONING,
    ToolCall = HALA_EVENT_KIND_TOOL_CALL,
    Done = HALA_EVENT_KIND_DONE,
    Failed = HALA_EVENT_KIND_FAILED,
};

// What comes of work while it goes on, as HalaEvent. Kinds that this header does not know are to be passed over.
struct Event {
    EventKind kind;
    // How a text failed; HALA_STATUS_OK where none did.
    HalaStatus status;
    // Which text or reply, from 0.
    std::size_t index;
    std::string_view text;
    // The sentence of which `text` is the translation, in bytes of the text that was given.
    HalaRange source;
    // Where `text` is in the translation, in bytes.
    HalaRange target;
    std::string_view json;
};

// How far loading or a download has come, as HalaProgress.
struct Progress {
    HalaProgressKind kind;
    std::string_view name;
    std::uint64_t done;
    // 0 where it is not known.
    std::uint64_t total;
};

// A line of the log.
struct LogLine {
    HalaLogLevel level;
    std::string_view message;
};

namespace detail {

inline Event event(const HalaEvent &given) {
    return Event{static_cast<EventKind>(given.kind), static_cast<HalaStatus>(given.status), given.index, view(given.text),
                 given.source, given.target, view(given.json)};
}

inline Progress progress(const HalaProgress &given) {
    return Progress{static_cast<HalaProgressKind>(given.kind), view(given.name), given.done, given.total};
}

}  // namespace detail

// A callback: any function of a `const T &` that returns nothing, or bool, of which false stops the work.
template <typename T>
class Listener {
public:
    Listener() = default;
    Listener(std::nullptr_t) {}

    template <typename F, typename = std::enable_if_t<std::is_invocable_v<F &, const T &> && !std::is_same_v<std::decay_t<F>, Listener>>>
    Listener(F function) {
        if constexpr (std::is_same_v<std::invoke_result_t<F &, const T &>, bool>) {
            function_ = std::move(function);
        } else {
            function_ = [f = std::move(function)](const T &given) mutable {
                f(given);
                return true;
            };
        }
    }

    explicit operator bool() const noexcept { return static_cast<bool>(function_); }
    bool operator()(const T &given) const { return function_(given); }

private:
    std::function<bool(const T &)> function_;
};

namespace detail {

// A callback on its way through C, where no exception may pass: what is thrown is kept, and thrown again behind it.
template <typename T, typename Given, T (*Read)(const Given &)>
struct Trampoline {
    const Listener<T> *listener;
    std::exception_ptr thrown;

    explicit Trampoline(const Listener<T> &given) : listener(&given) {}

    static bool call(const Given *given, void *user_data) {
        auto *self = static_cast<Trampoline *>(user_data);
        try {
            return (*self->listener)(Read(*given));
        } catch (...) {
            self->thrown = std::current_exception();
            return false;
        }
    }

    // What C calls; nothing where nobody listens.
    auto callback() const -> bool (*)(const Given *, void *) { return *listener ? &call : nullptr; }

    // Throws what the callback threw, or why the call failed.
    void check(HalaStatus status) const {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        detail::check(status);
    }
};

using EventTrampoline = Trampoline<Event, HalaEvent, event>;
using ProgressTrampoline = Trampoline<Progress, HalaProgress, progress>;

}  // namespace detail

// A file in memory, by the name that it has in a model's folder. `data` must be there until the call returns.
struct File {
    std::string name;
    const std::uint8_t *data = nullptr;
    std::size_t size = 0;
};

// A model: one of these, or none for the small translator that ships with Hala.
struct Source {
    // A folder in Hugging Face layout, or one .safetensors or GGUF file.
    std::string path;
    // A model of the Hugging Face Hub, `owner/name[@revision][:file]`.
    std::string hub;
    std::vector<File> files;

    static Source from_path(std::string path) {
        Source source;
        source.path = std::move(path);
        return source;
    }
    static Source from_hub(std::string id) {
        Source source;
        source.hub = std::move(id);
        return source;
    }
    static Source from_files(std::vector<File> files) {
        Source source;
        source.files = std::move(files);
        return source;
    }
};

// Choices made when a model is loaded; empty and 0 are what suits the machine and the model.
struct LoadOptions {
    // `auto`, `cpu`, `wgpu` or `plain`.
    std::string backend;
    // The GPU whose name contains this.
    std::string adapter;
    // `auto`, `f32`, `bf16`, `f16`, `fp8`, `int8` or `int4`.
    std::string weights;
    // Tokens that a sequence can hold.
    std::size_t context = 0;
    // Threads of the CPU.
    std::size_t threads = 0;
    // Sequences at once.
    std::size_t parallel = 0;
    // The folder in which is kept what is known of GPUs.
    std::string devices;
    // Stops the loading.
    Cancel cancel{nullptr};
    Listener<Progress> on_progress;
};

// How a text is translated.
struct TranslateOptions {
    // `ar` or `en`; found out where it is empty.
    std::string from;
    // `ar` or `en`; the other one where it is empty.
    std::string to;
    Cancel cancel{nullptr};
    // Is told what comes; streams give it themselves.
    Listener<Event> on_event;
};

// How a text becomes tokens.
struct TokenizeOptions {
    // Takes special tokens in the text for what they are. Text from outside is to have false.
    bool special = false;
    // Adds the token that begins a text, where the model has one.
    bool bos = true;
};

// Bytes that a model will take at most, as HalaEstimate.
struct Estimate {
    std::uint64_t weight_bytes;
    std::uint64_t tokenizer_bytes;
    std::uint64_t cache_bytes_per_token;
    std::uint64_t session_bytes;
    std::uint64_t peak_bytes;
};

// What comes, and where it goes: `hub`, or `url` with `path`.
struct DownloadOptions {
    std::string hub;
    std::string url;
    std::string path;
    // What the file's SHA-256 must be, in hexadecimal; not checked where it is empty.
    std::string sha256;
    Cancel cancel{nullptr};
    Listener<Progress> on_progress;
};

// What keeps the states of a conversation's tokens between its turns: see Engine::session() and Engine::restore().
class Session : public detail::Handle<HalaSession> {
public:
    using Handle::Handle;

    // Writes its tokens and their states to a file, which appears under its name when it is whole.
    void save(std::string_view path) const { detail::check(hala_session_save(handle_, detail::text(path))); }
};

// How a conversation is answered, or a prompt gone on with.
struct RunOptions {
    // What keeps the tokens between the turns of a conversation.
    Session session;
    Cancel cancel{nullptr};
    // Is told what comes; streams give it themselves.
    Listener<Event> on_event;
};

// Work that gives its events one by one: `for (const hala::Event &event : stream)`.
class Stream : public detail::Handle<HalaStream> {
public:
    using Handle::Handle;

    // Waits for the next event, and works meanwhile. It is there until the next call; NULL is the end. Throws Aborted where it was stopped.
    const Event *next() {
        const HalaEvent *given = nullptr;
        detail::check(hala_stream_next(handle_, &given));
        if (given == nullptr) {
            return nullptr;
        }
        event_ = detail::event(*given);
        return &event_;
    }

    // Stops it, from any thread.
    void cancel() const { detail::check(hala_stream_cancel(handle_)); }

    // Goes through the events once, from where the stream is.
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Event;
        using difference_type = std::ptrdiff_t;
        using pointer = const Event *;
        using reference = const Event &;

        Iterator() = default;
        explicit Iterator(Stream &stream) : stream_(&stream), event_(stream.next()) {}
        reference operator*() const { return *event_; }
        pointer operator->() const { return event_; }
        Iterator &operator++() {
            event_ = stream_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(const Iterator &other) const { return event_ == other.event_; }
        bool operator!=(const Iterator &other) const { return event_ != other.event_; }

    private:
        Stream *stream_ = nullptr;
        const Event *event_ = nullptr;
    };

    Iterator begin() { return Iterator(*this); }
    Iterator end() { return Iterator(); }

private:
    Event event_{};
};

namespace detail {

// A source as C has it; what it points to is the caller's and its own.
struct GivenSource {
    std::vector<HalaFile> files;
    HalaSource source{};

    explicit GivenSource(const Source &given) {
        files.reserve(given.files.size());
        for (const File &file : given.files) {
            files.push_back(HalaFile{text(file.name), file.data, file.size});
        }
        source.struct_size = sizeof source;
        source.path = text(given.path);
        source.hub = text(given.hub);
        source.files = files.empty() ? nullptr : files.data();
        source.n_files = files.size();
    }
};

inline HalaLoadOptions given(const LoadOptions &options, ProgressTrampoline &trampoline) {
    HalaLoadOptions given{};
    given.struct_size = sizeof given;
    given.backend = text(options.backend);
    given.adapter = text(options.adapter);
    given.weights = text(options.weights);
    given.context = options.context;
    given.threads = options.threads;
    given.parallel = options.parallel;
    given.devices = text(options.devices);
    given.cancel = options.cancel.get();
    given.on_progress = trampoline.callback();
    given.user_data = &trampoline;
    return given;
}

inline HalaTranslateOptions given(const TranslateOptions &options, EventTrampoline *trampoline) {
    HalaTranslateOptions given{};
    given.struct_size = sizeof given;
    given.from = text(options.from);
    given.to = text(options.to);
    given.cancel = options.cancel.get();
    given.on_event = trampoline != nullptr ? trampoline->callback() : nullptr;
    given.user_data = trampoline;
    return given;
}

inline HalaRunOptions given(const RunOptions &options, EventTrampoline *trampoline) {
    HalaRunOptions given{};
    given.struct_size = sizeof given;
    given.session = options.session.get();
    given.cancel = options.cancel.get();
    given.on_event = trampoline != nullptr ? trampoline->callback() : nullptr;
    given.user_data = trampoline;
    return given;
}

inline std::vector<HalaText> texts(const std::vector<std::string> &given) {
    std::vector<HalaText> texts;
    texts.reserve(given.size());
    for (const std::string &one : given) {
        texts.push_back(text(one));
    }
    return texts;
}

}  // namespace detail

// A model on a device. Many threads may use one at once: what they ask for runs together.
class Engine : public detail::Handle<HalaEngine> {
public:
    // No engine.
    Engine() noexcept = default;

    // Chooses a device, opens a model, and moves it to the device; without a source the small translator that ships with Hala.
    explicit Engine(const Source &source, const LoadOptions &options = {}) {
        detail::GivenSource given_source(source);
        detail::ProgressTrampoline trampoline(options.on_progress);
        HalaLoadOptions given = detail::given(options, trampoline);
        trampoline.check(hala_engine_load(&given_source.source, &given, &handle_));
    }
    explicit Engine(const LoadOptions &options) : Engine(Source(), options) {}

    // The small translator that ships with Hala.
    static Engine built_in() { return Engine(Source()); }

    // What was loaded and what runs it, as JSON.
    std::string info() const {
        detail::OwnedText info;
        detail::check(hala_engine_info(handle_, &info.string));
        return info.take();
    }

    // Translates a text between Arabic and English.
    std::string translate(std::string_view text, const TranslateOptions &options = {}) const {
        detail::OwnedText translation;
        detail::EventTrampoline trampoline(options.on_event);
        HalaTranslateOptions given = detail::given(options, &trampoline);
        trampoline.check(hala_translate(handle_, detail::text(text), &given, &translation.string));
        return translation.take();
    }

    // Begins to translate a text.
    Stream translate_start(std::string_view text, const TranslateOptions &options = {}) const {
        HalaStream *stream = nullptr;
        HalaTranslateOptions given = detail::given(options, nullptr);
        detail::check(hala_translate_start(handle_, detail::text(text), &given, &stream));
        return Stream(stream);
    }

    // Translates texts, as many at once as the device likes. Throws where one of them fails, after the others; with an on_event it can be
    // told which.
    std::vector<std::string> translate_all(const std::vector<std::string> &texts, const TranslateOptions &options = {}) const {
        std::vector<HalaText> given_texts = detail::texts(texts);
        std::unique_ptr<detail::OwnedText[]> places(new detail::OwnedText[texts.size()]);
        static_assert(sizeof(detail::OwnedText) == sizeof(HalaString), "places of texts lie side by side");
        detail::EventTrampoline trampoline(options.on_event);
        HalaTranslateOptions given = detail::given(options, &trampoline);
        HalaString *first = texts.empty() ? nullptr : &places[0].string;
        trampoline.check(hala_translate_all(handle_, given_texts.data(), given_texts.size(), &given, first));
        std::vector<std::string> translations;
        translations.reserve(texts.size());
        for (std::size_t i = 0; i < texts.size(); i++) {
            translations.push_back(places[i].take());
        }
        return translations;
    }

    // Begins to translate texts; events tell which one they are of.
    Stream translate_all_start(const std::vector<std::string> &texts, const TranslateOptions &options = {}) const {
        HalaStream *stream = nullptr;
        std::vector<HalaText> given_texts = detail::texts(texts);
        HalaTranslateOptions given = detail::given(options, nullptr);
        detail::check(hala_translate_all_start(handle_, given_texts.data(), given_texts.size(), &given, &stream));
        return Stream(stream);
    }

    // Answers a conversation: a chat completion's request and the completion, in JSON.
    std::string chat(std::string_view request, const RunOptions &options = {}) const { return run(hala_chat, request, options); }
    // Begins to answer a conversation.
    Stream chat_start(std::string_view request, const RunOptions &options = {}) const {
        return start(hala_chat_start, request, options);
    }
    // Goes on with a prompt as it stands: a completion's request and the completion, in JSON.
    std::string generate(std::string_view request, const RunOptions &options = {}) const {
        return run(hala_generate, request, options);
    }
    // Begins to go on with a prompt.
    Stream generate_start(std::string_view request, const RunOptions &options = {}) const {
        return start(hala_generate_start, request, options);
    }

    // The tokens of a text.
    std::vector<std::uint32_t> tokenize(std::string_view text, const TokenizeOptions &options = {}) const {
        HalaTokenizeOptions given{};
        given.struct_size = sizeof given;
        given.special = options.special;
        given.no_bos = !options.bos;
        HalaTokens tokens{nullptr, 0};
        detail::check(hala_tokenize(handle_, detail::text(text), &given, &tokens));
        std::unique_ptr<HalaTokens, void (*)(HalaTokens *)> freed(&tokens, hala_tokens_free);
        return std::vector<std::uint32_t>(tokens.data, tokens.data + tokens.len);
    }

    // The text of tokens, special ones among them.
    std::string detokenize(const std::vector<std::uint32_t> &ids) const {
        detail::OwnedText text;
        detail::check(hala_detokenize(handle_, ids.data(), ids.size(), &text.string));
        return text.take();
    }

    // Tokens of the prompt that these messages make, a JSON list as the OpenAI API has it.
    std::size_t count_prompt(std::string_view messages) const {
        std::size_t n_tokens = 0;
        detail::check(hala_count_prompt(handle_, detail::text(messages), &n_tokens));
        return n_tokens;
    }

    // A session without any tokens.
    Session session() const {
        HalaSession *session = nullptr;
        detail::check(hala_session_new(handle_, &session));
        return Session(session);
    }

    // A session from a file that Session::save() wrote, with the same model held in the same way.
    Session restore(std::string_view path) const {
        HalaSession *session = nullptr;
        detail::check(hala_session_restore(handle_, detail::text(path), &session));
        return Session(session);
    }

    // Gives memory back to the system, as on a phone that runs out of it.
    void trim(HalaTrim how_much = HALA_TRIM_UNUSED) const { detail::check(hala_trim(handle_, how_much)); }

private:
    std::string run(HalaStatus (*call)(const HalaEngine *, HalaText, const HalaRunOptions *, HalaString *), std::string_view request,
                    const RunOptions &options) const {
        detail::OwnedText answer;
        detail::EventTrampoline trampoline(options.on_event);
        HalaRunOptions given = detail::given(options, &trampoline);
        trampoline.check(call(handle_, detail::text(request), &given, &answer.string));
        return answer.take();
    }

    Stream start(HalaStatus (*call)(const HalaEngine *, HalaText, const HalaRunOptions *, HalaStream **), std::string_view request,
                 const RunOptions &options) const {
        HalaStream *stream = nullptr;
        HalaRunOptions given = detail::given(options, nullptr);
        detail::check(call(handle_, detail::text(request), &given, &stream));
        return Stream(stream);
    }
};

// What a model will take, without loading it.
inline Estimate estimate(const Source &source = {}, const LoadOptions &options = {}) {
    detail::GivenSource given_source(source);
    detail::ProgressTrampoline trampoline(options.on_progress);
    HalaLoadOptions given = detail::given(options, trampoline);
    HalaEstimate told{};
    told.struct_size = sizeof told;
    trampoline.check(hala_estimate(&given_source.source, &given, &told));
    return Estimate{told.weight_bytes, told.tokenizer_bytes, told.cache_bytes_per_token, told.session_bytes, told.peak_bytes};
}

// Fetches a model, or goes on where an earlier call stopped; gives where it is.
inline std::string download(const DownloadOptions &options) {
    detail::OwnedText path;
    detail::ProgressTrampoline trampoline(options.on_progress);
    HalaDownloadOptions given{};
    given.struct_size = sizeof given;
    given.hub = detail::text(options.hub);
    given.url = detail::text(options.url);
    given.path = detail::text(options.path);
    given.sha256 = detail::text(options.sha256);
    given.cancel = options.cancel.get();
    given.on_progress = trampoline.callback();
    given.user_data = &trampoline;
    trampoline.check(hala_download(&given, &path.string));
    return path.take();
}

namespace detail {

inline bool log(std::int32_t level, HalaText message, void *user_data) {
    try {
        return (*static_cast<const Listener<LogLine> *>(user_data))(LogLine{static_cast<HalaLogLevel>(level), view(message)});
    } catch (...) {
        // There is no call that it could come out of.
        return false;
    }
}

}  // namespace detail

// Sends the log to a callback, on any thread: lines up to `level`. One that returns false or throws ends it, and so does `nullptr`. When this
// returns, the callback before it is called no more.
inline void set_log(Listener<LogLine> listener, HalaLogLevel level = HALA_LOG_LEVEL_INFO) {
    // They are never destroyed: the library may log while the program ends.
    static auto *mutex = new std::mutex();
    static auto *held = new std::unique_ptr<Listener<LogLine>>();
    std::lock_guard<std::mutex> lock(*mutex);
    std::unique_ptr<Listener<LogLine>> next;
    if (listener) {
        next = std::make_unique<Listener<LogLine>>(std::move(listener));
    }
    detail::check(hala_set_log(next ? detail::log : nullptr, next.get(), level));
    *held = std::move(next);
}

// The version of the interface that the library has.
inline std::uint32_t abi_version() noexcept { return hala_abi_version(); }
// The version of the library, as `0.1.0`.
inline std::string_view version() noexcept { return detail::view(hala_version()); }
// What the library was built with.
inline std::string_view features() noexcept { return detail::view(hala_features()); }

}  // namespace hala

#endif  // HALA_HPP
