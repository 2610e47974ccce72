/*
 * Syslog, RFC 5424. Over TCP and TLS in octet counting (RFC 6587, 5425): a connection for each batch, and its end in both directions: nothing
 * in the protocol says that a message arrived, but a receiver that says goodbye has read all that was before. One that goes without a
 * word has perhaps not. Over UDP one datagram for each event, and no answer at all.
 */
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/killpoint.h"
#include "core/base/time.h"
#include "fleet/sink/kinds.h"

enum { LOCAL0 = 16, MAX_FRAMES = 64 << 20, RUDE_ENDS = 3 };
enum transport { UDP, TCP, TLS_TCP };

struct syslog_sink {
	struct dt_sink base;
	enum transport transport;
	char host[256], port[16], own_host[256];
	unsigned timeout_s, rude; /* how often in a row the receiver closed TLS without a goodbye */
	SSL_CTX *context;
	struct dt_buf frames;
	struct dt_sink_stop stop;
};

/* ---- opening ------------------------------------------------------------------------ */

/* HOST:PORT or [ADDRESS]:PORT behind the scheme; a / may end it. */
static bool parse_address(const char *at, struct syslog_sink *sink)
{
	const char *end = at + strcspn(at, "/"), *close = *at == '[' ? memchr(at, ']', (size_t)(end - at)) : NULL;
	const char *host = close ? at + 1 : at, *host_end = close ? close : memchr(at, ':', (size_t)(end - at));
	const char *colon = close ? close + 1 : host_end;

	if (!host_end)
		host_end = end;
	if (host_end == host || host_end - host >= (int)sizeof(sink->host) || (*end && end[1]))
		return false;
	snprintf(sink->host, sizeof(sink->host), "%.*s", (int)(host_end - host), host);
	if (!colon || colon >= end)
		snprintf(sink->port, sizeof(sink->port), "%s", sink->transport == TLS_TCP ? "6514" : "514");
	else if (*colon != ':' || end - colon < 2 || end - colon > 6)
		return false;
	else
		snprintf(sink->port, sizeof(sink->port), "%.*s", (int)(end - colon - 1), colon + 1);
	return sink->port[strspn(sink->port, "0123456789")] == '\0';
}

static enum dt_status open_tls(struct syslog_sink *sink, const char *ca_file, struct dt_error *err)
{
	sink->context = SSL_CTX_new(TLS_client_method());
	if (!sink->context)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	SSL_CTX_set_min_proto_version(sink->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(sink->context, SSL_VERIFY_PEER, NULL);
	if (ca_file ? SSL_CTX_load_verify_locations(sink->context, ca_file, NULL) != 1 : SSL_CTX_set_default_verify_paths(sink->context) != 1)
		return dt_fail(err, DT_ERR_IO, "%s: no certificates that can be read", ca_file ? ca_file : "the system's store");
	return DT_OK;
}

enum dt_status dt_syslog_sink_open(struct dt_sink **out, const struct dt_sink_scheme *scheme, const struct dt_sink_options *options,
                                   struct dt_error *err)
{
	struct syslog_sink *sink = calloc(1, sizeof(*sink));
	enum dt_status status = DT_OK;

	if (!sink)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	sink->base.scheme = scheme;
	sink->transport = strstr(scheme->scheme, "udp") ? UDP : strstr(scheme->scheme, "tls") ? TLS_TCP : TCP;
	sink->timeout_s = options->timeout_s;
	sink->stop = options->stop;
	dt_buf_init(&sink->frames, MAX_FRAMES);
	if (gethostname(sink->own_host, sizeof(sink->own_host) - 1) || !sink->own_host[0])
		snprintf(sink->own_host, sizeof(sink->own_host), "-");
	if (!parse_address(options->url + strlen(scheme->scheme), sink))
		status = dt_fail(err, DT_ERR_USAGE, "%sHOST:PORT is expected, not '%.60s'", scheme->scheme, options->url);
	if (status == DT_OK && sink->transport == TLS_TCP)
		status = open_tls(sink, options->ca_file, err);
	if (status != DT_OK)
		dt_syslog_sink_close(&sink->base);
	else
		*out = &sink->base;
	return status;
}

/* ---- messages ------------------------------------------------------------------------ */

static unsigned syslog_severity(unsigned severity)
{
	return severity >= 90 ? 2 : severity >= 60 ? 3 : severity >= 40 ? 4 : severity >= 20 ? 5 : 6;
}

/* TIMESTAMP of RFC 5424 has at most microseconds. */
static void message(const struct syslog_sink *sink, const struct dt_sink_event *event, struct dt_buf *out)
{
	char time[DT_TIME_TEXT_MAX] = "-";

	(void)dt_time_format(event->created / 10000 * 10000, time);
	dt_buf_printf(out, "<%u>1 %s %s dumptriage %ld %s - ", LOCAL0 * 8 + syslog_severity(event->severity), event->created ? time : "-", sink->own_host,
	              (long)getpid(), event->incident ? "incident" : "crash");
	dt_buf_append(out, event->body.data, event->body.len);
}

static void frame(const struct syslog_sink *sink, const struct dt_sink_event *event, struct dt_buf *out)
{
	struct dt_buf one;

	dt_buf_init(&one, 1u << 16);
	message(sink, event, &one);
	dt_buf_printf(out, "%zu ", one.len);
	dt_buf_append(out, dt_buf_text(&one), one.len);
	out->failed |= one.failed;
	dt_buf_deinit(&one);
}

/* ---- connections ------------------------------------------------------------------------ */

static bool set_timeout(int fd, int64_t ms)
{
	const struct timeval limit = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0;
}

static void hurry_when_stopping(const struct syslog_sink *sink, int fd)
{
	if (dt_sink_stopping(&sink->stop))
		(void)set_timeout(fd, DT_SINK_GRACE_MS);
}

/* What was waited for was interrupted by a signal: it is waited for again, though not for long when the signal told us to end. */
static bool interrupted(const struct syslog_sink *sink, int fd)
{
	if (errno != EINTR)
		return false;
	hurry_when_stopping(sink, fd);
	return true;
}

static int dial(const struct syslog_sink *sink, struct dt_sink_report *report)
{
	const struct addrinfo want = { .ai_socktype = sink->transport == UDP ? SOCK_DGRAM : SOCK_STREAM };
	struct addrinfo *found = NULL;
	int fd = -1, code = getaddrinfo(sink->host, sink->port, &want, &found);

	if (code)
		dt_sink_problem(report, "%s: %s", sink->host, gai_strerror(code));
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
		/* SO_SNDTIMEO holds for connect() too. */
		if (fd >= 0 && (!set_timeout(fd, (int64_t)sink->timeout_s * 1000) || connect(fd, at->ai_addr, at->ai_addrlen))) {
			dt_sink_problem(report, "%s:%s: %s", sink->host, sink->port, strerror(errno));
			close(fd);
			fd = -1;
		}
	}
	if (found)
		freeaddrinfo(found);
	if (fd >= 0)
		report->problem[0] = '\0'; /* another of its addresses would not have us */
	return fd;
}

static bool push(const struct syslog_sink *sink, int fd, const char *data, size_t len, struct dt_sink_report *report)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && interrupted(sink, fd))
			continue;
		if (n <= 0) {
			dt_sink_problem(report, "the connection broke: %s", strerror(errno));
			return false;
		}
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* We end our side; the receiver ends its own when it has read everything. */
static bool over_tcp(struct syslog_sink *sink, int fd, struct dt_sink_report *report)
{
	char byte[64];
	ssize_t n;

	if (!push(sink, fd, sink->frames.data, sink->frames.len, report))
		return false;
	dt_kill_point("feed-in-send");
	hurry_when_stopping(sink, fd);
	if (shutdown(fd, SHUT_WR)) {
		dt_sink_problem(report, "the connection broke: %s", strerror(errno));
		return false;
	}
	while ((n = recv(fd, byte, sizeof(byte), 0)) > 0 || (n < 0 && interrupted(sink, fd)))
		;
	if (n < 0)
		dt_sink_problem(report, "the receiver did not end the connection: %s", strerror(errno));
	return n == 0;
}

static void tls_problem(SSL *tls, const char *what, struct dt_sink_report *report)
{
	long verified = SSL_get_verify_result(tls);
	char text[160] = "";

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	if (verified != X509_V_OK)
		dt_sink_problem(report, "%s: the receiver's certificate: %s", what, X509_verify_cert_error_string(verified));
	else
		dt_sink_problem(report, "%s: %s", what, ERR_peek_last_error() ? text : strerror(errno));
}

/* Whether a call of TLS that gave n is to be made again: a signal came in between. */
static bool once_more(const struct syslog_sink *sink, SSL *tls, int n)
{
	int error = errno, code = SSL_get_error(tls, n);

	errno = error;
	return (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE) && interrupted(sink, SSL_get_fd(tls));
}

/* Our goodbye, then everything up to theirs. */
static bool goodbye(struct syslog_sink *sink, SSL *tls, struct dt_sink_report *report)
{
	char byte[256];
	int n;

	do
		n = SSL_shutdown(tls);
	while (n < 0 && once_more(sink, tls, n));
	if (n < 0) {
		tls_problem(tls, "end of TLS", report);
		return false;
	}
	while ((n = SSL_read(tls, byte, sizeof(byte))) > 0 || once_more(sink, tls, n))
		;
	if (SSL_get_error(tls, n) == SSL_ERROR_ZERO_RETURN) {
		sink->rude = 0;
		return true;
	}
	/* A receiver that never says goodbye would be sent the same for ever. */
	if (++sink->rude > RUDE_ENDS) {
		sink->rude = RUDE_ENDS;
		snprintf(report->note, sizeof(report->note), "the receiver ends TLS without a goodbye (close_notify), %d times in a row: what is sent counts as"
		                                             " arrived, but whether it was read is not known; --replay --since TIME sends again", RUDE_ENDS);
		return true;
	}
	dt_sink_problem(report, "the receiver ended TLS without a goodbye; whether it has read everything is not known");
	return false;
}

static bool prepare_name(SSL *tls, const char *host)
{
	X509_VERIFY_PARAM *check = SSL_get0_param(tls);

	if (X509_VERIFY_PARAM_set1_ip_asc(check, host) == 1)
		return true;
	return SSL_set1_host(tls, host) == 1 && SSL_set_tlsext_host_name(tls, host) == 1;
}

static bool begin_tls(const struct syslog_sink *sink, SSL *tls)
{
	int n;

	do
		n = SSL_connect(tls);
	while (n != 1 && once_more(sink, tls, n));
	return n == 1;
}

static bool write_tls(const struct syslog_sink *sink, SSL *tls)
{
	const struct dt_buf *frames = &sink->frames;
	size_t done = 0, n;

	while (done < frames->len) {
		size_t piece = frames->len - done < 16384 ? frames->len - done : 16384;
		if (SSL_write_ex(tls, frames->data + done, piece, &n) == 1)
			done += n;
		else if (!once_more(sink, tls, 0))
			return false;
	}
	return true;
}

static bool over_tls(struct syslog_sink *sink, int fd, struct dt_sink_report *report)
{
	SSL *tls = SSL_new(sink->context);
	bool ok = false;

	ERR_clear_error();
	if (!tls || !prepare_name(tls, sink->host) || SSL_set_fd(tls, fd) != 1) {
		dt_sink_problem(report, "no memory");
	} else if (!begin_tls(sink, tls)) {
		tls_problem(tls, "TLS", report);
	} else if (!write_tls(sink, tls)) {
		tls_problem(tls, "the connection broke", report);
	} else {
		dt_kill_point("feed-in-send");
		hurry_when_stopping(sink, fd);
		ok = goodbye(sink, tls, report);
	}
	SSL_free(tls);
	return ok;
}

static void send_stream(struct syslog_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	bool ok = false;

	dt_buf_reset(&sink->frames);
	for (size_t i = 0; i < count; i++)
		frame(sink, &events[i], &sink->frames);
	int fd = dt_buf_ok(&sink->frames) ? dial(sink, report) : -1;
	if (!dt_buf_ok(&sink->frames))
		dt_sink_problem(report, "no memory");
	if (fd >= 0)
		ok = sink->transport == TLS_TCP ? over_tls(sink, fd, report) : over_tcp(sink, fd, report);
	if (fd >= 0)
		close(fd);
	dt_sink_mark_all(events, count, ok ? DT_SINK_ACCEPTED : DT_SINK_RETRY, ok ? "" : report->problem);
}

static void send_datagrams(struct syslog_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	int fd = dial(sink, report);
	bool ok = fd >= 0;

	for (size_t i = 0; i < count; i++) {
		dt_buf_reset(&sink->frames);
		message(sink, &events[i], &sink->frames);
		/* A receiver that is not there is told of by the next one's error. */
		if (ok)
			ok = dt_buf_ok(&sink->frames) && send(fd, sink->frames.data, sink->frames.len, MSG_NOSIGNAL) >= 0;
		if (!ok && !report->problem[0])
			dt_sink_problem(report, "%s:%s: %s", sink->host, sink->port, strerror(errno));
		dt_sink_mark(&events[i], ok ? DT_SINK_ACCEPTED : DT_SINK_RETRY, "%s", ok ? "" : report->problem);
	}
	if (fd >= 0)
		close(fd);
}

void dt_syslog_sink_send(struct dt_sink *base, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	struct syslog_sink *sink = (struct syslog_sink *)base;

	if (sink->transport == UDP)
		send_datagrams(sink, events, count, report);
	else
		send_stream(sink, events, count, report);
}

void dt_syslog_sink_close(struct dt_sink *base)
{
	struct syslog_sink *sink = (struct syslog_sink *)base;

	SSL_CTX_free(sink->context);
	dt_buf_deinit(&sink->frames);
	free(sink);
}
