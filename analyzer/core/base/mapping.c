#include "core/base/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/base/time.h"

#define MAX_OPEN DT_MAX_MAPPINGS

/* What the signal handler may look at: it must neither lock nor allocate. */
static struct slot {
	atomic_bool taken;
	_Atomic(uintptr_t) begin; /* 0 while there is nothing to guard */
	_Atomic(uintptr_t) end;   /* of the last page */
	struct dt_mapping *map;
} slots[MAX_OPEN];

static struct sigaction before_guard;
static size_t page_size;

static struct slot *slot_of(uintptr_t va)
{
	for (size_t i = 0; i < MAX_OPEN; i++) {
		uintptr_t begin = atomic_load(&slots[i].begin);
		if (begin && va >= begin && va < atomic_load(&slots[i].end))
			return &slots[i];
	}
	return NULL;
}

/* Zero pages from the lost one to the end: a file shrinks at its end. */
static bool replace_lost_pages(uintptr_t va)
{
	struct slot *slot = slot_of(va);
	if (!slot)
		return false;
	uintptr_t page = va & ~(uintptr_t)(page_size - 1);
	void *got = mmap((void *)page, atomic_load(&slot->end) - page, PROT_READ,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (got == MAP_FAILED)
		return false;
	slot->map->shrunk = 1;
	return true;
}

/* What would have happened without the guard. */
static void chain(int sig, siginfo_t *info, void *context)
{
	if (before_guard.sa_flags & SA_SIGINFO) {
		before_guard.sa_sigaction(sig, info, context);
	} else if (before_guard.sa_handler != SIG_DFL && before_guard.sa_handler != SIG_IGN) {
		before_guard.sa_handler(sig);
	} else if (info->si_code > 0 || before_guard.sa_handler == SIG_DFL) {
		/* Delivered when this handler returns; a fault happens again anyway. */
		(void)sigaction(sig, &before_guard, NULL);
		(void)raise(sig);
	}
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	bool fault = info->si_code > 0; /* sent by the kernel, so si_addr means something */
	if (!fault || !replace_lost_pages((uintptr_t)info->si_addr))
		chain(sig, info, context);
	errno = saved;
}

void dt_mapping_guard(void)
{
	static atomic_flag once = ATOMIC_FLAG_INIT;
	if (atomic_flag_test_and_set(&once))
		return;
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	(void)sigemptyset(&action.sa_mask);
	/* Known before the handler can run. */
	(void)sigaction(SIGBUS, NULL, &before_guard);
	(void)sigaction(SIGBUS, &action, NULL);
}

static struct slot *slot_take(void)
{
	for (size_t i = 0; i < MAX_OPEN; i++)
		if (!atomic_exchange(&slots[i].taken, true))
			return &slots[i];
	return NULL;
}

static void slot_guard(struct slot *slot, struct dt_mapping *map)
{
	uintptr_t begin = (uintptr_t)map->bytes.data, page = (uintptr_t)sysconf(_SC_PAGESIZE);
	slot->map = map;
	atomic_store(&slot->end, begin + (map->bytes.len + page - 1) / page * page);
	atomic_store(&slot->begin, begin);
}

static const char *type_name(mode_t mode)
{
	static const struct {
		mode_t type;
		const char *name;
	} types[] = {
		{ S_IFDIR, "a directory" },    { S_IFIFO, "a pipe" },    { S_IFCHR, "a character device" },
		{ S_IFBLK, "a block device" }, { S_IFSOCK, "a socket" },
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if ((mode & S_IFMT) == types[i].type)
			return types[i].name;
	return "no file of a known type";
}

static uint64_t filetime_of(struct timespec t)
{
	int64_t epoch = (int64_t)(DT_TIME_UNIX_EPOCH / DT_TIME_SECOND);
	if (t.tv_sec < -epoch || t.tv_sec > INT64_MAX / (int64_t)DT_TIME_SECOND - epoch)
		return 0;
	return (uint64_t)(t.tv_sec + epoch) * DT_TIME_SECOND + (uint64_t)t.tv_nsec / 100;
}

static enum dt_status map_file(struct dt_mapping *map, int fd, struct dt_error *err)
{
	struct slot *slot = slot_take();
	if (!slot)
		return dt_fail(err, DT_ERR_LIMIT, "expected at most %d files open at a time, this is one more",
		               MAX_OPEN);
	void *data = mmap(NULL, (size_t)map->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED) {
		int reason = errno;
		atomic_store(&slot->taken, false);
		return dt_fail(err, DT_ERR_IO, "cannot map: %s", strerror(reason));
	}
	map->bytes = (struct dt_bytes){ data, (size_t)map->size };
	slot_guard(slot, map);
	return DT_OK;
}

enum dt_status dt_mapping_open_fd(struct dt_mapping *map, int fd, struct dt_error *err)
{
	struct stat st;
	*map = (struct dt_mapping){ .size = 0 };
	if (fstat(fd, &st) != 0)
		return dt_fail(err, DT_ERR_IO, "cannot read its status: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return dt_fail(err, DT_ERR_UNSUPPORTED, "expected a regular file, found %s",
		               type_name(st.st_mode));
	map->size = (uint64_t)st.st_size;
	map->mtime = filetime_of(st.st_mtim);
	return map->size ? map_file(map, fd, err) : DT_OK;
}

enum dt_status dt_mapping_open(struct dt_mapping *map, const char *path, struct dt_error *err)
{
	*map = (struct dt_mapping){ .size = 0 };
	/* Without O_NONBLOCK the open of a pipe waits for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENXIO)
		return dt_fail(err, DT_ERR_UNSUPPORTED,
		               "expected a regular file, found a socket or a device without a driver");
	if (fd < 0)
		return dt_fail(err, DT_ERR_IO, "cannot open: %s", strerror(errno));
	enum dt_status status = dt_mapping_open_fd(map, fd, err);
	(void)close(fd);
	return status;
}

void dt_mapping_close(struct dt_mapping *map)
{
	for (size_t i = 0; map->bytes.data && i < MAX_OPEN; i++) {
		if (atomic_load(&slots[i].begin) != (uintptr_t)map->bytes.data)
			continue;
		atomic_store(&slots[i].begin, 0);
		(void)munmap((void *)(uintptr_t)map->bytes.data, map->bytes.len);
		atomic_store(&slots[i].taken, false);
		break;
	}
	map->bytes = (struct dt_bytes){ NULL, 0 };
}
