#include "pe.h"

#include <stdio.h>
#include <string.h>

#include "image.h"

enum { NT = 0x80, EXPORTS = 0x300, EXPORT_TEXT = 0x400, DEBUG = 0x600, CODEVIEW = 0x620, RESOURCES = 0x700, VERSION = 0x760 };

static void put(uint8_t *out, size_t off, uint64_t value, size_t size)
{
	put_number(out + off, value, size);
}

/* A directory of the optional header. */
static void directory(const struct pe *pe, uint8_t *out, unsigned index, uint32_t rva, uint32_t size)
{
	size_t at = NT + 0x18 + (pe->wide ? 0x70u : 0x60u) + 8 * index;

	put(out, at, rva, 4);
	put(out, at + 4, size, 4);
}

static void exports(const struct pe *pe, uint8_t *out)
{
	size_t text = EXPORT_TEXT, functions = EXPORTS + 0x28, names = functions + 4 * pe->export_count,
	       ordinals = names + 4 * pe->export_count;

	directory(pe, out, 0, EXPORTS, 0x200);
	put(out, EXPORTS + 0x0c, text, 4);
	memcpy(out + text, pe->name, strlen(pe->name) + 1);
	text += strlen(pe->name) + 1;
	put(out, EXPORTS + 0x10, 1, 4);
	put(out, EXPORTS + 0x14, pe->export_count, 4);
	put(out, EXPORTS + 0x18, pe->export_count, 4);
	put(out, EXPORTS + 0x1c, functions, 4);
	put(out, EXPORTS + 0x20, names, 4);
	put(out, EXPORTS + 0x24, ordinals, 4);
	for (size_t i = 0; i < pe->export_count; i++) {
		put(out, functions + 4 * i, pe->exports[i].rva, 4);
		put(out, names + 4 * i, text, 4);
		put(out, ordinals + 2 * i, i, 2);
		memcpy(out + text, pe->exports[i].name, strlen(pe->exports[i].name) + 1);
		text += strlen(pe->exports[i].name) + 1;
	}
}

/* A GUID that follows from the image's time stamp, age 1. */
static void debug(const struct pe *pe, uint8_t *out)
{
	directory(pe, out, 6, DEBUG, 0x1c);
	put(out, DEBUG + 4, pe->timestamp, 4);
	put(out, DEBUG + 0x0c, 2, 4);
	put(out, DEBUG + 0x10, 0x40, 4);
	put(out, DEBUG + 0x14, CODEVIEW, 4);
	memcpy(out + CODEVIEW, "RSDS", 4);
	put(out, CODEVIEW + 4, pe->timestamp, 4);
	put(out, CODEVIEW + 8, 0x1234, 2);
	put(out, CODEVIEW + 10, 0x5678, 2);
	put(out, CODEVIEW + 12, 0x8877665544332211, 8);
	put(out, CODEVIEW + 20, 1, 4);
	memcpy(out + CODEVIEW + 24, "image.pdb", 10);
}

/* A block of VS_VERSIONINFO without its children; gives the offset behind its value, aligned. */
static size_t block(uint8_t *out, size_t at, const char *key, size_t value_len, unsigned type)
{
	put(out, at + 2, value_len, 2);
	put(out, at + 4, type, 2);
	at += 6;
	for (; *key; key++, at += 2)
		put(out, at, (uint8_t)*key, 2);
	return (at + 2 + 3) / 4 * 4;
}

static size_t string(uint8_t *out, size_t at, const char *key, const char *value)
{
	size_t text = block(out, at, key, strlen(value) + 1, 1), end = text;

	for (const char *c = value; *c; c++, end += 2)
		put(out, end, (uint8_t)*c, 2);
	end += 2;
	put(out, at, end - at, 2);
	return (end + 3) / 4 * 4;
}

static void version(struct recipe *recipe, const struct pe *pe, uint8_t *out)
{
	unsigned a, b, c, d;
	size_t table, info, at;

	if (sscanf(pe->version, "%u.%u.%u.%u", &a, &b, &c, &d) != 4) {
		recipe_fail(recipe, NULL, "a version is a.b.c.d, not '%s'", pe->version);
		return;
	}
	directory(pe, out, 2, RESOURCES, PE_PAGE - RESOURCES);
	/* Three directories with one entry each: type 16, name 1, language 1033; then the data entry. */
	for (unsigned level = 0; level < 3; level++) {
		size_t entry = RESOURCES + 0x18u * level;
		put(out, entry + 14, 1, 2);
		put(out, entry + 16, level == 0 ? 16 : level == 1 ? 1 : 1033, 4);
		put(out, entry + 20, level < 2 ? 0x80000000u | 0x18u * (level + 1) : 0x48u, 4);
	}
	at = block(out, VERSION, "VS_VERSION_INFO", 52, 0);
	put(out, at, 0xfeef04bd, 4);
	put(out, at + 4, 0x10000, 4);
	put(out, at + 8, a << 16 | b, 4);
	put(out, at + 12, c << 16 | d, 4);
	info = at + 52;
	table = block(out, info, "StringFileInfo", 0, 1);
	at = block(out, table, "040904b0", 0, 1);
	at = string(out, at, "CompanyName", pe->company ? pe->company : "Example Corporation");
	at = string(out, at, "ProductName", "Example Product");
	put(out, table, at - table, 2);
	put(out, info, at - info, 2);
	put(out, VERSION, at - VERSION, 2);
	put(out, RESOURCES + 0x48, VERSION, 4);
	put(out, RESOURCES + 0x4c, at - VERSION, 4);
}

void pe_build(struct recipe *recipe, const struct pe *pe, uint8_t out[PE_PAGE])
{
	memset(out, 0, PE_PAGE);
	memcpy(out, "MZ", 2);
	put(out, 0x3c, NT, 4);
	memcpy(out + NT, "PE\0\0", 4);
	put(out, NT + 0x04, pe->wide ? 0x8664 : 0x14c, 2);
	put(out, NT + 0x06, pe->data_size ? 1 : 0, 2);
	put(out, NT + 0x08, pe->timestamp, 4);
	put(out, NT + 0x14, pe->wide ? 0xf0 : 0xe0, 2);
	put(out, NT + 0x18, pe->wide ? 0x20b : 0x10b, 2);
	put(out, NT + 0x18 + 0x38, pe->size, 4);
	put(out, NT + 0x18 + 0x40, pe->checksum, 4);
	put(out, NT + 0x18 + (pe->wide ? 0x6c : 0x5c), 16, 4);
	if (pe->data_size) {
		size_t section = NT + 0x18 + (pe->wide ? 0xf0u : 0xe0u);
		memcpy(out + section, ".data", 5);
		put(out, section + 8, pe->data_size, 4);
		put(out, section + 12, pe->data_rva, 4);
		put(out, section + 36, 0xc0000040, 4);
	}
	if (pe->name)
		exports(pe, out);
	debug(pe, out);
	if (pe->version)
		version(recipe, pe, out);
}
