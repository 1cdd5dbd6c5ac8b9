#pragma once

#include "card.h"

// Memory of a card, filled with zeros, for as long as the program runs.
struct CardRoom {
  card *c;
  int failures = 0;

  void *room(int64_t bytes) {
    void *at = nullptr;
    if (c->allocate(c, &at, (size_t)bytes) != 0 || c->fill(c, at, 0, (size_t)bytes) != 0) failures++;
    return at;
  }
};

// Prints what each kernel needs at a 13B model's shapes; returns how many failed.
int measure_speed(card *c);

// What writing a token costs.
int measure_token(card *card);
