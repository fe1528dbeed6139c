// Structs bring their size: one that a struct never had is refused, and one of an older or a newer header is read.

#include <stddef.h>

#include "check.h"

// A struct as a header of the future has it.
#define NEWER(type) \
    struct {        \
        type known; \
        size_t more; \
    }

// Calls `call` with each size that `options` may not have, and with those that it may; `first` is the size that it had in the first header.
#define CHECK_SIZES(type, first, options, call)                                     \
    do {                                                                            \
        size_t wrong[] = {0, 1, sizeof(size_t), (first) - 1, SIZE_MAX};             \
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {               \
            (options).known.struct_size = wrong[i];                                 \
            CHECK_STATUS(call, HALA_STATUS_INVALID_STRUCT_SIZE);                    \
            CHECK_HAS(hala_last_error(), "sizeof(" #type ")");                      \
        }                                                                           \
        (options).known.struct_size = sizeof(options);                              \
        (options).more = 1;                                                         \
        CHECK_STATUS(call, HALA_STATUS_INVALID_STRUCT_SIZE);                        \
        CHECK_HAS(hala_last_error(), #type " has fields");                          \
        (options).more = 0;                                                         \
        CHECK_OK(call);                                                             \
        (options).known.struct_size = sizeof(type);                                 \
        (options).more = 1;                                                         \
        CHECK_OK(call);                                                             \
        (options).more = 0;                                                         \
        (options).known.struct_size = (first);                                      \
        CHECK_OK(call);                                                             \
    } while (0)

static HalaStatus load(const HalaSource *source, const HalaLoadOptions *options) {
    HalaEngine *engine = NULL;
    HalaStatus status = hala_engine_load(source, options, &engine);
    if (status == HALA_STATUS_OK) {
        CHECK_OK(hala_engine_release(engine));
    }
    return status;
}

static HalaStatus tokenize(HalaEngine *engine, const HalaTokenizeOptions *options) {
    HalaTokens tokens;
    HalaStatus status = hala_tokenize(engine, HALA_TEXT("Hello."), options, &tokens);
    CHECK((tokens.data != NULL) == (status == HALA_STATUS_OK));
    if (status == HALA_STATUS_OK) {
        hala_tokens_free(&tokens);
    }
    return status;
}

static void of_options(HalaEngine *engine) {
    NEWER(HalaTranslateOptions) translate = {HALA_INIT(HalaTranslateOptions), 0};
    CHECK_SIZES(HalaTranslateOptions, sizeof(HalaTranslateOptions), translate, hala_translate(engine, HALA_TEXT("Thank you."), &translate.known, NULL));
    NEWER(HalaRunOptions) run = {HALA_INIT(HalaRunOptions), 0};
    CHECK_SIZES(HalaRunOptions, sizeof(HalaRunOptions), run, hala_generate(engine, HALA_TEXT("{\"prompt\": [1], \"max_tokens\": 1}"), &run.known, NULL));
    NEWER(HalaTokenizeOptions) words = {HALA_INIT(HalaTokenizeOptions), 0};
    CHECK_SIZES(HalaTokenizeOptions, sizeof(HalaTokenizeOptions), words, tokenize(engine, &words.known));
    NEWER(HalaSource) source = {HALA_INIT(HalaSource), 0};
    NEWER(HalaLoadOptions) options = {HALA_INIT(HalaLoadOptions), 0};
    options.known.threads = check_threads();
    CHECK_SIZES(HalaSource, sizeof(HalaSource), source, load(&source.known, &options.known));
    CHECK_SIZES(HalaLoadOptions, offsetof(HalaLoadOptions, devices), options, load(&source.known, &options.known));
}

// A struct that is filled: no more of it than the caller has.
static void of_what_is_filled(void) {
    NEWER(HalaEstimate) estimate = {HALA_INIT(HalaEstimate), 77};
    size_t wrong[] = {0, sizeof(size_t), sizeof(HalaEstimate) - 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        estimate.known.struct_size = wrong[i];
        CHECK_STATUS(hala_estimate(NULL, NULL, &estimate.known), HALA_STATUS_INVALID_STRUCT_SIZE);
        CHECK_NUMBER(estimate.known.struct_size, wrong[i]);
        CHECK_NUMBER(estimate.known.weight_bytes, 0);
    }
    // What this library does not know stays as it was; the caller set it to what a newer one would fill.
    estimate.known.struct_size = sizeof estimate;
    CHECK_OK(hala_estimate(NULL, NULL, &estimate.known));
    CHECK_NUMBER(estimate.known.struct_size, sizeof estimate);
    CHECK(estimate.known.weight_bytes > 0);
    CHECK_NUMBER(estimate.more, 77);
}

int main(void) {
    HalaEngine *engine = check_load();
    of_options(engine);
    of_what_is_filled();
    CHECK_OK(hala_engine_release(engine));
    return 0;
}
