/*
 * windbg.c - FAILURE_BUCKET_ID as WinDbg writes it.
 *
 * No grammar of these is published. The rows are forms that were read in transcripts of !analyze, with what decides between them; where
 * that is not known, or where an option of the crashed machine would change the text (Driver Verifier), there is no id. A form that ends
 * in a function needs its name from symbols, or a module of which nobody but its maker has any: WinDbg says unknown_function then.
 */
#include <string.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/tables/bugcheck.h"
#include "judgement/bucket/bucket.h"

enum { MAX_ID = 512, FIRST_POINTER = 0x10000 };

enum end {
	END_NOTHING,  /* the text is whole */
	END_BLAMED,   /* MODULE!FUNCTION of who is blamed */
	END_CALLER,   /* MODULE!FUNCTION of who stopped the system */
	END_IMAGE,    /* the file name of the blamed image, which a parameter names */
	END_WAITING,  /* who holds the request, and the image of the device that waits */
};

/* What must hold for a row beyond its code. */
struct facts_of_row {
	uint32_t exception;          /* its code; 0: any */
	enum dt_access access;       /* null: any */
	uint8_t parameter;           /* 1..4 must have the value; 0: none */
	uint64_t value;
	enum dt_anomaly_kind anomaly; /* null: none needed */
};

static const struct form {
	uint32_t code;
	const char *text;
	enum end end;
	struct facts_of_row when;
} forms[] = {
	{ 0x0a, "AV_", END_BLAMED, { 0 } },
	{ 0xd1, "AV_", END_BLAMED, { 0 } },
	{ 0x7e, "AV_", END_BLAMED, { .exception = 0xc0000005 } },
	{ 0x50, "AV_R_(null)_", END_BLAMED, { .access = DT_ACCESS_READ, .parameter = 4, .value = 2 } },
	{ 0x50, "AV_W_(null)_", END_BLAMED, { .access = DT_ACCESS_WRITE, .parameter = 4, .value = 2 } },
	{ 0x1e, "0x1E_c0000005_R_", END_BLAMED, { .exception = 0xc0000005, .access = DT_ACCESS_READ } },
	{ 0x1e, "0x1E_c0000005_W_", END_BLAMED, { .exception = 0xc0000005, .access = DT_ACCESS_WRITE } },
	{ 0x139, "0x139_3_CORRUPT_LIST_ENTRY_", END_BLAMED, { .parameter = 1, .value = 0x3 } },
	{ 0x139, "0x139_1d_INVALID_BALANCED_TREE_", END_BLAMED, { .parameter = 1, .value = 0x1d } },
	{ 0x13a, "0x13a_12_", END_BLAMED, { .parameter = 1, .value = 0x12 } },
	{ 0x133, "0x133_DPC_", END_CALLER, { .parameter = 1, .value = 0 } },
	{ 0x133, "0x133_ISR_", END_CALLER, { .parameter = 1, .value = 1 } },
	{ 0x9f, "0x9F_3_", END_WAITING, { .parameter = 1, .value = 3 } },
	{ 0x116, "0x116_IMAGE_", END_IMAGE, { 0 } },
	{ 0x1a, "MEMORY_CORRUPTION_ONE_BIT", END_NOTHING, { .parameter = 1, .value = 0x41792, .anomaly = DT_ANOMALY_ONE_BIT_PTE } },
};

/* Of programs: by exception and by what the address is. */
static const struct user_form {
	uint32_t exception;
	enum dt_access access; /* null: any */
	bool null;             /* the address is 0; else it is none that a null pointer with an offset would give */
	const char *text;
} user_forms[] = {
	{ 0xc0000005, DT_ACCESS_READ, true, "NULL_POINTER_READ_c0000005_" },
	{ 0xc0000005, DT_ACCESS_WRITE, true, "NULL_POINTER_WRITE_c0000005_" },
	{ 0xc0000005, DT_ACCESS_READ, false, "INVALID_POINTER_READ_c0000005_" },
	{ 0xc0000005, DT_ACCESS_WRITE, false, "INVALID_POINTER_WRITE_c0000005_" },
};

/* ---- what a row asks ------------------------------------------------------------------- */

static bool has_anomaly(const struct dt_facts *facts, enum dt_anomaly_kind kind)
{
	for (size_t i = 0; i < facts->anomalies_count; i++)
		if (facts->anomalies[i].kind == kind)
			return true;
	return false;
}

static bool holds(const struct form *form, const struct dt_facts *facts)
{
	const struct facts_of_row *when = &form->when;
	const struct dt_bugcheck *bugcheck = facts->bugcheck;

	if (!dt_opt_is(bugcheck->code, form->code))
		return false;
	if (when->exception && !dt_opt_is(facts->exception.code, when->exception))
		return false;
	if (when->access && facts->exception.access != when->access)
		return false;
	if (when->parameter && (bugcheck->parameters_count != 4 || bugcheck->parameters[when->parameter - 1] != when->value))
		return false;
	return !when->anomaly || has_anomaly(facts, when->anomaly);
}

/* Verifier changes ids ("AV_VRF_"); its extension is loaded when it is on. */
static bool is_verified(const struct dt_facts *facts)
{
	for (size_t i = 0; i < facts->modules_count; i++)
		if (dt_text_equal_fold(facts->modules[i].name, "VerifierExt.sys"))
			return true;
	return false;
}

/* ---- how a row ends -------------------------------------------------------------------- */

/* A debugger's name of a module: the file's without its end, other signs as '_'; the kernel is nt. */
static void put_module(const char *file, struct dt_buf *out)
{
	static const char *const kernels[] = { "ntoskrnl.exe", "ntkrnlmp.exe", "ntkrnlpa.exe", "ntkrpamp.exe" };
	const char *dot = strrchr(file, '.');

	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
		if (dt_text_equal_fold(file, kernels[i])) {
			dt_buf_puts(out, "nt");
			return;
		}
	for (const char *c = file; *c && c != dot; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
		dt_buf_putc(out, plain ? *c : '_');
	}
}

static bool is_named(const struct dt_frame *frame)
{
	return frame->symbol && (frame->symbol_from == DT_SYMBOL_OF_PDB || frame->symbol_from == DT_SYMBOL_OF_SYM);
}

/* A module that is known not to be Microsoft's has no symbols on any server. */
static bool has_no_symbols(const struct dt_facts *facts, const char *module)
{
	for (size_t i = 0; i < facts->modules_count; i++)
		if (dt_text_equal_fold(facts->modules[i].name, module))
			return facts->modules[i].microsoft == DT_FALSE;
	return false;
}

static bool put_function(const struct dt_facts *facts, const struct dt_frame *frame, struct dt_buf *out)
{
	bool user = facts->dump.format == DT_FORMAT_USER;

	if (!is_named(frame) && !has_no_symbols(facts, frame->module))
		return false;
	if (user)
		dt_buf_puts(out, frame->module);
	else
		put_module(frame->module, out);
	dt_buf_printf(out, "!%s", is_named(frame) ? frame->symbol : "unknown_function");
	return true;
}

/* Whether the frame ran, by rules and not by looks. */
static bool is_certain(const struct dt_frame *frame)
{
	return frame->trust == DT_TRUST_CONTEXT || frame->trust == DT_TRUST_UNWIND || frame->trust == DT_TRUST_FRAME_POINTER;
}

/* The first frame of the blamed module; no frame that comes before it may be a guess. */
static bool put_blamed(const struct dt_facts *facts, const struct dt_blame *blame, struct dt_buf *out)
{
	for (size_t i = 0; blame->module && i < facts->stack_count && is_certain(&facts->stack[i]); i++)
		if (dt_text_equal_fold(facts->stack[i].module, blame->module))
			return put_function(facts, &facts->stack[i], out);
	return false;
}

/* The first frame behind those that stop the system. */
static bool put_caller(const struct dt_facts *facts, struct dt_buf *out)
{
	static const char *const stops[] = { "KeBugCheckEx", "KeBugCheck2", "KeBugCheck", "KiBugCheckDispatch" };

	for (size_t i = 0; i < facts->stack_count && is_certain(&facts->stack[i]) && is_named(&facts->stack[i]); i++) {
		bool stop = false;
		for (size_t n = 0; n < sizeof(stops) / sizeof(stops[0]); n++)
			stop = stop || !strcmp(facts->stack[i].symbol, stops[n]);
		if (!stop)
			return i > 0 && put_function(facts, &facts->stack[i], out);
	}
	return false;
}

static const char *suspect_from(const struct dt_facts *facts, const char *from)
{
	for (size_t i = 0; i < facts->suspects_count; i++)
		if (facts->suspects[i].from && facts->suspects[i].module && dt_text_starts_fold(facts->suspects[i].from, from))
			return facts->suspects[i].module;
	return NULL;
}

static bool put_image(const struct dt_facts *facts, const struct dt_blame *blame, struct dt_buf *out)
{
	for (size_t i = 0; blame->module && i < facts->suspects_count; i++)
		if (facts->suspects[i].from && dt_text_starts_fold(facts->suspects[i].from, "parameter") &&
		    dt_text_equal_fold(facts->suspects[i].module, blame->module)) {
			dt_buf_puts(out, blame->module);
			return true;
		}
	return false;
}

static bool put_waiting(const struct dt_facts *facts, const struct dt_blame *blame, struct dt_buf *out)
{
	const char *holder = suspect_from(facts, "irp-stack-location"), *device = suspect_from(facts, "device-object");

	if (!holder || !device || !dt_text_equal_fold(holder, blame->module))
		return false;
	put_module(holder, out);
	dt_buf_printf(out, "_IMAGE_%s", device);
	return true;
}

static bool put_end(enum end end, const struct dt_facts *facts, const struct dt_blame *blame, struct dt_buf *out)
{
	switch (end) {
	case END_BLAMED:
		return put_blamed(facts, blame, out);
	case END_CALLER:
		return put_caller(facts, out);
	case END_IMAGE:
		return put_image(facts, blame, out);
	case END_WAITING:
		return put_waiting(facts, blame, out);
	default:
		return true;
	}
}

/* ---- the id ----------------------------------------------------------------------------- */

static bool put_kernel(const struct dt_facts *facts, const struct dt_blame *blame, struct dt_buf *out)
{
	/* Code that differs from its file in one bit is the class, whatever the stop code; of code that differs more WinDbg has several. */
	if (facts->bugcheck && has_anomaly(facts, DT_ANOMALY_ONE_BIT_CODE)) {
		dt_buf_puts(out, "MEMORY_CORRUPTION_ONE_BIT");
		return true;
	}
	if (has_anomaly(facts, DT_ANOMALY_CODE_DIFFERS))
		return false;
	for (size_t i = 0; facts->bugcheck && !is_verified(facts) && i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!holds(&forms[i], facts))
			continue;
		dt_buf_puts(out, forms[i].text);
		return put_end(forms[i].end, facts, blame, out);
	}
	return false;
}

static bool put_user(const struct dt_facts *facts, struct dt_buf *out)
{
	const struct dt_exception *exception = &facts->exception;
	bool null = dt_opt_is(exception->address, 0);

	if (!exception->address.known || (!null && exception->address.value < FIRST_POINTER) || facts->stack_count == 0)
		return false;
	for (size_t i = 0; i < sizeof(user_forms) / sizeof(user_forms[0]); i++) {
		const struct user_form *form = &user_forms[i];
		if (!dt_opt_is(exception->code, form->exception) || exception->access != form->access || null != form->null)
			continue;
		dt_buf_puts(out, form->text);
		return facts->stack[0].module && put_function(facts, &facts->stack[0], out);
	}
	return false;
}

const char *dt_bucket_windbg(const struct dt_facts *facts, const struct dt_blame *blame, struct dt_arena *arena)
{
	const char *text = NULL;
	struct dt_buf out;

	dt_buf_init(&out, MAX_ID);
	bool found = facts->dump.format == DT_FORMAT_USER ? put_user(facts, &out) : put_kernel(facts, blame, &out);
	if (found && dt_buf_ok(&out))
		text = dt_arena_strdup(arena, dt_buf_text(&out));
	dt_arena_refused(arena, out.no_memory);
	dt_buf_deinit(&out);
	return text;
}
