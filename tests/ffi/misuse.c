// Misuse is answered with a status and harms nothing: NULL, handles that are none, structs of a wrong size, bytes that are no text.

#include "check.h"

static const char *const PROMPT = "{\"prompt\": [1, 5], \"max_tokens\": 2}";
static const char *const CHAT = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"max_tokens\": 2}";

// Each function that takes an engine, with one that is none. `text` stands for all texts.
static void needs_an_engine(HalaEngine *engine, HalaStatus expected) {
    HalaText text = HALA_TEXT("{\"prompt\": \"a\", \"max_tokens\": 1}");
    HalaString string = {NULL, 7};
    HalaTokens tokens;
    HalaStream *stream = NULL;
    HalaSession *session = NULL;
    uint32_t id = 5;
    size_t n = 0;
    CHECK_STATUS(hala_engine_retain(engine), expected);
    CHECK_STATUS(hala_engine_info(engine, &string), expected);
    CHECK(string.data == NULL && string.len == 0);
    CHECK_STATUS(hala_translate(engine, text, NULL, &string), expected);
    CHECK_STATUS(hala_translate_start(engine, text, NULL, &stream), expected);
    CHECK_STATUS(hala_translate_all(engine, &text, 1, NULL, &string), expected);
    CHECK_STATUS(hala_translate_all_start(engine, &text, 1, NULL, &stream), expected);
    CHECK_STATUS(hala_chat(engine, HALA_TEXT(CHAT), NULL, &string), expected);
    CHECK_STATUS(hala_chat_start(engine, HALA_TEXT(CHAT), NULL, &stream), expected);
    CHECK_STATUS(hala_generate(engine, text, NULL, &string), expected);
    CHECK_STATUS(hala_generate_start(engine, text, NULL, &stream), expected);
    CHECK_STATUS(hala_trim(engine, HALA_TRIM_UNUSED), expected);
    CHECK_STATUS(hala_session_new(engine, &session), expected);
    CHECK_STATUS(hala_session_restore(engine, HALA_TEXT("no-such-file"), &session), expected);
    CHECK_STATUS(hala_tokenize(engine, text, NULL, &tokens), expected);
    CHECK_STATUS(hala_detokenize(engine, &id, 1, &string), expected);
    CHECK_STATUS(hala_count_prompt(engine, HALA_TEXT("[{\"role\": \"user\", \"content\": \"a\"}]"), &n), expected);
    CHECK(string.data == NULL && tokens.data == NULL && stream == NULL && session == NULL && n == 0);
}

static void handles_must_be_there(HalaEngine *engine) {
    const HalaEvent *event = NULL;
    HalaCancel *cancel = hala_cancel_new();
    HalaEngine *released = check_load();
    CHECK_OK(hala_engine_release(released));
    needs_an_engine(NULL, HALA_STATUS_INVALID_HANDLE);
    needs_an_engine(released, HALA_STATUS_INVALID_HANDLE);
    needs_an_engine((HalaEngine *)cancel, HALA_STATUS_INVALID_HANDLE);
    CHECK_HAS(hala_last_error(), "HalaCancel, not a HalaEngine");
    needs_an_engine((HalaEngine *)(uintptr_t)0xDEADBEE1, HALA_STATUS_INVALID_HANDLE);
    CHECK_STATUS(hala_engine_release(released), HALA_STATUS_INVALID_HANDLE);
    CHECK_HAS(hala_last_error(), "released");
    void *none[] = {NULL, engine, (void *)(uintptr_t)8};
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(hala_cancel_raise(none[i]), HALA_STATUS_INVALID_HANDLE);
        CHECK_STATUS(hala_cancel_lower(none[i]), HALA_STATUS_INVALID_HANDLE);
        CHECK_STATUS(hala_cancel_retain(none[i]), HALA_STATUS_INVALID_HANDLE);
        CHECK_STATUS(hala_stream_next(none[i], &event), HALA_STATUS_INVALID_HANDLE);
        CHECK_STATUS(hala_stream_cancel(none[i]), HALA_STATUS_INVALID_HANDLE);
        CHECK_STATUS(hala_stream_retain(none[i]), HALA_STATUS_INVALID_HANDLE);
        CHECK_STATUS(hala_session_retain(none[i]), HALA_STATUS_INVALID_HANDLE);
        CHECK_STATUS(hala_session_save(none[i], HALA_TEXT("no-such-folder/session")), HALA_STATUS_INVALID_HANDLE);
    }
    CHECK_STATUS(hala_stream_release((HalaStream *)engine), HALA_STATUS_INVALID_HANDLE);
    CHECK_STATUS(hala_session_release((HalaSession *)engine), HALA_STATUS_INVALID_HANDLE);
    CHECK_STATUS(hala_cancel_release((HalaCancel *)engine), HALA_STATUS_INVALID_HANDLE);
    CHECK_OK(hala_cancel_release(cancel));
}

// A handle in options that is none, and one of another kind.
static void handles_in_options_must_be_there(HalaEngine *engine) {
    HalaTranslateOptions translate = HALA_INIT(HalaTranslateOptions);
    HalaRunOptions run = HALA_INIT(HalaRunOptions);
    HalaLoadOptions load = HALA_INIT(HalaLoadOptions);
    HalaEngine *none = NULL;
    translate.cancel = run.cancel = load.cancel = (HalaCancel *)engine;
    CHECK_STATUS(hala_translate(engine, HALA_TEXT("Hello."), &translate, NULL), HALA_STATUS_INVALID_HANDLE);
    CHECK_STATUS(hala_generate(engine, HALA_TEXT(PROMPT), &run, NULL), HALA_STATUS_INVALID_HANDLE);
    CHECK_STATUS(hala_engine_load(NULL, &load, &none), HALA_STATUS_INVALID_HANDLE);
    run.cancel = NULL;
    run.session = (HalaSession *)engine;
    CHECK_STATUS(hala_chat(engine, HALA_TEXT(CHAT), &run, NULL), HALA_STATUS_INVALID_HANDLE);
    CHECK_STATUS(hala_generate(engine, HALA_TEXT(PROMPT), &run, NULL), HALA_STATUS_INVALID_HANDLE);
}

static void places_must_be_there(HalaEngine *engine) {
    HalaStream *stream = NULL;
    HalaText text = HALA_TEXT("Hello."), nothing = {NULL, 5};
    HalaString string;
    HalaTokens tokens;
    size_t n = 0;
    uint32_t id = 5;
    const int32_t invalid = HALA_STATUS_INVALID_ARGUMENT;
    CHECK_STATUS(hala_engine_load(NULL, NULL, NULL), invalid);
    CHECK_STATUS(hala_engine_info(engine, NULL), invalid);
    CHECK_STATUS(hala_estimate(NULL, NULL, NULL), invalid);
    CHECK_STATUS(hala_translate_start(engine, text, NULL, NULL), invalid);
    CHECK_STATUS(hala_translate_all(engine, NULL, 2, NULL, NULL), invalid);
    CHECK_STATUS(hala_translate_all_start(engine, &text, 1, NULL, NULL), invalid);
    CHECK_STATUS(hala_chat_start(engine, HALA_TEXT(CHAT), NULL, NULL), invalid);
    CHECK_STATUS(hala_generate_start(engine, HALA_TEXT(PROMPT), NULL, NULL), invalid);
    CHECK_STATUS(hala_session_new(engine, NULL), invalid);
    CHECK_STATUS(hala_session_restore(engine, text, NULL), invalid);
    CHECK_STATUS(hala_tokenize(engine, text, NULL, NULL), invalid);
    CHECK_STATUS(hala_detokenize(engine, &id, 1, NULL), invalid);
    CHECK_STATUS(hala_detokenize(engine, NULL, 1, &string), invalid);
    CHECK_STATUS(hala_count_prompt(engine, HALA_TEXT("[]"), NULL), invalid);
    CHECK_OK(hala_translate_start(engine, text, NULL, &stream));
    CHECK_STATUS(hala_stream_next(stream, NULL), invalid);
    CHECK_OK(hala_stream_release(stream));
    // More than any text has.
    HalaText endless = {"a", SIZE_MAX - 1};
    CHECK_STATUS(hala_translate(engine, endless, NULL, &string), invalid);
    CHECK_HAS(hala_last_error(), "text");
    CHECK_STATUS(hala_detokenize(engine, &id, SIZE_MAX / 2, &string), invalid);
    CHECK_STATUS(hala_translate_all(engine, &text, SIZE_MAX / 2, NULL, &string), invalid);
    // A text that has a length and no bytes.
    CHECK_STATUS(hala_translate(engine, nothing, NULL, &string), invalid);
    CHECK_STATUS(hala_tokenize(engine, nothing, NULL, &tokens), invalid);
    CHECK_STATUS(hala_generate(engine, nothing, NULL, &string), invalid);
    CHECK_STATUS(hala_chat(engine, nothing, NULL, &string), invalid);
    CHECK_STATUS(hala_count_prompt(engine, nothing, &n), invalid);
    HalaSource source = HALA_INIT(HalaSource);
    HalaFile file = {HALA_TEXT("config.json"), NULL, 5};
    source.n_files = 1;
    CHECK_STATUS(hala_engine_load(&source, NULL, &(HalaEngine *){NULL}), invalid);
    source.files = &file;
    CHECK_STATUS(hala_engine_load(&source, NULL, &(HalaEngine *){NULL}), invalid);
}

static void texts_must_be_utf8(HalaEngine *engine) {
    const char *const wrong[] = {"a\xFF", "\xC0\x80", "\xED\xA0\x80", "\xE2\x82", "\xF4\x90\x80\x80", "\x80"};
    const int32_t invalid = HALA_STATUS_INVALID_UTF8;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        HalaText text = HALA_TEXT(wrong[i]), texts[2] = {HALA_TEXT("Hello."), text};
        HalaTranslateOptions translate = HALA_INIT(HalaTranslateOptions);
        HalaLoadOptions load = HALA_INIT(HalaLoadOptions);
        HalaSource source = HALA_INIT(HalaSource);
        HalaSession *session = NULL;
        HalaEngine *none = NULL;
        HalaString string;
        HalaTokens tokens;
        size_t n = 0;
        CHECK_STATUS(hala_translate(engine, text, NULL, &string), invalid);
        CHECK_STATUS(hala_translate_all(engine, texts, 2, NULL, NULL), invalid);
        CHECK_STATUS(hala_chat(engine, text, NULL, &string), invalid);
        CHECK_STATUS(hala_generate(engine, text, NULL, &string), invalid);
        CHECK_STATUS(hala_tokenize(engine, text, NULL, &tokens), invalid);
        CHECK_STATUS(hala_count_prompt(engine, text, &n), invalid);
        CHECK_STATUS(hala_session_restore(engine, text, &session), invalid);
        translate.to = text;
        CHECK_STATUS(hala_translate(engine, HALA_TEXT("Hello."), &translate, &string), invalid);
        CHECK_HAS(hala_last_error(), "to is no UTF-8");
        load.adapter = text;
        CHECK_STATUS(hala_engine_load(NULL, &load, &none), invalid);
        source.path = text;
        CHECK_STATUS(hala_engine_load(&source, NULL, &none), invalid);
        CHECK_OK(hala_session_new(engine, &session));
        CHECK_STATUS(hala_session_save(session, text), invalid);
        CHECK_OK(hala_session_release(session));
    }
}

int main(void) {
    HalaEngine *engine = check_load();
    handles_must_be_there(engine);
    handles_in_options_must_be_there(engine);
    places_must_be_there(engine);
    texts_must_be_utf8(engine);
    // All of it harmed nothing.
    HalaString translation;
    CHECK_OK(hala_translate(engine, HALA_TEXT("Good morning."), NULL, &translation));
    CHECK_TEXT(check_string(translation), "صباح الخير.");
    hala_string_free(&translation);
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
