#include "core/base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY        (UINT64_C(86400) * DT_TIME_SECOND)
#define FIRST_YEAR 1601

/* Days from 1601-01-01 to the first of January of a year: the Gregorian rules begin anew every 400 years, and 1601
 * begins such a period. */
static uint64_t days_before_year(uint64_t year)
{
	uint64_t n = year - FIRST_YEAR;
	return n * 365 + n / 4 - n / 100 + n / 400;
}

static bool is_leap(uint64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of_month(uint64_t year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

struct date {
	unsigned year, month, day;
};

static struct date date_of(uint64_t days)
{
	uint64_t year = FIRST_YEAR + days / 366;
	while (days_before_year(year + 1) <= days)
		year++;
	unsigned month = 1, day = (unsigned)(days - days_before_year(year));
	while (day >= days_of_month(year, month))
		day -= days_of_month(year, month++);
	return (struct date){ (unsigned)year, month, day + 1 };
}

static void put_fraction(char *at, unsigned fraction)
{
	(void)snprintf(at, 10, ".%07u", fraction % 10000000);
	size_t len = strlen(at);
	while (at[len - 1] == '0')
		len--;
	memcpy(at + len, "Z", 2);
}

bool dt_time_format(uint64_t filetime, char out[DT_TIME_TEXT_MAX])
{
	if (filetime >= DT_TIME_END)
		return false;
	struct date date = date_of(filetime / DAY);
	unsigned second = (unsigned)(filetime % DAY / DT_TIME_SECOND);
	unsigned fraction = (unsigned)(filetime % DT_TIME_SECOND);
	int len = snprintf(out, DT_TIME_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u", date.year % 10000,
	                   date.month, date.day, second / 3600, second / 60 % 60, second % 60);
	if (fraction)
		put_fraction(out + len, fraction);
	else
		memcpy(out + len, "Z", 2);
	return true;
}

/* Exactly n digits, then the character that must follow (0: nothing is asked). Moves on over both. */
static bool number(const char **text, unsigned n, char then, unsigned *out)
{
	const char *p = *text;
	unsigned value = 0;
	for (; n; n--, p++) {
		if (*p < '0' || *p > '9')
			return false;
		value = value * 10 + (unsigned)(*p - '0');
	}
	if (then && *p++ != then)
		return false;
	*text = p;
	*out = value;
	return true;
}

static bool parse_date(const char **text, uint64_t *filetime)
{
	unsigned year, month, day;
	if (!number(text, 4, '-', &year) || !number(text, 2, '-', &month) || !number(text, 2, 'T', &day))
		return false;
	if (year < FIRST_YEAR || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
		return false;
	uint64_t days = days_before_year(year) + day - 1;
	for (unsigned m = 1; m < month; m++)
		days += days_of_month(year, m);
	*filetime = days * DAY;
	return true;
}

static bool parse_clock(const char **text, uint64_t *filetime)
{
	unsigned hour, minute, second;
	if (!number(text, 2, ':', &hour) || !number(text, 2, ':', &minute) || !number(text, 2, 0, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*filetime += (hour * 3600 + minute * 60 + second) * DT_TIME_SECOND;
	return true;
}

static bool parse_fraction(const char **text, uint64_t *filetime)
{
	const char *p = *text;
	uint64_t unit = DT_TIME_SECOND / 10;
	if (*p != '.')
		return true;
	for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10) {
		if (unit == 0)
			return false;
		*filetime += (uint64_t)(*p - '0') * unit;
	}
	bool some = p > *text + 1;
	*text = p;
	return some;
}

static bool parse_offset(const char **text, uint64_t *filetime)
{
	const char sign = *(*text)++;
	unsigned hour, minute;
	if (sign == 'Z')
		return true;
	if ((sign != '+' && sign != '-') || !number(text, 2, ':', &hour) || !number(text, 2, 0, &minute))
		return false;
	uint64_t offset = (hour * 60 + minute) * 60 * DT_TIME_SECOND;
	if (hour > 23 || minute > 59 || (sign == '+' && offset > *filetime))
		return false;
	*filetime = sign == '+' ? *filetime - offset : *filetime + offset;
	return *filetime < DT_TIME_END;
}

bool dt_time_parse(const char *text, uint64_t *filetime)
{
	uint64_t value = 0;
	if (!text || !parse_date(&text, &value) || !parse_clock(&text, &value) ||
	    !parse_fraction(&text, &value) || !parse_offset(&text, &value) || *text)
		return false;
	*filetime = value;
	return true;
}

uint64_t dt_time_from_unix(uint64_t seconds)
{
	if (seconds > (UINT64_MAX - DT_TIME_UNIX_EPOCH) / DT_TIME_SECOND)
		return 0;
	return DT_TIME_UNIX_EPOCH + seconds * DT_TIME_SECOND;
}

int64_t dt_time_to_unix(uint64_t filetime)
{
	return filetime > DT_TIME_UNIX_EPOCH ? (int64_t)((filetime - DT_TIME_UNIX_EPOCH) / DT_TIME_SECOND) : 0;
}

int64_t dt_time_to_unix_ms(uint64_t filetime)
{
	return filetime > DT_TIME_UNIX_EPOCH ? (int64_t)((filetime - DT_TIME_UNIX_EPOCH) / (DT_TIME_SECOND / 1000)) : 0;
}

uint64_t dt_time_from_unix_ns(int64_t ns)
{
	return (uint64_t)(ns / 100 + (int64_t)DT_TIME_UNIX_EPOCH);
}

uint64_t dt_time_now(void)
{
	struct timespec now = { 0, 0 };
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec < 0 ? 0 : dt_time_from_unix((uint64_t)now.tv_sec) + (uint64_t)now.tv_nsec / 100;
}

int64_t dt_time_steady_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
