// Linux's policy of where a thread's new pages lie on a machine whose memory is in several nodes. Threads have it from the one that
// started them. Plain system calls: their library is one more to install for two of them.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Whether the calling thread has another policy than the system's, which takes the nearest node: 1, 0; −1 where it does not say.
int nodes_have_policy(void);
// From now on the calling thread's new pages lie on these nodes in turn, as far as the process may use them: bit n of `mask`
// [words] is node n. 0, or −1 where the system refuses.
int nodes_interleave(const uint64_t *mask, size_t words);
