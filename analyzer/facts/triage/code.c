/*
 * The bytes of the instruction that failed, held against the file of the very build that was loaded: memory that holds other code was
 * damaged, and its module is not to blame for it.
 *
 * Windows itself writes into code: the loader relocates it, imports and indirect calls are turned into direct ones, hot patches and
 * debuggers put jumps and breakpoints there, and since Windows 10 1607 the addresses of page tables and the like are put into instructions that
 * load a constant (dynamic value relocations). Where either side is one of these nothing is concluded. Nor is anything of data
 * that was executed, of code that unpacks itself or is given back, or where much more than the one instruction differs: then
 * the file is not what was loaded.
 */
#include <stdio.h>
#include <string.h>

#include "facts/triage/pass.h"

enum { MOST = 16, MOST_AROUND = 8 };

static void hex(struct dt_bytes bytes, char *out)
{
	for (size_t i = 0; i < bytes.len; i++)
		out += sprintf(out, "%s%02x", i ? " " : "", bytes.data[i]);
}

/* May be written by Windows or by a tool, and be right all the same. */
static bool is_patchable(const struct dt_insn *insn)
{
	static const char *const words[] = { "nop", "movabs", "push 0x" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(insn->text, words[i], strlen(words[i])))
			return true;
	return insn->flow != DT_FLOW_NEXT;
}

static unsigned bits_between(struct dt_bytes a, struct dt_bytes b)
{
	unsigned bits = 0;

	for (size_t i = 0; i < a.len; i++)
		bits += (unsigned)__builtin_popcount((unsigned)(a.data[i] ^ b.data[i]));
	return bits;
}

static void report(struct dt_pass *pass, struct dt_bytes here, struct dt_bytes file)
{
	const struct dt_fault *fault = &pass->facts->fault;
	unsigned bits = bits_between(here, file);
	char a[3 * MOST + 1] = "", b[3 * MOST + 1] = "";

	hex(here, a);
	hex(file, b);
	dt_pass_anomaly(pass, bits == 1 ? DT_ANOMALY_ONE_BIT_CODE : DT_ANOMALY_CODE_DIFFERS,
	                "the code at %s+0x%llx is %s in memory, and %s in the file of that build: %u bit%s", fault->module,
	                (unsigned long long)fault->offset.value, a, b, bits, bits == 1 ? "" : "s");
}

/* The whole instruction on both sides; false where one of them is none, or may have been patched. */
static bool compared_len(const struct dt_pass *pass, struct dt_bytes file, size_t *len)
{
	struct dt_insn of_file;
	bool known = dt_insn_decode(pass->decoder, file, pass->facts->fault.ip.value, &of_file);

	if (!known || is_patchable(&of_file) || (pass->has_insn && is_patchable(&pass->insn)))
		return false;
	*len = pass->has_insn && pass->insn.len > of_file.len ? pass->insn.len : of_file.len;
	return true;
}

/* Code that is there as the file has it for as long as the image is loaded. */
static bool is_constant(const struct dt_image *image, uint64_t rva, size_t len)
{
	struct dt_image_section section;

	for (unsigned i = 0; dt_image_section(image, i, &section); i++)
		if (rva >= section.rva && rva - section.rva < section.size)
			return section.constant_code && len <= section.size - (rva - section.rva);
	return false;
}

/* How many bytes around the instruction differ from the file's, without those that the loader writes. */
static unsigned differing_around(struct dt_pass *pass, const struct dt_image *image, uint64_t base, size_t len)
{
	const struct dt_code *code = pass->facts->fault.code;
	uint64_t ip = pass->facts->fault.ip.value;
	unsigned count = 0;

	for (size_t i = 0; code && i < code->hex.len && count <= MOST_AROUND; i++) {
		uint64_t va = code->start.value + i;
		uint8_t byte;
		bool known;
		if ((va >= ip && va - ip < len) || dt_symbols_code(pass->symbols, va, &byte, 1) != 1 || byte == code->hex.data[i])
			continue;
		count += !dt_image_is_relocated(image, (uint32_t)(va - base), 1, &known) && known;
	}
	return count;
}

static bool is_this_build(struct dt_pass *pass, const struct dt_image *image, uint64_t base, size_t len)
{
	if (differing_around(pass, image, base, len) <= MOST_AROUND)
		return true;
	dt_note_add(pass->notes, DT_NOTE_WARNING, "code", "the code around the fault is another than the file's of %s that is at hand: nothing is concluded from it",
	            pass->facts->fault.module);
	return false;
}

void dt_pass_code(struct dt_pass *pass)
{
	const struct dt_fault *fault = &pass->facts->fault;
	const struct dt_module *module = fault->ip.known ? dt_dump_module_at(pass->dump, fault->ip.value) : NULL;
	const struct dt_image *image = module && fault->bytes.len && pass->decoder ? dt_symbols_image(pass->symbols, module) : NULL;
	uint8_t raw[MOST];
	struct dt_bytes file = { raw, 0 };
	size_t len = 0;
	bool known;

	if (!image || !fault->module || fault->bytes.len > MOST || pass->facts->exception.access == DT_ACCESS_EXECUTE)
		return;
	file.len = dt_symbols_code(pass->symbols, fault->ip.value, raw, fault->bytes.len);
	if (file.len < fault->bytes.len || !memcmp(raw, fault->bytes.data, file.len) || !compared_len(pass, file, &len) || len > file.len ||
	    !memcmp(raw, fault->bytes.data, len) || !is_constant(image, fault->ip.value - module->base.value, len))
		return;
	bool relocated = dt_image_is_relocated(image, (uint32_t)(fault->ip.value - module->base.value), (uint32_t)len, &known);
	if (known && !relocated && is_this_build(pass, image, module->base.value, len))
		report(pass, dt_bytes_clip(fault->bytes, 0, len), dt_bytes_clip(file, 0, len));
}
