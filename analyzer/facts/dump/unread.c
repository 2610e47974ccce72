/*
 * unread.c - formats that are recognised, and of which nothing is read.
 */
#include "facts/dump/reader.h"

#define ELF_TYPE_CORE 4

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

static enum dt_status capture(struct dt_dump *dump, enum dt_kind kind, const char *name, struct dt_error *err)
{
	dump->format = DT_FORMAT_CAPTURE;
	dump->kind = kind;
	return dt_fail_at(
		err, DT_ERR_UNSUPPORTED, 0,
		"%s: as a hypervisor writes for the memory of a virtual machine; it is not read by this version",
		name);
}

bool dt_elf_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "\x7f\x45LF", 4) &&
	       dt_bytes_u16_or(file, 0x10, 0) == ELF_TYPE_CORE;
}

enum dt_status dt_elf_open(struct dt_dump *dump, struct dt_error *err)
{
	return capture(dump, DT_KIND_ELF, "ELF core file", err);
}

bool dt_kdump_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "KDUMP   ", 8) || dt_bytes_match(file, 0, "DISKDUMP", 8);
}

enum dt_status dt_kdump_open(struct dt_dump *dump, struct dt_error *err)
{
	return capture(dump, DT_KIND_KDUMP, "kdump-compressed file", err);
}

bool dt_flattened_recognise(struct dt_bytes file)
{
	return dt_bytes_match(file, 0, "makedumpfile", 12);
}

enum dt_status dt_flattened_open(struct dt_dump *dump, struct dt_error *err)
{
	return capture(dump, DT_KIND_KDUMP, "flattened makedumpfile stream", err);
}
