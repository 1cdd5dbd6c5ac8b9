// Rotary positions, activations and dropout.
#pragma once

#include "numbers.h"

// MARK: Rotary positions

DEVICE void turn_pair(Out x, int64_t row, int64_t head, uint32_t angle, uint32_t half, int32_t interleaved,
                      const float *cosine, const float *sine, float sign) {
  int64_t low = head + (interleaved ? 2 * angle : angle), high = interleaved ? low + 1 : low + half;
  float c = cosine[row * half + angle], s = sine[row * half + angle] * sign;
  float a = load(in(x), row, low), b = load(in(x), row, high);
  store(x, row, low, a * c - b * s);
  store(x, row, high, b * c + a * s);
}

// Turns the pairs of every head by the row's angles: angle i, of [rows, rotary/2], turns elements (i, i + rotary/2), or
// (2i, 2i + 1) when `interleaved`. `sign` is −1 for the inverse. A thread has four pairs of a row, which lie side by side
// where four divides rotary/2. Grid: (⌈heads·rotary/2 / (4·threads)⌉, rows).
KERNEL rotate(Out x, const float *cosine, const float *sine, float sign, int32_t interleaved, int64_t rows, int64_t heads,
              int64_t head_dim, int64_t rotary) {
  uint32_t half = (uint32_t)(rotary / 2), pairs = (uint32_t)heads * half;
  EACH_FOUR(row, first, rows, pairs) {
    uint32_t head = (uint32_t)first / half, angle = (uint32_t)first - head * half;
    if (!interleaved && half % 4 == 0) {
      int64_t low = head * head_dim + angle, high = low + half;
      Four c = load4(In{cosine, half, FLOAT32}, row, angle, 4), s = load4(In{sine, half, FLOAT32}, row, angle, 4);
      Four a = load4(in(x), row, low, 4), b = load4(in(x), row, high, 4), of_a, of_b;
      EACH(k, 4) {
        of_a.v[k] = a.v[k] * c.v[k] - b.v[k] * (s.v[k] * sign);
        of_b.v[k] = b.v[k] * c.v[k] + a.v[k] * (s.v[k] * sign);
      }
      store4(x, row, low, 4, of_a);
      store4(x, row, high, 4, of_b);
      continue;
    }
#pragma unroll 1
    for (int n = four(first, pairs); n > 0; n--) {
      turn_pair(x, row, head * head_dim, angle, half, interleaved, cosine, sine, sign);
      if (++angle == half) angle = 0, head++;
    }
  }
}

// MARK: Activations, as Sources/C/Kernels/ops/activation.inc

// f(x) and f'(x).
struct Activated {
  float value, slope;
};

DEVICE Activated silu(float x) {
  float s = reciprocal_fast(1 + exponential(-x));
  return Activated{x * s, s * (1 + x * (1 - s))};
}

// x·Φ(x), Φ(−|x|) = exp(−x²/2)·P(t) with t = 1 / (1 + 0.3·|x|/√2): docs/derivations/activations.md.
DEVICE Activated gelu(float x) {
  float bell = exponential(x * x * -0.5f);
  float t = reciprocal_fast(1 + (x < 0 ? -x : x) * 0.21213203436f);
  float p = -6.476138543e-02f;
  p = fused(p, t, 2.427812845e-01f);
  p = fused(p, t, -2.561383933e-01f);
  p = fused(p, t, 2.738592840e-01f);
  p = fused(p, t, -4.732486972e-02f);
  p = fused(p, t, 1.074628246e-01f);
  p = fused(p, t, 7.416963588e-02f);
  p = fused(p, t, 8.535760661e-02f);
  p = fused(p, t, 8.459400300e-02f);
  float tail = bell * p * t;
  float phi = x > 0 ? 1 - tail : tail;
  return Activated{x * phi, phi + x * bell * 0.3989422804f};  // 1/√(2π)
}

// ½x(1 + tanh u) = x·σ(2u) with u = √(2/π)·(x + 0.044715x³)
DEVICE Activated gelu_tanh(float x) {
  const float factor = 1.5957691216f;  // 2·√(2/π)
  float twice_u = factor * (x + 0.044715f * x * x * x);
  float fade = exponential(twice_u < 0 ? twice_u : -twice_u);
  float above = reciprocal_fast(1 + fade), below = fade * above;  // σ(|2u|) and 1 − σ(|2u|)
  float s = twice_u > 0 ? above : below;
  // Beyond ±10 the second term is 0, but its factors may be 0·∞.
  float near = x > 10 ? 10 : x < -10 ? -10 : x;
  float turn = near * factor * (1 + 3 * 0.044715f * near * near);
  return Activated{x * s, s + above * below * turn};
}

// min(x, 7)·σ(1.702·min(x, 7)), and up within ±7, plus 1. Beyond a bound nothing passes back.
DEVICE Activated clamped(float x) {
  float z = x > 7 ? 7 : x, s = reciprocal_fast(1 + exponential(-1.702f * z));
  return Activated{z * s, x > 7 ? 0 : s * (1 + 1.702f * z * (1 - s))};
}
DEVICE Activated clamped_up(float up) {
  float z = up > 7 ? 7 : up < -7 ? -7 : up;
  return Activated{z + 1, up > 7 || up < -7 ? 0.0f : 1.0f};
}

struct Activated8 {
  Activated v[8];
};

// By kernels_activation.
DEVICE Activated8 activated(int kind, Eight x) {
  Activated8 y;
  if (kind == 0) {
    EACH(k, 8) y.v[k] = silu(x.v[k]);
  } else if (kind == 1) {
    EACH(k, 8) y.v[k] = gelu(x.v[k]);
  } else if (kind == 3) {
    EACH(k, 8) y.v[k] = clamped(x.v[k]);
  } else {
    EACH(k, 8) y.v[k] = gelu_tanh(x.v[k]);
  }
  return y;
}

// g(up) and g'(up): mostly up and 1.
DEVICE Activated8 gated(int kind, Eight up) {
  Activated8 y;
  if (kind == 3) {
    EACH(k, 8) y.v[k] = clamped_up(up.v[k]);
  } else {
    EACH(k, 8) y.v[k] = Activated{up.v[k], 1};
  }
  return y;
}

// y = f(x)·g(up); without up, f(x).
KERNEL activate(Out y, In x, In up, int32_t kind, int64_t rows, int64_t columns) {
  EACH_EIGHT(row, column, rows, columns) {
    int n = eight(column, columns);
    Eight a = load8(x, row, column, n);
    Activated8 f = activated(kind, a);
    EACH(k, 8) a.v[k] = f.v[k].value;
    if (up.at) {
      Activated8 g = gated(kind, load8(up, row, column, n));
      EACH(k, 8) a.v[k] *= g.v[k].value;
    }
    store8(y, row, column, n, a);
  }
}

// dx = dy·g(up)·f'(x) and d_up = dy·f(x)·g'(up); without up, dx = dy·f'(x).
KERNEL activate_gradient(Out dx, Out d_up, In dy, In x, In up, int32_t kind, int64_t rows, int64_t columns) {
  EACH_EIGHT(row, column, rows, columns) {
    int n = eight(column, columns);
    Eight d = load8(dy, row, column, n);
    Activated8 f = activated(kind, load8(x, row, column, n));
    Eight of_x, of_up;
    if (up.at) {
      Activated8 g = gated(kind, load8(up, row, column, n));
      EACH(k, 8) {
        of_x.v[k] = d.v[k] * g.v[k].value * f.v[k].slope;
        of_up.v[k] = d.v[k] * f.v[k].value * g.v[k].slope;
      }
      store8(d_up, row, column, n, of_up);
    } else {
      EACH(k, 8) of_x.v[k] = d.v[k] * f.v[k].slope;
    }
    store8(dx, row, column, n, of_x);
  }
}

// MARK: Dropout, with the bits of Sources/C/Kernels/ops/dropout.inc

struct RowKey {
  uint32_t first, second;
};

DEVICE RowKey row_key(uint64_t key, uint64_t row) {
  uint64_t z = key + (row + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return RowKey{(uint32_t)z, (uint32_t)(z >> 32)};
}

// The 16 bits of each of the columns 2·pair and 2·pair + 1, the first in the low half.
DEVICE uint32_t pair_bits(RowKey key, uint32_t pair) {
  uint32_t x = pair * 0x9e3779b9u + key.first;
  x ^= x >> 16;
  x = x * 0x7feb352du ^ key.second;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

// x·factor where kept, otherwise 0, for eight columns from `column`, a multiple of 8.
DEVICE Eight dropped(Eight x, uint64_t key, uint64_t row, int64_t column, uint32_t threshold, float factor) {
  RowKey of_row = row_key(key, row);
  EACH(pair, 4) {
    uint32_t bits = pair_bits(of_row, (uint32_t)(column / 2) + pair);
    x.v[2 * pair] = (bits & 0xffff) >= threshold ? x.v[2 * pair] * factor : 0;
    x.v[2 * pair + 1] = (bits >> 16) >= threshold ? x.v[2 * pair + 1] * factor : 0;
  }
  return x;
}

// y = keep·x·factor
KERNEL dropout(Out y, In x, uint64_t key, uint64_t first_row, uint32_t threshold, float factor, int64_t rows,
               int64_t columns) {
  EACH_EIGHT(row, column, rows, columns) {
    int n = eight(column, columns);
    Eight a = load8(x, row, column, n);
    store8(y, row, column, n, dropped(a, key, first_row + (uint64_t)row, column, threshold, factor));
  }
}

// dx += keep·g·factor
KERNEL add_dropped(Out dx, In g, uint64_t key, uint64_t first_row, uint32_t threshold, float factor, int64_t rows,
                   int64_t columns) {
  EACH_EIGHT(row, column, rows, columns) {
    int n = eight(column, columns);
    Eight d = load8(in(dx), row, column, n);
    Eight a = dropped(load8(g, row, column, n), key, first_row + (uint64_t)row, column, threshold, factor);
    EACH(k, 8) d.v[k] += a.v[k];
    store8(dx, row, column, n, d);
  }
}
