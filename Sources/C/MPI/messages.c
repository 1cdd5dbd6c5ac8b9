#define _POSIX_C_SOURCE 200809L  // setenv
#include "messages.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

// A handle as a register holds it: Open MPI's pointer, or MPICH's int, of which the callee reads the low half.
typedef uintptr_t handle;

static struct {
  int (*init)(int *, char ***, int required, int *provided);
  int (*initialized)(int *);
  int (*finalize)(void);
  int (*abort)(handle comm, int status);
  int (*rank)(handle comm, int *);
  int (*size)(handle comm, int *);
  int (*set_errors)(handle comm, handle handler);
  int (*send)(const void *, int, handle type, int to, int tag, handle comm, handle *request);
  int (*receive)(void *, int, handle type, int from, int tag, handle comm, handle *request);
  int (*test)(handle *request, int *done, void *status);
  int (*describe)(int error, char *text, int *length);
  handle world, byte, errors_return;
  void *no_status;
  int own_rank, all;
} mpi;

enum { THREAD_FUNNELED = 1, MOST_TEXT = 8192 };  // as both families have them; texts are shorter

static char text[MOST_TEXT + 64];

static const char *failure(int error) {
  if (error == 0) return NULL;
  int length = 0;
  char described[MOST_TEXT] = "";
  if (mpi.describe(error, described, &length) != 0) snprintf(described, sizeof described, "error %d", error);
  snprintf(text, sizeof text, "%s", described);
  return text;
}

static const char *find(void *library, const char *name, void *address) {
  *(void **)address = dlsym(library, name);
  if (*(void **)address != NULL) return NULL;
  snprintf(text, sizeof text, "the MPI library has no %s", name);
  return text;
}

static const char *find_functions(void *library) {
  const struct {
    const char *name;
    void *address;
  } functions[] = {
    {"MPI_Init_thread", &mpi.init},
    {"MPI_Initialized", &mpi.initialized},
    {"MPI_Finalize", &mpi.finalize},
    {"MPI_Abort", &mpi.abort},
    {"MPI_Comm_rank", &mpi.rank},
    {"MPI_Comm_size", &mpi.size},
    {"MPI_Comm_set_errhandler", &mpi.set_errors},
    {"MPI_Isend", &mpi.send},
    {"MPI_Irecv", &mpi.receive},
    {"MPI_Test", &mpi.test},
    {"MPI_Error_string", &mpi.describe},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    const char *problem = find(library, functions[i].name, functions[i].address);
    if (problem) return problem;
  }
  return NULL;
}

// Open MPI's constants are addresses of objects in the library.
static const char *find_open_mpi(void *library) {
  void *world, *byte, *errors;
  const char *problem = find(library, "ompi_mpi_comm_world", &world);
  if (!problem) problem = find(library, "ompi_mpi_byte", &byte);
  if (!problem) problem = find(library, "ompi_mpi_errors_return", &errors);
  if (problem) return problem;
  mpi.world = (handle)world;
  mpi.byte = (handle)byte;
  mpi.errors_return = (handle)errors;
  mpi.no_status = NULL;
  return NULL;
}

// MPICH's are numbers that its common ABI fixes.
static void set_mpich(void) {
  mpi.world = 0x44000000;
  mpi.byte = 0x4c00010d;
  mpi.errors_return = 0x54000001;
  mpi.no_status = (void *)1;
}

// Over TCP, who receives a long message asks for its parts (Open MPI 4.1), and where as much goes the other way these
// questions wait behind it: a quarter to 40 % of a link stood idle. Parts that are sent unasked fill it. What a user has set stays.
static void fill_links(void) { setenv("OMPI_MCA_btl_tcp_flags", "1", 0); }

const char *messages_open(enum messages_family family) {
  static const char *const names[2][3] = {
    {"libmpi.so.40", NULL}, {"libmpi.so.12", "libmpich.so.12", NULL}};
  void *library = NULL;
  // Open MPI's plugins look for its symbols among all.
  for (const char *const *name = names[family]; *name && !library; name++) {
    library = dlopen(*name, RTLD_NOW | RTLD_GLOBAL);
  }
  if (!library) {
    snprintf(text, sizeof text, "%s", dlerror());
    return text;
  }
  const char *problem = find_functions(library);
  if (!problem && family == MESSAGES_OPEN_MPI) problem = find_open_mpi(library);
  if (problem) return problem;
  if (family == MESSAGES_MPICH) set_mpich();

  if (family == MESSAGES_OPEN_MPI) fill_links();
  int provided = 0, is_initialized = 0;
  problem = failure(mpi.initialized(&is_initialized));
  if (!problem && !is_initialized) problem = failure(mpi.init(NULL, NULL, THREAD_FUNNELED, &provided));
  if (!problem) problem = failure(mpi.set_errors(mpi.world, mpi.errors_return));
  if (!problem) problem = failure(mpi.rank(mpi.world, &mpi.own_rank));
  if (!problem) problem = failure(mpi.size(mpi.world, &mpi.all));
  return problem;
}

int messages_rank(void) { return mpi.own_rank; }
int messages_size(void) { return mpi.all; }

const char *messages_send(const void *bytes, int count, int to, int tag, messages_request *request) {
  request->handle = 0;
  return failure(mpi.send(bytes, count, mpi.byte, to, tag, mpi.world, &request->handle));
}

const char *messages_receive(void *bytes, int count, int from, int tag, messages_request *request) {
  request->handle = 0;
  return failure(mpi.receive(bytes, count, mpi.byte, from, tag, mpi.world, &request->handle));
}

const char *messages_test(messages_request *request, bool *done) {
  int flag = 0;
  const char *problem = failure(mpi.test(&request->handle, &flag, mpi.no_status));
  *done = flag != 0;
  return problem;
}

void messages_abort(int status) { mpi.abort(mpi.world, status); }

void messages_close(void) { mpi.finalize(); }
