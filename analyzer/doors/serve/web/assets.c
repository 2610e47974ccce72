/* The files of assets/, which the build puts into the program. */
#include <string.h>

#include "doors/serve/web/web.h"
#include "core/base/embedded.h"

extern const struct dt_embedded dt_web_assets[];
extern const size_t dt_web_assets_count;

static const char *type_of(const char *name)
{
	static const char *const types[][2] = { { ".css", "text/css; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" }, { ".svg", "image/svg+xml" },
		                                { ".json", "application/json" } };
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i][0], dot))
			return types[i][1];
	return "application/octet-stream";
}

const struct dt_web_asset *dt_web_asset(const char *name)
{
	static _Thread_local struct dt_web_asset asset;

	for (size_t i = 0; i < dt_web_assets_count; i++)
		if (!strcmp(dt_web_assets[i].name, name)) {
			asset = (struct dt_web_asset){ dt_web_assets[i].name, type_of(name), dt_web_assets[i].data, dt_web_assets[i].len };
			return &asset;
		}
	return NULL;
}
