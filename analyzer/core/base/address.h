/*
 * address.h - where a server of ours listens: host:port, [v6]:port or :port.
 */
#ifndef DT_BASE_ADDRESS_H
#define DT_BASE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* An address written with numbers ("localhost" is 127.0.0.1; nothing before the colon, too); port 0 to 65535. false: it is none. */
bool dt_address_parse(const char *text, struct sockaddr_storage *out);
/* Its port; 0: none, or whichever is free. */
unsigned dt_address_port(const struct sockaddr_storage *address);
/* Whether only this machine can reach it. */
bool dt_address_is_loopback(const struct sockaddr *address);
/* The host alone, as text ("::1"); "unknown" for families other than IPv4 and IPv6. An IPv4 address in IPv6 is written as IPv4. */
#define DT_ADDRESS_TEXT_MAX 64
void dt_address_host(const struct sockaddr *address, char out[DT_ADDRESS_TEXT_MAX]);

#endif
