#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "doors/store/commands.h"

struct dt_store *dt_store_cmd_open(const struct dt_command *self, const char *db, enum dt_store_mode mode, int *status)
{
	struct dt_store *store = NULL;
	struct dt_error err;
	enum dt_status opened;

	if (!db) {
		*status = dt_door_usage(self, "--db is missing");
		return NULL;
	}
	opened = dt_store_open(&store, db, mode, &err);
	if (opened == DT_OK)
		return store;
	(void)dt_door_fail("%s", err.text);
	*status = opened == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
	return NULL;
}

static bool parse_age(const char *text, uint64_t *filetime)
{
	size_t len = strlen(text);
	char digits[16];
	uint64_t n, unit = len && text[len - 1] == 'd' ? 86400 : len && text[len - 1] == 'h' ? 3600 : 0;

	if (!unit || len - 1 >= sizeof(digits))
		return false;
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	if (!dt_text_parse_u64(digits, false, &n) || n > 100000)
		return false;
	*filetime = dt_time_now() - n * unit * DT_TIME_SECOND;
	return true;
}

bool dt_parse_when(const char *text, uint64_t *filetime)
{
	char day[32];

	if (parse_age(text, filetime) || dt_time_parse(text, filetime))
		return true;
	if (strlen(text) != 10)
		return false;
	memcpy(day, text, 10);
	memcpy(day + 10, "T00:00:00Z", 11);
	return dt_time_parse(day, filetime);
}
