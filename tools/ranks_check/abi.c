// Compares what Sources/C/MPI takes for granted of an MPI library with its header. Built and run by abi.sh.
#define _GNU_SOURCE
#include <assert.h>
#include <dlfcn.h>
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>

static_assert(sizeof(MPI_Request) <= sizeof(uintptr_t), "a request fits a register");
static_assert(MPI_SUCCESS == 0 && MPI_THREAD_FUNNELED == 1 && MPI_MAX_ERROR_STRING <= 8192, "constants");

// The signatures, but for what handles are.
static int (*const init)(int *, char ***, int, int *) = MPI_Init_thread;
static int (*const send)(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *) = MPI_Isend;
static int (*const receive)(void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *) = MPI_Irecv;
static int (*const test)(MPI_Request *, int *, MPI_Status *) = MPI_Test;
static int (*const stop)(MPI_Comm, int) = MPI_Abort;
static int (*const describe)(int, char *, int *) = MPI_Error_string;

int main(void) {
  int wrong = !init || !send || !receive || !test || !stop || !describe;
#ifdef OPEN_MPI
  const char *name = "libmpi.so.40 (Open MPI)";
  void *library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
  wrong |= !library || (void *)MPI_COMM_WORLD != dlsym(RTLD_DEFAULT, "ompi_mpi_comm_world");
  wrong |= (void *)MPI_BYTE != dlsym(RTLD_DEFAULT, "ompi_mpi_byte");
  wrong |= (void *)MPI_ERRORS_RETURN != dlsym(RTLD_DEFAULT, "ompi_mpi_errors_return");
  wrong |= MPI_STATUS_IGNORE != NULL;
#else
  const char *name = "MPICH's ABI";
  wrong |= MPI_COMM_WORLD != 0x44000000 || MPI_BYTE != 0x4c00010d || MPI_ERRORS_RETURN != 0x54000001;
  wrong |= (uintptr_t)MPI_STATUS_IGNORE != 1;
#endif
  printf("MPI's header and Sources/C/MPI: %s, %s\n", name, wrong ? "WRONG" : "as taken for granted");
  return wrong;
}
