// What is asked for wrongly is answered with its status, in words that name what was wrong. Those of loading are in load.c.

#include "check.h"

// A call ends with a status, and its words have these in them.
#define CHECK_SAYS(call, status, part)         \
    do {                                       \
        CHECK_STATUS(call, status);            \
        CHECK_HAS(hala_last_error(), part);    \
    } while (0)

static HalaStatus generate(HalaEngine *engine, const char *request) {
    return hala_generate(engine, HALA_TEXT(request), NULL, NULL);
}

static HalaStatus chat(HalaEngine *engine, const char *request) {
    return hala_chat(engine, HALA_TEXT(request), NULL, NULL);
}

static void options_that_are_none_are_named(HalaEngine *engine) {
    const int32_t invalid = HALA_STATUS_INVALID_REQUEST;
    CHECK_SAYS(generate(engine, "{\"prompt\": \"a\", \"max_tokenz\": 3}"), invalid, "max_tokenz");
    CHECK_SAYS(chat(engine, "{\"messages\": [], \"temprature\": 3}"), invalid, "temprature");
    CHECK_SAYS(generate(engine, "{\"max_tokens\": 3}"), invalid, "prompt");
    CHECK_SAYS(generate(engine, "{\"prompt\": \"a\", \"temperature\": -1}"), invalid, "temperature");
    CHECK_SAYS(generate(engine, "{\"prompt\": \"a\", \"top_p\": 2}"), invalid, "top_p");
    CHECK_SAYS(generate(engine, "{\"prompt\": \"a\", \"max_tokens\": \"many\"}"), invalid, "many");
    CHECK_SAYS(generate(engine, "{\"prompt\": []}"), invalid, "empty");
    CHECK_SAYS(generate(engine, "no JSON"), invalid, "line 1");
    CHECK_SAYS(generate(engine, ""), invalid, "EOF");
    CHECK_SAYS(chat(engine, "{\"messages\": [{\"role\": \"user\", \"content\": 5}]}"), invalid, "content");
    CHECK_SAYS(generate(engine, "{\"prompt\": [99999]}"), invalid, "99999");
    HalaStream *stream = (HalaStream *)engine;
    CHECK_SAYS(hala_generate_start(engine, HALA_TEXT("{}"), NULL, &stream), invalid, "prompt");
    CHECK(stream == NULL);
    size_t n_tokens = 7;
    CHECK_SAYS(hala_count_prompt(engine, HALA_TEXT("{}"), &n_tokens), invalid, "");
    CHECK_NUMBER(n_tokens, 7);
}

static void words_that_are_none_are_named(HalaEngine *engine) {
    HalaTranslateOptions translate = HALA_INIT(HalaTranslateOptions);
    translate.to = HALA_TEXT("tlh");
    CHECK_SAYS(hala_translate(engine, HALA_TEXT("Hello."), &translate, NULL), HALA_STATUS_INVALID_ARGUMENT, "tlh");
    HalaLoadOptions load = HALA_INIT(HalaLoadOptions);
    HalaEngine *none = engine;
    load.backend = HALA_TEXT("steam");
    CHECK_SAYS(hala_engine_load(NULL, &load, &none), HALA_STATUS_INVALID_ARGUMENT, "steam");
    CHECK(none == NULL);
    load.backend = HALA_TEXT("cpu");
    load.weights = HALA_TEXT("int3");
    CHECK_SAYS(hala_engine_load(NULL, &load, &none), HALA_STATUS_INVALID_ARGUMENT, "int3");
    load.weights = HALA_TEXT("");
    load.context = (size_t)1 << 40;
    CHECK_SAYS(hala_engine_load(NULL, &load, &none), HALA_STATUS_INVALID_REQUEST, "context");
    HalaSource source = HALA_INIT(HalaSource);
    source.path = source.hub = HALA_TEXT("here/there");
    CHECK_SAYS(hala_engine_load(&source, NULL, &none), HALA_STATUS_INVALID_ARGUMENT, "more than one");
    HalaEstimate estimate = HALA_INIT(HalaEstimate);
    CHECK_SAYS(hala_estimate(&source, NULL, &estimate), HALA_STATUS_INVALID_ARGUMENT, "more than one");
}

static void kinds_that_are_none_are_named(HalaEngine *engine) {
    CHECK_SAYS(hala_trim(engine, 7), HALA_STATUS_INVALID_ARGUMENT, "7");
    CHECK_OK(hala_trim(engine, HALA_TRIM_SESSIONS));
}

static void languages_must_differ(HalaEngine *engine) {
    HalaTranslateOptions options = HALA_INIT(HalaTranslateOptions);
    options.from = options.to = HALA_TEXT("en");
    CHECK_SAYS(hala_translate(engine, HALA_TEXT("Hello."), &options, NULL), HALA_STATUS_SAME_LANGUAGE, "English");
}

static void prompts_must_fit(HalaEngine *engine) {
    CheckBuffer request = {NULL, 0};
    check_append(&request, check_of("{\"prompt\": [1"));
    for (int i = 0; i < 2100; i++) {
        check_append(&request, check_of(",9"));
    }
    check_append(&request, check_of("]}"));
    CHECK_SAYS(generate(engine, request.data), HALA_STATUS_CONTEXT_LENGTH_EXCEEDED, "2101");
    check_clear(&request);
}

static bool tell(const HalaEvent *event, void *user_data) {
    size_t *n_failed = user_data;
    CHECK_NUMBER(event->kind, HALA_EVENT_KIND_FAILED);
    CHECK_NUMBER(event->status, HALA_STATUS_SAME_LANGUAGE);
    CHECK_NUMBER(event->index, *n_failed);
    CHECK_HAS(event->text, "English");
    ++*n_failed;
    return true;
}

// Each of several texts is told how it failed, and the call ends as the first of them.
static void each_of_several_fails_in_its_place(HalaEngine *engine) {
    HalaText texts[2] = {HALA_TEXT("Good morning."), HALA_TEXT("Hello.")};
    HalaTranslateOptions options = HALA_INIT(HalaTranslateOptions);
    HalaString translations[2];
    size_t n_failed = 0;
    options.from = options.to = HALA_TEXT("en");
    options.on_event = tell;
    options.user_data = &n_failed;
    CHECK_SAYS(hala_translate_all(engine, texts, 2, &options, translations), HALA_STATUS_SAME_LANGUAGE, "English");
    CHECK_NUMBER(n_failed, 2);
    CHECK(translations[0].data == NULL && translations[1].data == NULL);
}

// Two turns of one session, and a session of another engine.
static void a_session_has_one_turn_and_one_engine(HalaEngine *engine) {
    const char *request = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"max_tokens\": 9}";
    HalaEngine *other = check_load();
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaSession *session = NULL;
    HalaStream *stream = NULL;
    CHECK_OK(hala_session_new(engine, &session));
    options.session = session;
    CHECK_OK(hala_chat_start(engine, HALA_TEXT(request), &options, &stream));
    CHECK_SAYS(hala_chat(engine, HALA_TEXT(request), &options, NULL), HALA_STATUS_BUSY, "turn");
    CHECK_SAYS(hala_chat(other, HALA_TEXT(request), &options, NULL), HALA_STATUS_INVALID_ARGUMENT, "another engine");
    CHECK_OK(hala_stream_release(stream));
    CHECK_OK(hala_chat(engine, HALA_TEXT(request), &options, NULL));
    CHECK_OK(hala_session_release(session));
    CHECK_OK(hala_engine_release(other));
}

static void each_status_has_a_word(void) {
    CHECK_TEXT(hala_status_name(HALA_STATUS_OK), "ok");
    CHECK_TEXT(hala_status_name(HALA_STATUS_CONTEXT_LENGTH_EXCEEDED), "context-length-exceeded");
    CHECK_TEXT(hala_status_name(HALA_STATUS_DEVICE_REFUSED), "device-refused");
    CHECK_TEXT(hala_status_name(-1), "unknown");
    CHECK_TEXT(hala_status_name(15), "unknown");
}

int main(void) {
    HalaEngine *engine = check_load();
    options_that_are_none_are_named(engine);
    words_that_are_none_are_named(engine);
    kinds_that_are_none_are_named(engine);
    languages_must_differ(engine);
    prompts_must_fit(engine);
    each_of_several_fails_in_its_place(engine);
    a_session_has_one_turn_and_one_engine(engine);
    each_status_has_a_word();
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
