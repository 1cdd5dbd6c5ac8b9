// Every operation of a card against a naive version in double precision, on whatever card it is given: the emulated one in
// tests, a real one where there is one (tools/card_check).
#pragma once

#include "card.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// Runs all checks and hands each to `report`: its name, and how far the worst number is from the expected one as a share of
// what is allowed (above 1, or NaN, is wrong). Returns how many are wrong.
int card_run_checks(card *card,
                    void (*report)(void *_Nullable context, const char *name, double worst),
                    void *_Nullable context);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
