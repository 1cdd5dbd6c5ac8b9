#pragma once
// What libmicrohttpd encrypts with: here to look at certificates before it does, and for the tests' client.
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
