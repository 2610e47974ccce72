/*
 * Any bytes as a dump of one format: they are given that format's first bytes and type, so that a fuzzer need not find them, and are
 * analysed as a whole: header, body, memory, all passes.
 */
#include <stdlib.h>
#include <string.h>

#include "core/model/codec.h"
#include "facts/triage/triage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What makes bytes one of a format: text at an offset; a number of one byte there. */
static const struct mark {
	const char *format;
	size_t off;
	const char *text;
	size_t len;
} marks[] = {
	{ "triage64", 0, "PAGEDU64", 8 },      { "triage64", 0xf98, "\4\0\0\0", 4 },
	{ "full64", 0, "PAGEDU64", 8 },        { "full64", 0xf98, "\1\0\0\0", 4 },
	{ "summary64", 0, "PAGEDU64", 8 },     { "summary64", 0xf98, "\2\0\0\0", 4 },     { "summary64", 0x2000, "SDMPDUMP", 8 },
	{ "headeronly64", 0, "PAGEDU64", 8 },  { "headeronly64", 0xf98, "\3\0\0\0", 4 },
	{ "bitmap64", 0, "PAGEDU64", 8 },      { "bitmap64", 0xf98, "\6\0\0\0", 4 },      { "bitmap64", 0x2000, "SDMPDUMP", 8 },
	{ "ranges64", 0, "PAGEDU64", 8 },      { "ranges64", 0xf98, "\x9\0\0\0", 4 },     { "ranges64", 0x2000, "\x40\0\0\0RDMPDUMP", 12 },
	{ "kernel32", 0, "PAGEDUMP", 8 },      { "mdmp", 0, "MDMP\x93\xa7", 6 },          { "elf", 0, "\x7f\x45LF\2\1", 6 },
	{ "elf", 0x10, "\4\0\x3e\0", 4 },      { "kdump", 0, "KDUMP   ", 8 },             { "flattened", 0, "makedumpfile", 12 },
};

static void mark(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (!strcmp(marks[i].format, DT_FUZZ_FORMAT) && marks[i].off <= len && marks[i].len <= len - marks[i].off)
			memcpy(bytes + marks[i].off, marks[i].text, marks[i].len);
	/* All machines and, of 32-bit dumps, all types stay reachable. */
	if (len > 0x34 && !memcmp(bytes, "PAGEDU64", 8) && bytes[0x30] != 0x64)
		memcpy(bytes + 0x30, bytes[0x30] & 1 ? "\x64\x86\0\0" : "\x64\xaa\0\0", 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct dt_triage *triage;
	struct dt_triage_options options = { 0 };
	struct dt_error err;
	uint8_t *copy = malloc(len ? len : 1);
	struct dt_buf record;

	if (!copy || (!triage && dt_triage_create(&triage, &err) != DT_OK))
		abort();
	if (len)
		memcpy(copy, data, len);
	mark(copy, len);
	const struct dt_facts *facts = dt_triage_bytes(triage, (struct dt_bytes){ copy, len }, "fuzz", &options);
	dt_buf_init(&record, DT_MAX_RECORD);
	dt_facts_encode(facts, &record);
	dt_buf_deinit(&record);
	free(copy);
	return 0;
}
