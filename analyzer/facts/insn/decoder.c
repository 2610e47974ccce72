#include "facts/insn/decoder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char decoder_name[32];

static void write_name(void)
{
	int major, minor;

	cs_version(&major, &minor);
	snprintf(decoder_name, sizeof(decoder_name), "capstone %d.%d.%d", major, minor, CS_VERSION_EXTRA);
}

const char *dt_decoder_name(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, write_name);
	return decoder_name;
}

static const struct {
	cs_arch arch;
	cs_mode mode;
} modes[DT_machine_COUNT] = {
	[DT_MACHINE_X64] = { CS_ARCH_X86, CS_MODE_64 },
	[DT_MACHINE_X86] = { CS_ARCH_X86, CS_MODE_32 },
	[DT_MACHINE_ARM64] = { CS_ARCH_ARM64, CS_MODE_ARM },
};

enum dt_status dt_decoder_open(struct dt_decoder **out, enum dt_machine machine, struct dt_error *err)
{
	struct dt_decoder *decoder;

	if (machine == DT_machine_NULL || machine >= DT_machine_COUNT)
		return dt_fail(err, DT_ERR_UNSUPPORTED, "there is no decoder for this machine");
	if (!(decoder = calloc(1, sizeof(*decoder))))
		return dt_fail(err, DT_ERR_NOMEM, "no memory for a decoder");
	decoder->machine = machine;
	if (cs_open(modes[machine].arch, modes[machine].mode, &decoder->handle) != CS_ERR_OK) {
		free(decoder);
		return dt_fail(err, DT_ERR_UNSUPPORTED, "this capstone has no decoder for the machine");
	}
	cs_option(decoder->handle, CS_OPT_DETAIL, CS_OPT_ON);
	if (!(decoder->insn = cs_malloc(decoder->handle))) {
		dt_decoder_close(decoder);
		return dt_fail(err, DT_ERR_NOMEM, "no memory for a decoder");
	}
	*out = decoder;
	return DT_OK;
}

void dt_decoder_close(struct dt_decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->insn)
		cs_free(decoder->insn, 1);
	cs_close(&decoder->handle);
	free(decoder);
}

bool dt_insn_decode(struct dt_decoder *decoder, struct dt_bytes bytes, uint64_t ip, struct dt_insn *out)
{
	const uint8_t *code = bytes.data;
	size_t len = bytes.len;
	uint64_t address = ip;

	memset(out, 0, sizeof(*out));
	bool decoded = len && cs_disasm_iter(decoder->handle, &code, &len, &address, decoder->insn);
	if (decoder->machine != DT_MACHINE_ARM64)
		dt_feature_find(bytes, decoded ? decoder->insn : NULL, out);
	if (!decoded)
		return false;
	const cs_insn *insn = decoder->insn;
	out->len = insn->size;
	snprintf(out->text, sizeof(out->text), "%.31s%s%.94s", insn->mnemonic, insn->op_str[0] ? " " : "", insn->op_str);
	if (decoder->machine == DT_MACHINE_ARM64)
		dt_operands_arm64(decoder, insn, out);
	else
		dt_operands_x86(decoder, insn, out);
	return true;
}
