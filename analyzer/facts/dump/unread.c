/*
 * unread.c - formats that are recognised, and of which nothing is read.
 */
#include "facts/dump/reader.h"

bool dt_pmdm_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "PMDM", 4);
}

enum dt_status dt_pmdm_open(struct dt_dump *dump, struct dt_error *err)
{
	dump->format = DT_FORMAT_USER;
	dump->kind = DT_KIND_MINIDUMP;
	return dt_fail_at(err, DT_ERR_UNSUPPORTED, 0,
	                  "PMDM: a minidump with swapped bytes, from a big-endian machine; it is not read, and "
	                  "not from Windows");
}

bool dt_userdump_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "USERDUMP", 8) || dt_bytes_match(file, 0, "USERDU64", 8);
}

enum dt_status dt_userdump_open(struct dt_dump *dump, struct dt_error *err)
{
	dump->format = DT_FORMAT_USER;
	return dt_fail_at(err, DT_ERR_UNSUPPORTED, 0,
	                  "USERDUMP: a user-mode dump in the form that came before minidumps (Windows 2000 and "
	                  "older tools); it is "
	                  "not read");
}
