#include "facts/memory/addrxlat.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/library.h"

static struct dt_addrxlat functions;
static bool loaded;

static void load(void)
{
	void *library = dt_library_open("libaddrxlat.so.3");

	loaded = library != NULL;
#define TAKE(name) loaded = loaded && dt_library_take(library, "addrxlat_" #name, &functions.name);
	DT_ADDRXLAT_FUNCTIONS(TAKE)
#undef TAKE
}

const struct dt_addrxlat *dt_addrxlat(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
