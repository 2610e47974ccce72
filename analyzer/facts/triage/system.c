/*
 * Make and model of the computer. Of the SMBIOS tables (DMTF DSP0134) only
 * structure types 0, 1 and 4 are read, and of those no serial number, UUID or asset tag.
 */
#include <string.h>

#include "core/base/text.h"
#include "facts/triage/pass.h"

enum { SMBIOS_BIOS = 0, SMBIOS_SYSTEM = 1, SMBIOS_PROCESSOR = 4, SMBIOS_END = 127, MAX_STRUCTURES = 512 };

struct structure {
	uint8_t type, len;
	struct dt_bytes fixed;   /* the formatted area, with its header */
	struct dt_bytes strings; /* NUL-terminated strings, ended by an empty one */
};

/* One structure at *off; moves *off behind its strings. */
static bool next_structure(struct dt_bytes table, uint64_t *off, struct structure *out)
{
	if (!dt_bytes_u8(table, *off, &out->type) || !dt_bytes_u8(table, *off + 1, &out->len) || out->len < 4 ||
	    !dt_bytes_sub(table, *off, out->len, &out->fixed))
		return false;
	uint64_t begin = *off + out->len, at = begin;
	while (dt_bytes_has(table, at, 2) && (table.data[at] || table.data[at + 1]))
		at++;
	if (!dt_bytes_sub(table, begin, at + 1 - begin, &out->strings))
		return false;
	*off = at + 2;
	return true;
}

/* The string that the byte at field names by number, from 1. */
static const char *string_of(struct dt_pass *pass, const struct structure *s, uint64_t field)
{
	uint8_t number;
	struct dt_bytes rest = s->strings;

	if (!dt_bytes_u8(s->fixed, field, &number) || number == 0)
		return NULL;
	for (; number > 1; number--) {
		const uint8_t *end = rest.len ? memchr(rest.data, 0, rest.len) : NULL;
		if (!end)
			return NULL;
		rest = dt_bytes_clip(rest, (uint64_t)(end - rest.data) + 1, rest.len);
	}
	while (rest.len && rest.data[0] == ' ')
		rest = dt_bytes_clip(rest, 1, rest.len);
	const uint8_t *end = rest.len ? memchr(rest.data, 0, rest.len) : NULL;
	size_t len = end ? (size_t)(end - rest.data) : rest.len;
	while (len && rest.data[len - 1] == ' ')
		len--;
	return len ? dt_text_from_utf8(pass->arena, dt_bytes_clip(rest, 0, len < 128 ? len : 128)) : NULL;
}

static void read_structure(struct dt_pass *pass, const struct structure *s)
{
	struct dt_system *out = &pass->facts->system;
	const char *vendor, *version, *date;

	if (s->type == SMBIOS_BIOS && !out->bios) {
		vendor = string_of(pass, s, 0x04);
		version = string_of(pass, s, 0x05);
		date = string_of(pass, s, 0x08);
		if (vendor || version)
			out->bios = dt_arena_printf(pass->arena, "%s%s%s%s%s", vendor ? vendor : "", vendor && version ? " " : "",
			                            version ? version : "", date ? ", " : "", date ? date : "");
	} else if (s->type == SMBIOS_SYSTEM && !out->model) {
		out->manufacturer = string_of(pass, s, 0x04);
		out->model = string_of(pass, s, 0x05);
	} else if (s->type == SMBIOS_PROCESSOR && !out->cpu) {
		out->cpu = string_of(pass, s, 0x10);
	}
}

/* The blob has the table behind a header of a few bytes (RawSMBIOSData) or at once. */
static uint64_t first_structure(struct dt_bytes blob)
{
	static const uint8_t headers[] = { 0, 8 };
	struct structure s;

	for (size_t i = 0; i < sizeof(headers); i++) {
		uint64_t off = headers[i];
		if (next_structure(blob, &off, &s) && s.type <= SMBIOS_SYSTEM && s.len >= 0x12)
			return headers[i];
	}
	return blob.len;
}

static void smbios(struct dt_pass *pass)
{
	struct dt_bytes table = pass->dump->smbios;
	struct structure s;
	uint64_t off = first_structure(table);

	for (unsigned n = 0; n < MAX_STRUCTURES && next_structure(table, &off, &s) && s.type != SMBIOS_END; n++)
		read_structure(pass, &s);
}

/* One value of HKLM\HARDWARE\DESCRIPTION\System\CentralProcessor: length and text of its name, type, length and bytes of its
 * data. The layout is seen in 26 real dumps. */
struct registry_value {
	struct dt_bytes name, data;
};

static bool next_value(struct dt_bytes values, uint64_t *off, struct registry_value *out)
{
	uint32_t name_len, len;

	if (!dt_bytes_u32(values, *off, &name_len) || !dt_bytes_sub(values, *off + 4, name_len, &out->name) ||
	    !dt_bytes_u32(values, *off + 8 + name_len, &len) || !dt_bytes_sub(values, *off + 12 + name_len, len, &out->data))
		return false;
	*off += UINT64_C(12) + name_len + len;
	return true;
}

static bool is_named(const struct registry_value *value, const char *name)
{
	size_t len = strlen(name) + 1;

	for (size_t i = 0; i < len; i++)
		if (dt_bytes_u16_or(value->name, 2 * i, 0xffff) != (uint8_t)name[i])
			return false;
	return true;
}

/* The processor's name as it calls itself; the microcode's revision, in the upper half of its value. */
static void cpu_values(struct dt_pass *pass)
{
	struct dt_system *out = &pass->facts->system;
	struct registry_value value;
	uint64_t off = 0;
	uint32_t revision;

	for (unsigned i = 0; i < MAX_STRUCTURES && next_value(pass->dump->cpu_values, &off, &value); i++) {
		if (is_named(&value, "ProcessorNameString") && value.data.len <= 256)
			out->cpu = dt_text_from_utf16(pass->arena, value.data);
		else if ((is_named(&value, "MSR8B") || is_named(&value, "Update Revision")) && dt_bytes_u32(value.data, 4, &revision) && revision)
			out->microcode = dt_some(revision);
	}
	if (out->cpu && !out->cpu[0])
		out->cpu = NULL;
}

/* "GenuineIntel", "AuthenticAMD": 12 letters in the processor's block. */
static const char *vendor(const struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_bytes text;

	if (!dump->kdbg.off_prcb_vendor ||
	    !dt_bytes_sub(dump->prcb.bytes, dump->kdbg.off_prcb_vendor, 12, &text))
		return NULL;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] > '~')
			return NULL;
	return dt_text_from_utf8(pass->arena, text);
}

void dt_pass_system(struct dt_pass *pass)
{
	static const char *const products[] = { NULL, "workstation", "domain-controller", "server" };
	const struct dt_dump *dump = pass->dump;
	struct dt_system *out = &pass->facts->system;

	cpu_values(pass);
	smbios(pass);
	if (!out->cpu)
		out->cpu = dump->cpu;
	if (!out->cpu)
		out->cpu = vendor(pass);
	if (dump->product_type < sizeof(products) / sizeof(products[0]))
		out->product = products[dump->product_type];
	out->memory_bytes = dump->memory_bytes;
	out->commit_bytes = dump->commit_bytes;
	out->commit_limit_bytes = dump->commit_limit_bytes;
}
