/*
 * msf.c - a file of blocks: superblock, directory, streams.
 *
 * The directory is itself cut into blocks, which a block lists; nothing is put together, each read finds its block. A stream of size
 * 0xffffffff does not exist.
 */
#include "facts/symbol/msf.h"

#include <string.h>

static const char magic[32] = "Microsoft C/C++ MSF 7.00\r\n\x1a" "DS\0\0";
enum { BLOCK_SIZE = 32, BLOCK_COUNT = 40, DIRECTORY_SIZE = 44, DIRECTORY_MAP = 52, SUPERBLOCK = 56, MOST_STREAMS = 65536 };
#define NO_STREAM UINT32_MAX

static struct dt_bytes block(const struct dt_pdb *pdb, uint32_t number)
{
	if (number >= pdb->block_count)
		return (struct dt_bytes){ NULL, 0 };
	return dt_bytes_clip(pdb->file, (uint64_t)number * pdb->block_size, pdb->block_size);
}

/* A number of the directory, by its offset there. */
static bool directory_u32(const struct dt_pdb *pdb, uint32_t off, uint32_t *out)
{
	uint32_t number;
	/* The list of the directory's blocks may run on behind its first block. */
	uint64_t at = (uint64_t)pdb->directory_map * pdb->block_size + (uint64_t)(off / pdb->block_size) * 4;

	return off < pdb->directory_size && dt_bytes_u32(pdb->file, at, &number) &&
	       dt_bytes_u32(block(pdb, number), off % pdb->block_size, out);
}

uint32_t dt_msf_size(const struct dt_pdb *pdb, uint32_t stream)
{
	return stream < pdb->stream_count ? pdb->streams[stream].size : 0;
}

size_t dt_msf_read(const struct dt_pdb *pdb, uint32_t stream, uint32_t off, void *out, size_t len)
{
	uint32_t size = dt_msf_size(pdb, stream), number;
	size_t done = 0;

	if (off >= size)
		return 0;
	if (len > size - off)
		len = size - off;
	while (done < len) {
		uint32_t at = off + (uint32_t)done;
		if (!directory_u32(pdb, pdb->streams[stream].list + at / pdb->block_size * 4, &number))
			break;
		struct dt_bytes part = dt_bytes_clip(block(pdb, number), at % pdb->block_size, len - done);
		if (part.len == 0)
			break;
		memcpy((uint8_t *)out + done, part.data, part.len);
		done += part.len;
	}
	return done;
}

bool dt_msf_read_all(const struct dt_pdb *pdb, uint32_t stream, uint32_t off, void *out, size_t len)
{
	return dt_msf_read(pdb, stream, off, out, len) == len;
}

static enum dt_status read_superblock(struct dt_pdb *pdb, struct dt_error *err)
{
	if (!dt_bytes_match(pdb->file, 0, magic, sizeof(magic)) || !dt_bytes_has(pdb->file, 0, SUPERBLOCK))
		return dt_fail_at(err, DT_ERR_UNSUPPORTED, 0, "PDB: expected the signature of MSF 7");
	pdb->block_size = dt_bytes_u32_or(pdb->file, BLOCK_SIZE, 0);
	pdb->block_count = dt_bytes_u32_or(pdb->file, BLOCK_COUNT, 0);
	pdb->directory_size = dt_bytes_u32_or(pdb->file, DIRECTORY_SIZE, 0);
	pdb->directory_map = dt_bytes_u32_or(pdb->file, DIRECTORY_MAP, 0);
	if (pdb->block_size < 512 || pdb->block_size > 65536 || (pdb->block_size & (pdb->block_size - 1)))
		return dt_fail_at(err, DT_ERR_FORMAT, BLOCK_SIZE, "PDB: blocks of %u bytes", pdb->block_size);
	return DT_OK;
}

static enum dt_status read_streams(struct dt_pdb *pdb, struct dt_error *err)
{
	uint32_t count, list;
	uint64_t at;

	if (!directory_u32(pdb, 0, &count) || count > MOST_STREAMS || count > pdb->directory_size / 4 - 1)
		return dt_fail_at(err, DT_ERR_FORMAT, DIRECTORY_MAP, "PDB: the directory of streams is not there, or too short");
	pdb->streams = DT_ARENA_ARRAY(pdb->arena, count, struct dt_pdb_stream);
	if (!pdb->streams)
		return dt_fail(err, DT_ERR_NOMEM, "PDB: no memory for %u streams", count);
	at = 4 + 4 * (uint64_t)count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t size;
		if (!directory_u32(pdb, 4 + 4 * i, &size))
			return dt_fail_at(err, DT_ERR_FORMAT, DIRECTORY_MAP, "PDB: the size of stream %u is not in the file", i);
		list = (uint32_t)at;
		size = size == NO_STREAM ? 0 : size;
		at += ((uint64_t)size + pdb->block_size - 1) / pdb->block_size * 4;
		if (at > pdb->directory_size)
			return dt_fail_at(err, DT_ERR_FORMAT, DIRECTORY_MAP, "PDB: stream %u of %u bytes would need more than the directory lists", i, size);
		pdb->streams[i] = (struct dt_pdb_stream){ size, list };
	}
	pdb->stream_count = count;
	return DT_OK;
}

enum dt_status dt_msf_open(struct dt_pdb *pdb, struct dt_error *err)
{
	enum dt_status status = read_superblock(pdb, err);

	return status == DT_OK ? read_streams(pdb, err) : status;
}
