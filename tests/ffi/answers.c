// Whole answers: translations, replies, texts, tokens, and what may be asked of an engine.

#include "check.h"

static void translates_both_ways(HalaEngine *engine) {
    HalaString translation;
    HalaTranslateOptions options = HALA_INIT(HalaTranslateOptions);
    CHECK_OK(hala_translate(engine, HALA_TEXT("Good morning."), NULL, &translation));
    CHECK_TEXT(check_string(translation), "صباح الخير.");
    CHECK_NUMBER(translation.data[translation.len], 0);
    hala_string_free(&translation);
    CHECK(translation.data == NULL && translation.len == 0);
    options.from = HALA_TEXT("ar");
    options.to = HALA_TEXT("en");
    CHECK_OK(hala_translate(engine, HALA_TEXT("صباح الخير."), &options, &translation));
    CHECK_TEXT(check_string(translation), "Good morning.");
    hala_string_free(&translation);
}

static void texts_need_no_zero_byte(HalaEngine *engine) {
    HalaString translation;
    HalaText text = {"Good morning. What follows is no part of it.", 13};
    CHECK_OK(hala_translate(engine, text, NULL, &translation));
    CHECK_TEXT(check_string(translation), "صباح الخير.");
    hala_string_free(&translation);
    text.len = 0;
    CHECK_OK(hala_translate(engine, text, NULL, &translation));
    CHECK_TEXT(check_string(translation), "");
    hala_string_free(&translation);
    // Either may be left out.
    CHECK_OK(hala_translate(engine, HALA_TEXT("Good morning."), NULL, NULL));
}

static void translates_several(HalaEngine *engine) {
    HalaText texts[4] = {HALA_TEXT("Good morning."), HALA_TEXT("صباح الخير."), {NULL, 0}, HALA_TEXT("Where is the station?")};
    const char *expected[4] = {"صباح الخير.", "Good morning.", "", "أين هو المحطة؟"};
    HalaString translations[4];
    CHECK_OK(hala_translate_all(engine, texts, 4, NULL, translations));
    for (size_t i = 0; i < 4; i++) {
        CHECK_TEXT(check_string(translations[i]), expected[i]);
        hala_string_free(&translations[i]);
    }
    CHECK_OK(hala_translate_all(engine, NULL, 0, NULL, NULL));
}

static void answers_conversations_and_prompts(HalaEngine *engine) {
    const char *chat = "{\"messages\": [{\"role\": \"user\", \"content\": \"Translate everything that follows into Arabic:\\n\\nGood morning.\"}],"
                       " \"temperature\": 0, \"model\": \"mine\"}";
    HalaString completion;
    CHECK_OK(hala_chat(engine, HALA_TEXT(chat), NULL, &completion));
    CHECK_HAS(check_string(completion), "صباح الخير.");
    CHECK_HAS(check_string(completion), "\"object\":\"chat.completion\"");
    CHECK_HAS(check_string(completion), "\"model\":\"mine\"");
    CHECK_HAS(check_string(completion), "\"finish_reason\":\"stop\"");
    hala_string_free(&completion);
    CHECK_OK(hala_generate(engine, HALA_TEXT("{\"prompt\": [1, 5, 9], \"max_tokens\": 3, \"ignore_eos\": true}"), NULL, &completion));
    CHECK_HAS(check_string(completion), "\"object\":\"text_completion\"");
    CHECK_HAS(check_string(completion), "\"prompt_tokens\":3");
    CHECK_HAS(check_string(completion), "\"completion_tokens\":3");
    hala_string_free(&completion);
}

static void tokens_go_there_and_back(HalaEngine *engine) {
    HalaTokens tokens, bare;
    HalaString text;
    HalaTokenizeOptions options = HALA_INIT(HalaTokenizeOptions);
    size_t n_tokens = 0;
    CHECK_OK(hala_tokenize(engine, HALA_TEXT("Good morning."), NULL, &tokens));
    CHECK_NUMBER(tokens.data[0], 1);
    options.no_bos = 1;
    CHECK_OK(hala_tokenize(engine, HALA_TEXT("Good morning."), &options, &bare));
    CHECK_NUMBER(bare.len + 1, tokens.len);
    CHECK(memcmp(bare.data, tokens.data + 1, bare.len * sizeof(uint32_t)) == 0);
    CHECK_OK(hala_detokenize(engine, bare.data, bare.len, &text));
    CHECK_TEXT(check_string(text), "Good morning.");
    hala_string_free(&text);
    hala_tokens_free(&bare);
    CHECK(bare.data == NULL && bare.len == 0);
    // Special tokens in a text are text, but where they are asked for.
    options.special = 1;
    CHECK_OK(hala_tokenize(engine, HALA_TEXT("<|im_end|>"), &options, &bare));
    CHECK_NUMBER(bare.len, 1);
    hala_tokens_free(&bare);
    options.special = 0;
    CHECK_OK(hala_tokenize(engine, HALA_TEXT("<|im_end|>"), &options, &bare));
    CHECK(bare.len > 1);
    hala_tokens_free(&bare);
    hala_tokens_free(&tokens);
    CHECK_OK(hala_tokenize(engine, HALA_TEXT(""), &options, &bare));
    CHECK(bare.data == NULL && bare.len == 0);
    hala_tokens_free(&bare);
    CHECK_OK(hala_detokenize(engine, NULL, 0, &text));
    CHECK_TEXT(check_string(text), "");
    hala_string_free(&text);
    CHECK_OK(hala_count_prompt(engine, HALA_TEXT("[{\"role\": \"user\", \"content\": \"Good morning.\"}]"), &n_tokens));
    CHECK(n_tokens > tokens.len);
}

static void tells_what_it_is(HalaEngine *engine) {
    HalaString info;
    CHECK_OK(hala_engine_info(engine, &info));
    CHECK_HAS(check_string(info), "\"family\":\"lfm2\"");
    CHECK_HAS(check_string(info), "\"backend\":\"cpu\"");
    hala_string_free(&info);
    CHECK_NUMBER(hala_abi_version(), HALA_ABI_VERSION);
    CHECK(check_length(hala_version()) >= 5);
    CHECK_HAS(hala_features(), "built-in");
    CHECK_OK(hala_trim(engine, HALA_TRIM_UNUSED));
}

int main(void) {
    HalaEngine *engine = check_load();
    translates_both_ways(engine);
    texts_need_no_zero_byte(engine);
    translates_several(engine);
    answers_conversations_and_prompts(engine);
    tokens_go_there_and_back(engine);
    tells_what_it_is(engine);
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
