// llama_ids MODEL: llama.cpp's ids of texts. On the standard input each text comes as its number of bytes, a line end and the bytes;
// for each a line of ids goes out. Special tokens in texts are parsed, none is added.
//
// Built as llama_logits.cpp beside this file.
#include <cstdio>
#include <string>
#include <vector>

#include "llama.h"

int main(int, char **words) {
  llama_log_set(
      [](ggml_log_level level, const char *text, void *) {
        if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
      },
      nullptr);
  llama_model_params parameters = llama_model_default_params();
  parameters.vocab_only = true;
  llama_model *model = llama_model_load_from_file(words[1], parameters);
  if (!model) return 1;
  const llama_vocab *vocabulary = llama_model_get_vocab(model);
  int size;
  while (scanf("%d%*1[\n]", &size) == 1) {
    std::string text(size, '\0');
    if (fread(text.data(), 1, size, stdin) != static_cast<size_t>(size)) return 1;
    std::vector<llama_token> ids(size + 8);
    int count = llama_tokenize(vocabulary, text.data(), size, ids.data(), static_cast<int>(ids.size()), false, true);
    if (count < 0) return 1;
    for (int i = 0; i < count; i++) printf(i ? " %d" : "%d", ids[i]);
    puts("");
  }
}
