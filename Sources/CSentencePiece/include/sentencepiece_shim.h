#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The part of libsentencepiece that Firefly uses. No exception crosses; errors are messages that live until the
// thread's next call.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sp_model sp_model;

/// A model from the bytes of tokenizer.model; NULL and `*error` when they are not one.
sp_model *sp_load(const void *bytes, size_t count, const char **error);
void sp_free(sp_model *model);

int32_t sp_size(const sp_model *model);
/// UTF-8, `*length` bytes; lives as long as the model.
const char *sp_piece(const sp_model *model, int32_t id, size_t *length);
bool sp_is_control(const sp_model *model, int32_t id);
/// −1 when the model has none.
int32_t sp_unknown_id(const sp_model *model);
int32_t sp_bos_id(const sp_model *model);
int32_t sp_eos_id(const sp_model *model);
int32_t sp_pad_id(const sp_model *model);

/// The ids of a text; calls `receive(context, ids, count)` once. NULL, or what went wrong.
const char *sp_encode(const sp_model *model, const char *text, size_t length, void *context,
                      void (*receive)(void *context, const int32_t *ids, size_t count));

#ifdef __cplusplus
}
#endif
