// A card that holds and computes nothing: the same code as for any other asks it for memory, which shows how much a run
// takes, on a machine that may have no card at all.
#include <stdlib.h>
#include <string.h>

#include "card.h"

typedef struct {
  card table;
  uintptr_t next;  // the first address that nobody has; what is given back is not handed out again
} counting_card;

enum { BOUNDARY = 512 };

static int allocate(card *card, void **pointer, size_t bytes) {
  counting_card *self = (counting_card *)card;
  *pointer = (void *)self->next;
  self->next += (bytes / BOUNDARY + 1) * BOUNDARY;
  return CARD_DONE;
}

static int release(card *card, void *pointer) { return (void)card, (void)pointer, CARD_DONE; }

static int upload(card *card, void *to, const void *from, size_t bytes) {
  return (void)card, (void)to, (void)from, (void)bytes, CARD_DONE;
}

// All numbers are 0.
static int download(card *card, void *to, const void *from, size_t bytes) {
  (void)card, (void)from;
  memset(to, 0, bytes);
  return CARD_DONE;
}

static int fill(card *card, void *at, uint8_t byte, size_t bytes) {
  return (void)card, (void)at, (void)byte, (void)bytes, CARD_DONE;
}

static int launch(card *card, int kernel, unsigned x, unsigned y, unsigned threads, card_arguments arguments) {
  return (void)card, (void)kernel, (void)x, (void)y, (void)threads, (void)arguments, CARD_DONE;
}

static int multiply(card *card, const card_product *product) { return (void)card, (void)product, CARD_DONE; }

static int synchronise(card *card) { return (void)card, CARD_DONE; }

static int memory(card *card, size_t *free, size_t *total) {
  (void)card;
  *free = *total = SIZE_MAX / 2;
  return CARD_DONE;
}

static double milliseconds(card *card, void (*body)(void *), void *context) {
  (void)card;
  body(context);
  return -1;
}

static const char *problem(card *card) { return (void)card, ""; }

card *card_counting(int has_bfloat16, int has_tiles) {
  counting_card *self = malloc(sizeof *self);
  if (!self) abort();
  *self = (counting_card){.table = {.name = "a card that counts",
                                    .has_bfloat16 = has_bfloat16,
                                    .has_tiles = has_tiles,
                                    .allocate = allocate,
                                    .release = release,
                                    .upload = upload,
                                    .download = download,
                                    .copy = upload,
                                    .fill = fill,
                                    .launch = launch,
                                    .multiply = multiply,
                                    .synchronise = synchronise,
                                    .memory = memory,
                                    .milliseconds = milliseconds,
                                    .problem = problem},
                          .next = BOUNDARY};
  return &self->table;
}

void card_counting_end(card *card) { free(card); }
