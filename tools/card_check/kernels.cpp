// The checks of Tests/CardChecks on a real card, or on the emulated one:
//
//   kernels cuda [LIBCUDA LIBCUBLAS]     "-" for the system's
//   kernels speed [LIBCUDA LIBCUBLAS]    how fast they are
//   kernels token [LIBCUDA LIBCUBLAS]    what writing a token costs
//   kernels emulated [ORDER [first]]     first: the first wrong one ends them
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "card_checks.h"
#include "speed.h"
#ifdef WITH_EMULATOR
#include "card_emulator.h"
#endif

static int count;
static bool only_first;

static void report(void *, const char *name, double worst) {
  count++;
  if (worst <= 1) return;
  printf("WRONG  %-70s %9.2e of what is allowed\n", name, worst);
  if (only_first) exit(1);
}

static const char *library(int argc, char **argv, int index) {
  return argc > index && strcmp(argv[index], "-") != 0 ? argv[index] : nullptr;
}

int main(int argc, char **argv) {
  card *opened = nullptr;
  bool speed = argc >= 2 && strcmp(argv[1], "speed") == 0, token = argc >= 2 && strcmp(argv[1], "token") == 0;
  if (speed || token || (argc >= 2 && strcmp(argv[1], "cuda") == 0)) {
    const char *detail = "";
    int absence = card_open_cuda(0, library(argc, argv, 2), library(argc, argv, 3), &opened, &detail);
    if (absence != CARD_FOUND) return printf("no card (%d): %s\n", absence, detail), 2;
  }
#ifdef WITH_EMULATOR
  if (argc >= 2 && strcmp(argv[1], "emulated") == 0)
    opened = card_emulate(argc > 2 ? (unsigned)atoi(argv[2]) : 0, (size_t)16 << 30);
  only_first = argc > 3 && strcmp(argv[3], "first") == 0;
#endif
  if (!opened) return printf("usage: kernels cuda | speed | token | emulated\n"), 2;
  if (speed) return measure_speed(opened);
  if (token) return measure_token(opened);
  int wrong = card_run_checks(opened, report, nullptr);
  printf("%s: %d checks, %d wrong\n", opened->name, count, wrong);
  return wrong == 0 ? 0 : 1;
}
