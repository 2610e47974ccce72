/*
 * describe.c - what a file is that no reader knows, in words that help who sent it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "facts/dump/reader.h"

#define EXPECTED "expected PAGEDU64, PAGEDUMP or MDMP"
#define TEXT_LOOK 256        /* bytes looked at to tell text */
#define ZERO_LOOK (64u << 20) /* bytes looked at to tell a file of zeros */

struct signature {
	const char *bytes;
	uint8_t len;
	uint16_t off;
	const char *what;
};

#define UNPACK "; unpack it first"
static const struct signature signatures[] = {
	{ "PK\x03\x04", 4, 0, "zip archive" UNPACK },
	{ "PK\x05\x06", 4, 0, "empty zip archive" },
	{ "MSCF", 4, 0, "cabinet file" UNPACK },
	{ "7z\xbc\xaf\x27\x1c", 6, 0, "7z archive" UNPACK },
	{ "Rar!\x1a\x07", 6, 0, "RAR archive" UNPACK },
	{ "\x1f\x8b", 2, 0, "gzip file" UNPACK },
	{ "\xfd\x37zXZ", 6, 0, "xz file" UNPACK },
	{ "\x28\xb5\x2f\xfd", 4, 0, "zstd file" UNPACK },
	{ "BZh", 3, 0, "bzip2 file" UNPACK },
	{ "ustar", 5, 257, "tar archive" UNPACK },
	{ "hibr", 4, 0, "hibernation file, no dump" },
	{ "HIBR", 4, 0, "hibernation file, no dump" },
	{ "wake", 4, 0, "hibernation file that Windows woke up from, no dump" },
	{ "RSTR", 4, 0, "hibernation file, no dump" },
	{ "MZ", 2, 0, "Windows program or library" },
	{ "\x7f\x45LF", 4, 0, "ELF program or library, not a core file" },
	{ "ElfFile", 7, 0, "Windows event log" },
	{ "regf", 4, 0, "registry hive" },
	{ "\x89PNG", 4, 0, "PNG picture" },
	{ "\xff\xd8\xff", 3, 0, "JPEG picture" },
	{ "%PDF", 4, 0, "PDF document" },
	{ "SQLite format 3", 15, 0, "SQLite database" },
	{ "conectix", 8, 0, "virtual disk" },
	{ "vhdxfile", 8, 0, "virtual disk" },
	{ "QFI\xfb", 4, 0, "virtual disk" },
	{ "KDMV", 4, 0, "virtual disk" },
	{ "\xd2\xbe\xd2\xbe", 4, 0, "snapshot of a VMware virtual machine" },
	{ "\xff\xfe", 2, 0, "text in UTF-16" },
	{ "\xef\xbb\xbf", 3, 0, "text" },
};

static const struct signature *signature_of(struct dt_bytes file)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
		if (dt_bytes_match(file, signatures[i].off, signatures[i].bytes, signatures[i].len))
			return &signatures[i];
	return NULL;
}

/* A file of zeros is what a machine leaves that lost power while it wrote. */
static bool is_zero(struct dt_bytes file)
{
	struct dt_bytes bytes = dt_bytes_clip(file, 0, ZERO_LOOK);

	return bytes.len && bytes.data[0] == 0 && memcmp(bytes.data, bytes.data + 1, bytes.len - 1) == 0;
}

static bool is_text(struct dt_bytes file)
{
	struct dt_bytes look = dt_bytes_clip(file, 0, TEXT_LOOK);

	for (size_t i = 0; i < look.len; i++) {
		uint8_t c = look.data[i];

		if (c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b))
			return false;
	}
	return look.len > 0;
}

static void print_begin(struct dt_bytes file, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < file.len && i < 8 && at + 4 <= size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%02x", i ? " " : "", file.data[i]);
}

/* The first word of a kernel dump with a second one that none has: its writing was interrupted. */
static bool is_half_signature(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "PAGE", 4);
}

enum dt_status dt_dump_describe(struct dt_bytes file, struct dt_error *err)
{
	const struct signature *signature = signature_of(file);
	char begin[32];

	if (file.len == 0)
		return dt_fail_at(err, DT_ERR_NOT_A_DUMP, 0, "the file is empty");
	if (is_zero(file))
		return dt_fail_at(err, DT_ERR_NOT_A_DUMP, 0,
		                  "%s 0x%zx bytes are zero: the dump's space was set aside and never written",
		                  file.len > ZERO_LOOK ? "the first" : "all",
		                  file.len > ZERO_LOOK ? ZERO_LOOK : file.len);
	print_begin(file, begin, sizeof(begin));
	if (signature)
		return dt_fail_at(err, DT_ERR_NOT_A_DUMP, 0, EXPECTED ", found %s (%s)", begin, signature->what);
	if (is_half_signature(file))
		return dt_fail_at(err, DT_ERR_NOT_A_DUMP, 4,
		                  EXPECTED ", found %s: a kernel dump whose writing was interrupted or "
		                           "that was changed since",
		                  begin);
	if (is_text(file))
		return dt_fail_at(err, DT_ERR_NOT_A_DUMP, 0, EXPECTED ", found %s (text)", begin);
	return dt_fail_at(err, DT_ERR_NOT_A_DUMP, 0, EXPECTED ", found %s", begin);
}
