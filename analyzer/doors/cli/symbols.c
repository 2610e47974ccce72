/* dumptriage symbols: its parts, and the list of what is at hand for a dump. */
#include "doors/cli/symbols.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/model/notes.h"
#include "facts/symbol/at_hand.h"
#include "facts/triage/triage.h"

enum { MOST_REASONS = 8, MOST_REASON = 400 };

/* ---- list ----------------------------------------------------------------------------- */

struct listing {
	const struct dt_symbol_store *store; /* NULL: no place was given */
	char reasons[MOST_REASONS][MOST_REASON]; /* of the module that is looked at: what servers said */
	size_t reason_count;
	size_t modules, images, names;
};

static void hear(void *self, const char *server, const char *file, const char *why)
{
	struct listing *listing = self;

	if (listing->reason_count < MOST_REASONS)
		snprintf(listing->reasons[listing->reason_count++], MOST_REASON, "%.200s: %.60s: %s", file, server, why);
}

static const char *image_word(const struct dt_symbols_state *state)
{
	static const char *const words[] = { [DT_IMAGE_NOWHERE] = "-", [DT_IMAGE_IN_FILE] = "file", [DT_IMAGE_IN_DUMP] = "dump" };

	return words[state->image];
}

/* Why there is nothing, where nobody else has said it. */
static void explain(const struct listing *listing, const struct dt_module *module, const struct dt_symbols_state *state)
{
	struct dt_symbol_request request = { .timestamp = (uint32_t)module->timestamp.value, .size = (uint32_t)module->size.value };
	char key[64];

	if (!listing->store)
		return;
	if (state->image == DT_IMAGE_NOWHERE && dt_symbol_key(&request, key, sizeof(key)))
		printf("    image: not found as %s/%s\n", module->name ? module->name : "?", key);
	else if (state->image == DT_IMAGE_NOWHERE)
		printf("    image: the dump has no time stamp of it, which stores are asked by\n");
	if (state->pdb || state->sym)
		return;
	if (state->debug_id)
		printf("    symbols: not found under %s\n", state->debug_id);
	else
		printf("    symbols: neither the dump nor an image at hand says which PDB belongs to it\n");
}

static void list_module(void *self, const struct dt_module *module, const struct dt_symbols_state *state, const struct dt_notes *notes)
{
	struct listing *listing = self;

	listing->modules++;
	listing->images += state->image != DT_IMAGE_NOWHERE;
	listing->names += state->pdb || state->sym;
	printf("%-28s %-6s %s\n", module->name ? module->name : "?", image_word(state), state->pdb ? "pdb" : state->sym ? "sym" : "-");
	for (size_t i = 0; i < notes->count; i++)
		printf("    %s\n", notes->items[i].text);
	for (size_t i = 0; i < listing->reason_count; i++)
		printf("    %s\n", listing->reasons[i]);
	if (!notes->count)
		explain(listing, module, state);
	listing->reason_count = 0;
}

int dt_cli_symbols_list(struct dt_symbols_call *call)
{
	struct listing listing = { 0 };
	struct dt_triage *triage;
	struct dt_error err;

	call->symbols.tell = hear;
	call->symbols.tell_self = &listing;
	int status = dt_door_symbols_open(&call->symbols, call->self);
	if (status != DT_EXIT_OK)
		return status;
	if (dt_triage_create(&triage, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	listing.store = call->symbols.open ? &call->symbols.store : NULL;
	printf("%-28s %-6s %s\n", "module", "image", "symbols");
	if (dt_triage_symbols(triage, call->words[0], listing.store ? &listing.store->source : NULL, list_module, &listing, &err) != DT_OK) {
		(void)dt_door_fail("%s: %s", call->words[0], err.text);
		status = DT_EXIT_UNREADABLE;
	} else {
		printf("\n%zu %s: images of %zu, symbols of %zu at hand\n", listing.modules, dt_text_plural(listing.modules, "module", "modules"), listing.images,
		       listing.names);
		if (!listing.store)
			puts("no place to look was given: --symbols, or $_NT_SYMBOL_PATH");
	}
	dt_triage_destroy(triage);
	return status;
}

/* ---- the parts --------------------------------------------------------------------------- */

static const struct part {
	const char *name, *wants;
	int least, most;
	int (*run)(struct dt_symbols_call *call);
} parts[] = {
	{ "add", "STORE and at least one FILE or FOLDER", 2, 1 << 20, dt_cli_symbols_add },
	{ "list", "one DUMP", 1, 1, dt_cli_symbols_list },
};

static int run_part(const struct part *part, struct dt_symbols_call *call)
{
	if (call->count < part->least || call->count > part->most)
		return dt_door_usage(call->self, "symbols %s takes %s", part->name, part->wants);
	int status = part->run(call);
	return dt_door_flush() ? status : DT_EXIT_ENVIRONMENT;
}

static int by_name(struct dt_symbols_call *call, const char *name)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strcmp(name, parts[i].name))
			return run_part(&parts[i], call);
	return dt_door_usage(call->self, "symbols has no '%s': add, list", name);
}

int dt_cli_symbols(const struct dt_command *self, int argc, char **argv)
{
	static const struct option options[] = { DT_SYMBOLS_LONG_OPTIONS, { 0 } };
	struct dt_symbols_call call = { .self = self };
	int option, taken;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if ((taken = dt_door_symbols_option(&call.symbols, self, option, optarg)) <= 0)
			return taken ? DT_EXIT_USAGE : dt_door_usage(self, "wrong option");
	if (optind == argc)
		return dt_door_usage(self, "symbols takes add or list");
	call.words = argv + optind + 1;
	call.count = argc - optind - 1;
	int status = by_name(&call, argv[optind]);
	dt_door_symbols_close(&call.symbols);
	return status;
}
