#pragma once
// libcurl, with its variadic functions as plain ones, which Swift can call.
#include <curl/curl.h>
#include <stdbool.h>

// One GET or HEAD. Texts are copied by libcurl; `error` is not, and must outlive the transfer.
typedef struct {
  const char *url;
  const char *token;  // NULL: none. Sent to this url's host alone, never to one that it redirects to.
  const char *range;  // NULL: the whole, else "123-"
  bool head;
  bool follows_redirects;
  const char *no_proxy;  // hosts that no proxy is used for
  long connect_seconds;
  long stall_seconds;  // a transfer on which nothing comes for so long fails
  void *context;       // last argument of both callbacks
  curl_write_callback body;
  curl_write_callback header;
  char *error;  // CURL_ERROR_SIZE bytes
} curl_request;

static inline CURLcode curl_set_up(CURL *handle, const curl_request *r) {
  curl_easy_setopt(handle, CURLOPT_URL, r->url);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  if (r->token) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, r->token);
  }
  curl_easy_setopt(handle, CURLOPT_RANGE, r->range);
  curl_easy_setopt(handle, CURLOPT_NOPROXY, r->no_proxy);
  curl_easy_setopt(handle, CURLOPT_NOBODY, (long)r->head);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, (long)r->follows_redirects);
  curl_easy_setopt(handle, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, r->connect_seconds);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, r->stall_seconds);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "firefly");
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, r->context);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, r->body);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, r->context);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, r->header);
  return curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, r->error);
}

// The last response's status, 0 when there was none.
static inline long curl_status(CURL *handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// Where a response that was not followed leads, as a whole URL; NULL when it leads nowhere.
static inline const char *curl_redirect_url(CURL *handle) {
  char *url = NULL;
  curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, &url);
  return url;
}

// Seconds that the server asks to wait before another try, 0 when it does not.
static inline long curl_retry_seconds(CURL *handle) {
  curl_off_t seconds = 0;
  curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds);
  return (long)seconds;
}
