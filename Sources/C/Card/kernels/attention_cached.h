// Attention of few rows over caches.
#pragma once

#include "attention.h"

// A new row of a sequence: where its sequence's keys and values lie, and which of them it sees. As card_cached_row.
struct CachedRow {
  uint64_t keys, values;  // addresses of key 0
  int64_t key_stride, value_stride;
  int64_t first, count;  // it sees first ..< count; its own is the last
};

// Those of all rows of a step: a few come with the launch, more lie on the card.
enum { FEW_CACHED = 8 };
struct CachedRows {
  const CachedRow *many;  // null: the few
  CachedRow few[FEW_CACHED];
};
DEVICE CachedRow cached_row(const CachedRows &rows, int64_t row) {
  if (rows.many) return rows.many[row];
  // Each by a number that the compiler knows: otherwise every thread would copy them all to have them in memory.
  CachedRow own = rows.few[0];
  EACH(i, FEW_CACHED) {
    CachedRow other = rows.few[i];
    own.keys = row == i ? other.keys : own.keys;
    own.values = row == i ? other.values : own.values;
    own.key_stride = row == i ? other.key_stride : own.key_stride;
    own.value_stride = row == i ? other.value_stride : own.value_stride;
    own.first = row == i ? other.first : own.first;
    own.count = row == i ? other.count : own.count;
  }
  return own;
}

DEVICE void append_four(uint64_t to, int64_t stride, int64_t place, In x, int64_t row, int64_t column, int64_t columns) {
  int n = four(column, columns);
  if (n > 0) store4(Out{ADDRESS(void, to), stride, x.type}, place, column, n, load4(x, row, column, n));
}

// The new rows to their places: row i of k and v become key and value count − 1 of its sequence.
KERNEL append_rows(CachedRows cached, In k, In v, int64_t rows, int64_t key_columns, int64_t value_columns) {
  EACH_FOUR(row, column, rows, key_columns > value_columns ? key_columns : value_columns) {
    const CachedRow to = cached_row(cached, row);
    append_four(to.keys, to.key_stride, to.count - 1, k, row, column, key_columns);
    append_four(to.values, to.value_stride, to.count - 1, v, row, column, value_columns);
  }
}

// One head of a new row to its place, by the block.
DEVICE void append_head(uint64_t to, int64_t stride, int64_t place, In x, int64_t row, int64_t column, int64_t dim) {
  int64_t own = (int64_t)THREAD_X * 4;  // heads have no more elements than a block takes
  if (own >= dim) return;
  int n = four(own, dim);
  store4(Out{ADDRESS(void, to), stride, x.type}, place, column + own, n, load4(x, row, column + own, n));
}

enum { HEAD_LIMIT = 512 };

// What a warp has of a row's attention by an online softmax (Milakov & Gimelshein 2018): the largest score, the sum of
// weights, and the lane's elements of the weighted values, four of every 128.
template <int pieces>
struct Attended {
  float largest, weight;
  Four sums[pieces];
};

// A row of a sequence and its cache, as one head sees them.
struct RowOfHead {
  In q, keys, values;
  In new_key, new_value;  // the last ones, which are not among those; their row is q's. Null: they are
  int64_t row, query_column, key_column, value_column, head_dim, value_dim, first, count;
  float slope, scale, cap;
};

// The lane's elements of one row of a head. Those beyond its `columns` are any: a query's are 0, and nobody reads the rest.
// Without a branch between them the loads of several rows are under way at the same time.
template <int pieces>
DEVICE void load_pieces(Four (&to)[pieces], In x, int64_t row, int64_t column, int64_t columns) {
  EACH(i, pieces) {
    int64_t c = 128 * i + (int64_t)lane() * 4;
    to[i] = load4_at_once(x, row, column + (c < columns ? c : 0));
  }
}
template <int pieces>
DEVICE void load_pieces_slowly(Four (&to)[pieces], In x, int64_t row, int64_t column, int64_t columns) {
  EACH(i, pieces) {
    int64_t c = 128 * i + (int64_t)lane() * 4;
    to[i] = load4(x, row, column + c, four(c, columns));
  }
}

// The warp's share of the row's keys: `together` neighbours of every warps·together, whose loads are under way at the same
// time.
template <int pieces, int together, bool at_once>
DEVICE Attended<pieces> attend_keys(const RowOfHead &of) {
  uint32_t warp = THREAD_X / 32, warps = THREADS_X / 32;
  Attended<pieces> own = {minus_infinity(), 0, {}};
  Four query[pieces];
  load_pieces_slowly(query, of.q, of.row, of.query_column, of.head_dim);
#pragma unroll 1
  for (int64_t j = of.first + warp * together; j < of.count; j += warps * together) {
    Four key[together][pieces], value[together][pieces];
    float s[together];
    // Past the last key that one again, which then has no weight.
    EACH(k, together) {
      int64_t at = j + k < of.count ? j + k : of.count - 1;
      bool is_new = of.new_key.at && at == of.count - 1;
      In keys = is_new ? of.new_key : of.keys, values = is_new ? of.new_value : of.values;
      if (is_new) at = of.row;
      if (at_once) {
        load_pieces(key[k], keys, at, of.key_column, of.head_dim);
        load_pieces(value[k], values, at, of.value_column, of.value_dim);
      } else {
        load_pieces_slowly(key[k], keys, at, of.key_column, of.head_dim);
        load_pieces_slowly(value[k], values, at, of.value_column, of.value_dim);
      }
    }
    EACH(k, together) {
      s[k] = 0;
      EACH(i, pieces) EACH(c, 4) s[k] = fused(query[i].v[c], key[k][i].v[c], s[k]);
    }
    warp_sums(s);
    float now = own.largest;
    EACH(k, together) {
      s[k] = score(s[k], of.scale, of.slope, of.cap, j + k, of.count - 1);
      if (j + k < of.count) now = larger(now, s[k]);
    }
    float fade = exponential(own.largest - now);
    own.largest = now;
    own.weight *= fade;
    EACH(i, pieces) EACH(c, 4) own.sums[i].v[c] *= fade;
    EACH(k, together) {
      if (j + k >= of.count) continue;
      float e = exponential(s[k] - now);
      own.weight += e;
      EACH(i, pieces) EACH(c, 4) own.sums[i].v[c] = fused(e, value[k][i].v[c], own.sums[i].v[c]);
    }
  }
  return own;
}

// Leaves what the warp has to the others.
template <int pieces>
DEVICE void leave(const Attended<pieces> &own, int64_t value_dim, float *largest_of, float *weight_of, float *sums_of) {
  uint32_t warp = THREAD_X / 32;
  if (lane() == 0) {
    largest_of[warp] = own.largest;
    weight_of[warp] = own.weight;
  }
  EACH(i, pieces) {
    int64_t c = 128 * i + (int64_t)lane() * 4;
    if (c < value_dim)
      EACH(k, 4) sums_of[warp * HEAD_LIMIT + c + k] = own.sums[i].v[k];
  }
}
// Heads of whole fours; the type is given once more so that no load asks for it.
template <int type>
DEVICE void attend_at_once(RowOfHead of, float *largest_of, float *weight_of, float *sums_of) {
  of.keys.type = of.values.type = of.new_key.type = of.new_value.type = type;
  if (of.head_dim <= 128 && of.value_dim <= 128) {
    leave(attend_keys<1, 8, true>(of), of.value_dim, largest_of, weight_of, sums_of);
  } else {
    leave(attend_keys<2, 4, true>(of), of.value_dim, largest_of, weight_of, sums_of);
  }
}
DEVICE_APART void attend_slowly(const RowOfHead &of, float *largest_of, float *weight_of, float *sums_of) {
  leave(attend_keys<HEAD_LIMIT / 128, 1, false>(of), of.value_dim, largest_of, weight_of, sums_of);
}

// Whether a head's fours, of 16 bits an element, can be loaded at once. It holds of what is not there.
DEVICE bool in_short_fours(In x, int64_t dim) {
  return x.type != FLOAT32 && dim <= 256 && ((x.stride | dim) & 3) == 0 && aligned(x.at, 8);
}

// out[row, head] = softmax(scale·q·keysᵀ + ALiBi)·values over the row's cache, and log_sums[head·log_step + row], null being
// not wanted, the scores' log Σ exp. A block has a head of a row; its warps share the keys, and what they have is joined at the
// end. New keys and values, of rows that are the only new ones of their sequences, are appended by the way, by the first of the
// heads that share them; null: they are there. Head sizes are at most HEAD_LIMIT. `slots` says which row of q, out and cached
// each is; null: they are the rows in their order. Grid: (heads, rows).
KERNEL attention_cached(Out out, float *log_sums, int64_t log_step, In q, CachedRows cached, In new_key, In new_value,
                        const int32_t *slots, const float *slopes, float scale, float cap, int64_t group, int64_t head_dim,
                        int64_t value_dim) {
  SHARED(float, largest_of, 8);
  SHARED(float, weight_of, 8);
  SHARED(float, sums_of, 8 * HEAD_LIMIT);
  int64_t head = BLOCK_X, row = slots ? slots[BLOCK_Y] : (int64_t)BLOCK_Y;
  const CachedRow own = cached_row(cached, row);
  In keys = {ADDRESS(const void, own.keys), own.key_stride, q.type};
  In values = {ADDRESS(const void, own.values), own.value_stride, q.type};
  RowOfHead of = {q, keys, values, new_key, new_value, row, head * head_dim, head / group * head_dim, head / group * value_dim, head_dim,
                  value_dim, own.first, own.count, slopes ? slopes[head] : 0, scale, cap};
  if (new_key.at && head % group == 0) {
    append_head(own.keys, own.key_stride, own.count - 1, new_key, row, of.key_column, head_dim);
    append_head(own.values, own.value_stride, own.count - 1, new_value, row, of.value_column, value_dim);
  }
  if (!in_short_fours(keys, head_dim) || !in_short_fours(values, value_dim) || !in_short_fours(new_key, head_dim) ||
      !in_short_fours(new_value, value_dim)) {
    attend_slowly(of, largest_of, weight_of, sums_of);
  } else if (q.type == BFLOAT16) {
    attend_at_once<BFLOAT16>(of, largest_of, weight_of, sums_of);
  } else {
    attend_at_once<FLOAT16>(of, largest_of, weight_of, sums_of);
  }
  barrier();
  uint32_t warps = THREADS_X / 32;
  float of_all = largest_of[0], total = 0;
  for (uint32_t w = 1; w < warps; w++) of_all = larger(of_all, largest_of[w]);
  for (uint32_t w = 0; w < warps; w++) total += weight_of[w] * exponential(largest_of[w] - of_all);
  if (log_sums && THREAD_X == 0) log_sums[head * log_step + row] = of_all + logarithm(total);
#pragma unroll 1
  for (int64_t c = THREAD_X; c < value_dim; c += THREADS_X) {
    float sum = 0;
    for (uint32_t w = 0; w < warps; w++) sum += sums_of[w * HEAD_LIMIT + c] * exponential(largest_of[w] - of_all);
    store(out, row, head * value_dim + c, sum / total);
  }
}
