#include "facts/symbol/pdb.h"

#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "facts/symbol/msf.h"

enum { STREAM_INFO = 1, STREAM_DBI = 3, NONE = 0xffff };
enum { DBI_HEADER = 64, DEBUG_FPO = 0, DEBUG_OMAP = 3, DEBUG_SECTIONS = 5, DEBUG_FRAMES = 9, DEBUG_SOURCE_SECTIONS = 10 };
enum { SECTION_HEADER = 40, MODULE_HEADER = 64, CONTRIBUTIONS_1 = 28, CONTRIBUTIONS_2 = 32, MOST_MODULES = 65535, MOST_NAME = 1024 };
enum { S_PUB32 = 0x110e, S_LPROC32 = 0x110f, S_GPROC32 = 0x1110, S_LPROC32_ID = 0x1146, S_GPROC32_ID = 0x1147, S_LPROC32_DPC = 0x1155,
       S_LPROC32_DPC_ID = 0x1156 };
enum { PROC_END = 8, PROC_LEN = 16, PROC_OFF = 32, PROC_SECTION = 36, PROC_NAME = 39, PUB_OFF = 8, PUB_SECTION = 12, PUB_NAME = 14 };
enum { MOST_RECORDS = 1 << 20 }; /* of one compiland that are looked at */

/* A section and an offset in it: how a PDB says where. */
struct place {
	uint32_t section, off; /* sections are counted from 1 */
};

/* ---- headers ------------------------------------------------------------------------ */

static enum dt_status read_info(struct dt_pdb *pdb, struct dt_error *err)
{
	uint8_t raw[28];

	if (!dt_msf_read_all(pdb, STREAM_INFO, 0, raw, sizeof(raw)))
		return dt_fail(err, DT_ERR_FORMAT, "PDB: stream 1, its identity, is too short");
	pdb->info_age = dt_bytes_u32_or((struct dt_bytes){ raw, sizeof(raw) }, 8, 0);
	memcpy(pdb->guid, raw + 12, sizeof(pdb->guid));
	return DT_OK;
}

static void read_debug_streams(struct dt_pdb *pdb, uint64_t off, uint32_t size)
{
	uint8_t raw[22];
	struct dt_bytes b = { raw, 0 };

	if (off <= UINT32_MAX)
		b.len = dt_msf_read(pdb, STREAM_DBI, (uint32_t)off, raw, size < sizeof(raw) ? size : sizeof(raw));
	pdb->omap = dt_bytes_u16_or(b, 2 * DEBUG_OMAP, NONE);
	pdb->sections = dt_bytes_u16_or(b, 2 * DEBUG_SECTIONS, NONE);
	pdb->fpo = dt_bytes_u16_or(b, 2 * DEBUG_FPO, NONE);
	pdb->frames = dt_bytes_u16_or(b, 2 * DEBUG_FRAMES, NONE);
	/* Symbols stand in the sections as they were linked. */
	if (pdb->omap != NONE && dt_bytes_u16_or(b, 2 * DEBUG_SOURCE_SECTIONS, NONE) != NONE)
		pdb->sections = dt_bytes_u16_or(b, 2 * DEBUG_SOURCE_SECTIONS, NONE);
}

static void read_contributions(struct dt_pdb *pdb, uint32_t off, uint32_t size)
{
	uint8_t raw[4];
	uint32_t version = 0;

	if (size < 4 || !dt_msf_read_all(pdb, STREAM_DBI, off, raw, sizeof(raw)))
		return;
	version = dt_bytes_u32_or((struct dt_bytes){ raw, 4 }, 0, 0);
	pdb->contribution_stride = version == 0xf12eba2d ? CONTRIBUTIONS_1 : version == 0xf13151e4 ? CONTRIBUTIONS_2 : 0;
	pdb->contributions_off = off + 4;
	pdb->contributions_size = size - 4;
}

static void read_publics_header(struct dt_pdb *pdb)
{
	enum { HEADER = 28 };
	uint8_t raw[HEADER];
	struct dt_bytes b = { raw, sizeof(raw) };

	if (!dt_msf_read_all(pdb, pdb->publics, 0, raw, sizeof(raw)))
		return;
	uint32_t hash = dt_bytes_u32_or(b, 0, 0), map = dt_bytes_u32_or(b, 4, 0), size = dt_msf_size(pdb, pdb->publics);
	if (hash > size - HEADER || map > size - HEADER - hash)
		return;
	pdb->public_map_off = HEADER + hash;
	pdb->public_count = map / 4;
}

static enum dt_status read_dbi(struct dt_pdb *pdb, struct dt_error *err)
{
	uint8_t raw[DBI_HEADER];
	struct dt_bytes b = { raw, sizeof(raw) };
	uint64_t at = DBI_HEADER;
	uint32_t sizes[6];

	if (!dt_msf_read_all(pdb, STREAM_DBI, 0, raw, sizeof(raw)))
		return dt_fail(err, DT_ERR_FORMAT, "PDB: stream 3, its list of compilands, is too short");
	pdb->age = dt_bytes_u32_or(b, 8, 0);
	pdb->publics = dt_bytes_u16_or(b, 16, NONE);
	pdb->records = dt_bytes_u16_or(b, 20, NONE);
	for (unsigned i = 0; i < 5; i++)
		sizes[i] = dt_bytes_u32_or(b, 24 + 4 * i, 0);
	sizes[5] = dt_bytes_u32_or(b, 52, 0);
	for (unsigned i = 0; i < 6; i++) {
		if (i == 0)
			pdb->modules_size = sizes[0];
		at += sizes[i];
		if (at > dt_msf_size(pdb, STREAM_DBI))
			return dt_fail(err, DT_ERR_FORMAT, "PDB: part %u of stream 3 ends behind it", i);
	}
	read_contributions(pdb, DBI_HEADER + sizes[0], sizes[1]);
	read_debug_streams(pdb, at, dt_bytes_u32_or(b, 48, 0));
	return DT_OK;
}

enum dt_status dt_pdb_open(struct dt_pdb *pdb, struct dt_bytes file, struct dt_arena *arena, struct dt_error *err)
{
	enum dt_status status;

	*pdb = (struct dt_pdb){ .file = file, .arena = arena, .names = NONE };
	if ((status = dt_msf_open(pdb, err)) != DT_OK || (status = read_info(pdb, err)) != DT_OK || (status = read_dbi(pdb, err)) != DT_OK)
		return status;
	read_publics_header(pdb);
	return DT_OK;
}

static void write_id(const struct dt_pdb *pdb, uint32_t age, char *out, size_t size)
{
	struct dt_bytes b = { pdb->guid, sizeof(pdb->guid) };
	int at = snprintf(out, size, "%08X%04X%04X", dt_bytes_u32_or(b, 0, 0), dt_bytes_u16_or(b, 4, 0), dt_bytes_u16_or(b, 6, 0));

	for (size_t n = 8; n < 16; n++)
		at += snprintf(out + at, size - (size_t)at, "%02X", pdb->guid[n]);
	snprintf(out + at, size - (size_t)at, "%x", age);
}

bool dt_pdb_is(const struct dt_pdb *pdb, const char *debug_id)
{
	const uint32_t ages[] = { pdb->age, pdb->info_age };
	char text[48];

	for (size_t i = 0; i < 2; i++) {
		write_id(pdb, ages[i], text, sizeof(text));
		if (dt_text_equal_fold(text, debug_id))
			return true;
	}
	return false;
}

const char *dt_pdb_debug_id(const struct dt_pdb *pdb, struct dt_arena *arena)
{
	char text[48];

	write_id(pdb, pdb->age ? pdb->age : pdb->info_age, text, sizeof(text));
	return dt_arena_strdup(arena, text);
}

/* ---- places --------------------------------------------------------------------------- */

static bool section_rva(const struct dt_pdb *pdb, uint32_t section, uint32_t *rva, uint32_t *size, bool *is_code)
{
	uint8_t raw[SECTION_HEADER];
	struct dt_bytes b = { raw, sizeof(raw) };

	if (section == 0 || section > 96 || !dt_msf_read_all(pdb, pdb->sections, (section - 1) * SECTION_HEADER, raw, sizeof(raw)))
		return false;
	*size = dt_bytes_u32_or(b, 8, 0);
	*rva = dt_bytes_u32_or(b, 12, 0);
	*is_code = dt_bytes_u32_or(b, 36, 0) & 0x20000000; /* IMAGE_SCN_MEM_EXECUTE */
	return true;
}

/* Only of code: what stands before an address among data is some variable, and no function is there. */
static bool place_of(const struct dt_pdb *pdb, uint32_t rva, struct place *out)
{
	uint32_t begin, size;
	bool is_code;

	for (uint32_t section = 1; section_rva(pdb, section, &begin, &size, &is_code); section++)
		if (rva - begin < size) {
			*out = (struct place){ section, rva - begin };
			return is_code;
		}
	return false;
}

static int compare(uint32_t section, uint32_t off, const struct place *place)
{
	if (section != place->section)
		return section < place->section ? -1 : 1;
	return off < place->off ? -1 : off > place->off;
}

static const char *read_name(const struct dt_pdb *pdb, uint32_t stream, uint32_t off)
{
	char name[MOST_NAME];
	size_t len = dt_msf_read(pdb, stream, off, name, sizeof(name));

	if (!len || !memchr(name, 0, len) || !name[0])
		return NULL;
	const char *clean = dt_text_from_utf8(pdb->arena, (struct dt_bytes){ (const uint8_t *)name, strlen(name) });
	return clean ? dt_undecorate(pdb->arena, clean) : NULL;
}

/* ---- procedures, which have lengths ---------------------------------------------------- */

/* Which stream has the symbols of each compiland; read once. */
static bool read_modules(struct dt_pdb *pdb)
{
	uint8_t raw[MODULE_HEADER], names[2 * MOST_NAME];
	uint32_t at = DBI_HEADER, end = DBI_HEADER + pdb->modules_size;

	/* The size is what the file says; what it says may not be there. */
	uint32_t most = pdb->modules_size / MODULE_HEADER < MOST_MODULES ? pdb->modules_size / MODULE_HEADER + 1 : MOST_MODULES;

	pdb->module_streams = DT_ARENA_ARRAY(pdb->arena, most, uint16_t);
	while (pdb->module_streams && at + MODULE_HEADER <= end && pdb->module_count < most &&
	       dt_msf_read_all(pdb, STREAM_DBI, at, raw, sizeof(raw))) {
		size_t len = dt_msf_read(pdb, STREAM_DBI, at + MODULE_HEADER, names, sizeof(names));
		const uint8_t *first = memchr(names, 0, len), *second = first ? memchr(first + 1, 0, len - (size_t)(first + 1 - names)) : NULL;
		pdb->module_streams[pdb->module_count++] = dt_bytes_u16_or((struct dt_bytes){ raw, sizeof(raw) }, 34, NONE);
		if (!second)
			break;
		at = (at + MODULE_HEADER + (uint32_t)(second + 1 - names) + 3) & ~3u;
	}
	return pdb->module_streams;
}

/* The compiland whose code covers a place: contributions are sorted. */
static bool module_at(const struct dt_pdb *pdb, const struct place *place, uint32_t *module)
{
	uint32_t low = 0, stride = pdb->contribution_stride, high = stride ? pdb->contributions_size / stride : 0;
	uint8_t raw[CONTRIBUTIONS_1];
	struct dt_bytes b = { raw, sizeof(raw) };

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!dt_msf_read_all(pdb, STREAM_DBI, pdb->contributions_off + middle * stride, raw, sizeof(raw)))
			return false;
		uint32_t section = dt_bytes_u16_or(b, 0, 0), off = dt_bytes_u32_or(b, 4, 0), size = dt_bytes_u32_or(b, 8, 0);
		if (section == place->section && place->off - off < size) {
			*module = dt_bytes_u16_or(b, 16, NONE);
			return true;
		}
		if (compare(section, off, place) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool is_procedure(uint16_t kind)
{
	return kind == S_GPROC32 || kind == S_LPROC32 || kind == S_GPROC32_ID || kind == S_LPROC32_ID || kind == S_LPROC32_DPC ||
	       kind == S_LPROC32_DPC_ID;
}

static bool procedure_in(struct dt_pdb *pdb, uint32_t stream, const struct place *place, uint32_t rva, struct dt_pdb_symbol *out)
{
	uint8_t raw[PROC_NAME];
	struct dt_bytes b = { raw, sizeof(raw) };
	uint32_t at = 4, size = dt_msf_size(pdb, stream);

	for (unsigned n = 0; n < MOST_RECORDS && at < size; n++) {
		size_t len = dt_msf_read(pdb, stream, at, raw, sizeof(raw));
		uint16_t record = len >= 4 ? dt_bytes_u16_or(b, 0, 0) : 0, kind = dt_bytes_u16_or(b, 2, 0);
		if (record < 2)
			return false;
		if (len == sizeof(raw) && is_procedure(kind)) {
			uint32_t off = dt_bytes_u32_or(b, PROC_OFF, 0), code = dt_bytes_u32_or(b, PROC_LEN, 0), end = dt_bytes_u32_or(b, PROC_END, 0);
			if (dt_bytes_u16_or(b, PROC_SECTION, 0) == place->section && place->off - off < code) {
				*out = (struct dt_pdb_symbol){ read_name(pdb, stream, at + PROC_NAME), rva - (place->off - off), code };
				return out->name;
			}
			/* What lies in a procedure is skipped. */
			if (end > at && end < size)
				at = end;
			else
				at += 2u + record;
			continue;
		}
		at += 2u + record;
	}
	return false;
}

static bool procedure_at(struct dt_pdb *pdb, const struct place *place, uint32_t rva, struct dt_pdb_symbol *out)
{
	uint32_t module;

	if (!module_at(pdb, place, &module) || (!pdb->module_streams && !read_modules(pdb)) || module >= pdb->module_count)
		return false;
	return procedure_in(pdb, pdb->module_streams[module], place, rva, out);
}

/* ---- public symbols ------------------------------------------------------------------- */

static bool read_public(const struct dt_pdb *pdb, uint32_t index, struct place *out, uint32_t *record)
{
	uint8_t raw[PUB_NAME];
	struct dt_bytes b = { raw, sizeof(raw) };

	if (!dt_msf_read_all(pdb, pdb->publics, pdb->public_map_off + 4 * index, raw, 4))
		return false;
	*record = dt_bytes_u32_or(b, 0, 0);
	if (!dt_msf_read_all(pdb, pdb->records, *record, raw, sizeof(raw)) || dt_bytes_u16_or(b, 2, 0) != S_PUB32)
		return false;
	*out = (struct place){ dt_bytes_u16_or(b, PUB_SECTION, 0), dt_bytes_u32_or(b, PUB_OFF, 0) };
	return true;
}

static bool public_at(const struct dt_pdb *pdb, const struct place *place, uint32_t rva, struct dt_pdb_symbol *out)
{
	uint32_t low = 0, high = pdb->public_count, record;
	struct place found;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!read_public(pdb, middle, &found, &record))
			return false;
		if (compare(found.section, found.off, place) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !read_public(pdb, low - 1, &found, &record) || found.section != place->section || found.off > place->off)
		return false;
	*out = (struct dt_pdb_symbol){ read_name(pdb, pdb->records, record + PUB_NAME), rva - (place->off - found.off), 0 };
	return out->name;
}

/* The last entry of the map that does not begin behind rva says where its part came from; 0: nowhere. */
bool dt_pdb_source_rva(const struct dt_pdb *pdb, uint32_t rva, uint32_t *out)
{
	enum { ENTRY = 8 };
	uint32_t low = 0, high = dt_msf_size(pdb, pdb->omap) / ENTRY;
	uint8_t raw[ENTRY];
	struct dt_bytes b = { raw, sizeof(raw) };

	*out = rva;
	if (pdb->omap == NONE)
		return true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (!dt_msf_read_all(pdb, pdb->omap, middle * ENTRY, raw, sizeof(raw)))
			return false;
		if (dt_bytes_u32_or(b, 0, 0) <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !dt_msf_read_all(pdb, pdb->omap, (low - 1) * ENTRY, raw, sizeof(raw)))
		return false;
	uint32_t from = dt_bytes_u32_or(b, 0, 0), to = dt_bytes_u32_or(b, 4, 0);
	*out = to + (rva - from);
	return from <= rva && to != 0 && *out >= to;
}

bool dt_pdb_symbol_at(struct dt_pdb *pdb, uint32_t rva, struct dt_pdb_symbol *out)
{
	struct place place;
	uint32_t source;

	if (!dt_pdb_source_rva(pdb, rva, &source) || !place_of(pdb, source, &place) ||
	    (!procedure_at(pdb, &place, source, out) && !public_at(pdb, &place, source, out)))
		return false;
	/* A part that was put before where its function would begin now has no begin to count from. */
	uint32_t into = source - out->rva;
	out->rva = rva - into;
	return into <= rva;
}
