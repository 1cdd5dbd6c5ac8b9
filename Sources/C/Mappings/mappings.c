#define _GNU_SOURCE
#include "mappings.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// A list that only grows and whose entries are used again: a signal's handler walks it while others change it.
struct entry {
  _Atomic(uintptr_t) base;  // 0: free
  size_t size;
  char *path;
  struct entry *next;
};

static _Atomic(struct entry *) entries;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char lost_path[4096];
static atomic_int lost_state;  // 0 nothing, 1 being written, 2 written
static struct sigaction before;

void mappings_add(const void *base, size_t size, const char *path) {
  pthread_mutex_lock(&lock);
  struct entry *entry = atomic_load(&entries);
  while (entry && atomic_load(&entry->base)) entry = entry->next;
  int is_new = !entry;
  if (is_new) entry = calloc(1, sizeof *entry);
  if (entry) {
    free(entry->path);
    entry->path = strdup(path);
    entry->size = size;
    atomic_store(&entry->base, (uintptr_t)base);
    if (is_new) {
      entry->next = atomic_load(&entries);
      atomic_store(&entries, entry);
    }
  }
  pthread_mutex_unlock(&lock);
}

void mappings_remove(const void *base) {
  pthread_mutex_lock(&lock);
  for (struct entry *entry = atomic_load(&entries); entry; entry = entry->next) {
    if (atomic_load(&entry->base) == (uintptr_t)base) atomic_store(&entry->base, 0);
  }
  pthread_mutex_unlock(&lock);
}

// Puts zeros where the file has none, from the page that was touched to the end of the mapping.
static int fill(uintptr_t address) {
  for (struct entry *entry = atomic_load(&entries); entry; entry = entry->next) {
    uintptr_t base = atomic_load(&entry->base);
    if (!base || address < base || address >= base + entry->size) continue;
    uintptr_t page = address & ~((uintptr_t)getpagesize() - 1);
    void *zeros = mmap((void *)page, base + entry->size - page, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) return 0;
    int nothing = 0;
    if (atomic_compare_exchange_strong(&lost_state, &nothing, 1)) {
      if (entry->path) strncpy(lost_path, entry->path, sizeof lost_path - 1);
      atomic_store(&lost_state, 2);
    }
    return 1;
  }
  return 0;
}

static void handle(int signal, siginfo_t *info, void *context) {
  (void)context;
  if (!fill((uintptr_t)info->si_addr)) sigaction(signal, &before, NULL);  // comes again when this returns
}

void mappings_watch(void) {
  // On a stack for handlers, where the thread has one: products of float32 use the stack pointer for other things.
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &before);
}

const char *mappings_lost(void) { return atomic_load(&lost_state) == 2 ? lost_path : NULL; }
