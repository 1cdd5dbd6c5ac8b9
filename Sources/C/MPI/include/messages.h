// Messages between the processes that mpirun or srun started, through the machine's MPI, which is opened at run time: a
// machine without one runs the same program.
//
// Two families share their functions' names and differ in what handles are: Open MPI's are pointers, those of MPICH and its
// relatives (Intel MPI, MVAPICH, Cray) integers. tools/ranks_check/abi.c compares what is declared here with their headers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum messages_family { MESSAGES_OPEN_MPI, MESSAGES_MPICH };

// A message under way.
typedef struct {
  uintptr_t handle;
} messages_request;

// Opens the family's library and joins the others; all calls come from the calling thread. Every function that can fail
// returns NULL, or what went wrong in a text that stays until the next call.
const char *messages_open(enum messages_family family);

int messages_rank(void);
int messages_size(void);

// `bytes` is the library's until `messages_test` says that the message has gone, or has come.
const char *messages_send(const void *bytes, int count, int to, int tag, messages_request *request);
const char *messages_receive(void *bytes, int count, int from, int tag, messages_request *request);
const char *messages_test(messages_request *request, bool *done);

// Ends all processes with this status; does not return where the library can do it.
void messages_abort(int status);

// Leaves the others; nothing may be under way.
void messages_close(void);
