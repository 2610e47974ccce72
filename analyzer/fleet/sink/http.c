#include "fleet/sink/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/time.h"
#include "fleet/sink/kinds.h"

enum { MAX_ANSWER = 16 << 20, CONNECT_S = 10, MAX_RETRY_AFTER_S = 3600 };

struct dt_client {
	CURL *curl;
	struct curl_slist *headers;
	char *base;
	struct dt_buf body, url;
	char problem[CURL_ERROR_SIZE];
	struct dt_sink_stop stop;
	int64_t stopped_ms; /* when we saw that we shall end; 0 not yet */
};

static void start_library(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct dt_buf *body = context;

	dt_buf_append(body, data, size * count);
	return dt_buf_ok(body) ? size * count : 0;
}

bool dt_client_ended(struct dt_client *http)
{
	if (!http->stopped_ms && dt_sink_stopping(&http->stop))
		http->stopped_ms = dt_time_steady_ms();
	return http->stopped_ms && dt_time_steady_ms() - http->stopped_ms >= DT_SINK_GRACE_MS;
}

/* libcurl asks about once a second while nothing moves. */
static int give_up(void *context, curl_off_t down, curl_off_t downloaded, curl_off_t up, curl_off_t uploaded)
{
	(void)down;
	(void)downloaded;
	(void)up;
	(void)uploaded;
	return dt_client_ended(context);
}

enum dt_status dt_client_open(struct dt_client **out, const char *base, const struct dt_sink_options *options, struct dt_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct dt_client *http = calloc(1, sizeof(*http));
	size_t len = strlen(base);

	pthread_once(&once, start_library);
	if (http)
		http->curl = curl_easy_init();
	if (!http || !http->curl || !(http->base = strdup(base))) {
		dt_client_close(http);
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	}
	while (len && http->base[len - 1] == '/')
		http->base[--len] = '\0';
	http->stop = options->stop;
	dt_buf_init(&http->body, MAX_ANSWER);
	dt_buf_init(&http->url, 1u << 16);
	curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(http->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(http->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(http->curl, CURLOPT_TIMEOUT, (long)options->timeout_s);
	curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, &http->body);
	curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->problem);
	curl_easy_setopt(http->curl, CURLOPT_USERAGENT, "dumptriage/" DT_VERSION);
	curl_easy_setopt(http->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, give_up);
	curl_easy_setopt(http->curl, CURLOPT_XFERINFODATA, http);
	if (options->ca_file)
		curl_easy_setopt(http->curl, CURLOPT_CAINFO, options->ca_file);
	*out = http;
	/* Bodies need no permission, and a type of their own. */
	return dt_client_header(http, "Expect", "", err);
}

enum dt_status dt_client_header(struct dt_client *http, const char *name, const char *value, struct dt_error *err)
{
	struct dt_buf line;

	dt_buf_init(&line, 1u << 16);
	dt_buf_printf(&line, *value ? "%s: %s" : "%s:", name, value);
	struct curl_slist *more = dt_buf_ok(&line) ? curl_slist_append(http->headers, dt_buf_text(&line)) : NULL;
	dt_buf_deinit(&line);
	if (!more)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	http->headers = more;
	return DT_OK;
}

enum dt_status dt_client_basic(struct dt_client *http, const char *secret, struct dt_error *err)
{
	if (curl_easy_setopt(http->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) != CURLE_OK || curl_easy_setopt(http->curl, CURLOPT_USERPWD, secret) != CURLE_OK)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	return DT_OK;
}

enum dt_status dt_client_authorize(struct dt_client *http, const char *scheme, const char *secret, struct dt_error *err)
{
	struct dt_buf value;

	if (!secret)
		return DT_OK;
	if (strpbrk(secret, "\r\n"))
		return dt_fail(err, DT_ERR_USAGE, "the secret has more than one line");
	dt_buf_init(&value, 1u << 16);
	dt_buf_printf(&value, "%s %s", scheme, secret);
	enum dt_status status = dt_client_header(http, "Authorization", dt_buf_text(&value), err);
	dt_buf_deinit(&value);
	return status;
}

static unsigned retry_after(CURL *curl)
{
	curl_off_t seconds = 0;

	if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds < 0)
		return 0;
	return seconds > MAX_RETRY_AFTER_S ? MAX_RETRY_AFTER_S : (unsigned)seconds;
}

void dt_client_post(struct dt_client *http, const char *path, const char *type, const char *extra, struct dt_bytes body, struct dt_client_answer *answer)
{
	char content[80];
	struct curl_slist first = { .next = http->headers }, second = { .next = &first };

	memset(answer, 0, sizeof(*answer));
	dt_buf_reset(&http->body);
	dt_buf_reset(&http->url);
	dt_buf_printf(&http->url, "%s%s", http->base, path);
	snprintf(content, sizeof(content), "Content-Type: %s", type);
	first.data = content;
	second.data = (char *)extra;
	http->problem[0] = '\0';
	curl_easy_setopt(http->curl, CURLOPT_URL, dt_buf_text(&http->url));
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, extra ? &second : &first);
	curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, body.data);
	CURLcode code = curl_easy_perform(http->curl);
	curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
	if (code == CURLE_ABORTED_BY_CALLBACK) {
		snprintf(answer->problem, sizeof(answer->problem), "told to end before there was an answer");
		return;
	}
	if (code != CURLE_OK) {
		snprintf(answer->problem, sizeof(answer->problem), "%s: %.120s", curl_easy_strerror(code), http->problem);
		return;
	}
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	answer->retry_after_s = retry_after(http->curl);
	answer->body = dt_buf_text(&http->body);
	answer->len = http->body.len;
}

void dt_client_close(struct dt_client *http)
{
	if (!http)
		return;
	if (http->curl)
		curl_easy_cleanup(http->curl);
	curl_slist_free_all(http->headers);
	dt_buf_deinit(&http->body);
	dt_buf_deinit(&http->url);
	free(http->base);
	free(http);
}

void dt_client_explain(const struct dt_client_answer *answer, char out[200])
{
	size_t n;

	if (!answer->status) {
		snprintf(out, 200, "%s", answer->problem);
		return;
	}
	n = (size_t)snprintf(out, 200, "HTTP %ld: ", answer->status);
	/* What a stranger wrote is told without its control characters. */
	for (size_t i = 0; i < answer->len && n < 150; i++)
		out[n++] = (unsigned char)answer->body[i] < 0x20 || (unsigned char)answer->body[i] > 0x7e ? ' ' : answer->body[i];
	out[n] = '\0';
}
