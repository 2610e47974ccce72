/*
 * decoder.h - what the files of facts/insn share. Private to the folder.
 */
#ifndef DT_INSN_DECODER_H
#define DT_INSN_DECODER_H

#include <capstone/capstone.h>

#include "facts/insn/insn.h"

struct dt_decoder {
	csh handle;
	cs_insn *insn; /* reused for every instruction */
	enum dt_machine machine;
};

/* Operands and flow of an x64 or x86 instruction, of an ARM64 one. */
void dt_operands_x86(const struct dt_decoder *decoder, const cs_insn *from, struct dt_insn *out);
void dt_operands_arm64(const struct dt_decoder *decoder, const cs_insn *from, struct dt_insn *out);

/* The processor feature an instruction needs: by its bytes, for all encodings; by capstone's groups for decoded ones (from may be
 * NULL). Fills feature and feature_cpuid. */
void dt_feature_find(struct dt_bytes bytes, const cs_insn *from, struct dt_insn *out);

#endif
