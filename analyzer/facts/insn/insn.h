/*
 * insn.h - one machine instruction: its text, operands, and what it needs.
 *
 * The only folder that knows capstone. A decoder is made once and used for many
 * instructions; it is not shared between threads.
 */
#ifndef DT_INSN_INSN_H
#define DT_INSN_INSN_H

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/model/crash.h"

struct dt_decoder; /* opaque; wraps capstone */

#define DT_INSN_NO_REG (-1)
#define DT_INSN_MAX_MEM 2

/* A memory operand: segment:[base + index*scale + disp]. Register numbers are those of machines.h. */
struct dt_insn_mem {
	int base, index;     /* DT_INSN_NO_REG: none */
	bool opaque;         /* uses a register outside machines.h (a vector index, fs or gs base, x86 segments): not computable */
	unsigned scale;      /* 1, 2, 4, 8 */
	int64_t disp;        /* for rip-relative and literal operands: with the ip of the next instruction not yet added */
	bool rip_relative;   /* add the address of the next instruction */
	unsigned size;       /* bytes accessed, 0 unknown */
	bool reads, writes;  /* what the instruction does there */
};

enum dt_insn_flow { DT_FLOW_NEXT, DT_FLOW_CALL, DT_FLOW_JUMP, DT_FLOW_BRANCH, DT_FLOW_RETURN, DT_FLOW_STOP /* int3, ud2, hlt, int 29h */ };

struct dt_insn {
	char text[128];    /* Intel syntax: "mov r9d, dword ptr [r8]" */
	unsigned len;      /* bytes, 1..15 */
	enum dt_insn_flow flow;
	bool has_target;   /* direct call, jump or branch */
	uint64_t target;
	struct dt_insn_mem mem[DT_INSN_MAX_MEM];
	unsigned mem_count;
	bool repeats;      /* rep-prefixed string instruction */
	bool privileged;   /* raises #GP outside ring 0 */
	const char *feature;      /* CPUID feature it needs beyond every x64 CPU ("AVX2", "POPCNT"); NULL: legal on each */
	const char *feature_cpuid;/* where CPUID tells: "leaf 1 ecx bit 23"; NULL likewise */
};

/* The text for fault.decoder: "capstone 4.0.2". */
const char *dt_decoder_name(void);
/* DT_ERR_UNSUPPORTED for DT_machine_NULL; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_decoder_open(struct dt_decoder **out, enum dt_machine machine, struct dt_error *err);
void dt_decoder_close(struct dt_decoder *decoder);

/* Decodes the instruction at the begin of bytes, which stands at ip. false: not decodable (too few bytes, or
 * unknown to the decoder; for encodings newer than capstone 4 *feature is set when a row knows the encoding). */
bool dt_insn_decode(struct dt_decoder *decoder, struct dt_bytes bytes, uint64_t ip, struct dt_insn *out);

/* The address a memory operand has. values[n] are registers by number. false when a register of it is unknown. */
bool dt_insn_address(const struct dt_insn_mem *mem, const struct dt_insn *insn, uint64_t ip,
                     enum dt_machine machine, const uint64_t values[], uint64_t known, uint64_t *address);

/* Whether ip is where an instruction begins, judged by decoding linearly from each of 20 to 95 bytes before it.
 * before: the bytes that end right before ip. DT_NOT_KNOWN with fewer than 20 bytes, or where the starts do not
 * agree well enough either way; arm64: alignment to 4. */
enum dt_bool3 dt_insn_boundary(struct dt_decoder *decoder, struct dt_bytes before, uint64_t ip);

/* Whether a call instruction ends at the end of `before` (at most its last 16 bytes are looked at): the address
 * behind it is a return address. has_target and target as in dt_insn for direct calls; may be NULL. No capstone: fast. */
struct dt_call_site {
	bool direct;
	uint64_t target;
	unsigned len;
};
bool dt_insn_call_before(enum dt_machine machine, struct dt_bytes before, uint64_t return_address, struct dt_call_site *out);

#endif
