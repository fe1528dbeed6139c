// Streams: by callback and by hala_stream_next(), they are the whole when put together, and their ranges agree with the texts.

#include "check.h"

static const char *const TEXT = "Good morning. Where is the station?\n\n  I don't understand this word. \xF0\x9F\x98\x80\n";

// What came of one text.
typedef struct {
    CheckBuffer whole;
    HalaText source;
    size_t source_start;
    int n_texts;
    int n_done;
    CheckBuffer json;
} Told;

static void checks_ranges(const HalaEvent *event, Told *told) {
    HalaRange source = event->source, target = event->target;
    size_t n = check_length(told->source);
    CHECK_NUMBER(target.start, told->whole.len);
    CHECK_NUMBER(target.end - target.start, event->text.len);
    CHECK(source.start <= source.end && source.end <= n);
    // Sentences come in their order, and begin and end with whole characters.
    CHECK(source.start >= told->source_start);
    CHECK(source.start == n || (told->source.data[source.start] & 0xC0) != 0x80);
    CHECK(source.end == n || (told->source.data[source.end] & 0xC0) != 0x80);
    told->source_start = source.start;
    // White space stays as it was.
    if (event->text.data[0] == ' ' || event->text.data[0] == '\n') {
        CHECK(event->text.len <= source.end - source.start);
        CHECK(told->source.data[source.start] == ' ' || told->source.data[source.start] == '\n');
    }
}

static bool tell(const HalaEvent *event, void *user_data) {
    Told *told = user_data;
    CHECK_NUMBER(event->struct_size, sizeof(HalaEvent));
    CHECK_NUMBER(event->status, HALA_STATUS_OK);
    CHECK_NUMBER(told->n_done, 0);
    CHECK(event->text.data[event->text.len] == 0 && event->json.data[event->json.len] == 0);
    if (event->kind == HALA_EVENT_KIND_TEXT) {
        CHECK(event->text.len > 0 && event->json.len == 0);
        if (told->source.data != NULL) {
            checks_ranges(event, told);
        }
        told->n_texts++;
        check_append(&told->whole, event->text);
    } else if (event->kind == HALA_EVENT_KIND_DONE) {
        CHECK(event->text.len == 0);
        told->n_done++;
        check_append(&told->json, event->json);
    }
    return true;
}

static void drain(HalaStream *stream, Told *told) {
    for (;;) {
        const HalaEvent *event = NULL;
        CHECK_OK(hala_stream_next(stream, &event));
        if (event == NULL) {
            break;
        }
        tell(event, told);
    }
    const HalaEvent *event = NULL;
    CHECK_OK(hala_stream_next(stream, &event));
    CHECK(event == NULL);
    CHECK_OK(hala_stream_release(stream));
}

static void clear(Told *told) {
    check_clear(&told->whole);
    check_clear(&told->json);
}

static void a_translation_is_the_sum_of_its_pieces(HalaEngine *engine) {
    HalaString whole;
    CHECK_OK(hala_translate(engine, HALA_TEXT(TEXT), NULL, &whole));

    Told called = {.source = HALA_TEXT(TEXT)};
    HalaTranslateOptions options = HALA_INIT(HalaTranslateOptions);
    HalaString beside;
    options.on_event = tell;
    options.user_data = &called;
    CHECK_OK(hala_translate(engine, HALA_TEXT(TEXT), &options, &beside));
    CHECK_TEXT(check_buffer(called.whole), whole.data);
    CHECK_TEXT(check_string(beside), whole.data);
    CHECK_NUMBER(called.n_done, 1);
    CHECK_HAS(check_buffer(called.json), "\"segments\"");
    CHECK_HAS(check_buffer(called.json), "\"usage\"");

    Told asked = {.source = HALA_TEXT(TEXT)};
    HalaStream *stream = NULL;
    CHECK_OK(hala_translate_start(engine, HALA_TEXT(TEXT), NULL, &stream));
    drain(stream, &asked);
    CHECK_TEXT(check_buffer(asked.whole), whole.data);
    CHECK_NUMBER(asked.n_texts, called.n_texts);
    CHECK(asked.n_texts > 8);
    clear(&called);
    clear(&asked);
    hala_string_free(&beside);
    hala_string_free(&whole);
}

static void several_come_in_their_order(HalaEngine *engine) {
    HalaText texts[3] = {HALA_TEXT("Good morning."), HALA_TEXT(TEXT), HALA_TEXT("صباح الخير.")};
    HalaString wholes[3];
    HalaStream *stream = NULL;
    size_t i = 0;
    CHECK_OK(hala_translate_all(engine, texts, 3, NULL, wholes));
    CHECK_OK(hala_translate_all_start(engine, texts, 3, NULL, &stream));
    Told told = {.source = texts[0]};
    for (;;) {
        const HalaEvent *event = NULL;
        CHECK_OK(hala_stream_next(stream, &event));
        if (event == NULL) {
            break;
        }
        CHECK_NUMBER(event->index, i);
        tell(event, &told);
        if (event->kind == HALA_EVENT_KIND_DONE) {
            CHECK_TEXT(check_buffer(told.whole), wholes[i].data);
            clear(&told);
            i++;
            Told next = {.source = i < 3 ? texts[i] : texts[0]};
            told = next;
        }
    }
    CHECK_NUMBER(i, 3);
    CHECK_OK(hala_stream_release(stream));
    for (i = 0; i < 3; i++) {
        hala_string_free(&wholes[i]);
    }
}

// A reply or a text, by callback and by asking. `begin` is hala_chat_start or hala_generate_start.
static void a_reply_is_the_sum_of_its_pieces(HalaEngine *engine, const char *request, int is_chat) {
    Told called = {.n_texts = 0}, asked = {.n_texts = 0};
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaString completion;
    HalaStream *stream = NULL;
    options.on_event = tell;
    options.user_data = &called;
    CHECK_OK((is_chat ? hala_chat : hala_generate)(engine, HALA_TEXT(request), &options, &completion));
    CHECK(called.whole.len > 0);
    CHECK_NUMBER(called.n_done, 1);
    CHECK_TEXT(check_buffer(called.json), completion.data);
    CHECK_OK((is_chat ? hala_chat_start : hala_generate_start)(engine, HALA_TEXT(request), NULL, &stream));
    drain(stream, &asked);
    CHECK_TEXT(check_buffer(asked.whole), called.whole.data);
    CHECK_NUMBER(asked.n_done, 1);
    hala_string_free(&completion);
    clear(&called);
    clear(&asked);
}

int main(void) {
    HalaEngine *engine = check_load();
    a_translation_is_the_sum_of_its_pieces(engine);
    several_come_in_their_order(engine);
    a_reply_is_the_sum_of_its_pieces(engine,
                                     "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"temperature\": 0, \"max_tokens\": 20}", 1);
    a_reply_is_the_sum_of_its_pieces(engine, "{\"prompt\": \"Hello\", \"temperature\": 0, \"max_tokens\": 20, \"ignore_eos\": true}", 0);
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
