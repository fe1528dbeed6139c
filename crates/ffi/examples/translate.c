// Translates a text with the small model that ships with Hala: `translate [TEXT]`.

#include <hala.h>

#include <stdio.h>

// Says what went wrong.
static int failed(void) {
    fprintf(stderr, "%s\n", hala_last_error().data);
    return 1;
}

int main(int argc, char **argv) {
    // NULL is the built-in model; NULL options suit this machine.
    HalaEngine *engine = NULL;
    if (hala_engine_load(NULL, NULL, &engine) != HALA_STATUS_OK) {
        return failed();
    }

    // The language is found out, and the text goes into the other one.
    HalaString translation;
    int exit_status = 0;
    if (hala_translate(engine, HALA_TEXT(argc > 1 ? argv[1] : "Good morning."), NULL, &translation) == HALA_STATUS_OK) {
        printf("%s\n", translation.data);
        hala_string_free(&translation);
    } else {
        exit_status = failed();
    }

    hala_engine_release(engine);
    return exit_status;
}
