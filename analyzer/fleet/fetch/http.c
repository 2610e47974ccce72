#include "fleet/fetch/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/library.h"

enum { MOST_REDIRECTS = 5, WHOLE = 8, SLOWEST = 1024, CONNECT_S = 10 };

static struct {
	CURLcode (*global_init)(long flags);
	CURL *(*init)(void);
	CURLcode (*setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*perform)(CURL *curl);
	CURLcode (*getinfo)(CURL *curl, CURLINFO info, ...);
	const char *(*text)(CURLcode code);
	void (*cleanup)(CURL *curl);
} functions;
static bool loaded;

static void load(void)
{
	void *library = dt_library_open("libcurl.so.4");

	loaded = dt_library_take(library, "curl_global_init", &functions.global_init) && dt_library_take(library, "curl_easy_init", &functions.init) &&
	         dt_library_take(library, "curl_easy_setopt", &functions.setopt) &&
	         dt_library_take(library, "curl_easy_perform", &functions.perform) &&
	         dt_library_take(library, "curl_easy_getinfo", &functions.getinfo) &&
	         dt_library_take(library, "curl_easy_strerror", &functions.text) &&
	         dt_library_take(library, "curl_easy_cleanup", &functions.cleanup) && functions.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct dt_downloader {
	CURL *curl;
	char problem[CURL_ERROR_SIZE];
	int fd;
	uint64_t left; /* bytes that may still come */
	bool too_large;
	int write_error; /* errno; 0 none */
};

/* Errors of a stranger's server: what it sends with them is no file. */
static size_t take(char *data, size_t size, size_t count, void *context)
{
	struct dt_downloader *d = context;
	size_t len = size * count;

	if (len > d->left) {
		d->too_large = true;
		return 0;
	}
	for (size_t done = 0; done < len;) {
		ssize_t n = write(d->fd, data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			d->write_error = n < 0 ? errno : ENOSPC;
			return 0;
		}
		done += (size_t)n;
	}
	d->left -= len;
	return len;
}

static bool set_up(struct dt_downloader *d, unsigned timeout_s)
{
	return functions.setopt(d->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK && functions.setopt(d->curl, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS) == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_CONNECTTIMEOUT, (long)(timeout_s < CONNECT_S ? timeout_s : CONNECT_S)) == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST) == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_LOW_SPEED_TIME, (long)timeout_s) == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_TIMEOUT, (long)timeout_s * WHOLE) == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK && functions.setopt(d->curl, CURLOPT_WRITEDATA, d) == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_ERRORBUFFER, d->problem) == CURLE_OK &&
	       functions.setopt(d->curl, CURLOPT_USERAGENT, "dumptriage/" DT_VERSION) == CURLE_OK;
}

enum dt_status dt_downloader_create(struct dt_downloader **out, unsigned timeout_s, struct dt_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct dt_downloader *d;

	pthread_once(&once, load);
	if (!loaded)
		return dt_fail(err, DT_ERR_UNSUPPORTED, "libcurl is not on this machine");
	d = calloc(1, sizeof(*d));
	if (!d || !(d->curl = functions.init()) || !set_up(d, timeout_s)) {
		dt_downloader_destroy(d);
		return dt_fail(err, DT_ERR_NOMEM, "libcurl cannot be used");
	}
	*out = d;
	return DT_OK;
}

void dt_downloader_destroy(struct dt_downloader *d)
{
	if (d && d->curl)
		functions.cleanup(d->curl);
	free(d);
}

static enum dt_download by_status(long status)
{
	if (status == 403 || status == 404 || status == 410)
		return DT_DOWNLOAD_ABSENT;
	return status >= 500 || status == 429 ? DT_DOWNLOAD_BROKEN : DT_DOWNLOAD_REFUSED;
}

static enum dt_download by_code(const struct dt_downloader *d, CURLcode code, long status)
{
	if (d->too_large || code == CURLE_FILESIZE_EXCEEDED)
		return DT_DOWNLOAD_TOO_LARGE;
	if (d->write_error)
		return DT_DOWNLOAD_LOCAL;
	switch (code) {
	case CURLE_HTTP_RETURNED_ERROR:
		return by_status(status);
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return DT_DOWNLOAD_REFUSED;
	case CURLE_OUT_OF_MEMORY:
		return DT_DOWNLOAD_LOCAL;
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
		return DT_DOWNLOAD_BROKEN;
	default:
		return DT_DOWNLOAD_SILENT; /* names, connections, TLS, time */
	}
}

static void explain(const struct dt_downloader *d, enum dt_download outcome, CURLcode code, long status, char why[200])
{
	if (outcome == DT_DOWNLOAD_TOO_LARGE)
		snprintf(why, 200, "it is larger than allowed");
	else if (d->write_error)
		snprintf(why, 200, "it cannot be written: %s", strerror(d->write_error));
	else if (code == CURLE_HTTP_RETURNED_ERROR)
		snprintf(why, 200, "HTTP %ld", status);
	else
		snprintf(why, 200, "%.199s", d->problem[0] ? d->problem : functions.text(code));
}

enum dt_download dt_download(struct dt_downloader *d, const char *url, int fd, uint64_t max, char why[200])
{
	/* Once a conversation is secret it stays so. */
	const char *next = strncasecmp(url, "https:", 6) ? "http,https" : "https";
	long status = 0;

	why[0] = d->problem[0] = '\0';
	d->fd = fd;
	d->left = max;
	d->too_large = false;
	d->write_error = 0;
	if (functions.setopt(d->curl, CURLOPT_URL, url) != CURLE_OK || functions.setopt(d->curl, CURLOPT_REDIR_PROTOCOLS_STR, next) != CURLE_OK ||
	    functions.setopt(d->curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(max > INT64_MAX ? INT64_MAX : max)) != CURLE_OK)
		return DT_DOWNLOAD_LOCAL;
	CURLcode code = functions.perform(d->curl);
	(void)functions.getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
	/* A redirection without a place to go ends well for libcurl. */
	if (code == CURLE_OK && status == 200)
		return DT_DOWNLOAD_OK;
	if (code == CURLE_OK)
		code = CURLE_HTTP_RETURNED_ERROR;
	enum dt_download outcome = by_code(d, code, status);
	explain(d, outcome, code, status, why);
	return outcome;
}
