// Causal attention of bfloat16 or float16 by tensor cores, without scores in memory (Dao 2023, FlashAttention-2). A block has
// 64 rows, a warp 16 of them. The backward pass computes scores twice, once for queries and once for keys, so that every sum
// is one thread's, in one order.
#pragma once

#include "tiles.h"

// Up to 64 rows of queries of a sequence, laid out as card_query_tile: they see keys from row `key` of k on, `keys` at most;
// the first one's own key is number `diagonal` of these.
struct QueryTile {
  int32_t row, rows, key, keys, diagonal;
};
// Up to 64 keys of a sequence, laid out as card_key_tile; queries from the first key's row on see them, up to `end`.
struct KeyTile {
  int32_t row, rows, end;
};
// Laid out as card_tile_heads.
struct TileHeads {
  const float *slopes;  // [heads] of ALiBi, or null
  int64_t log_step;     // between heads of log sums and dots
  int32_t head_dim, group, window;
  float scale;
};

#define LOG2_E 1.44269504088896341f
#define LN_2 0.69314718055994531f

// Turns products into scores·log₂e, −∞ where a query does not see the key. `ahead`: of element 0, the key's place minus the
// query's own; it grows with columns, and falls with rows. `step` is 1 where columns are keys, −1 where rows are.
template <int tiles>
DEVICE void see(float (&s)[tiles][4], int ahead, int step, float scale, float slope, int window) {
  // Of the lane's elements, the least and the most ahead, in both orientations.
  int most = ahead + (step > 0 ? 8 * tiles : 8), least = ahead - (step > 0 ? 8 : 8 * tiles);
  bool cut = most > 0 || least <= -window;
  EACH(n, tiles) EACH(i, 4) {
    int here = ahead + step * (8 * n + (i & 1) - 8 * (i / 2));
    s[n][i] = s[n][i] * scale + slope * (float)here;
    if (cut && (here > 0 || here <= -window)) s[n][i] = minus_infinity();
  }
}

// MARK: Forward

// Adds the values of some keys: s [16, 64] becomes unnormalised probabilities; sums and weights fade as larger scores come.
template <int dim>
DEVICE void soften(float (&s)[8][4], float (&sums)[dim / 8][4], float (&largest)[2], float (&weight)[2]) {
  EACH(half, 2) {
    float now = largest[half];
    EACH(n, 8) now = larger(now, larger(s[n][2 * half], s[n][2 * half + 1]));
    now = row_largest(now);
    float from = now == minus_infinity() ? 0 : now;  // it has seen no key yet
    float fade = exp2_fast(largest[half] - from), sum = 0;
    EACH(n, 8) EACH(i, 2) {
      float &p = s[n][2 * half + i];
      p = exp2_fast(p - from);
      sum += p;
    }
    largest[half] = now;
    weight[half] = weight[half] * fade + sum;
    EACH(n, dim / 8) EACH(i, 2) sums[n][2 * half + i] *= fade;
  }
}

template <int type, int dim>
DEVICE void attend_tile(Out out, float *log_sums, In q, In k, In v, const QueryTile *tiles, TileHeads heads) {
  SHARED(uint16_t, keys, TILE_ROWS * tile_stride(dim));
  SHARED(uint16_t, values, TILE_ROWS * tile_stride(dim));
  const QueryTile tile = tiles[BLOCK_X];
  int64_t head = BLOCK_Y, column = head * heads.head_dim, key_column = head / heads.group * heads.head_dim;
  int first = (int)THREAD_X / 32 * 16, rows = tile.rows - first, own = tile.diagonal + first + (int)lane() / 4;
  float slope = heads.slopes ? heads.slopes[head] * LOG2_E : 0;
  uint32_t queries[dim / 16][4];
  load_rows<dim>(queries, q, tile.row + first, rows, column, heads.head_dim);
  float sums[dim / 8][4], largest[2] = {minus_infinity(), minus_infinity()}, weight[2] = {0, 0};
  clear(sums);
  fetch_tile<dim, TILE_ROWS>(keys, k, tile.key, tile.keys, key_column, heads.head_dim);
  end_copies();
#pragma unroll 1
  for (int start = 0; start < tile.keys; start += TILE_ROWS) {
    float s[8][4];
    fetch_tile<dim, TILE_ROWS>(values, v, tile.key + start, tile.keys - start, key_column, heads.head_dim);
    end_copies();
    wait_for_copies<1>();
    barrier();  // the keys are there
    if (rows > 0) multiply_transposed<type, dim>(s, queries, keys, 0);
    barrier();  // nobody reads them any more
    int next = start + TILE_ROWS;
    if (next < tile.keys) fetch_tile<dim, TILE_ROWS>(keys, k, tile.key + next, tile.keys - next, key_column, heads.head_dim);
    end_copies();
    if (rows > 0) {
      see(s, start + 2 * ((int)lane() % 4) - own, 1, heads.scale * LOG2_E, slope, heads.window);
      soften<dim>(s, sums, largest, weight);
    }
    wait_for_copies<1>();
    barrier();  // the values are there
    if (rows > 0) add_product<type, dim>(sums, s, values, 0);
    barrier();
  }
  float inverse[2];
  EACH(half, 2) {
    weight[half] = row_sum(weight[half]);
    inverse[half] = 1 / weight[half];
    int row = (int)lane() / 4 + 8 * half;
    if (log_sums && lane() % 4 == 0 && row < rows)
      log_sums[head * heads.log_step + tile.row + first + row] = (largest[half] + log2_fast(weight[half])) * LN_2;
  }
  store_rows<type, dim>(out, sums, inverse, tile.row + first, rows, column, heads.head_dim);
}

// MARK: Backward

// p = 2^(s − log₂Σ) and ds = p·(dp − dot)·scale, in the places of s and dp; `of(n, i, …)` says the log sum and the dot of an
// element's query.
template <int tiles, class Of>
DEVICE void soften_gradient(float (&s)[tiles][4], float (&dp)[tiles][4], float scale, Of of) {
  EACH(n, tiles) EACH(i, 4) {
    float log_sum, dot;
    of(n, i, log_sum, dot);
    s[n][i] = exp2_fast(s[n][i] - log_sum);
    dp[n][i] = s[n][i] * (dp[n][i] - dot) * scale;
  }
}

template <int type, int dim>
DEVICE void attend_tile_queries(Out dq, In dout, const float *log_sums, const float *dots, In q, In k, In v,
                                const QueryTile *tiles, TileHeads heads) {
  SHARED(uint16_t, keys, TILE_ROWS * tile_stride(dim));
  SHARED(uint16_t, values, TILE_ROWS * tile_stride(dim));
  const QueryTile tile = tiles[BLOCK_X];
  int64_t head = BLOCK_Y, column = head * heads.head_dim, key_column = head / heads.group * heads.head_dim;
  int first = (int)THREAD_X / 32 * 16, rows = tile.rows - first, own = tile.diagonal + first + (int)lane() / 4;
  float slope = heads.slopes ? heads.slopes[head] * LOG2_E : 0;
  uint32_t queries[dim / 16][4], douts[dim / 16][4];
  load_rows<dim>(queries, q, tile.row + first, rows, column, heads.head_dim);
  load_rows<dim>(douts, dout, tile.row + first, rows, column, heads.head_dim);
  float log_sum[2] = {0, 0}, dot[2] = {0, 0}, sums[dim / 8][4];
  clear(sums);
  EACH(half, 2) {
    int row = (int)lane() / 4 + 8 * half;
    if (row >= rows) continue;
    int64_t at = head * heads.log_step + tile.row + first + row;
    log_sum[half] = log_sums[at] * LOG2_E;
    dot[half] = dots[at];
  }
#pragma unroll 1
  for (int start = 0; start < tile.keys; start += TILE_ROWS) {
    fetch_tile<dim, TILE_ROWS>(keys, k, tile.key + start, tile.keys - start, key_column, heads.head_dim);
    fetch_tile<dim, TILE_ROWS>(values, v, tile.key + start, tile.keys - start, key_column, heads.head_dim);
    end_copies();
    wait_for_copies<0>();
    barrier();
#pragma unroll 1
    for (int part = 0; rows > 0 && part < TILE_ROWS && start + part < tile.keys; part += 32) {
      float s[4][4], dp[4][4];
      multiply_transposed<type, dim>(s, queries, keys, part);
      multiply_transposed<type, dim>(dp, douts, values, part);
      see(s, start + part + 2 * ((int)lane() % 4) - own, 1, heads.scale * LOG2_E, slope, heads.window);
      soften_gradient(s, dp, heads.scale, [&](int, int i, float &log, float &d) {
        log = log_sum[i / 2];
        d = dot[i / 2];
      });
      add_product<type, dim>(sums, dp, keys, part);
    }
    barrier();  // nobody reads these any more
  }
  const float one[2] = {1, 1};
  store_rows<type, dim>(dq, sums, one, tile.row + first, rows, column, heads.head_dim);
}

template <int type, int dim>
DEVICE void attend_tile_keys(Out dk, Out dv, In dout, const float *log_sums, const float *dots, In q, In k, In v,
                             const KeyTile *tiles, TileHeads heads) {
  constexpr int together = dim > 64 ? 16 : 32;  // queries: what shared memory has room for
  SHARED(uint16_t, keys, TILE_ROWS * tile_stride(dim));
  SHARED(uint16_t, values, TILE_ROWS * tile_stride(dim));
  SHARED(uint16_t, queries, together * tile_stride(dim));
  SHARED(uint16_t, douts, together * tile_stride(dim));
  const KeyTile tile = tiles[BLOCK_X];
  int64_t key_column = (int64_t)BLOCK_Y * heads.head_dim;
  int first = (int)THREAD_X / 32 * 16, rows = tile.rows - first, own = tile.row + first + (int)lane() / 4;
  float sums_k[dim / 8][4], sums_v[dim / 8][4];
  clear(sums_k);
  clear(sums_v);
  fetch_tile<dim, TILE_ROWS>(keys, k, tile.row, tile.rows, key_column, heads.head_dim);
  fetch_tile<dim, TILE_ROWS>(values, v, tile.row, tile.rows, key_column, heads.head_dim);
#pragma unroll 1
  for (int member = 0; member < heads.group; member++) {
    int64_t head = (int64_t)BLOCK_Y * heads.group + member, column = head * heads.head_dim;
    float slope = heads.slopes ? heads.slopes[head] * LOG2_E : 0;
#pragma unroll 1
    for (int start = tile.row; start < tile.end; start += together) {
      fetch_tile<dim, together>(queries, q, start, tile.end - start, column, heads.head_dim);
      fetch_tile<dim, together>(douts, dout, start, tile.end - start, column, heads.head_dim);
      end_copies();
      wait_for_copies<0>();
      barrier();
      if (rows > 0 && start + together > tile.row + first) {
        float s[together / 8][4], dp[together / 8][4];
        clear(s);
        clear(dp);
        EACH(c, dim / 16) {
          uint32_t a[4], b[4];
          load_left<dim>(a, keys, first, 16 * c);
          EACH(n, together / 16) {
            load_right_transposed<dim>(b, queries, 16 * n, 16 * c);
            multiply_tile_of<type>(s[2 * n], a, b[0], b[1]);
            multiply_tile_of<type>(s[2 * n + 1], a, b[2], b[3]);
          }
          load_left<dim>(a, values, first, 16 * c);
          EACH(n, together / 16) {
            load_right_transposed<dim>(b, douts, 16 * n, 16 * c);
            multiply_tile_of<type>(dp[2 * n], a, b[0], b[1]);
            multiply_tile_of<type>(dp[2 * n + 1], a, b[2], b[3]);
          }
        }
        int query = start + 2 * ((int)lane() % 4);
        see(s, own - query, -1, heads.scale * LOG2_E, slope, heads.window);
        soften_gradient(s, dp, heads.scale, [&](int n, int i, float &log, float &d) {
          int row = query + 8 * n + (i & 1);
          int64_t at = head * heads.log_step + row;
          bool there = row < tile.end;  // a query past the end is zeros, and its probabilities are
          log = there ? log_sums[at] * LOG2_E : -minus_infinity();
          d = there ? dots[at] : 0;
        });
        add_product<type, dim>(sums_v, s, douts, 0);
        add_product<type, dim>(sums_k, dp, queries, 0);
      }
      barrier();
    }
  }
  const float one[2] = {1, 1};
  store_rows<type, dim>(dk, sums_k, one, tile.row + first, rows, key_column, heads.head_dim);
  store_rows<type, dim>(dv, sums_v, one, tile.row + first, rows, key_column, heads.head_dim);
}

// MARK: The kernels, for heads of up to 64 and up to 128

// out [rows, heads·head_dim] = softmax(scores)·v and, where wanted, log Σ exp(score). Grid: (tiles, heads).
#define ATTEND(name, type, dim)                                                                                     \
  KERNEL attend_##name(Out out, float *log_sums, In q, In k, In v, const QueryTile *tiles, TileHeads heads) {       \
    attend_tile<type, dim>(out, log_sums, q, k, v, tiles, heads);                                                   \
  }                                                                                                                 \
  KERNEL attend_queries_##name(Out dq, In dout, const float *log_sums, const float *dots, In q, In k, In v,         \
                               const QueryTile *tiles, TileHeads heads) {                                           \
    attend_tile_queries<type, dim>(dq, dout, log_sums, dots, q, k, v, tiles, heads);                                \
  }                                                                                                                 \
  KERNEL attend_keys_##name(Out dk, Out dv, In dout, const float *log_sums, const float *dots, In q, In k, In v,    \
                            const KeyTile *tiles, TileHeads heads) {                                                \
    attend_tile_keys<type, dim>(dk, dv, dout, log_sums, dots, q, k, v, tiles, heads);                               \
  }
ATTEND(64, BFLOAT16, 64)
ATTEND(128, BFLOAT16, 128)
ATTEND(64_float16, FLOAT16, 64)
ATTEND(128_float16, FLOAT16, 128)
