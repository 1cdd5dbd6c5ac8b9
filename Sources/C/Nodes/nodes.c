#define _GNU_SOURCE  // syscall()
#include "nodes.h"

#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "masks are of unsigned long");

enum { NEAREST = 0, INTERLEAVE = 3 };  // from <linux/mempolicy.h>

int nodes_have_policy(void) {
  int mode;
  if (syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) != 0) return -1;
  return mode != NEAREST;
}

int nodes_interleave(const uint64_t *mask, size_t words) {
  unsigned long bits = 64 * words + 1;  // the system takes one off
  return syscall(SYS_set_mempolicy, INTERLEAVE, mask, bits) == 0 ? 0 : -1;
}
