#include "build.h"

#include <gnu/libc-version.h>
#include <stddef.h>

#define TEXT_OF(words) #words
#define TEXT(macro) TEXT_OF(macro)

const char *build_commit(void) {
#ifdef FIREFLY_COMMIT
  return TEXT(FIREFLY_COMMIT);
#else
  return NULL;
#endif
}

const char *build_c_library(void) { return gnu_get_libc_version(); }
