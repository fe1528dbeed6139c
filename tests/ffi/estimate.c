// What a model will take is told before it is loaded, and what is loaded takes no more. `estimate FOLDER` with a model.

#include "check.h"

// A number of the engine's JSON.
static unsigned long long number(HalaString json, const char *name) {
    char *at = strstr(json.data, name);
    CHECK(at != NULL);
    return strtoull(at + strlen(name), NULL, 10);
}

static void of(const HalaSource *source, const char *weights, size_t context) {
    HalaLoadOptions options = HALA_INIT(HalaLoadOptions);
    HalaEstimate estimate = HALA_INIT(HalaEstimate);
    HalaEngine *engine = NULL;
    HalaString info;
    options.backend = HALA_TEXT("cpu");
    options.weights = HALA_TEXT(weights);
    options.context = context;
    options.threads = check_threads();
    CHECK_OK(hala_estimate(source, &options, &estimate));
    CHECK_NUMBER(estimate.struct_size, sizeof estimate);
    CHECK_OK(hala_engine_load(source, &options, &engine));
    CHECK_OK(hala_engine_info(engine, &info));
    CHECK_NUMBER(estimate.weight_bytes, number(info, "\"weightBytes\":"));
    CHECK_NUMBER(estimate.cache_bytes_per_token, number(info, "\"cacheBytesPerToken\":"));
    CHECK(estimate.session_bytes > estimate.cache_bytes_per_token);
    CHECK(estimate.peak_bytes >= estimate.weight_bytes + estimate.tokenizer_bytes);
    hala_string_free(&info);
    CHECK_OK(hala_engine_release(engine));
}

// The same model, from files in memory.
static void of_files(const char *folder) {
    const char *const names[] = {"config.json", "model.safetensors"};
    HalaSource source = HALA_INIT(HalaSource);
    HalaFile files[2];
    for (int i = 0; i < 2; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        FILE *file = fopen(path, "rb");
        CHECK(file != NULL);
        CHECK_NUMBER(fseek(file, 0, SEEK_END), 0);
        files[i].len = (size_t)ftell(file);
        rewind(file);
        uint8_t *bytes = malloc(files[i].len);
        CHECK(bytes != NULL);
        CHECK_NUMBER(fread(bytes, 1, files[i].len, file), files[i].len);
        fclose(file);
        files[i].name = HALA_TEXT(names[i]);
        files[i].data = bytes;
    }
    source.files = files;
    source.n_files = 2;
    of(&source, "f32", 0);
    free((void *)files[0].data);
    free((void *)files[1].data);
}

int main(int argc, char **argv) {
    HalaSource source = HALA_INIT(HalaSource);
    CHECK_NUMBER(argc, 2);
    of(&source, "", 0);
    of(NULL, "f32", 256);
    source.path = HALA_TEXT(argv[1]);
    of(&source, "f32", 0);
    of(&source, "bf16", 64);
    of_files(argv[1]);
    return 0;
}
