#include "doors/common/when.h"

#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"

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

static bool parse(const char *text, uint64_t *filetime)
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

bool dt_parse_when(const char *text, uint64_t *filetime)
{
	bool ok = parse(text, filetime);

	if (ok && !*filetime)
		*filetime = 1;
	return ok;
}
