/*
 * pdb_frame.c - frames of x86 code in a PDB: streams of FPO_DATA and of FrameData, whose programs stand in the stream of names.
 *
 * Both are sorted by where the code begins. FrameData nests: a stretch that begins inside a function lies in the function's own.
 */
#include <string.h>

#include "facts/symbol/frame.h"
#include "facts/symbol/msf.h"
#include "facts/symbol/pdb.h"

enum { STREAM_INFO = 1, INFO_HEADER = 28, NONE = 0xffff };
enum { FRAME = 32, FPO = 16, MOST_PROGRAM = 512, MOST_NAMED = 4096, NAMES_TEXT = 12, MOST_NESTED = 64 };
#define NAMES_MAGIC 0xeffeeffe

/* ---- the stream of names --------------------------------------------------------------- */

static bool info_u32(const struct dt_pdb *pdb, uint32_t off, uint32_t *out)
{
	uint8_t raw[4];

	if (!dt_msf_read_all(pdb, STREAM_INFO, off, raw, sizeof(raw)))
		return false;
	*out = dt_bytes_u32_or((struct dt_bytes){ raw, sizeof(raw) }, 0, 0);
	return true;
}

/* The identity's stream has a table behind it: names of streams. It is a hash table, of which only the pairs that are there are stored. */
static uint32_t find_named(const struct dt_pdb *pdb, const char *name)
{
	uint32_t text, size, words, at, key, stream;
	char found[16];

	if (!info_u32(pdb, INFO_HEADER, &text) || text > dt_msf_size(pdb, STREAM_INFO))
		return NONE;
	at = INFO_HEADER + 4 + text;
	if (!info_u32(pdb, at, &size) || size > MOST_NAMED)
		return NONE;
	at += 8;
	for (unsigned set = 0; set < 2; set++) { /* which are there, which were deleted */
		if (!info_u32(pdb, at, &words) || words > MOST_NAMED)
			return NONE;
		at += 4 + 4 * words;
	}
	for (uint32_t i = 0; i < size && info_u32(pdb, at + 8 * i, &key) && info_u32(pdb, at + 8 * i + 4, &stream); i++) {
		size_t len = key < text ? dt_msf_read(pdb, STREAM_INFO, INFO_HEADER + 4 + key, found, sizeof(found)) : 0;
		if (len > strlen(name) && !memcmp(found, name, strlen(name) + 1))
			return stream;
	}
	return NONE;
}

static const char *read_program(struct dt_pdb *pdb, uint32_t off)
{
	char text[MOST_PROGRAM];
	uint8_t magic[4];
	size_t len;

	if (pdb->names == NONE)
		pdb->names = (uint16_t)find_named(pdb, "/names");
	if (!dt_msf_read_all(pdb, pdb->names, 0, magic, sizeof(magic)) ||
	    dt_bytes_u32_or((struct dt_bytes){ magic, sizeof(magic) }, 0, 0) != NAMES_MAGIC || off > UINT32_MAX - NAMES_TEXT)
		return NULL;
	len = dt_msf_read(pdb, pdb->names, NAMES_TEXT + off, text, sizeof(text));
	return len && memchr(text, 0, len) ? dt_arena_strdup(pdb->arena, text) : NULL;
}

/* ---- records ------------------------------------------------------------------------------- */

/* The number of records of a stream that begin at rva or before it. first: where the records begin. */
static uint32_t count_before(const struct dt_pdb *pdb, uint32_t stream, uint32_t first, uint32_t stride, uint32_t rva)
{
	uint32_t size = dt_msf_size(pdb, stream), low = 0, high = size > first ? (size - first) / stride : 0;
	uint8_t raw[4];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!dt_msf_read_all(pdb, stream, first + middle * stride, raw, sizeof(raw)))
			return 0;
		if (dt_bytes_u32_or((struct dt_bytes){ raw, sizeof(raw) }, 0, 0) <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The innermost stretch around rva. Stretches that ended before it are passed by. */
static bool frame_data_at(struct dt_pdb *pdb, uint32_t rva, struct dt_symbol_frame *out)
{
	uint32_t first = dt_msf_size(pdb, pdb->frames) % FRAME == 4 ? 4 : 0, index;
	uint8_t raw[FRAME];
	struct dt_bytes b = { raw, sizeof(raw) };

	index = count_before(pdb, pdb->frames, first, FRAME, rva);
	for (unsigned n = 0; index > 0 && n < MOST_NESTED; n++) {
		index--;
		if (!dt_msf_read_all(pdb, pdb->frames, first + index * FRAME, raw, sizeof(raw)))
			return false;
		uint32_t begin = dt_bytes_u32_or(b, 0, 0), len = dt_bytes_u32_or(b, 4, 0);
		if (begin > rva || rva - begin >= len)
			continue;
		*out = (struct dt_symbol_frame){ .begin = begin, .len = len, .into = rva - begin, .locals = dt_bytes_u32_or(b, 8, 0),
			                         .params = dt_bytes_u32_or(b, 12, 0), .prolog = dt_bytes_u16_or(b, 24, 0),
			                         .saved = dt_bytes_u16_or(b, 26, 0), .program = read_program(pdb, dt_bytes_u32_or(b, 20, 0)) };
		return out->program;
	}
	return false;
}

static bool fpo_at(const struct dt_pdb *pdb, uint32_t rva, struct dt_symbol_frame *out)
{
	uint32_t index = count_before(pdb, pdb->fpo, 0, FPO, rva);
	uint8_t raw[FPO];
	struct dt_bytes b = { raw, sizeof(raw) };

	if (index == 0 || !dt_msf_read_all(pdb, pdb->fpo, (index - 1) * FPO, raw, sizeof(raw)))
		return false;
	uint32_t begin = dt_bytes_u32_or(b, 0, 0), len = dt_bytes_u32_or(b, 4, 0), locals = dt_bytes_u32_or(b, 8, 0);
	uint16_t bits = dt_bytes_u16_or(b, 14, 0);
	if (begin > rva || rva - begin >= len || locals > UINT32_MAX / 4)
		return false;
	*out = (struct dt_symbol_frame){ .begin = begin, .len = len, .into = rva - begin, .locals = 4 * locals,
		                         .params = 4u * dt_bytes_u16_or(b, 12, 0), .saved = 4u * (bits >> 8 & 7), .prolog = bits & 0xff,
		                         .saves_ebp = bits >> 12 & 1, .fpo = bits >> 14 & 3 };
	return true;
}

bool dt_pdb_frame_at(struct dt_pdb *pdb, uint32_t rva, struct dt_symbol_frame *out)
{
	uint32_t source;

	return dt_pdb_source_rva(pdb, rva, &source) && (frame_data_at(pdb, source, out) || fpo_at(pdb, source, out));
}
