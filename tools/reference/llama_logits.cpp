// llama_logits MODEL [--lora FILE] ID…: llama.cpp's logits after each of the ids, float32, on the standard output.
//
// Built against llama.cpp's own build (LLAMA its source, BUILD its static build):
//   clang++ -std=c++17 -I$LLAMA/include -I$LLAMA/ggml/include tools/reference/llama_logits.cpp $BUILD/src/libllama.a
//     $BUILD/ggml/src/libggml.a $BUILD/ggml/src/libggml-cpu.a $BUILD/ggml/src/libggml-base.a -lpthread -ldl -o llama_logits
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "llama.h"

int main(int count, char **words) {
  llama_log_set(
      [](ggml_log_level level, const char *text, void *) {
        if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
      },
      nullptr);
  llama_model *model = llama_model_load_from_file(words[1], llama_model_default_params());
  if (!model) return 1;
  llama_context_params parameters = llama_context_default_params();
  parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 512;
  parameters.n_threads = parameters.n_threads_batch = 1;
  parameters.type_k = parameters.type_v = GGML_TYPE_F32;
  parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  llama_context *context = llama_init_from_model(model, parameters);
  if (!context) return 1;
  if (count > 3 && !strcmp(words[2], "--lora")) {
    llama_adapter_lora *adapter = llama_adapter_lora_init(model, words[3]);
    float scale = 1;
    if (!adapter || llama_set_adapters_lora(context, &adapter, 1, &scale)) return 1;
    words += 2;
    count -= 2;
  }
  int tokens = count - 2;
  llama_batch batch = llama_batch_init(tokens, 0, 1);
  batch.n_tokens = tokens;
  for (int i = 0; i < tokens; i++) {
    batch.token[i] = atoi(words[i + 2]);
    batch.pos[i] = i;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = 1;
  }
  if (llama_decode(context, batch)) return 1;
  int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
  for (int i = 0; i < tokens; i++) fwrite(llama_get_logits_ith(context, i), sizeof(float), vocabulary, stdout);
}
