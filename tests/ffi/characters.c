// Characters as readers see them, whole in every chunk: a letter with its marks, a flag, a joined emoji, however the model's tokens cut them.

#include "check.h"

// A text with the ids of tokens of the built-in model that make it, most of which are single bytes; so many times over.
typedef struct {
    const char *text;
    int ids[12];
    int n_times;
} Cut;

static const Cut CUTS[] = {
    {"صباح", {156, 121, 283, 264, 291}, 1},
    {"كِتَابٌ", {157, 233, 576, 156, 111, 460, 264, 283, 2583}, 1},
    {"مُعَلِّم", {157, 235, 470, 156, 125, 460, 265, 576, 327, 267}, 1},
    {"لا إله", {157, 234, 156, 108, 228, 353, 265, 285}, 1},
    {"\xF0\x9F\x98\x80 سلام", {180, 261, 254, 230, 228, 156, 119, 157, 234, 264, 267}, 1},
    // A woman, joined to a rocket.
    {"\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80", {180, 261, 247, 110, 166, 230, 243, 4566}, 1},
    // A white flag in its coloured form, joined to a rainbow.
    {"\xF0\x9F\x8F\xB3\xEF\xB8\x8F\xE2\x80\x8D\xF0\x9F\x8C\x88", {180, 261, 245, 119, 179, 1871, 166, 230, 243, 688, 242, 238}, 1},
    // A thumb with a skin tone; a key cap; a red heart; a letter with an accent that follows it.
    {"\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD", {180, 261, 247, 243, 688, 245, 129}, 1},
    {"1\xEF\xB8\x8F\xE2\x83\xA3", {24, 179, 124, 245, 166, 233, 104}, 2},
    {"\xE2\x9D\xA4\xEF\xB8\x8F", {166, 259, 105, 179, 124, 245}, 3},
    {"e\xCC\x81", {76, 144, 231}, 3},
    {"각", {174, 116, 231}, 4},
    // Each of these is half a flag, and two of them are one.
    {"\xF0\x9F\x87\xB8", {180, 261, 237, 124}, 6},
    // A woman who is joined to the next one.
    {"\xF0\x9F\x91\xA9\xE2\x80\x8D", {180, 261, 247, 110, 166, 230, 243}, 3},
};

// The code point at `*at`, which goes on behind it; ends the program where the text is no UTF-8.
static uint32_t next_point(HalaText text, size_t *at) {
    unsigned char first = (unsigned char)text.data[*at];
    int n_more = first < 0x80 ? 0 : first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    uint32_t point = n_more == 0 ? first : first & (0x3Fu >> n_more);
    CHECK(first < 0x80 || first >= 0xC2);
    CHECK(*at + (size_t)n_more < text.len);
    for (++*at; n_more > 0; n_more--, ++*at) {
        unsigned char more = (unsigned char)text.data[*at];
        CHECK((more & 0xC0) == 0x80);
        point = point << 6 | (more & 0x3F);
    }
    return point;
}

static int is_between(uint32_t point, uint32_t first, uint32_t last) {
    return point >= first && point <= last;
}

// What belongs to the character before it: marks, joiners, variants, key caps and skin tones.
static int is_joined_to_the_last(uint32_t point) {
    return is_between(point, 0x300, 0x36F) || is_between(point, 0x64B, 0x65F) || point == 0x670 || point == 0x200D || point == 0x20E3
        || is_between(point, 0xFE00, 0xFE0F) || is_between(point, 0x1F3FB, 0x1F3FF);
}

static int is_half_a_flag(uint32_t point) {
    return is_between(point, 0x1F1E6, 0x1F1FF);
}

// A chunk begins and ends with whole characters; `*last` is the last code point before it.
static void check_whole(HalaText chunk, uint32_t *last) {
    size_t at = 0;
    int n_halves = 0;
    while (at < chunk.len) {
        int is_first = at == 0;
        uint32_t point = next_point(chunk, &at);
        if (is_first) {
            CHECK(!is_joined_to_the_last(point));
            CHECK(*last != 0x200D);
        }
        n_halves = is_half_a_flag(point) ? n_halves + 1 : 0;
        *last = point;
    }
    CHECK(n_halves % 2 == 0);
}

typedef struct {
    CheckBuffer whole;
    uint32_t last;
    int n_chunks;
} Told;

static bool tell(const HalaEvent *event, void *user_data) {
    Told *told = user_data;
    if (event->kind == HALA_EVENT_KIND_TEXT) {
        check_whole(event->text, &told->last);
        check_append(&told->whole, event->text);
        told->n_chunks++;
    }
    return true;
}

static int n_ids(const Cut *cut) {
    int n = 0;
    while (n < 12 && cut->ids[n] != 0) {
        n++;
    }
    return n;
}

// A request that is answered with exactly these ids: each is likelier than the next, and much less so once it was taken.
static char *forced(const Cut *cut) {
    static char request[1024];
    int n = n_ids(cut);
    size_t at = (size_t)snprintf(request, sizeof request,
                                 "{\"prompt\": [1], \"temperature\": 0, \"ignore_eos\": true, \"frequency_penalty\": 1000, \"max_tokens\": %d,"
                                 " \"logit_bias\": {",
                                 n * cut->n_times);
    for (int i = 0; i < n; i++) {
        const char *comma = i + 1 < n ? ", " : "}}";
        at += (size_t)snprintf(request + at, sizeof request - at, "\"%d\": %d%s", cut->ids[i], 10000 - 60 * i, comma);
    }
    return request;
}

static void of_tokens(HalaEngine *engine, const Cut *cut) {
    CheckBuffer expected = {NULL, 0};
    uint32_t ids[72];
    Told told = {{NULL, 0}, 0, 0};
    HalaRunOptions options = HALA_INIT(HalaRunOptions);
    HalaString text;
    int n = n_ids(cut);
    for (int i = 0; i < cut->n_times; i++) {
        check_append(&expected, check_of(cut->text));
        for (int k = 0; k < n; k++) {
            ids[i * n + k] = (uint32_t)cut->ids[k];
        }
    }
    CHECK_OK(hala_detokenize(engine, ids, (size_t)(n * cut->n_times), &text));
    CHECK_TEXT(check_string(text), expected.data);
    hala_string_free(&text);
    options.on_event = tell;
    options.user_data = &told;
    CHECK_OK(hala_generate(engine, HALA_TEXT(forced(cut)), &options, NULL));
    CHECK_TEXT(check_buffer(told.whole), expected.data);
    CHECK(told.n_chunks >= 1);
    check_clear(&told.whole);
    check_clear(&expected);
}

// What has no letters, the translator copies.
static void of_translations(HalaEngine *engine) {
    const char *text = "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 \xF0\x9F\x87\xB8\xF0\x9F\x87\xA6"
                       "\xF0\x9F\x87\xAA\xF0\x9F\x87\xAC\n1\xEF\xB8\x8F\xE2\x83\xA3\n\nGood morning. \xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD";
    Told told = {{NULL, 0}, 0, 0};
    HalaTranslateOptions options = HALA_INIT(HalaTranslateOptions);
    options.to = HALA_TEXT("ar");
    options.on_event = tell;
    options.user_data = &told;
    CHECK_OK(hala_translate(engine, HALA_TEXT(text), &options, NULL));
    CHECK_HAS(check_buffer(told.whole), "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7 \xF0\x9F\x87\xB8");
    CHECK_HAS(check_buffer(told.whole), "1\xEF\xB8\x8F\xE2\x83\xA3\n\nصباح الخير");
    check_clear(&told.whole);
    // Arabic in many chunks.
    CHECK_OK(hala_translate(engine, HALA_TEXT("Good morning. Where is the station? I don't understand this word."), &options, NULL));
    CHECK_HAS(check_buffer(told.whole), "صباح الخير. أين هو المحطة؟ ");
    CHECK(told.n_chunks > 20);
    check_clear(&told.whole);
}

int main(void) {
    HalaEngine *engine = check_load();
    for (size_t i = 0; i < sizeof CUTS / sizeof CUTS[0]; i++) {
        of_tokens(engine, &CUTS[i]);
    }
    of_translations(engine);
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
