/*
 * Drivers that parameters and memory name. Structure offsets: WDK wdm.h for
 * x64 (IRP, IO_STACK_LOCATION, DEVICE_OBJECT, DRIVER_OBJECT), unchanged from Windows 7 to 11; each object is
 * checked by its type field before it is believed.
 */
#include "core/tables/images.h"
#include "facts/triage/pass.h"

enum {
	IRP_TYPE = 6,
	IRP_STACK_COUNT = 0x42,
	IRP_CURRENT_LOCATION = 0x43,
	IRP_CURRENT_STACK_LOCATION = 0xb8,
	IRP_SIZE = 0xd0,
	STACK_LOCATION_SIZE = 0x48,
	STACK_LOCATION_DEVICE = 0x28,
	STACK_LOCATION_COMPLETION = 0x38,
	DEVICE_TYPE = 3,
	DEVICE_DRIVER = 0x08,
	DRIVER_TYPE = 4,
	DRIVER_START = 0x18,
};

static bool has_type(const struct dt_pass *pass, uint64_t va, uint16_t type)
{
	uint32_t word;

	return dt_memory_u32(&pass->dump->memory, va, &word) && (word & 0xffff) == type;
}

/* The image of a device's driver, as far as the dump holds both objects. */
static void device(struct dt_pass *pass, uint64_t va, const char *from)
{
	const struct dt_memory *memory = &pass->dump->memory;
	uint64_t driver, start;

	if (va && has_type(pass, va, DEVICE_TYPE) && dt_memory_u64(memory, va + DEVICE_DRIVER, &driver) &&
	    has_type(pass, driver, DRIVER_TYPE) && dt_memory_u64(memory, driver + DRIVER_START, &start))
		dt_pass_suspect(pass, start, from);
}

/* The driver that holds an IRP is the one of its current stack location. The completion routine there belongs to
 * the driver above, which waits for it. */
static void irp(struct dt_pass *pass, uint64_t va)
{
	const struct dt_memory *memory = &pass->dump->memory;
	uint64_t location, device_object, completion;
	uint8_t head[IRP_SIZE];

	if (!dt_memory_read_all(memory, va, head, sizeof(head)) || !has_type(pass, va, IRP_TYPE))
		return;
	struct dt_bytes bytes = { head, sizeof(head) };
	uint8_t count = head[IRP_STACK_COUNT], current = head[IRP_CURRENT_LOCATION];
	location = dt_bytes_u64_or(bytes, IRP_CURRENT_STACK_LOCATION, 0);
	/* The pointer must be the one that the number says. */
	if (current == 0 || current > count ||
	    location != va + IRP_SIZE + (uint64_t)(current - 1) * STACK_LOCATION_SIZE) {
		dt_note_add(pass->notes, DT_NOTE_INFO, "irp", "the IRP at 0x%llx is not at a stack location (%u of %u)",
		            (unsigned long long)va, current, count);
		return;
	}
	if (dt_memory_u64(memory, location + STACK_LOCATION_DEVICE, &device_object))
		device(pass, device_object, "irp-stack-location");
	if (dt_memory_u64(memory, location + STACK_LOCATION_COMPLETION, &completion))
		dt_pass_suspect(pass, completion, "irp-completion-routine");
}

static const char *const parameter_names[4] = { "parameter-1", "parameter-2", "parameter-3", "parameter-4" };

static void parameters(struct dt_pass *pass)
{
	for (size_t i = 0; pass->reading && i < 4; i++) {
		uint64_t value = pass->dump->bugcheck_parameter[i];
		switch (pass->reading->parameters[i].role) {
		case DT_ROLE_MODULE_ADDRESS:
			dt_pass_suspect(pass, value, parameter_names[i]);
			break;
		case DT_ROLE_IRP:
			if (pass->dump->machine == DT_MACHINE_X64)
				irp(pass, value);
			break;
		default:
			break;
		}
	}
	/* The device after the IRP: who holds the request is nearer to the fault than whose device it is. */
	for (size_t i = 0; pass->reading && pass->dump->machine == DT_MACHINE_X64 && i < 4; i++) {
		uint64_t value = pass->dump->bugcheck_parameter[i], start;
		enum dt_role role = pass->reading->parameters[i].role;
		if (role == DT_ROLE_DEVICE_OBJECT || role == DT_ROLE_PHYSICAL_DEVICE)
			device(pass, value, "device-object");
		else if (role == DT_ROLE_DRIVER_OBJECT && has_type(pass, value, DRIVER_TYPE) &&
		         dt_memory_u64(&pass->dump->memory, value + DRIVER_START, &start))
			dt_pass_suspect(pass, start, "driver-object");
	}
}

/* Who called KeBugCheckEx: exact where the context stands at its first instruction. */
static void bugcheck_caller(struct dt_pass *pass)
{
	struct dt_opt sp = dt_context_sp(&pass->dump->context);
	uint64_t caller;

	if (pass->at_bugcheck_entry && sp.known && dt_memory_u64(&pass->dump->memory, sp.value, &caller))
		dt_pass_suspect(pass, caller, "bugcheck-caller");
}

static bool in_hole(const struct dt_pass *pass, uint64_t slot)
{
	for (size_t i = 0; i < pass->hole_count; i++)
		if (slot - pass->holes[i].va < pass->holes[i].len)
			return true;
	return false;
}

/*
 * The kernel itself jumped to where no code is, so its own frames name nobody. Below its stack pointer lie
 * the remains of what it had called before. Where one driver from outside Windows, and only one, left
 * addresses there more than once, that driver ran right before on this thread. (A real dump: the kernel's callback
 * into win32k had lost its code, and a security driver's hook was what had run.)
 */
static void recently_left(struct dt_pass *pass, uint64_t sp)
{
	const struct dt_dump *dump = pass->dump;
	const struct dt_module *only = NULL;
	uint64_t word, first = 0;
	unsigned count = 0;

	if (sp <= dump->stack_va || sp - dump->stack_va > dump->stack_len)
		return;
	for (uint64_t slot = dump->stack_va; slot < sp; slot += 8) {
		const struct dt_module *module = NULL;
		if (!in_hole(pass, slot) && dt_memory_u64(&dump->memory, slot, &word))
			module = dt_dump_module_at(dump, word);
		if (!module || !module->name || module->microsoft == DT_TRUE)
			continue;
		if (only && only != module)
			return;
		only = module;
		first = count++ ? first : word;
	}
	if (count >= 2)
		dt_pass_suspect(pass, first, "dead-stack");
}

static bool return_address_at(const struct dt_dump *dump, uint64_t va, uint64_t *out)
{
	uint32_t word;

	if (dump->machine != DT_MACHINE_X86)
		return dt_memory_u64(&dump->memory, va, out);
	if (!dt_memory_u32(&dump->memory, va, &word))
		return false;
	*out = word;
	return true;
}

/* A call or jump to where no code is: the return address stands on top of the stack. */
static void execute_caller(struct dt_pass *pass)
{
	const struct dt_facts *facts = pass->facts;
	struct dt_opt sp = dt_context_sp(&pass->context);
	uint8_t before[16];
	uint64_t caller;

	if (facts->exception.access != DT_ACCESS_EXECUTE || !sp.known || pass->dump->machine == DT_MACHINE_ARM64 ||
	    !return_address_at(pass->dump, sp.value, &caller))
		return;
	size_t len = dt_memory_span_before(&pass->dump->memory, caller, sizeof(before));
	len = dt_memory_read(&pass->dump->memory, caller - len, before, len);
	/* Bytes that are there and are no call refute it; absent bytes do not. */
	if (len == sizeof(before) &&
	    !dt_insn_call_before(pass->dump->machine, (struct dt_bytes){ before, len }, caller, NULL))
		return;
	dt_pass_suspect(pass, caller, "execute-caller");
	const struct dt_module *from = dt_dump_module_at(pass->dump, caller);
	if (dt_dump_is_kernel(pass->dump) && from && from->name && dt_image_is_carrier(from->name, true))
		recently_left(pass, sp.value);
}

void dt_pass_suspects(struct dt_pass *pass)
{
	bugcheck_caller(pass);
	parameters(pass);
	execute_caller(pass);
}
