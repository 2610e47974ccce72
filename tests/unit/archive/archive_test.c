#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "facts/archive/archive.h"

static int spill;

/* An archive of members, written by libarchive's own writer. size beyond the text is zeros. */
static int make(int (*format)(struct archive *), int (*filter)(struct archive *), const char *const *names, size_t size)
{
	int fd = memfd_create("archive", 0);
	struct archive *out = archive_write_new();
	static char zeros[65536];

	assert_int_equal(format(out), ARCHIVE_OK);
	if (filter)
		assert_int_equal(filter(out), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(out, 1);
	assert_int_equal(archive_write_open_fd(out, fd), ARCHIVE_OK);
	for (; *names; names++) {
		struct archive_entry *entry = archive_entry_new();
		size_t len = strlen(*names), total = len + size;
		bool folder = len && (*names)[len - 1] == '/';
		archive_entry_set_pathname(entry, *names);
		archive_entry_set_size(entry, folder ? 0 : (la_int64_t)total);
		archive_entry_set_filetype(entry, folder ? AE_IFDIR : AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_mtime(entry, 1721365200, 0);
		assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
		if (!folder)
			assert_int_equal(archive_write_data(out, *names, len), (la_ssize_t)len);
		for (size_t left = folder ? 0 : size; left; left -= left < sizeof(zeros) ? left : sizeof(zeros))
			archive_write_data(out, zeros, left < sizeof(zeros) ? left : sizeof(zeros));
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(out), ARCHIVE_OK);
	archive_write_free(out);
	return fd;
}

static void every_format(void **state)
{
	static const struct {
		int (*format)(struct archive *), (*filter)(struct archive *);
	} kinds[] = {
		{ archive_write_set_format_zip, NULL },           { archive_write_set_format_7zip, NULL },
		{ archive_write_set_format_ustar, NULL },         { archive_write_set_format_ustar, archive_write_add_filter_gzip },
		{ archive_write_set_format_ustar, archive_write_add_filter_xz }, { archive_write_set_format_ustar, archive_write_add_filter_zstd },
	};
	const char *const names[] = { "folder/", "folder/a.dmp", "../../b.dmp", NULL };
	(void)state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int fd = make(kinds[i].format, kinds[i].filter, names, 100);
		struct dt_archive *archive = NULL;
		struct dt_member member;
		char bytes[200];
		unsigned found = 0;
		bool failed;
		assert_true(dt_archive_is(fd, &failed));
		assert_int_equal(dt_archive_open(&archive, fd, "x.zip", NULL), DT_OK);
		while (dt_archive_next(archive, &member, NULL) == DT_OK) {
			assert_int_equal(member.index, found++);
			assert_int_equal(dt_archive_extract(archive, spill, NULL), DT_OK);
			size_t len = strlen(member.name);
			assert_int_equal(pread(spill, bytes, sizeof(bytes), 0), len + 100);
			assert_memory_equal(bytes, member.name, len);
			assert_true(member.mtime > 0);
		}
		assert_int_equal(found, 2);
		dt_archive_close(archive);
		close(fd);
	}
}

static void a_single_compressed_file(void **state)
{
	int fd = make(archive_write_set_format_raw, archive_write_add_filter_gzip, (const char *const[]){ "MDMPxxxx", NULL }, 0);
	struct dt_archive *archive = NULL;
	struct dt_member member;
	(void)state;

	assert_int_equal(dt_archive_open(&archive, fd, "/share/MEMORY.DMP.gz", NULL), DT_OK);
	assert_int_equal(dt_archive_next(archive, &member, NULL), DT_OK);
	assert_string_equal(member.name, "MEMORY.DMP");
	assert_int_equal(dt_archive_extract(archive, spill, NULL), DT_OK);
	assert_int_equal(lseek(spill, 0, SEEK_END), 8);
	assert_int_equal(dt_archive_next(archive, &member, NULL), DT_ERR_NOT_FOUND);
	dt_archive_close(archive);
	close(fd);
}

static void what_is_no_archive(void **state)
{
	static const char *const texts[] = { "PAGEDU64", "MDMP", "hello", "", "PK" };
	struct dt_archive *archive = NULL;
	struct dt_error err;
	struct dt_member member;
	char zeros[1024] = { 0 };
	bool failed;
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = memfd_create("text", 0);
		assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
		assert_false(dt_archive_is(fd, &failed));
		assert_false(failed);
		close(fd);
		assert_false(dt_archive_is(fd, &failed));
		assert_true(failed);
	}
	int fd = memfd_create("zeros", 0);
	assert_int_equal(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
	assert_false(dt_archive_is(fd, &failed));
	memset(zeros, 0xaa, sizeof(zeros));
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 0), sizeof(zeros));
	assert_int_equal(pwrite(fd, "7z\xbc\xaf\x27\x1c", 6, 0), 6);
	assert_true(dt_archive_is(fd, &failed));
	enum dt_status status = dt_archive_open(&archive, fd, "x.7z", &err);
	if (status == DT_OK)
		status = dt_archive_next(archive, &member, &err);
	assert_int_equal(status, DT_ERR_FORMAT);
	assert_true(strlen(err.text) > 10);
	dt_archive_close(archive);
	close(fd);
}

/* Zeros that unpack to more than the archive's size allows. */
static void a_bomb(void **state)
{
	int fd = make(archive_write_set_format_zip, NULL, (const char *const[]){ "bomb.dmp", NULL }, 300u << 20);
	struct dt_archive *archive = NULL;
	struct dt_member member;
	struct dt_error err;
	struct stat info;
	(void)state;

	assert_int_equal(dt_archive_open(&archive, fd, "bomb.zip", NULL), DT_OK);
	assert_int_equal(dt_archive_next(archive, &member, NULL), DT_OK);
	assert_int_equal(dt_archive_extract(archive, spill, &err), DT_ERR_LIMIT);
	assert_non_null(strstr(err.text, "unpacks to more than"));
	assert_int_equal(fstat(spill, &info), 0);
	assert_true((uint64_t)info.st_size <= DT_MAX_ARCHIVE_BASE + (300u << 10) * DT_MAX_ARCHIVE_RATIO * 2);
	dt_archive_close(archive);
	close(fd);
}

static void cut_archives(void **state)
{
	const char *const names[] = { "a.dmp", "b.dmp", "c.dmp", NULL };
	int whole = make(archive_write_set_format_ustar, archive_write_add_filter_gzip, names, 5000);
	off_t size = lseek(whole, 0, SEEK_END);
	static uint8_t bytes[1 << 20];
	(void)state;

	assert_int_equal(pread(whole, bytes, (size_t)size, 0), size);
	for (off_t cut = 0; cut < size; cut += 7) {
		int fd = memfd_create("cut", 0);
		struct dt_archive *archive = NULL;
		struct dt_member member;
		struct dt_error err = { 0 };
		assert_int_equal(write(fd, bytes, (size_t)cut), cut);
		enum dt_status status = dt_archive_open(&archive, fd, "cut.tar.gz", &err);
		unsigned rounds = 0;
		while (status == DT_OK && rounds++ < 10 && (status = dt_archive_next(archive, &member, &err)) == DT_OK)
			if (dt_archive_extract(archive, spill, &err) != DT_OK)
				assert_true(strlen(err.text) > 10);
		assert_true(rounds <= 4);
		dt_archive_close(archive);
		close(fd);
	}
	close(whole);
}

static void too_many_members(void **state)
{
	char **names = calloc(DT_MAX_MEMBERS + 11, sizeof(*names));
	struct dt_archive *archive = NULL;
	struct dt_member member;
	struct dt_error err;
	enum dt_status status;
	unsigned found = 0;
	(void)state;

	for (unsigned i = 0; i < DT_MAX_MEMBERS + 10; i++)
		assert_true(asprintf(&names[i], "m%u", i) > 0);
	int fd = make(archive_write_set_format_ustar, NULL, (const char *const *)names, 0);
	assert_int_equal(dt_archive_open(&archive, fd, "many.tar", NULL), DT_OK);
	while ((status = dt_archive_next(archive, &member, &err)) == DT_OK)
		found++;
	assert_int_equal(status, DT_ERR_LIMIT);
	assert_int_equal(found, DT_MAX_MEMBERS);
	dt_archive_close(archive);
	close(fd);
	for (unsigned i = 0; i < DT_MAX_MEMBERS + 10; i++)
		free(names[i]);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format), cmocka_unit_test(a_single_compressed_file), cmocka_unit_test(what_is_no_archive),
		cmocka_unit_test(a_bomb),       cmocka_unit_test(cut_archives),             cmocka_unit_test(too_many_members),
	};

	dt_archive_prepare();
	spill = memfd_create("spill", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
