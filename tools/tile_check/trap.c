#define _GNU_SOURCE
#include "trap.h"

#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static uint32_t tile[8][16][16];
static int configured, tile_rows[8], tile_bytes[8];
static long products;

static void stop(const char *why) {
  static const char start[] = "tile instruction: ";
  if (write(2, start, sizeof start - 1) < 0 || write(2, why, strlen(why)) < 0 || write(2, "\n", 1) < 0) _exit(4);
  _exit(3);
}

// MARK: What they do

static float number(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// The bits, a denormal being 0.
static uint32_t flushed(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & 0x7f800000 ? bits : bits & 0x80000000;
}

static float operand(uint32_t bits) { return number(flushed(number(bits))); }

static float chain(float sum, uint32_t a, uint32_t b) {
  return number(flushed(fmaf(operand(a), operand(b), sum)));
}

// c[rows, 16] is a[rows, words] times b[words, 16].
static void check_operands(int c, int a, int b) {
  if (c == a || c == b || a == b) stop("two operands are one tile");
  if (tile_rows[c] != tile_rows[a] || tile_bytes[c] != 64 || tile_bytes[b] != 64 || tile_bytes[a] != 4 * tile_rows[b])
    stop("shapes that do not fit");
}

static void multiply(int c, int a, int b) {
  check_operands(c, a, b);
  if (tile_rows[b] != 16) stop("a product of short rows");
  for (int m = 0; m < tile_rows[c]; m++)
    for (int n = 0; n < 16; n++) {
      float even = 0, odd = 0;
      for (int k = 0; k < 16; k++) {
        uint32_t x = tile[a][m][k], y = tile[b][k][n];
        even = chain(even, x << 16, y << 16);
        odd = chain(odd, x & 0xffff0000, y & 0xffff0000);
      }
      float sum = number(flushed(even + odd));
      tile[c][m][n] = flushed(operand(tile[c][m][n]) + sum);
    }
  products++;
}

// Of unsigned bytes and signed ones, or where it is said of signed ones both.
static void multiply_bytes(int c, int a, int b, int is_signed) {
  check_operands(c, a, b);
  for (int m = 0; m < tile_rows[c]; m++)
    for (int n = 0; n < 16; n++) {
      int32_t sum = 0;
      for (int k = 0; k < 4 * tile_rows[b]; k++) {
        uint8_t x = (uint8_t)(tile[a][m][k / 4] >> (8 * (k % 4)));
        int8_t y = (int8_t)(tile[b][k / 4][n] >> (8 * (k % 4)));
        sum += (is_signed ? (int8_t)x : x) * y;
      }
      tile[c][m][n] += (uint32_t)sum;
    }
  products++;
}

// Tiles of up to 16 rows of up to 64 bytes.
static void configure(const uint8_t *at) {
  if (at[0] != 1) stop("another palette");
  for (int i = 1; i < 16; i++)
    if (at[i]) stop("reserved bytes of the configuration");
  for (int t = 0; t < 16; t++) {
    int bytes = at[16 + 2 * t] | at[17 + 2 * t] << 8, rows = at[48 + t];
    if (t >= 8 ? bytes || rows : bytes > 64 || bytes % 4 || rows > 16 || !bytes != !rows) stop("no shape of a tile");
    if (t < 8) tile_rows[t] = rows, tile_bytes[t] = bytes;
  }
  memset(tile, 0, sizeof tile);
  configured = 1;
}

// MARK: How they are written

// A VEX prefix of three bytes, an opcode, its operands.
typedef struct {
  int prefix, opcode, second;  // the prefix that is meant: 0, 1: 66, 2: F3, 3: F2; `second` operand of three
  int mode, reg, rm;           // of the ModRM byte, with their fourth bits
  char *address;               // of a memory operand
  long stride;                 // its index: the distance of rows
  const uint8_t *end;
} instruction;

static int32_t displacement(const uint8_t **p, int mode) {
  int32_t value = 0;
  if (mode == 1) value = (int8_t) * (*p)++;
  if (mode == 2) {
    memcpy(&value, *p, sizeof value);
    *p += sizeof value;
  }
  return value;
}

static instruction decode(const uint8_t *p, const greg_t *registers) {
  static const int numbers[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  if (p[0] != 0xc4 || (p[1] & 31) != 2 || p[2] & 0x84) stop("not one");
  int more_reg = p[1] & 0x80 ? 0 : 8, more_index = p[1] & 0x40 ? 0 : 8, more_base = p[1] & 0x20 ? 0 : 8;
  instruction i = {.prefix = p[2] & 3, .opcode = p[3], .second = (~p[2] >> 3) & 15};
  i.mode = p[4] >> 6, i.reg = (p[4] >> 3 & 7) | more_reg, i.rm = p[4] & 7;
  p += 5;
  if (i.mode == 3) {
    i.rm |= more_base;
  } else if (i.rm == 4) {  // base, index and scale in a byte of their own
    int sib = *p++, base = sib & 7, index = (sib >> 3 & 7) | more_index;
    if (base == 5 && i.mode == 0) stop("an address without a base");
    if (index != 4) i.stride = registers[numbers[index]] << (sib >> 6);
    i.address = (char *)registers[numbers[base | more_base]] + displacement(&p, i.mode);
  } else if (i.rm == 5 && i.mode == 0) {  // relative to the next instruction
    int32_t distance = displacement(&p, 2);
    i.address = (char *)p + distance;
  } else {
    i.address = (char *)registers[numbers[i.rm | more_base]] + displacement(&p, i.mode);
  }
  i.end = p;
  return i;
}

static void perform(instruction i) {
  int in_memory = i.mode != 3;
  if (i.opcode == 0x49 && i.prefix == 0 && in_memory) return configure((const uint8_t *)i.address + i.stride);
  if (!configured) stop("no configuration is loaded");
  if (i.opcode == 0x49 && i.prefix == 0) {
    configured = 0;
  } else if (i.opcode == 0x49 && i.prefix == 3 && !in_memory && i.reg < 8) {
    if (!tile_rows[i.reg]) stop("a tile without a shape");
    memset(tile[i.reg], 0, sizeof tile[0]);
  } else if (i.opcode == 0x4b && (i.prefix == 3 || i.prefix == 1) && in_memory && i.reg < 8) {
    if (!tile_rows[i.reg]) stop("a tile without a shape");
    memset(tile[i.reg], 0, sizeof tile[0]);
    for (int r = 0; r < tile_rows[i.reg]; r++) memcpy(tile[i.reg][r], i.address + r * i.stride, tile_bytes[i.reg]);
  } else if (i.opcode == 0x4b && i.prefix == 2 && in_memory && i.reg < 8) {
    for (int r = 0; r < tile_rows[i.reg]; r++) memcpy(i.address + r * i.stride, tile[i.reg][r], tile_bytes[i.reg]);
  } else if (i.opcode == 0x5c && i.prefix == 2 && !in_memory && i.reg < 8 && i.rm < 8 && i.second < 8) {
    multiply(i.reg, i.rm, i.second);
  } else if (i.opcode == 0x5e && (i.prefix == 1 || i.prefix == 3) && !in_memory && i.reg < 8 && i.rm < 8 && i.second < 8) {
    multiply_bytes(i.reg, i.rm, i.second, i.prefix == 3);
  } else {
    stop("one that is not expected");
  }
}

static void handle(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  instruction i = decode((const uint8_t *)registers[REG_RIP], registers);
  perform(i);
  registers[REG_RIP] = (greg_t)i.end;
}

void trap_tile_instructions(void) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGILL, &action, NULL);
}

long trapped_products(void) { return products; }
int tiles_are_configured(void) { return configured; }
