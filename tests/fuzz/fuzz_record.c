/* Any bytes as what a worker sends: a record in binary. What is read is judged; written again, it can be read again. */
#include <stdlib.h>

#include "core/model/codec.h"
#include "fleet/pool/pool.h"
#include "judgement/verdict/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dt_crash crash;
	struct dt_facts again;
	struct dt_arena arena;
	struct dt_error err;
	struct dt_buf out;

	dt_arena_init(&arena, DT_MAX_ARENA);
	dt_buf_init(&out, DT_MAX_RECORD);
	if (dt_facts_decode((struct dt_bytes){ data, len }, &arena, &crash.facts, &err) == DT_OK) {
		dt_facts_encode(&crash.facts, &out);
		if (dt_buf_ok(&out) && dt_facts_decode(dt_buf_bytes(&out), &arena, &again, &err) != DT_OK && !arena.failed)
			abort();
		if (!dt_pool_facts_broken(&crash.facts))
			(void)dt_judge(&crash.facts, NULL, 0, &arena, &crash.judgement, &err);
	}
	(void)dt_crash_decode((struct dt_bytes){ data, len }, &arena, &crash, &err);
	dt_buf_deinit(&out);
	dt_arena_deinit(&arena);
	return 0;
}
