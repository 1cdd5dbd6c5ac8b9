// The kernels by number. The list is the one place that names them all: PTX, emulator and launches are made from it.
#pragma once

#define CARD_KERNELS(X)          \
  X(convert)                     \
  X(scale)                       \
  X(scale_rows)                  \
  X(soft_cap)                    \
  X(soft_cap_gradient)           \
  X(add)                         \
  X(add_bias)                    \
  X(add_column_sums)             \
  X(gather_rows)                 \
  X(scatter_add_rows)            \
  X(rms_norm)                    \
  X(rms_norm_few)                \
  X(rms_norm_gradient)           \
  X(layer_norm)                  \
  X(layer_norm_gradient)         \
  X(norm_weight_gradient)        \
  X(rotate)                      \
  X(activate)                    \
  X(activate_gradient)           \
  X(dropout)                     \
  X(add_dropped)                 \
  X(row_dots)                    \
  X(attention_softmax)           \
  X(attention_softmax_short)     \
  X(attention_softmax_gradient)  \
  X(attention_cached)            \
  X(attention_sinks)             \
  X(attention_sink_gradient)     \
  X(append_rows)                 \
  X(dense_rows)                  \
  X(nf4_rows)                    \
  X(nf4_decode)                  \
  X(cross_entropy)               \
  X(is_largest)                  \
  X(sum_of_squares)              \
  X(add_doubles)                 \
  X(find_non_finite)             \
  X(adamw)                       \
  X(adamw_bytes)

// Those for tensor cores (card_tiles.cu), which a card has or has not together.
#define CARD_TILE_KERNELS(X)    \
  X(attend_64)                  \
  X(attend_queries_64)          \
  X(attend_keys_64)             \
  X(attend_128)                 \
  X(attend_queries_128)         \
  X(attend_keys_128)            \
  X(attend_64_float16)          \
  X(attend_queries_64_float16)  \
  X(attend_keys_64_float16)     \
  X(attend_128_float16)         \
  X(attend_queries_128_float16) \
  X(attend_keys_128_float16)    \
  X(dense_rows_8)               \
  X(nf4_rows_8)                 \
  X(dense_rows_32)              \
  X(nf4_rows_32)

#define CARD_KERNEL_NUMBER(name) CARD_KERNEL_##name,
enum card_kernel { CARD_KERNELS(CARD_KERNEL_NUMBER) CARD_TILE_KERNELS(CARD_KERNEL_NUMBER) CARD_KERNEL_COUNT };
#undef CARD_KERNEL_NUMBER
