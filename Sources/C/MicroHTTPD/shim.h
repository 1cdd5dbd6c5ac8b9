#pragma once
// libmicrohttpd, with its variadic functions as plain ones, which Swift can call.
#include <microhttpd.h>

// What the daemon calls and within which limits.
typedef struct {
  void *context;  // first argument of every callback
  MHD_AccessHandlerCallback handle;
  MHD_RequestCompletedCallback completed;
  MHD_NotifyConnectionCallback connection;
  size_t (*unescape)(void *context, struct MHD_Connection *connection, char *text);
  int listening_socket;  // owned by the daemon from here on
  unsigned connection_limit;
  unsigned idle_seconds;           // a connection silent for so long is closed
  size_t connection_memory_bytes;  // headers beyond it are refused
  // TLS: PEM texts and GnuTLS's priorities, which must last as long as the daemon; all NULL: plain HTTP.
  const char *certificate, *key, *priorities;
} microhttpd_options;

// One thread that waits for all connections; NULL on failure. By poll: with epoll, libmicrohttpd 0.9.75 at its
// connection limit can miss that clients have gone, and takes no new ones until the idle time is over.
static inline struct MHD_Daemon *microhttpd_start(const microhttpd_options *o) {
  struct MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)o->certificate},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)o->key},
      {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)o->priorities},
      {MHD_OPTION_END, 0, NULL},
  };
  return MHD_start_daemon(
      MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (o->certificate ? MHD_USE_TLS : 0), 0, NULL, NULL, o->handle, o->context,
      MHD_OPTION_STRICT_FOR_CLIENT, 1,
      MHD_OPTION_LISTEN_SOCKET, o->listening_socket,
      MHD_OPTION_NOTIFY_COMPLETED, o->completed, o->context,
      MHD_OPTION_NOTIFY_CONNECTION, o->connection, o->context,
      MHD_OPTION_UNESCAPE_CALLBACK, o->unescape, o->context,
      MHD_OPTION_CONNECTION_LIMIT, o->connection_limit,
      MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->connection_memory_bytes,
      MHD_OPTION_ARRAY, o->certificate ? tls : tls + 3,
      MHD_OPTION_END);
}

// The connection's socket, -1 when there is none.
static inline int microhttpd_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? (int)info->connect_fd : -1;
}
