/*
 * made_pdb.h - a PDB written byte by byte: what today's linkers do not write (FPO_DATA, OMAP), and what lies.
 *
 * Streams: 1 identity, 3 compilands, 5 publics, 6 their records, 7 sections as they are, 8 the map back, 9 sections as they were, 10 FPO_DATA.
 */
#ifndef TEST_WINDOWS_MADE_PDB_H
#define TEST_WINDOWS_MADE_PDB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/bytes.h"

#define MADE_PDB_ID "0302010005040706" "08090A0B0C0D0E0F" "1"

enum { MADE_STREAMS = 11, MADE_BLOCK = 512, MADE_ROOM = 4096 };

struct made_pdb {
	uint8_t streams[MADE_STREAMS][MADE_ROOM];
	uint32_t sizes[MADE_STREAMS];
	uint32_t publics; /* so far: their records' offsets stand in map */
	uint32_t map[64];
	bool has_omap, has_fpo;
	uint8_t *bytes;
	size_t len;
};

static inline void made_put(uint8_t *at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static inline void made_add(struct made_pdb *pdb, unsigned stream, uint64_t value, unsigned size)
{
	made_put(pdb->streams[stream] + pdb->sizes[stream], value, size);
	pdb->sizes[stream] += size;
}

static inline void made_section(struct made_pdb *pdb, unsigned stream, uint32_t rva, uint32_t size)
{
	uint8_t *at = pdb->streams[stream] + pdb->sizes[stream];

	made_put(at + 8, size, 4);
	made_put(at + 12, rva, 4);
	made_put(at + 36, 0x60000020, 4); /* of code */
	pdb->sizes[stream] += 40;
}

static inline void made_pdb_begin(struct made_pdb *pdb)
{
	memset(pdb, 0, sizeof(*pdb));
	made_add(pdb, 1, 20000404, 4);
	made_add(pdb, 1, 0, 4);
	made_add(pdb, 1, 1, 4);
	for (unsigned i = 0; i < 16; i++)
		made_add(pdb, 1, i, 1);
	made_section(pdb, 7, 0x1000, 0x2000);
}

/* In ascending order of begin. */
static inline void made_pdb_fpo(struct made_pdb *pdb, uint32_t begin, uint32_t len, uint32_t locals, uint16_t params, unsigned prolog, unsigned saved,
                                bool ebp, unsigned kind)
{
	pdb->has_fpo = true;
	made_add(pdb, 10, begin, 4);
	made_add(pdb, 10, len, 4);
	made_add(pdb, 10, locals, 4);
	made_add(pdb, 10, params, 2);
	made_add(pdb, 10, prolog | saved << 8 | (unsigned)ebp << 12 | kind << 14, 2);
}

static inline void made_pdb_omap(struct made_pdb *pdb, uint32_t rva, uint32_t to)
{
	pdb->has_omap = true;
	made_add(pdb, 8, rva, 4);
	made_add(pdb, 8, to, 4);
}

/* In ascending order of section and offset. */
static inline void made_pdb_public(struct made_pdb *pdb, uint16_t section, uint32_t off, const char *name)
{
	uint32_t len = (uint32_t)strlen(name) + 1, pad = (4 - (len + 14) % 4) % 4;

	pdb->map[pdb->publics++] = pdb->sizes[6];
	made_add(pdb, 6, 12 + len + pad, 2);
	made_add(pdb, 6, 0x110e, 2);
	made_add(pdb, 6, 2, 4);
	made_add(pdb, 6, off, 4);
	made_add(pdb, 6, section, 2);
	for (uint32_t i = 0; i < len + pad; i++)
		made_add(pdb, 6, i < len ? (uint8_t)name[i] : 0, 1);
}

static inline void made_dbi(struct made_pdb *pdb)
{
	uint8_t *at = pdb->streams[3];

	made_put(at, 0xffffffff, 4);
	made_put(at + 8, 1, 4);
	made_put(at + 16, 5, 2);
	made_put(at + 20, 6, 2);
	made_put(at + 48, 22, 4);
	for (unsigned i = 0; i < 11; i++)
		made_put(at + 64 + 2 * i, 0xffff, 2);
	made_put(at + 64, pdb->has_fpo ? 10 : 0xffff, 2);
	made_put(at + 64 + 2 * 3, pdb->has_omap ? 8 : 0xffff, 2);
	made_put(at + 64 + 2 * 5, 7, 2);
	made_put(at + 64 + 2 * 10, pdb->sizes[9] ? 9 : 0xffff, 2);
	pdb->sizes[3] = 64 + 22;
	made_put(pdb->streams[5], 0, 4);
	made_put(pdb->streams[5] + 4, 4 * pdb->publics, 4);
	pdb->sizes[5] = 28;
	for (uint32_t i = 0; i < pdb->publics; i++)
		made_add(pdb, 5, pdb->map[i], 4);
}

/* Puts the streams into blocks: superblock, two of free blocks, the directory's list, the directory, the streams. */
static inline void made_pdb_end(struct made_pdb *pdb)
{
	enum { FIRST = 5 };
	uint32_t next = FIRST, at = 4 + 4 * MADE_STREAMS;

	made_dbi(pdb);
	pdb->len = MADE_BLOCK * (FIRST + MADE_STREAMS * MADE_ROOM / MADE_BLOCK);
	pdb->bytes = calloc(1, pdb->len);
	if (!pdb->bytes)
		abort();
	uint8_t *directory = pdb->bytes + 4 * MADE_BLOCK;
	made_put(directory, MADE_STREAMS, 4);
	for (unsigned i = 0; i < MADE_STREAMS; i++) {
		made_put(directory + 4 + 4 * i, pdb->sizes[i], 4);
		for (uint32_t done = 0; done < pdb->sizes[i]; done += MADE_BLOCK, next++, at += 4) {
			made_put(directory + at, next, 4);
			memcpy(pdb->bytes + next * MADE_BLOCK, pdb->streams[i] + done, MADE_BLOCK);
		}
	}
	if (at > MADE_BLOCK)
		abort();
	memcpy(pdb->bytes, "Microsoft C/C++ MSF 7.00\r\n\x1a" "DS\0\0", 32);
	made_put(pdb->bytes + 32, MADE_BLOCK, 4);
	made_put(pdb->bytes + 36, 1, 4);
	made_put(pdb->bytes + 40, next, 4);
	made_put(pdb->bytes + 44, at, 4);
	made_put(pdb->bytes + 52, 3, 4);
	made_put(pdb->bytes + 3 * MADE_BLOCK, 4, 4);
}

static inline struct dt_bytes made_pdb_bytes(const struct made_pdb *pdb)
{
	return (struct dt_bytes){ pdb->bytes, pdb->len };
}

/* As a file without a name. */
static inline int made_pdb_open(const struct made_pdb *pdb)
{
	char path[] = "/tmp/made_pdb.XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path) != 0 || write(fd, pdb->bytes, pdb->len) != (ssize_t)pdb->len)
		abort();
	return fd;
}

static inline void made_pdb_free(struct made_pdb *pdb)
{
	free(pdb->bytes);
	pdb->bytes = NULL;
}

#endif
