// What this program was built from and runs with.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// The commit, with "-dirty" behind it where files differed; NULL where the build was not told (Package.swift).
const char *build_commit(void);

// The version of the C library that runs, as in "2.36".
const char *build_c_library(void);

#ifdef __cplusplus
}
#endif
