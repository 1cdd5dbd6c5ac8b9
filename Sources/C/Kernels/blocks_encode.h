// The quantisers of blocks_encode_k.c: a block of 256 elements, whose importance may be null.
#ifndef BLOCKS_ENCODE_H
#define BLOCKS_ENCODE_H

#include <stdint.h>

void encode_q2_k(uint8_t *block, const float *x, const float *importance);
void encode_q3_k(uint8_t *block, const float *x, const float *importance);
void encode_q4_k(uint8_t *block, const float *x, const float *importance);
void encode_q5_k(uint8_t *block, const float *x, const float *importance);
void encode_q6_k(uint8_t *block, const float *x, const float *importance);

#endif
