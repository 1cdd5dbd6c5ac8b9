#pragma once

#include "card.h"

// Prints what each kernel needs at a 13B model's shapes; returns how many failed.
int measure_speed(card *c);

// What writing a token costs.
int measure_token(card *card);
