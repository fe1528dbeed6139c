// What is called inside of a callback: what stops, releases and frees may be, and all else is refused.

#include "check.h"

// Longer than the translation, beside which it runs.
static const char *const LONG = "{\"prompt\": \"Hello\", \"max_tokens\": 300, \"ignore_eos\": true}";

typedef struct {
    HalaEngine *engine;
    HalaSession *session;
    HalaStream *stream;
    HalaString owned;
    int n_called;
} Given;

// What asks for work.
static void work_is_refused(Given *given) {
    const int32_t refused = HALA_STATUS_REENTERED;
    HalaText text = HALA_TEXT("Hello.");
    HalaString string;
    HalaStream *stream = NULL;
    const HalaEvent *event = NULL;
    CHECK_STATUS(hala_translate(given->engine, text, NULL, &string), refused);
    CHECK_HAS(hala_last_error(), "inside of a callback");
    CHECK_STATUS(hala_translate_start(given->engine, text, NULL, &stream), refused);
    CHECK_STATUS(hala_translate_all(given->engine, &text, 1, NULL, &string), refused);
    CHECK_STATUS(hala_translate_all_start(given->engine, &text, 1, NULL, &stream), refused);
    CHECK_STATUS(hala_chat(given->engine, text, NULL, &string), refused);
    CHECK_STATUS(hala_chat_start(given->engine, text, NULL, &stream), refused);
    CHECK_STATUS(hala_generate(given->engine, text, NULL, &string), refused);
    CHECK_STATUS(hala_generate_start(given->engine, text, NULL, &stream), refused);
    CHECK_STATUS(hala_stream_next(given->stream, &event), refused);
    CHECK_STATUS(hala_trim(given->engine, HALA_TRIM_UNUSED), refused);
}

// What loads, and what tells of a model.
static void the_rest_is_refused(Given *given) {
    const int32_t refused = HALA_STATUS_REENTERED;
    HalaEngine *engine = NULL;
    HalaSession *session = NULL;
    HalaEstimate estimate = HALA_INIT(HalaEstimate);
    HalaString string;
    HalaTokens tokens;
    uint32_t id = 5;
    size_t n = 0;
    CHECK_STATUS(hala_engine_load(NULL, NULL, &engine), refused);
    CHECK_STATUS(hala_engine_info(given->engine, &string), refused);
    CHECK_STATUS(hala_estimate(NULL, NULL, &estimate), refused);
    CHECK_STATUS(hala_download(NULL, &string), refused);
    CHECK_STATUS(hala_set_log(NULL, NULL, 0), refused);
    CHECK_STATUS(hala_session_new(given->engine, &session), refused);
    CHECK_STATUS(hala_session_save(given->session, HALA_TEXT("session")), refused);
    CHECK_STATUS(hala_session_restore(given->engine, HALA_TEXT("session"), &session), refused);
    CHECK_STATUS(hala_tokenize(given->engine, HALA_TEXT("Hello."), NULL, &tokens), refused);
    CHECK_STATUS(hala_detokenize(given->engine, &id, 1, &string), refused);
    CHECK_STATUS(hala_count_prompt(given->engine, HALA_TEXT("[]"), &n), refused);
}

// What may be called, on handles that are used by what is under way.
static void these_may_be_called(Given *given) {
    HalaTokens tokens = {NULL, 0};
    HalaCancel *cancel = hala_cancel_new();
    CHECK_OK(hala_cancel_raise(cancel));
    CHECK_OK(hala_cancel_lower(cancel));
    CHECK_OK(hala_cancel_retain(cancel));
    CHECK_OK(hala_cancel_release(cancel));
    CHECK_OK(hala_cancel_release(cancel));
    CHECK_OK(hala_stream_cancel(given->stream));
    CHECK_OK(hala_engine_retain(given->engine));
    CHECK_OK(hala_engine_release(given->engine));
    CHECK_OK(hala_session_retain(given->session));
    CHECK_OK(hala_session_release(given->session));
    CHECK_OK(hala_stream_retain(given->stream));
    CHECK_OK(hala_stream_release(given->stream));
    hala_string_free(&given->owned);
    CHECK(given->owned.data == NULL);
    hala_tokens_free(&tokens);
    CHECK_NUMBER(hala_abi_version(), HALA_ABI_VERSION);
    CHECK(hala_version().len > 0 && hala_features().len > 0);
    CHECK_TEXT(hala_status_name(0), "ok");
    CHECK_NUMBER(hala_last_error_bytes(), 0);
}

static bool on_event(const HalaEvent *event, void *user_data) {
    Given *given = user_data;
    if (event->kind == HALA_EVENT_KIND_TEXT && given->n_called++ == 0) {
        work_is_refused(given);
        the_rest_is_refused(given);
        these_may_be_called(given);
    }
    return true;
}

static bool on_progress(const HalaProgress *progress, void *user_data) {
    Given *given = user_data;
    CHECK(progress->name.len > 0);
    if (given->n_called++ == 0) {
        work_is_refused(given);
        the_rest_is_refused(given);
    }
    return true;
}

int main(void) {
    Given given = {.engine = check_load()};
    HalaTranslateOptions options = HALA_INIT(HalaTranslateOptions);
    HalaLoadOptions loading = HALA_INIT(HalaLoadOptions);
    HalaString translation;
    HalaEngine *other = NULL;
    const HalaEvent *event = NULL;
    HalaStatus status;
    CHECK_OK(hala_session_new(given.engine, &given.session));
    CHECK_OK(hala_generate_start(given.engine, HALA_TEXT(LONG), NULL, &given.stream));
    CHECK_OK(hala_engine_info(given.engine, &given.owned));
    options.on_event = on_event;
    options.user_data = &given;
    CHECK_OK(hala_translate(given.engine, HALA_TEXT("Good morning."), &options, &translation));
    CHECK(given.n_called > 0);
    CHECK_TEXT(check_string(translation), "صباح الخير.");
    hala_string_free(&translation);
    // The stream was stopped there: what had come of it beside the other work is told yet.
    do {
        status = hala_stream_next(given.stream, &event);
    } while (status == HALA_STATUS_OK && event != NULL);
    CHECK_STATUS(status, HALA_STATUS_ABORTED);
    // The callback of loading is no other.
    given.n_called = 0;
    loading.threads = check_threads();
    loading.on_progress = on_progress;
    loading.user_data = &given;
    CHECK_OK(hala_engine_load(NULL, &loading, &other));
    CHECK(given.n_called > 0);
    CHECK_OK(hala_engine_release(other));
    CHECK_OK(hala_stream_release(given.stream));
    CHECK_OK(hala_session_release(given.session));
    CHECK_OK(hala_engine_release(given.engine));
    return 0;
}
