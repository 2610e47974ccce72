#include "facts/symbol/cabinet.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "core/base/library.h"
#include "core/base/limits.h"

/* libarchive's, by its stable interface (libarchive.so.13). */
struct archive;
struct archive_entry;
enum { ARCHIVE_OK = 0 };
static struct {
	struct archive *(*read_new)(void);
	int (*read_support_format_cab)(struct archive *archive);
	int (*read_open_memory)(struct archive *archive, const void *bytes, size_t len);
	int (*read_next_header)(struct archive *archive, struct archive_entry **entry);
	int64_t (*entry_size)(struct archive_entry *entry);
	ssize_t (*read_data)(struct archive *archive, void *out, size_t len);
	int (*read_free)(struct archive *archive);
} functions;
static bool loaded;

static void load(void)
{
	void *library = dt_library_open("libarchive.so.13");

	loaded = dt_library_take(library, "archive_read_new", &functions.read_new) &&
	         dt_library_take(library, "archive_read_support_format_cab", &functions.read_support_format_cab) &&
	         dt_library_take(library, "archive_read_open_memory", &functions.read_open_memory) &&
	         dt_library_take(library, "archive_read_next_header", &functions.read_next_header) &&
	         dt_library_take(library, "archive_entry_size", &functions.entry_size) &&
	         dt_library_take(library, "archive_read_data", &functions.read_data) &&
	         dt_library_take(library, "archive_read_free", &functions.read_free);
}

void dt_cabinet_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
}

bool dt_cabinet_is(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "MSCF\0\0\0\0", 8);
}

static enum dt_status read_all(struct archive *archive, uint8_t *to, size_t len, struct dt_error *err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = functions.read_data(archive, to + done, len - done);
		if (n <= 0)
			return dt_fail(err, DT_ERR_FORMAT, "compressed file: damaged behind %zu of %zu bytes", done, len);
		done += (size_t)n;
	}
	return DT_OK;
}

static enum dt_status unpack(struct archive *archive, struct dt_bytes file, struct dt_bytes *out, struct dt_error *err)
{
	struct archive_entry *entry;

	if (functions.read_support_format_cab(archive) != ARCHIVE_OK || functions.read_open_memory(archive, file.data, file.len) != ARCHIVE_OK ||
	    functions.read_next_header(archive, &entry) != ARCHIVE_OK)
		return dt_fail(err, DT_ERR_FORMAT, "compressed file: no cabinet with a file in it");
	int64_t size = functions.entry_size(entry);
	if (size <= 0 || (uint64_t)size > DT_MAX_UNPACKED_SYMBOLS)
		return dt_fail(err, DT_ERR_LIMIT, "compressed file: it says that it holds %lld bytes, at most %u are unpacked", (long long)size,
		               DT_MAX_UNPACKED_SYMBOLS);
	uint8_t *to = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED)
		return dt_fail(err, DT_ERR_NOMEM, "compressed file: no memory for %lld bytes", (long long)size);
	*out = (struct dt_bytes){ to, (size_t)size };
	enum dt_status status = read_all(archive, to, (size_t)size, err);
	if (status != DT_OK)
		dt_cabinet_free(*out);
	return status;
}

enum dt_status dt_cabinet_unpack(struct dt_bytes file, struct dt_bytes *out, struct dt_error *err)
{
	struct archive *archive;

	dt_cabinet_prepare();
	if (!loaded)
		return dt_fail(err, DT_ERR_UNSUPPORTED, "compressed file: libarchive is not on this machine");
	if (!(archive = functions.read_new()))
		return dt_fail(err, DT_ERR_NOMEM, "compressed file: no memory");
	enum dt_status status = unpack(archive, file, out, err);
	(void)functions.read_free(archive);
	return status;
}

void dt_cabinet_free(struct dt_bytes unpacked)
{
	(void)munmap((void *)(uintptr_t)unpacked.data, unpacked.len);
}
