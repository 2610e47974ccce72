#include "core/protocol/protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 65536 };

void dt_channel_init(struct dt_channel *channel, int socket)
{
	*channel = (struct dt_channel){ .socket = socket, .fds = { -1, -1 } };
	dt_buf_init(&channel->in, DT_MESSAGE_MAX + DT_MESSAGE_HEADER + CHUNK);
}

void dt_channel_deinit(struct dt_channel *channel)
{
	for (int i = 0; i < 2; i++) {
		if (channel->fds[i] >= 0)
			close(channel->fds[i]);
		channel->fds[i] = -1;
	}
	dt_buf_deinit(&channel->in);
}

static void put_u32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* Descriptors travel with the first byte of their message. */
static ssize_t send_some(int socket, struct iovec *parts, size_t count, const int fds[2], size_t fd_count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct msghdr header = { .msg_iov = parts, .msg_iovlen = count };

	if (fd_count) {
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, fd_count * sizeof(int));
	}
	return sendmsg(socket, &header, MSG_NOSIGNAL);
}

enum dt_status dt_channel_send(struct dt_channel *channel, const struct dt_message *message, struct dt_error *err)
{
	uint8_t header[DT_MESSAGE_HEADER] = { 0 };
	struct iovec parts[2] = { { header, sizeof(header) }, { (void *)(uintptr_t)message->body.data, message->body.len } };
	const int fds[2] = { message->fd, message->report };
	size_t fd_count = message->fd < 0 ? 0 : message->has_report ? 2 : 1;

	if (message->body.len > DT_MESSAGE_MAX)
		return dt_fail(err, DT_ERR_LIMIT, "a message of %zu bytes is over the limit of %u", message->body.len, DT_MESSAGE_MAX);
	put_u32(header, (uint32_t)message->body.len);
	put_u32(header + 4, (uint32_t)message->type);
	put_u32(header + 8, (uint32_t)message->job);
	put_u32(header + 12, (uint32_t)(message->job >> 32));
	for (size_t at = 0; at < 2;) {
		ssize_t sent = send_some(channel->socket, parts + at, 2 - at, fds, fd_count);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return dt_fail(err, DT_ERR_IO, "cannot send to the other side: %s", strerror(errno));
		fd_count = 0;
		for (; at < 2 && (size_t)sent >= parts[at].iov_len; at++)
			sent -= (ssize_t)parts[at].iov_len;
		if (at < 2) {
			parts[at].iov_base = (char *)parts[at].iov_base + sent;
			parts[at].iov_len -= (size_t)sent;
		}
	}
	return DT_OK;
}

static void keep_descriptor(struct dt_channel *channel, struct msghdr *header)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (channel->fds[0] < 0)
				channel->fds[0] = fd;
			else if (channel->fds[1] < 0)
				channel->fds[1] = fd;
			else
				close(fd);
		}
	}
}

/* Reads what the socket has, at most one chunk. */
static enum dt_status fill(struct dt_channel *channel, struct dt_error *err)
{
	uint8_t chunk[CHUNK];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec part = { chunk, sizeof(chunk) };
	struct msghdr header = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	ssize_t got;

	do
		got = recvmsg(channel->socket, &header, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return DT_ERR_NOT_FOUND;
	if (got < 0 && errno != ECONNRESET)
		return dt_fail(err, DT_ERR_IO, "cannot receive from the other side: %s", strerror(errno));
	if (got <= 0)
		return dt_fail(err, DT_ERR_TRUNCATED, "the other side closed the connection");
	keep_descriptor(channel, &header);
	dt_buf_append(&channel->in, chunk, (size_t)got);
	return dt_buf_ok(&channel->in) ? DT_OK : dt_fail(err, DT_ERR_NOMEM, "no memory for a message");
}

/* Forgets the message handed out last. */
static void drop_taken(struct dt_channel *channel)
{
	if (channel->taken == 0)
		return;
	channel->in.len -= channel->taken;
	memmove(channel->in.data, channel->in.data + channel->taken, channel->in.len);
	channel->taken = 0;
}

enum dt_status dt_channel_receive(struct dt_channel *channel, struct dt_message *message, struct dt_error *err)
{
	drop_taken(channel);
	for (;;) {
		struct dt_bytes in = dt_buf_bytes(&channel->in);
		uint32_t len = 0, type = 0;
		if (dt_bytes_u32(in, 0, &len) && len > DT_MESSAGE_MAX)
			return dt_fail(err, DT_ERR_LIMIT, "a message of %u bytes is over the limit of %u", len, DT_MESSAGE_MAX);
		if (dt_bytes_u32(in, 4, &type) && (type == 0 || type >= DT_MESSAGE_TYPE_END))
			return dt_fail(err, DT_ERR_FORMAT, "there is no message of type %u", type);
		if (dt_bytes_has(in, 0, DT_MESSAGE_HEADER) && dt_bytes_sub(in, DT_MESSAGE_HEADER, len, &message->body)) {
			message->type = (enum dt_message_type)type;
			message->job = dt_bytes_u64_or(in, 8, 0);
			bool brings = type == DT_MESSAGE_JOB || type == DT_MESSAGE_ANSWER;
			message->fd = brings ? channel->fds[0] : -1;
			message->has_report = brings && channel->fds[1] >= 0;
			message->report = message->has_report ? channel->fds[1] : -1;
			if (brings)
				channel->fds[0] = channel->fds[1] = -1;
			channel->taken = DT_MESSAGE_HEADER + len;
			return DT_OK;
		}
		enum dt_status status = fill(channel, err);
		if (status != DT_OK)
			return status;
	}
}
