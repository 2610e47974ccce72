/* msf.h - the streams of an MSF 7 file. Private to facts/symbol. */
#ifndef DT_SYMBOL_MSF_H
#define DT_SYMBOL_MSF_H

#include "facts/symbol/pdb.h"

/* Reads the superblock and the sizes of the streams. */
enum dt_status dt_msf_open(struct dt_pdb *pdb, struct dt_error *err);
/* Size of a stream; 0 when there is none. */
uint32_t dt_msf_size(const struct dt_pdb *pdb, uint32_t stream);
/* Copies up to len bytes; stops where the stream or the file ends. */
size_t dt_msf_read(const struct dt_pdb *pdb, uint32_t stream, uint32_t off, void *out, size_t len);
bool dt_msf_read_all(const struct dt_pdb *pdb, uint32_t stream, uint32_t off, void *out, size_t len);

#endif
