#include "facts/triage/triage.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/hash/hash.h"
#include "core/base/names.h"
#include "facts/kernel/kernel.h"
#include "facts/symbol/cabinet.h"
#include "facts/triage/pass.h"

struct dt_triage {
	struct dt_arena arena;
	struct dt_facts facts;
	struct dt_dump dump;
	struct dt_notes notes;
	struct dt_decoder *decoders[DT_machine_COUNT];
	struct dt_triage_times times;
};

struct pass_row {
	const char *name;
	unsigned formats;
	void (*run)(struct dt_pass *pass);
};

static const struct pass_row passes[] = {
#define DT_PASS(name, formats, doc) { #name, formats, dt_pass_##name },
#include "facts/triage/passes.def"
};

void dt_triage_prepare(void)
{
	dt_dump_prepare();
	dt_cabinet_prepare();
}

enum dt_status dt_triage_create(struct dt_triage **out, struct dt_error *err)
{
	struct dt_triage *triage = calloc(1, sizeof(*triage));

	if (!triage)
		return dt_fail(err, DT_ERR_NOMEM, "no memory for the analysis");
	dt_arena_init(&triage->arena, DT_MAX_ARENA);
	*out = triage;
	return DT_OK;
}

void dt_triage_destroy(struct dt_triage *triage)
{
	if (!triage)
		return;
	for (size_t i = 0; i < DT_machine_COUNT; i++)
		if (triage->decoders[i])
			dt_decoder_close(triage->decoders[i]);
	dt_arena_deinit(&triage->arena);
	free(triage);
}

const struct dt_triage_times *dt_triage_times(const struct dt_triage *triage)
{
	return &triage->times;
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* A decoder is made when the first dump of its machine comes: most runs need one. */
static struct dt_decoder *decoder_for(struct dt_triage *triage, enum dt_machine machine)
{
	struct dt_error ignored;

	if (machine == DT_machine_NULL || machine >= DT_machine_COUNT)
		return NULL;
	if (!triage->decoders[machine] && dt_decoder_open(&triage->decoders[machine], machine, &ignored) != DT_OK)
		triage->decoders[machine] = NULL;
	return triage->decoders[machine];
}

static void begin(struct dt_triage *triage, const char *path)
{
	struct dt_facts *facts = &triage->facts;
	struct dt_bytes raw = { (const uint8_t *)path, strlen(path) };

	memset(&triage->times, 0, sizeof(triage->times));
	memset(facts, 0, sizeof(*facts));
	dt_arena_reset(&triage->arena);
	dt_notes_init(&triage->notes, &triage->arena);
	facts->schema = DT_CRASH_SCHEMA;
	facts->producer.version = DT_VERSION;
	facts->producer.facts = dt_some(DT_FACTS_VERSION);
	facts->file.path = dt_text_from_utf8(&triage->arena, raw);
	facts->file.name = dt_text_basename(facts->file.path);
	facts->file.path_raw = dt_path_raw(&triage->arena, path);
}

/* The word of the record for a status: why an input could not be read. */
static enum dt_failure_kind failure_kind(enum dt_status status)
{
	static const enum dt_failure_kind kinds[DT_STATUS_COUNT] = {
		[DT_ERR_TRUNCATED] = DT_FAILURE_TRUNCATED,     [DT_ERR_FORMAT] = DT_FAILURE_FORMAT,
		[DT_ERR_NOT_A_DUMP] = DT_FAILURE_NOT_A_DUMP,   [DT_ERR_UNSUPPORTED] = DT_FAILURE_UNSUPPORTED,
		[DT_ERR_NOT_FOUND] = DT_FAILURE_FORMAT,        [DT_ERR_LIMIT] = DT_FAILURE_LIMIT,
		[DT_ERR_NOMEM] = DT_FAILURE_MEMORY,            [DT_ERR_IO] = DT_FAILURE_IO,
	};

	return kinds[status];
}

static void fail(struct dt_triage *triage, const struct dt_error *err)
{
	/* Not from the arena: a record that failed for lack of memory must still say so. */
	static _Thread_local struct dt_failure failure;
	static _Thread_local char text[sizeof(err->text)];

	memcpy(text, err->text, sizeof(text));
	failure = (struct dt_failure){ .kind = failure_kind(err->status), .text = text };
	if (err->has_off)
		failure.offset = dt_some(err->off);
	triage->facts.failure = &failure;
}

static void hash_file(struct dt_triage *triage, struct dt_bytes bytes, const struct dt_triage_options *options)
{
	char text[2 * DT_SHA256_SIZE + 1];
	double start = now_us();

	if (!options->hash || (bytes.len > DT_MAX_HASHED_FILE && !options->hash_large))
		return;
	dt_sha256_text(bytes, text);
	triage->facts.file.sha256 = dt_arena_strdup(&triage->arena, text);
	triage->times.hash = now_us() - start;
}

static void run_passes(struct dt_triage *triage, const struct dt_triage_options *options)
{
	struct dt_symbols symbols;
	struct dt_pass pass = {
		.dump = &triage->dump,
		.facts = &triage->facts,
		.arena = &triage->arena,
		.notes = &triage->notes,
		.decoder = decoder_for(triage, triage->dump.machine),
		.options = options,
		.symbols = &symbols,
	};

	dt_symbols_open(&symbols, &triage->dump, options->symbols, &triage->arena, &triage->notes);
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		double start = now_us();
		if (passes[i].formats >> triage->dump.format & 1)
			passes[i].run(&pass);
		double *stage = passes[i].run == dt_pass_frames ? &triage->times.stack : &triage->times.context;
		*stage += now_us() - start;
	}
	dt_symbols_close(&symbols);
}

static void analyse(struct dt_triage *triage, struct dt_bytes bytes, const struct dt_triage_options *options)
{
	struct dt_error err = { .status = DT_OK };
	double start = now_us();
	enum dt_status status = dt_dump_open(&triage->dump, bytes, &triage->arena, &triage->notes, &err);

	if (status != DT_OK)
		fail(triage, &err);
	if (status == DT_OK)
		dt_kernel_read(&triage->dump);
	triage->times.open = now_us() - start;
	if (triage->dump.format != DT_format_NULL)
		run_passes(triage, options);
	dt_dump_close(&triage->dump);
	hash_file(triage, bytes, options);
}

static const struct dt_facts *finish(struct dt_triage *triage, double start)
{
	struct dt_error err;

	dt_notes_take(&triage->notes, &triage->facts);
	/* What else was found wrong after that may be for lack of room. */
	if (triage->arena.failed) {
		(void)(triage->arena.no_memory ? dt_fail(&err, DT_ERR_NOMEM, "no memory for the facts of this dump")
		                               : dt_fail(&err, DT_ERR_LIMIT, "the facts of this dump need more than %u MiB", DT_MAX_ARENA >> 20));
		fail(triage, &err);
	}
	triage->times.total = now_us() - start;
	return &triage->facts;
}

const struct dt_facts *dt_triage_bytes(struct dt_triage *triage, struct dt_bytes bytes, const char *path,
                                       const struct dt_triage_options *options)
{
	double start = now_us();

	begin(triage, path);
	triage->facts.file.size = dt_some(bytes.len);
	analyse(triage, bytes, options);
	dt_host_given(&triage->facts, options->host, &triage->arena);
	return finish(triage, start);
}

/* What an opened file gives, until it is closed again: no fact borrows from the mapping. */
static void mapped(struct dt_triage *triage, struct dt_mapping *map, const struct dt_triage_options *options)
{
	struct dt_error err;

	triage->facts.file.size = dt_some(map->size);
	triage->facts.file.mtime = map->mtime;
	analyse(triage, map->bytes, options);
	if (map->shrunk) {
		triage->facts.file.sha256 = NULL;
		(void)dt_fail(&err, DT_ERR_IO, "the file shrank while it was read: %llu bytes when opened",
		              (unsigned long long)map->size);
		fail(triage, &err);
	}
	dt_mapping_close(map);
}

/* fd: an open descriptor, or -1 to open path. */
static const struct dt_facts *file(struct dt_triage *triage, int fd, const char *path,
                                   const struct dt_triage_options *options)
{
	struct dt_mapping map;
	struct dt_error err;
	double start = now_us();

	begin(triage, path);
	dt_host_given(&triage->facts, options->host, &triage->arena);
	if ((fd < 0 ? dt_mapping_open(&map, path, &err) : dt_mapping_open_fd(&map, fd, &err)) == DT_OK)
		mapped(triage, &map, options);
	else
		fail(triage, &err);
	return finish(triage, start);
}

const struct dt_facts *dt_triage_path(struct dt_triage *triage, const char *path,
                                      const struct dt_triage_options *options)
{
	return file(triage, -1, path, options);
}

const struct dt_facts *dt_triage_fd(struct dt_triage *triage, int fd, const char *path,
                                    const struct dt_triage_options *options)
{
	return file(triage, fd, path, options);
}

static void visit_modules(struct dt_triage *triage, const struct dt_symbol_source *source, dt_symbols_visit *visit, void *self)
{
	struct dt_symbols_state state;
	struct dt_symbols symbols;
	struct dt_notes notes;

	for (size_t i = 0; i < triage->dump.module_count; i++) {
		dt_notes_init(&notes, &triage->arena);
		dt_symbols_open(&symbols, &triage->dump, source, &triage->arena, &notes);
		dt_symbols_look(&symbols, &triage->dump.modules[i], &state);
		visit(self, &triage->dump.modules[i], &state, &notes);
		dt_symbols_close(&symbols);
	}
}

enum dt_status dt_triage_symbols(struct dt_triage *triage, const char *path, const struct dt_symbol_source *source, dt_symbols_visit *visit, void *self,
                                 struct dt_error *err)
{
	struct dt_mapping map;
	enum dt_status status;

	begin(triage, path);
	if ((status = dt_mapping_open(&map, path, err)) != DT_OK)
		return status;
	status = dt_dump_open(&triage->dump, map.bytes, &triage->arena, &triage->notes, err);
	if (status == DT_OK) {
		dt_kernel_read(&triage->dump);
		visit_modules(triage, source, visit, self);
	}
	dt_dump_close(&triage->dump);
	dt_mapping_close(&map);
	return status;
}
