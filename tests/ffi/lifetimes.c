// Handles are counted: what works with an engine goes on after it was released, in whatever order they are released.

#include "check.h"

static const char *const LONG = "{\"prompt\": \"Hello\", \"temperature\": 0, \"max_tokens\": 40, \"ignore_eos\": true}";

static size_t drain(HalaStream *stream) {
    size_t n = 0;
    for (;;) {
        const HalaEvent *event = NULL;
        CHECK_OK(hala_stream_next(stream, &event));
        if (event == NULL) {
            return n;
        }
        n += event->text.len;
    }
}

static void a_stream_holds_its_engine(void) {
    HalaEngine *engine = check_load();
    HalaStream *stream = NULL, *other = NULL;
    const HalaEvent *event = NULL;
    HalaString info;
    CHECK_OK(hala_generate_start(engine, HALA_TEXT(LONG), NULL, &stream));
    CHECK_OK(hala_translate_start(engine, HALA_TEXT("Good morning."), NULL, &other));
    CHECK_OK(hala_stream_next(stream, &event));
    size_t n_first = event->text.len;
    CHECK_OK(hala_engine_release(engine));
    CHECK_STATUS(hala_engine_info(engine, &info), HALA_STATUS_INVALID_HANDLE);
    CHECK(n_first + drain(stream) > 20);
    CHECK_NUMBER(drain(other), strlen("صباح الخير."));
    CHECK_OK(hala_stream_release(stream));
    CHECK_OK(hala_stream_release(other));
}

static void a_session_holds_its_engine(void) {
    HalaEngine *engine = check_load();
    HalaSession *session = NULL;
    CHECK_OK(hala_session_new(engine, &session));
    CHECK_OK(hala_session_retain(session));
    CHECK_OK(hala_engine_release(engine));
    CHECK_OK(hala_session_release(session));
    CHECK_OK(hala_session_release(session));
    CHECK_STATUS(hala_session_release(session), HALA_STATUS_INVALID_HANDLE);
}

static void each_is_held_as_often_as_it_was_retained(HalaEngine *engine) {
    HalaCancel *cancel = hala_cancel_new();
    HalaStream *stream = NULL;
    CHECK_OK(hala_cancel_retain(cancel));
    CHECK_OK(hala_cancel_release(cancel));
    CHECK_OK(hala_cancel_raise(cancel));
    CHECK_OK(hala_cancel_release(cancel));
    CHECK_STATUS(hala_cancel_raise(cancel), HALA_STATUS_INVALID_HANDLE);
    CHECK_OK(hala_generate_start(engine, HALA_TEXT(LONG), NULL, &stream));
    CHECK_OK(hala_stream_retain(stream));
    CHECK_OK(hala_stream_release(stream));
    CHECK(drain(stream) > 20);
    CHECK_OK(hala_stream_release(stream));
    CHECK_STATUS(hala_stream_release(stream), HALA_STATUS_INVALID_HANDLE);
    CHECK_OK(hala_engine_retain(engine));
    CHECK_OK(hala_engine_release(engine));
    CHECK_OK(hala_trim(engine, HALA_TRIM_UNUSED));
}

// A stream that nobody holds any more ends its work, and others never notice.
static void a_stream_is_left_in_the_middle(HalaEngine *engine) {
    HalaStream *left = NULL, *kept = NULL;
    const HalaEvent *event = NULL;
    CHECK_OK(hala_generate_start(engine, HALA_TEXT(LONG), NULL, &left));
    CHECK_OK(hala_generate_start(engine, HALA_TEXT(LONG), NULL, &kept));
    CHECK_OK(hala_stream_next(left, &event));
    CHECK_OK(hala_stream_release(left));
    CHECK(drain(kept) > 20);
    CHECK_OK(hala_stream_release(kept));
}

// What is released in a callback is there until the work that uses it ends.
typedef struct {
    HalaEngine *engine;
    HalaCancel *cancel;
    int n_texts;
} Given;

static bool release_all(const HalaEvent *event, void *user_data) {
    Given *given = user_data;
    given->n_texts += event->kind == HALA_EVENT_KIND_TEXT;
    CHECK_OK(hala_engine_release(given->engine));
    CHECK_OK(hala_cancel_release(given->cancel));
    given->engine = NULL;
    given->cancel = NULL;
    return true;
}

static void callbacks_may_release(void) {
    Given given = {check_load(), hala_cancel_new(), 0};
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaString completion;
    options.cancel = given.cancel;
    options.on_event = release_all;
    options.user_data = &given;
    CHECK_OK(hala_generate(given.engine, HALA_TEXT(LONG), &options, &completion));
    CHECK(given.n_texts > 20 && given.engine == NULL);
    CHECK_HAS(check_string(completion), "\"completion_tokens\":40");
    hala_string_free(&completion);
}

static void nothing_can_be_released(void) {
    CHECK_OK(hala_engine_release(NULL));
    CHECK_OK(hala_session_release(NULL));
    CHECK_OK(hala_stream_release(NULL));
    CHECK_OK(hala_cancel_release(NULL));
    hala_string_free(NULL);
    hala_tokens_free(NULL);
    HalaString string = {NULL, 0};
    HalaTokens tokens = {NULL, 0};
    hala_string_free(&string);
    hala_tokens_free(&tokens);
}

int main(void) {
    HalaEngine *engine = check_load();
    a_stream_holds_its_engine();
    a_session_holds_its_engine();
    each_is_held_as_often_as_it_was_retained(engine);
    a_stream_is_left_in_the_middle(engine);
    callbacks_may_release();
    nothing_can_be_released();
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
