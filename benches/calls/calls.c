// Times calls of the native library from C: for each line of standard input so many, and prints the nanoseconds of one.

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hala.h"

static void check(HalaStatus status) {
    if (status != HALA_STATUS_OK) {
        fprintf(stderr, "%.*s\n", (int)hala_last_error().len, hala_last_error().data);
        exit(1);
    }
}

static void tokenize(HalaEngine *engine, HalaText text) {
    HalaTokens tokens;
    check(hala_tokenize(engine, text, NULL, &tokens));
    hala_tokens_free(&tokens);
}

static void translate(HalaEngine *engine, HalaText text) {
    HalaString translation;
    check(hala_translate(engine, text, NULL, &translation));
    hala_string_free(&translation);
}

// Arguments: tokenize or translate, the text, how many calls.
int main(int n_arguments, char **arguments) {
    if (n_arguments != 4) {
        return 2;
    }
    void (*call)(HalaEngine *, HalaText) = strcmp(arguments[1], "tokenize") == 0 ? tokenize : translate;
    HalaText text = HALA_TEXT(arguments[2]);
    long n = strtol(arguments[3], NULL, 10);
    HalaEngine *engine;
    check(hala_engine_load(NULL, NULL, &engine));
    char line[16];
    while (fgets(line, sizeof line, stdin) != NULL) {
        struct timespec began, ended;
        clock_gettime(CLOCK_MONOTONIC, &began);
        for (long i = 0; i < n; ++i) {
            call(engine, text);
        }
        clock_gettime(CLOCK_MONOTONIC, &ended);
        double nanoseconds = (double)(ended.tv_sec - began.tv_sec) * 1e9 + (double)(ended.tv_nsec - began.tv_nsec);
        printf("%.0f\n", nanoseconds / (double)n);
        fflush(stdout);
    }
    return hala_engine_release(engine);
}
