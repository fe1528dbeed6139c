// Checks for the C programs of tests/ffi: one that fails prints its place, what was expected and what was found, and ends the program.

#ifndef HALA_TESTS_CHECK_H
#define HALA_TESTS_CHECK_H

#include "hala.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Something holds.
#define CHECK(what) ((what) ? (void)0 : check_fail(#what, __FILE__, __LINE__))
// Two numbers are equal.
#define CHECK_NUMBER(found, expected) check_number((long long)(found), (long long)(expected), #found, __FILE__, __LINE__)
// A text is this one.
#define CHECK_TEXT(found, expected) check_text((found), check_of(expected), #found, __FILE__, __LINE__)
// A text contains another.
#define CHECK_HAS(text, part) check_has((text), (part), #text, __FILE__, __LINE__)
// A call ends with a status; one that fails leaves words, one that does not leaves none.
#define CHECK_STATUS(call, expected) check_status((call), (expected), #call, __FILE__, __LINE__)
// A call does what was asked.
#define CHECK_OK(call) CHECK_STATUS(call, HALA_STATUS_OK)

#define CHECK_SAY(file, line, ...) (fprintf(stderr, "%s:%d: ", file, line), fprintf(stderr, __VA_ARGS__), exit(1))

static inline HalaText check_of(const char *text) {
    HalaText of = {text, HALA_STRLEN};
    return of;
}

static inline HalaText check_string(HalaString string) {
    HalaText text = {string.data, string.len};
    return text;
}

static inline size_t check_length(HalaText text) {
    return text.len == HALA_STRLEN ? strlen(text.data) : text.len;
}

static inline void check_fail(const char *what, const char *file, int line) {
    HalaText said = hala_last_error();
    CHECK_SAY(file, line, "expected: %s\n    the last error: %.*s\n", what, (int)said.len, said.len ? said.data : "");
}

static inline void check_number(long long found, long long expected, const char *what, const char *file, int line) {
    if (found != expected) {
        CHECK_SAY(file, line, "%s: expected %lld, found %lld\n", what, expected, found);
    }
}

static inline int check_is(HalaText a, HalaText b) {
    size_t n_a = check_length(a), n_b = check_length(b);
    return n_a == n_b && (n_a == 0 || memcmp(a.data, b.data, n_a) == 0);
}

static inline void check_text(HalaText found, HalaText expected, const char *what, const char *file, int line) {
    if (!check_is(found, expected)) {
        int n_found = (int)check_length(found), n_expected = (int)check_length(expected);
        CHECK_SAY(file, line, "%s:\n    expected \"%.*s\"\n    found    \"%.*s\"\n", what, n_expected, n_expected ? expected.data : "",
                  n_found, n_found ? found.data : "");
    }
}

static inline int check_contains(HalaText text, const char *part) {
    size_t n = check_length(text), n_part = strlen(part);
    for (size_t i = 0; i + n_part <= n; i++) {
        if (memcmp(text.data + i, part, n_part) == 0) {
            return 1;
        }
    }
    return 0;
}

static inline void check_has(HalaText text, const char *part, const char *what, const char *file, int line) {
    if (!check_contains(text, part)) {
        int n = (int)check_length(text);
        CHECK_SAY(file, line, "%s: expected \"%s\" in it, found \"%.*s\"\n", what, part, n, n ? text.data : "");
    }
}

static inline void check_status(int32_t found, int32_t expected, const char *call, const char *file, int line) {
    HalaText said = hala_last_error(), is = hala_status_name(found), was = hala_status_name(expected);
    if (found != expected) {
        CHECK_SAY(file, line, "%s\n    expected %.*s, found %.*s: %.*s\n", call, (int)was.len, was.data, (int)is.len, is.data,
                  (int)said.len, said.len ? said.data : "");
    }
    // Texts that the library gives end with a zero byte.
    if ((found == HALA_STATUS_OK) != (said.len == 0) || said.data[said.len] != 0) {
        CHECK_SAY(file, line, "%s answered %.*s, and the last error is \"%.*s\"\n", call, (int)is.len, is.data, (int)said.len,
                  said.len ? said.data : "");
    }
}

// The model that ships with Hala. Tests compute with two threads unless they say otherwise: more are no test of more.
static inline HalaEngine *check_load_with(size_t threads) {
    HalaLoadOptions options = HALA_INIT(HalaLoadOptions);
    HalaEngine *engine = NULL;
    options.threads = threads;
    CHECK_OK(hala_engine_load(NULL, &options, &engine));
    CHECK(engine != NULL);
    return engine;
}

// How many threads compute, where HALA_TEST_THREADS says so: programs that watch memory are quicker with one.
static inline size_t check_threads(void) {
    const char *threads = getenv("HALA_TEST_THREADS");
    return threads == NULL ? 2 : (size_t)strtoul(threads, NULL, 10);
}

static inline HalaEngine *check_load(void) {
    return check_load_with(check_threads());
}

// Whether this run is a short one, for programs that watch memory and take fifty times as long.
static inline int check_short(void) {
    return getenv("HALA_TEST_SHORT") != NULL;
}

// A text that grows.
typedef struct {
    char *data;
    size_t len;
} CheckBuffer;

static inline void check_append(CheckBuffer *buffer, HalaText text) {
    size_t n = check_length(text);
    if (n == 0) {
        return;
    }
    buffer->data = realloc(buffer->data, buffer->len + n + 1);
    CHECK(buffer->data != NULL);
    memcpy(buffer->data + buffer->len, text.data, n);
    buffer->len += n;
    buffer->data[buffer->len] = 0;
}

static inline HalaText check_buffer(CheckBuffer buffer) {
    HalaText text = {buffer.data, buffer.len};
    return text;
}

static inline void check_clear(CheckBuffer *buffer) {
    free(buffer->data);
    buffer->data = NULL;
    buffer->len = 0;
}

#endif
