// A program of version 1 of the interface: it calls every function, and must go on working with every later library of that version.
// `client FOLDER` with a folder that it may write to.
//
// It is frozen: see ../README.md. So it stands by itself, and uses nothing but the hala.h beside it.

#include "hala.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(what) ((what) ? (void)0 : fail(#what, __LINE__))
#define CHECK_OK(call) CHECK_STATUS(call, HALA_STATUS_OK)
#define CHECK_STATUS(call, expected) status((call), (expected), #call, __LINE__)

static const char *const PROMPT = "{\"prompt\": \"Hello\", \"temperature\": 0, \"max_tokens\": 5, \"ignore_eos\": true}";
static const char *const CHAT = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"temperature\": 0, \"max_tokens\": 5}";

static void fail(const char *what, int line) {
    HalaText said = hala_last_error();
    fprintf(stderr, "client.c:%d: expected: %s\n    the last error: %.*s\n", line, what, (int)said.len, said.len ? said.data : "");
    exit(1);
}

static void status(int32_t found, int32_t expected, const char *call, int line) {
    if (found != expected) {
        HalaText is = hala_status_name(found), was = hala_status_name(expected);
        fprintf(stderr, "expected %.*s, found %.*s\n", (int)was.len, was.data, (int)is.len, is.data);
        fail(call, line);
    }
}

static bool on_progress(const HalaProgress *progress, void *user_data) {
    int *n = user_data;
    // A later library has a larger struct, whose first fields are these.
    CHECK(progress->struct_size >= sizeof *progress);
    CHECK(progress->done <= progress->total || progress->total == 0);
    *n += progress->kind == HALA_PROGRESS_KIND_LOADING && progress->name.len > 0;
    return true;
}

// What came of a piece of work.
typedef struct {
    char text[256];
    size_t len;
    int n_done;
} Told;

static bool on_event(const HalaEvent *event, void *user_data) {
    Told *told = user_data;
    CHECK(event->struct_size >= sizeof *event);
    CHECK(event->status == HALA_STATUS_OK && event->index == 0);
    if (event->kind == HALA_EVENT_KIND_TEXT) {
        CHECK(told->len + event->text.len < sizeof told->text);
        memcpy(told->text + told->len, event->text.data, event->text.len);
        CHECK(event->target.end == 0 || (event->target.start == told->len && event->source.end > 0));
        told->len += event->text.len;
        told->text[told->len] = 0;
    }
    told->n_done += event->kind == HALA_EVENT_KIND_DONE && event->json.len > 0;
    return true;
}

static bool on_log(int32_t level, HalaText message, void *user_data) {
    (void)user_data;
    return level >= HALA_LOG_LEVEL_ERROR && message.len > 0;
}

static HalaEngine *load(void) {
    HalaSource source = HALA_INIT(HalaSource);
    HalaLoadOptions options = HALA_INIT(HalaLoadOptions);
    HalaEstimate estimate = HALA_INIT(HalaEstimate);
    HalaEngine *engine = NULL;
    int n_told = 0;
    CHECK_OK(hala_set_log(on_log, NULL, HALA_LOG_LEVEL_WARN));
    options.backend = HALA_TEXT("cpu");
    options.weights = HALA_TEXT("auto");
    options.context = 512;
    options.threads = 2;
    options.parallel = 4;
    options.on_progress = on_progress;
    options.user_data = &n_told;
    CHECK_OK(hala_estimate(&source, &options, &estimate));
    CHECK(estimate.struct_size == sizeof estimate && estimate.weight_bytes > 0 && estimate.tokenizer_bytes > 0);
    CHECK(estimate.cache_bytes_per_token > 0 && estimate.session_bytes > 0 && estimate.peak_bytes > estimate.weight_bytes);
    CHECK_OK(hala_engine_load(&source, &options, &engine));
    CHECK(engine != NULL && n_told > 0);
    CHECK_OK(hala_set_log(NULL, NULL, 0));
    return engine;
}

static void translates(HalaEngine *engine) {
    HalaTranslateOptions options = HALA_INIT(HalaTranslateOptions);
    HalaText texts[2] = {HALA_TEXT("Good morning."), {"Good morning. Or not.", 13}};
    HalaString translation, translations[2];
    HalaStream *stream = NULL;
    const HalaEvent *event = NULL;
    Told told = {"", 0, 0}, asked = {"", 0, 0};
    options.from = HALA_TEXT("en");
    options.to = HALA_TEXT("ar");
    options.on_event = on_event;
    options.user_data = &told;
    CHECK_OK(hala_translate(engine, texts[0], &options, &translation));
    CHECK(translation.len > 10 && strcmp(translation.data, told.text) == 0 && told.n_done == 1);
    options.on_event = NULL;
    CHECK_OK(hala_translate_start(engine, texts[0], &options, &stream));
    CHECK_OK(hala_stream_retain(stream));
    for (;;) {
        CHECK_OK(hala_stream_next(stream, &event));
        if (event == NULL) {
            break;
        }
        on_event(event, &asked);
    }
    CHECK_OK(hala_stream_release(stream));
    CHECK_OK(hala_stream_release(stream));
    CHECK(strcmp(asked.text, translation.data) == 0 && asked.n_done == 1);
    CHECK_OK(hala_translate_all(engine, texts, 2, &options, translations));
    CHECK(strcmp(translations[0].data, translation.data) == 0 && strcmp(translations[1].data, translation.data) == 0);
    hala_string_free(&translations[0]);
    hala_string_free(&translations[1]);
    hala_string_free(&translation);
    CHECK_OK(hala_translate_all_start(engine, texts, 2, &options, &stream));
    CHECK_OK(hala_stream_cancel(stream));
    do {
        event = NULL;
    } while (hala_stream_next(stream, &event) == HALA_STATUS_OK && event != NULL);
    CHECK(hala_last_error().len > 0 && hala_last_error_bytes() == 0);
    CHECK_OK(hala_stream_release(stream));
}

static void answers(HalaEngine *engine) {
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaCancel *cancel = hala_cancel_new();
    HalaString completion;
    HalaStream *stream = NULL;
    Told told = {"", 0, 0};
    options.cancel = cancel;
    options.on_event = on_event;
    options.user_data = &told;
    CHECK_OK(hala_chat(engine, HALA_TEXT(CHAT), &options, &completion));
    CHECK(strstr(completion.data, "\"chat.completion\"") != NULL && told.n_done == 1);
    hala_string_free(&completion);
    told.len = 0;
    CHECK_OK(hala_generate(engine, HALA_TEXT(PROMPT), &options, &completion));
    CHECK(strstr(completion.data, "\"text_completion\"") != NULL && told.n_done == 2 && told.len > 0);
    hala_string_free(&completion);
    CHECK_OK(hala_cancel_retain(cancel));
    CHECK_OK(hala_cancel_raise(cancel));
    CHECK_STATUS(hala_generate(engine, HALA_TEXT(PROMPT), &options, NULL), HALA_STATUS_ABORTED);
    CHECK_OK(hala_cancel_lower(cancel));
    CHECK_OK(hala_chat_start(engine, HALA_TEXT(CHAT), NULL, &stream));
    CHECK_OK(hala_stream_release(stream));
    CHECK_OK(hala_generate_start(engine, HALA_TEXT(PROMPT), NULL, &stream));
    CHECK_OK(hala_stream_release(stream));
    CHECK_OK(hala_cancel_release(cancel));
    CHECK_OK(hala_cancel_release(cancel));
    CHECK_STATUS(hala_cancel_release(cancel), HALA_STATUS_INVALID_HANDLE);
}

// A conversation that goes to a file and comes back says what it would have said.
static void keeps_sessions(HalaEngine *engine, const char *folder) {
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaSession *session = NULL, *restored = NULL;
    char path[4096];
    snprintf(path, sizeof path, "%s/session", folder);
    CHECK_OK(hala_session_new(engine, &session));
    CHECK_OK(hala_session_retain(session));
    options.session = session;
    CHECK_OK(hala_chat(engine, HALA_TEXT(CHAT), &options, NULL));
    CHECK_OK(hala_session_save(session, HALA_TEXT(path)));
    CHECK_OK(hala_session_restore(engine, HALA_TEXT(path), &restored));
    options.session = restored;
    CHECK_OK(hala_chat(engine, HALA_TEXT(CHAT), &options, NULL));
    CHECK_OK(hala_session_release(restored));
    CHECK_OK(hala_session_release(session));
    CHECK_OK(hala_session_release(session));
}

static void counts_tokens(HalaEngine *engine) {
    HalaTokenizeOptions options = HALA_INIT(HalaTokenizeOptions);
    HalaTokens tokens;
    HalaString text;
    size_t n_tokens = 0;
    options.special = 1;
    options.no_bos = 1;
    CHECK_OK(hala_tokenize(engine, HALA_TEXT("Good morning.<|im_end|>"), &options, &tokens));
    CHECK_OK(hala_detokenize(engine, tokens.data, tokens.len, &text));
    CHECK(strcmp(text.data, "Good morning.<|im_end|>") == 0);
    hala_string_free(&text);
    hala_tokens_free(&tokens);
    CHECK_OK(hala_count_prompt(engine, HALA_TEXT("[{\"role\": \"user\", \"content\": \"Hello\"}]"), &n_tokens));
    CHECK(n_tokens > 3);
}

// Nothing is fetched: neither a model nor an address is named.
static void downloads(void) {
    HalaDownloadOptions options = HALA_INIT(HalaDownloadOptions);
    HalaString path;
    HalaStatus status = hala_download(&options, &path);
    CHECK(status == HALA_STATUS_INVALID_ARGUMENT || status == HALA_STATUS_NOT_IN_BUILD);
    CHECK(path.data == NULL);
}

int main(int argc, char **argv) {
    HalaString info;
    CHECK(argc == 2);
    CHECK(hala_abi_version() == HALA_ABI_VERSION);
    CHECK(hala_version().len >= 5 && hala_features().len > 0);
    HalaEngine *engine = load();
    CHECK_OK(hala_engine_info(engine, &info));
    CHECK(strstr(info.data, "\"family\":\"lfm2\"") != NULL);
    hala_string_free(&info);
    translates(engine);
    answers(engine);
    keeps_sessions(engine, argv[1]);
    counts_tokens(engine);
    downloads();
    CHECK_OK(hala_trim(engine, HALA_TRIM_UNUSED));
    CHECK_OK(hala_engine_retain(engine));
    CHECK_OK(hala_engine_release(engine));
    CHECK_OK(hala_engine_release(engine));
    CHECK_STATUS(hala_engine_release(engine), HALA_STATUS_INVALID_HANDLE);
    return 0;
}
