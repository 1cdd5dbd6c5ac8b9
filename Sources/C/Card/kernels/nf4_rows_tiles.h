// Products of few rows by NF4 weights on tensor cores. Memory hands over codes faster than a multiprocessor decodes them one by
// one, so it is the decoding that is kept short here: two codes are one read of a table.
#pragma once

#include "nf4.h"
#include "rows_tiles.h"

// MARK: Two codes at a time

// What each byte of codes stands for: 256 pairs of float32. Of each pair 16 copies lie side by side, so that every lane of half
// a warp reads from banks of its own.
enum { PAIR_COPIES = 16, PAIR_FLOATS = 256 * PAIR_COPIES * 2 };

// All 256 threads call it; each has a byte.
DEVICE void fill_pairs(float *pairs) {
  uint32_t first = float_bits(code_value(THREAD_X >> 4)), second = float_bits(code_value(THREAD_X & 15));
  // Two copies at a time; each lane begins with others, for the banks' sake.
  EACH(i, PAIR_COPIES / 2) {
    uint32_t copies = (i + lane()) % (PAIR_COPIES / 2);
    ((Words4 *)pairs)[THREAD_X * (PAIR_COPIES / 2) + copies] = Words4{{first, second, first, second}};
  }
}

// Eight codes in bfloat16, two a word.
DEVICE void decode_eight(uint32_t (&to)[4], const float *pairs, uint32_t codes, float scale) {
  const uint32_t bytes = PAIR_COPIES * 8, own = lane() % PAIR_COPIES * 8;
  EACH(k, 4) {
    uint32_t pair = (k == 0 ? codes << 7 : codes >> (8 * k - 7)) & 255 * bytes;  // byte k · `bytes`
    Words2 values = *(const Words2 *)((const char *)pairs + (pair | own));
    to[k] = narrow_pair(bits_float(values.words[0]) * scale, bits_float(values.words[1]) * scale);
  }
}

// MARK: What a lane reads

// A warp takes 128 columns at a time and a lane 32 of them, half a block of codes in one load. A warp's columns are neighbours:
// what it reads of scales for the first of them is in the cache for the next.
enum { NF4_COLUMNS = 128, LANE_COLUMNS = NF4_COLUMNS / 4 };
// An output's codes from the lane's first column on, and the number of their block of 64.
struct LaneOutput {
  const uint8_t *codes;
  uint32_t block;
};
// 32 codes of an output, and its scale: the number itself, or the block's code and the number that its map's is multiplied by.
struct LaneCodes {
  Words4 codes;
  float scale;
  uint32_t code;
};

DEVICE LaneOutput lane_output(const NF4 &w, int64_t output, int64_t outputs) {
  // An output past the end reads the last one's codes; nobody stores what comes of it.
  int64_t i = (output < outputs ? output : outputs - 1) * w.columns + lane() % 4 * LANE_COLUMNS;
  return LaneOutput{w.codes + i / 2, (uint32_t)(i / 64)};
}
DEVICE void read_codes(LaneCodes &to, const NF4 &w, LaneOutput from, int chunk) {
  to.codes = read_streamed<Words4>(from.codes + chunk * (NF4_COLUMNS / 2));
  uint32_t block = from.block + (uint32_t)chunk * (NF4_COLUMNS / 64);
  if (w.absmax) {
    to.scale = w.absmax[block];
  } else {
    to.code = w.absmax_codes[block];
    to.scale = w.nested_absmax[block / 256];
  }
}
DEVICE float scale_of(const NF4 &w, const float *map, const LaneCodes &read) {
  return w.absmax ? read.scale : map[read.code] * read.scale + w.nested_offset;
}

// MARK: Products

// Where a lane reads: in each tile of eight rows its columns of x, and its two outputs of each group of 16.
template <int groups, int tiles>
struct LanePlace {
  const uint16_t *x[tiles];
  LaneOutput outputs[2 * groups];
  // The warp's chunks of 128 columns, and the end of those that the lane has a part of, as rows of 64 may leave it without. In
  // a tile without its row it has none.
  int chunk, end, own_end, x_end[tiles];
};

template <int groups, int tiles>
DEVICE LanePlace<groups, tiles> lane_place(const RowPart<NF4> &part, In x, int64_t first, int64_t rows) {
  LanePlace<groups, tiles> place;
  const int64_t columns = part.w.columns, column = lane() % 4 * LANE_COLUMNS;
  const int chunks = (int)((columns + NF4_COLUMNS - 1) / NF4_COLUMNS), warp = (int)THREAD_X / 32;
  place.chunk = warp * chunks / ROW_WARPS;
  place.end = place.own_end = (warp + 1) * chunks / ROW_WARPS;
  if (place.end == chunks && (chunks - 1) * (int64_t)NF4_COLUMNS + column >= columns) place.own_end = chunks - 1;
  EACH(tile, tiles) {
    int64_t row = first + 8 * tile + lane() / 4;
    place.x[tile] = (const uint16_t *)x.at + row * x.stride + column;
    place.x_end[tile] = row < rows ? place.own_end : 0;
  }
  EACH(half, 2 * groups) place.outputs[half] = lane_output(part.w, part.output + lane() / 4 + 8 * half, part.outputs);
  return place;
}

// sums[group][tile] [16 outputs, 8 rows] += weights·xᵀ over 128 columns.
template <int groups, int tiles>
DEVICE void add_chunk(float (&sums)[groups][tiles][4], const LanePlace<groups, tiles> &place, int chunk,
                      const LaneCodes (&read)[2 * groups], const float (&scales)[2 * groups], const float *pairs) {
  EACH(eight, LANE_COLUMNS / 8) {
    Words4 x[tiles];
    EACH(tile, tiles) {
      x[tile] = Words4{{0, 0, 0, 0}};
      if (chunk < place.x_end[tile]) x[tile] = *(const Words4 *)(place.x[tile] + chunk * NF4_COLUMNS + 8 * eight);
    }
    EACH(group, groups) {
      uint32_t low[4], high[4];
      decode_eight(low, pairs, read[2 * group].codes.words[eight], scales[2 * group]);
      decode_eight(high, pairs, read[2 * group + 1].codes.words[eight], scales[2 * group + 1]);
      EACH(tile, tiles) EACH(k, 2) {
        uint32_t a[4] = {low[2 * k], high[2 * k], low[2 * k + 1], high[2 * k + 1]};
        multiply_tile(sums[group][tile], a, x[tile].words[2 * k], x[tile].words[2 * k + 1]);
      }
    }
  }
}

// sums += weights·xᵀ over all columns of the warp; codes are read one chunk ahead. Memory is asked before the tables are made,
// which all threads of the block do.
template <int groups, int tiles>
DEVICE void add_nf4_columns(float (&sums)[groups][tiles][4], const NF4 &w, const LanePlace<groups, tiles> &place, float *pairs,
                            float *map) {
  LaneCodes next[2 * groups] = {};
  if (place.chunk < place.own_end) EACH(half, 2 * groups) read_codes(next[half], w, place.outputs[half], place.chunk);
  fill_pairs(pairs);
  if (w.nested_map) map[THREAD_X] = w.nested_map[THREAD_X];
  barrier();
#pragma unroll 1
  for (int chunk = place.chunk; chunk < place.end; chunk++) {
    LaneCodes read[2 * groups];
    float scales[2 * groups];
    EACH(half, 2 * groups) {
      read[half] = next[half];
      scales[half] = scale_of(w, map, read[half]);
    }
    if (chunk + 1 < place.own_end) EACH(half, 2 * groups) read_codes(next[half], w, place.outputs[half], chunk + 1);
    add_chunk(sums, place, chunk, read, scales, pairs);
  }
}

template <int groups, int tiles>
DEVICE void nf4_rows_of(Out y, In x, const RowPart<NF4> &part, In h, In b, int64_t rows, int64_t thin) {
  SHARED(float, pairs, PAIR_FLOATS);
  SHARED(float, map, 256);
  int64_t first = (int64_t)BLOCK_Y * 8 * tiles;
  float sums[groups][tiles][4];
  EACH(group, groups) clear(sums[group]);
  add_nf4_columns(sums, part.w, lane_place<groups, tiles>(part, x, first, rows), pairs, map);
  if (h.at)
    EACH(group, groups)
      add_dense_columns<tiles>(sums[group], DenseWeight{b, part.outputs, thin}, part.output + group * ROW_OUTPUTS, h, first, rows);
  barrier();  // nobody decodes any more: the table's room is for the sums
  store_outputs(y, sums, pairs, first, rows, part);
}

// As dense_rows; weights that are rounded to bfloat16, in rows of 64. A block has 16·groups outputs, and of its kind `blocks` find
// room on a multiprocessor.
#define NF4_ROWS(most, tiles, groups, blocks)                                                                        \
  KERNEL_SHARING(blocks) nf4_rows_##most(Out y, In x, RowParts<NF4> parts, In h, In b, int64_t rows, int64_t thin) { \
    nf4_rows_of<groups, tiles>(y, x, own_part<groups * ROW_OUTPUTS>(parts), h, b, rows, thin);                       \
  }
NF4_ROWS(8, 1, 1, 4)
NF4_ROWS(32, 4, 2, 2)
