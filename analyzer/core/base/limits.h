/*
 * limits.h - every cap on what input may ask for, in one place.
 *
 * Each loop, recursion, count and length that comes from outside is held by a
 * number of this file. What is cut is noted in the record; of lists that stand
 * best first (candidates, matches) the rest is no loss. The numbers are generous
 * for what Windows writes and small for an attacker. tests/sandbox has a file
 * that meets each, or says why none can.
 */
#ifndef DT_BASE_LIMITS_H
#define DT_BASE_LIMITS_H

/* Memory */
#define DT_MAX_ARENA (48u << 20)       /* bytes of facts and scratch for one dump */
#define DT_MAX_RECORD (8u << 20)       /* bytes of one encoded record */
#define DT_MAX_JSON (32u << 20)        /* bytes of one record as JSON */
#define DT_MAX_JSON_VALUES (1u << 20)  /* values in one JSON text */
#define DT_MAX_HASHED_FILE (64u << 20) /* larger files are hashed only when asked */

/* Counts that the record may hold; fields.def names them */
#define DT_MAX_MODULES 4096
#define DT_MAX_UNLOADED 512
#define DT_MAX_FRAMES 256
#define DT_MAX_NOTES 64
#define DT_MAX_SUSPECTS 16
#define DT_MAX_ANOMALIES 16
#define DT_MAX_CANDIDATES 8
#define DT_MAX_REGISTERS 40
#define DT_MAX_MATCHES 64
#define DT_MAX_EVIDENCE 32
#define DT_MAX_FINDINGS 16
#define DT_MAX_TEXTS 64      /* next steps, reasons, missing parts */
#define DT_MAX_TEXT 32768    /* bytes of one text in the record */
#define DT_MAX_HEXBYTES 4096 /* bytes of one byte string in the record */
#define DT_MAX_THREADS 4096
#define DT_MAX_PROCESSORS 256   /* that a record lists; machines may have more */
#define DT_MAX_LISTED_BLOBS 128 /* secondary data, listed by GUID */
#define DT_MAX_SLOW_IO 64       /* requests to disks that took too long */
#define DT_MAX_PCI 256          /* PCI functions */

/* What readers follow */
#define DT_MAX_STREAMS 4096      /* MDMP directory entries */
#define DT_MAX_RANGES 262144     /* ranges of virtual memory in one dump */
#define DT_MAX_HANDLES (1u << 20) /* handles of a program that are counted by type */
#define DT_MAX_HANDLE_TYPES 64   /* types of objects they are counted by: Windows has about as many */
#define DT_MAX_BLOBS 1024        /* secondary data blobs */
#define DT_MAX_STACK_SCAN (1u << 20) /* bytes of stack looked at */
#define DT_MAX_KERNEL_STACK (512u << 10) /* bytes of one kernel stack: they have 12 to 160 KiB */
#define DT_MAX_SECTION_SEARCH (8u << 20) /* bytes of an image that are searched for a structure */
#define DT_MAX_DUMP_STRING 1024  /* bytes of a UNICODE_STRING in the crashed machine's memory */
#define DT_MAX_SYMBOL_FILES 96   /* images and symbol files opened for one dump */
#define DT_MAX_UNPACKED_SYMBOLS (512u << 20) /* bytes of one compressed image or symbol file, unpacked */
#define DT_MAX_DOWNLOAD (UINT64_C(1) << 30) /* bytes of one file from a symbol server, unless another size is given */
#define DT_MAX_MISSING 65536u    /* files that a cache remembers as not there */
#define DT_MAX_SYM_ROWS (512u << 10) /* functions of one Breakpad file */
#define DT_MAX_ASKS 1024u        /* images and symbols that a worker may ask for, for one dump */
#define DT_MAX_ASK_TEXT 512u     /* bytes of a name in such a question */
#define DT_MAX_MAPPINGS (16 + DT_MAX_SYMBOL_FILES) /* files mapped at a time in one process */
#define DT_MAX_BINARY_DEPTH 8    /* objects in objects, binary record */

/* Archives */
#define DT_MAX_MEMBERS 10000u
#define DT_MAX_MEMBER (UINT64_C(4) << 30)         /* bytes of one member, unpacked */
#define DT_MAX_ARCHIVE_TOTAL (UINT64_C(16) << 30) /* bytes of all members */
#define DT_MAX_ARCHIVE_BASE (UINT64_C(64) << 20)  /* bytes of all members: so many, and ... */
#define DT_MAX_ARCHIVE_RATIO 200u                 /* ... so many times the archive's size */
#define DT_MAX_MEMBER_NAME 4096u

/* Rules (they come from the administrator, and are capped all the same) */
#define DT_MAX_RULE_FILE (1u << 20)
#define DT_MAX_VULNERABLE_FILE (8u << 20) /* the list of vulnerable drivers */
#define DT_MAX_CARRIERS 4096 /* rows of carriers, with the program's own */
#define DT_MAX_RULES 4096
#define DT_MAX_RULE_NODES 4096
#define DT_MAX_RULE_DEPTH 32

#endif
