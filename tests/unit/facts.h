/*
 * facts.h - facts made by hand, for tests of what is judged from them.
 */
#ifndef DT_TEST_FACTS_H
#define DT_TEST_FACTS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/time.h"
#include "core/model/crash.h"

/* Room for a record of a few frames; nothing in it is allocated. */
struct made {
	struct dt_facts facts;
	struct dt_bugcheck bugcheck;
	uint64_t parameters[4];
	struct dt_frame frames[16];
	struct dt_suspect suspects[4];
	struct dt_anomaly anomalies[4];
	struct dt_module modules[16];
	struct dt_register registers[4];
	struct dt_code code;
};

static inline uint64_t made_time(const char *text)
{
	uint64_t time = 0;

	assert_true(dt_time_parse(text, &time));
	return time;
}

static inline void made_kernel(struct made *m, uint32_t code, uint64_t p1, uint64_t p2, uint64_t p3, uint64_t p4)
{
	memset(m, 0, sizeof(*m));
	m->facts.dump.format = DT_FORMAT_KERNEL;
	m->facts.dump.kind = DT_KIND_TRIAGE;
	m->facts.dump.machine = DT_MACHINE_X64;
	m->facts.dump.build = dt_some(19041);
	m->bugcheck.code = dt_some(code);
	m->parameters[0] = p1;
	m->parameters[1] = p2;
	m->parameters[2] = p3;
	m->parameters[3] = p4;
	m->bugcheck.parameters = m->parameters;
	m->bugcheck.parameters_count = 4;
	m->facts.bugcheck = &m->bugcheck;
	m->facts.stack = m->frames;
	m->facts.suspects = m->suspects;
	m->facts.anomalies = m->anomalies;
	m->facts.modules = m->modules;
	m->facts.registers = m->registers;
}

static inline void made_user(struct made *m, uint32_t code)
{
	made_kernel(m, 0, 0, 0, 0, 0);
	m->facts.bugcheck = NULL;
	m->facts.dump.format = DT_FORMAT_USER;
	m->facts.dump.kind = DT_KIND_MINIDUMP;
	m->facts.exception.code = dt_some(code);
}

static inline void made_fault(struct made *m, const char *module, uint64_t offset)
{
	m->facts.fault.ip = dt_some(UINT64_C(0xfffff80000000000) + offset);
	m->facts.fault.module = module;
	if (module)
		m->facts.fault.offset = dt_some(offset);
	m->facts.fault.source = DT_FAULT_TRAP_FRAME;
}

static inline void made_frame(struct made *m, const char *module, uint64_t offset, enum dt_trust trust)
{
	struct dt_frame *frame = &m->frames[m->facts.stack_count++];

	frame->ip = dt_some(UINT64_C(0xfffff80000000000) + offset);
	frame->module = module;
	frame->offset = dt_some(offset);
	frame->trust = trust;
}

static inline void made_suspect(struct made *m, const char *module, uint64_t offset, const char *from)
{
	m->suspects[m->facts.suspects_count++] =
		(struct dt_suspect){ .module = module, .offset = dt_some(offset), .from = from };
}

static inline void made_anomaly(struct made *m, enum dt_anomaly_kind kind, const char *text)
{
	m->anomalies[m->facts.anomalies_count++] = (struct dt_anomaly){ .kind = kind, .text = text };
}

static inline void made_module(struct made *m, const char *name, uint64_t size)
{
	m->modules[m->facts.modules_count++] = (struct dt_module){ .name = name, .size = dt_some(size) };
}

static inline void made_register(struct made *m, const char *name, uint64_t value)
{
	m->registers[m->facts.registers_count++] = (struct dt_register){ .name = name, .value = dt_some(value) };
}

#endif
