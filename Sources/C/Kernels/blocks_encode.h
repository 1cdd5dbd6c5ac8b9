// The quantisers of blocks_encode_k.c, blocks_encode_iq4.c and blocks_encode_mxfp4.c: a block of 256 elements, of IQ4_NL and
// MXFP4 of 32, whose importance may be null.
#ifndef BLOCKS_ENCODE_H
#define BLOCKS_ENCODE_H

#include <stdint.h>

void encode_q2_k(uint8_t *block, const float *x, const float *importance);
void encode_q3_k(uint8_t *block, const float *x, const float *importance);
void encode_q4_k(uint8_t *block, const float *x, const float *importance);
void encode_q5_k(uint8_t *block, const float *x, const float *importance);
void encode_q6_k(uint8_t *block, const float *x, const float *importance);
void encode_iq4_nl(uint8_t *block, const float *x, const float *importance);
void encode_iq4_xs(uint8_t *block, const float *x, const float *importance);
void encode_mxfp4(uint8_t *block, const float *x, const float *importance);

#endif
