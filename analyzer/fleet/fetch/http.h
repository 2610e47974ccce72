/*
 * http.h - one GET into a file (libcurl, loaded when the first one is made: docs/adr/0005). Private to fleet/fetch.
 */
#ifndef DT_FETCH_HTTP_H
#define DT_FETCH_HTTP_H

#include <stdint.h>

#include "core/base/status.h"

enum dt_download {
	DT_DOWNLOAD_OK,
	DT_DOWNLOAD_ABSENT,    /* 404, 410: the server does not have it; 403: what stores say that may not list what they have */
	DT_DOWNLOAD_REFUSED,   /* it answered, and does not give it: a status, too many redirections */
	DT_DOWNLOAD_TOO_LARGE,
	DT_DOWNLOAD_SILENT,    /* no connection, or no byte in time */
	DT_DOWNLOAD_BROKEN,    /* it fails (5xx, 429), or broke off */
	DT_DOWNLOAD_LOCAL,     /* this machine: no libcurl, the disk is full */
};

struct dt_downloader;
DT_MUST_USE enum dt_status dt_downloader_create(struct dt_downloader **out, unsigned timeout_s, struct dt_error *err);
void dt_downloader_destroy(struct dt_downloader *downloader);
/* Writes what url gives to fd, at most max bytes. why: what went wrong, "" when nothing did. */
enum dt_download dt_download(struct dt_downloader *downloader, const char *url, int fd, uint64_t max, char why[200]);

#endif
