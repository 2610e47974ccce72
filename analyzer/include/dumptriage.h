/**
 * @file dumptriage.h
 * @brief libdumptriage: from a Windows crash dump to a verdict with its evidence.
 *
 * A program opens an analyzer, gives it dumps, and gets an analysis of each: the crash record (docs/crash-record.md) with what the dump says
 * (facts) and what is made of it (verdict, matched signatures). It prints the record in any format of `dumptriage --format`, or asks for
 * single values by their path in the record.
 *
 * @code
 * struct dt_analyzer *analyzer;
 * struct dt_analysis *analysis;
 * char *text;
 *
 * if (dt_open(&analyzer) != DT_RESULT_OK)
 *         return 1;
 * if (dt_analyse_path(analyzer, "MEMORY.DMP", &analysis) == DT_RESULT_OK &&
 *     dt_print(analysis, "text", 0, &text, NULL) == DT_RESULT_OK) {
 *         fputs(text, stdout);
 *         dt_free(text);
 * }
 * @endcode
 *
 * **Ownership.** What a function gives through an `out` pointer is the caller's, who gives it back: an analyzer to dt_close(), an analysis to
 * dt_analysis_free(), text to dt_free(). On failure NULL is stored there. A returned `const char *` is borrowed; its function says until when.
 * An analysis stands alone: it outlives the analyzer that made it.
 *
 * **Errors.** A function that can fail gives an enum dt_result; what went wrong, in words, is dt_message() of the analyzer. A dump that
 * cannot be read is no failure: it has a record all the same, of the class `unreadable`, whose `failure` says why and where.
 *
 * **Threads.** An analyzer is used by one thread at a time; several threads have one each. An analysis may be read by several threads at
 * once; dt_match() and dt_analysis_free() want it alone. The library starts no threads and keeps no state of its own between calls.
 *
 * **Trust.** Every byte of a dump is treated as an attack, but the dump is read in the caller's process, without the sandbox that
 * `dumptriage scan`, `work` and `serve` read strangers' dumps in. A dump uses at most 48 MiB beside its own bytes.
 *
 * **What stays.** Functions and numbers of this file keep their meaning while the library is libdumptriage.so.1; new ones come with a new
 * symbol version. The record's fields are kept by its schema, `dumptriage.crash/1`: readers ignore what they do not know.
 */
#ifndef DUMPTRIAGE_H
#define DUMPTRIAGE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
/** The result must be looked at. */
#define DT_API_MUST_USE __attribute__((warn_unused_result))
#else
/** The result must be looked at. */
#define DT_API_MUST_USE
#endif

/** Reads dumps and judges them: decoders, signatures, options. Made by dt_open(). */
struct dt_analyzer;
/** The record of one dump: facts and judgement. Made by the dt_analyse functions and dt_read_record(). */
struct dt_analysis;

/** How a call ended. Callers must expect numbers that are not here yet. */
enum dt_result {
	DT_RESULT_OK = 0,       /**< done */
	DT_RESULT_MEMORY = 1,   /**< memory ran out; nothing changed */
	DT_RESULT_ARGUMENT = 2, /**< an argument is wrong: a NULL, a format or path that does not exist */
	DT_RESULT_IO = 3,       /**< the system refused a file of signatures or symbols */
	DT_RESULT_INVALID = 4,  /**< a text is not what it should be: a signature with errors, a record that is none */
	DT_RESULT_LIMIT = 5     /**< a record or an output is too large: a cap was reached, or memory while it grew */
};

/** Whether the file's SHA-256 is part of the record. */
enum dt_hashing {
	DT_HASHING_AUTO = 0,   /**< of files up to 64 MiB */
	DT_HASHING_ALWAYS = 1, /**< of every file */
	DT_HASHING_NEVER = 2   /**< of none */
};

/** Bits for dt_print(). */
enum dt_print_flags {
	DT_PRINT_VERBOSE = 1, /**< text: all frames, modules, registers and notes */
	DT_PRINT_COLOUR = 2,  /**< text: colours of a terminal */
	DT_PRINT_UNMASKED = 4 /**< ecs, ocsf, cef: names of users stay in paths */
};

/**
 * The version of the library, as "0.1.0".
 * @return borrowed for ever
 */
const char *dt_version(void);

/**
 * A result in a word.
 * @param result any number, known or not
 * @return "ok", "memory", ...; "unknown" for what is not in enum dt_result; borrowed for ever
 */
const char *dt_result_name(enum dt_result result);

/**
 * Makes an analyzer with the built-in signatures, no symbols, DT_HASHING_AUTO.
 * @param[out] out the analyzer, for dt_close()
 * @return DT_RESULT_MEMORY; DT_RESULT_ARGUMENT: out is NULL
 */
DT_API_MUST_USE enum dt_result dt_open(struct dt_analyzer **out);

/**
 * Gives an analyzer back. Analyses that it made stay.
 * @param analyzer may be NULL
 */
void dt_close(struct dt_analyzer *analyzer);

/**
 * What went wrong in the last call with this analyzer that failed.
 * @param analyzer may be NULL
 * @return a sentence, "" before the first failure; borrowed until the next call with the analyzer
 */
const char *dt_message(const struct dt_analyzer *analyzer);

/**
 * Uses other signatures from now on.
 * @param analyzer of dt_open()
 * @param path a file of signatures or a folder of them; NULL: the built-in ones
 * @return DT_RESULT_IO, DT_RESULT_INVALID (the message names file, line and column), DT_RESULT_LIMIT, DT_RESULT_MEMORY: the
 *         signatures in force stay
 */
DT_API_MUST_USE enum dt_result dt_use_signatures(struct dt_analyzer *analyzer, const char *path);

/**
 * Looks for images and symbols in folders and symbol stores from now on; nothing is downloaded.
 * @param analyzer of dt_open()
 * @param path in the words of _NT_SYMBOL_PATH, several with ';' between; NULL: none. The environment variable itself is not looked at.
 * @return DT_RESULT_ARGUMENT: a word of the path is not known, or too many places; DT_RESULT_MEMORY: what was in force stays
 */
DT_API_MUST_USE enum dt_result dt_use_symbols(struct dt_analyzer *analyzer, const char *path);

/**
 * Names the machine that the next dumps come from.
 * @param analyzer of dt_open()
 * @param name UTF-8; NULL: what the dump or its path says
 * @return DT_RESULT_MEMORY, DT_RESULT_ARGUMENT: what was in force stays
 */
DT_API_MUST_USE enum dt_result dt_set_host(struct dt_analyzer *analyzer, const char *name);

/**
 * Says which of the next files are hashed.
 * @param analyzer of dt_open()
 * @param hashing one of enum dt_hashing
 * @return DT_RESULT_ARGUMENT: no such number
 */
DT_API_MUST_USE enum dt_result dt_set_hashing(struct dt_analyzer *analyzer, enum dt_hashing hashing);

/**
 * Puts zero pages in place of those of a file that somebody shortens while it is read.
 *
 * dt_analyse_path() and dt_analyse_fd() map the file. If it loses pages meanwhile, the kernel sends SIGBUS, which ends the process;
 * after this call the record says `failure` "io" instead. Installs one handler of SIGBUS for the whole process; signals that
 * are not about a dump go to the handler that was there before. A program with its own arrangements leaves it out, and gives bytes to
 * dt_analyse_memory(). May be called again, from any thread.
 */
void dt_guard_mappings(void);

/**
 * Analyses the dump at a path and matches it.
 * @param analyzer of dt_open()
 * @param path the file; only regular files are read, an open never waits
 * @param[out] out the analysis, for dt_analysis_free(); of a file that cannot be opened or read as well
 * @return DT_RESULT_MEMORY, DT_RESULT_ARGUMENT (a NULL), DT_RESULT_LIMIT (the record is over 8 MiB)
 */
DT_API_MUST_USE enum dt_result dt_analyse_path(struct dt_analyzer *analyzer, const char *path, struct dt_analysis **out);

/**
 * The same of an open file.
 * @param analyzer of dt_open()
 * @param fd a descriptor open for reading; it stays the caller's, its position is neither used nor moved
 * @param name of the file in the record, a path or not; NULL: "fd"
 * @param[out] out the analysis, for dt_analysis_free()
 * @return as dt_analyse_path()
 */
DT_API_MUST_USE enum dt_result dt_analyse_fd(struct dt_analyzer *analyzer, int fd, const char *name, struct dt_analysis **out);

/**
 * The same of bytes in memory.
 * @param analyzer of dt_open()
 * @param bytes the whole file; not looked at after the call. May be NULL when size is 0
 * @param size their number
 * @param name of the file in the record; NULL: "memory"
 * @param[out] out the analysis, for dt_analysis_free()
 * @return as dt_analyse_path()
 */
DT_API_MUST_USE enum dt_result dt_analyse_memory(struct dt_analyzer *analyzer, const void *bytes, size_t size, const char *name,
                                                 struct dt_analysis **out);

/**
 * Reads a record that was printed as "json" or "jsonl", with its judgement, if it has one, as it stands there; see dt_match().
 * @param analyzer of dt_open()
 * @param json one object; UTF-8, no NUL needed
 * @param size its bytes
 * @param[out] out the analysis, for dt_analysis_free()
 * @return DT_RESULT_INVALID: not a record of dumptriage.crash/1 (the message names the member); DT_RESULT_LIMIT, DT_RESULT_MEMORY,
 *         DT_RESULT_ARGUMENT
 */
DT_API_MUST_USE enum dt_result dt_read_record(struct dt_analyzer *analyzer, const char *json, size_t size, struct dt_analysis **out);

/**
 * Judges the facts of an analysis again, by the signatures that the analyzer has now.
 * @param analyzer of dt_open(); not necessarily the one that made the analysis
 * @param analysis its judgement is replaced; its facts stay
 * @return DT_RESULT_MEMORY, DT_RESULT_LIMIT, DT_RESULT_ARGUMENT: the old judgement stays
 */
DT_API_MUST_USE enum dt_result dt_match(struct dt_analyzer *analyzer, struct dt_analysis *analysis);

/**
 * How many signatures match, best grade first.
 * @param analysis may be NULL: 0
 * @return their number; their fields are "matches.0.signature", "matches.0.grade" and so on, for dt_value()
 */
size_t dt_match_count(const struct dt_analysis *analysis);

/**
 * The class of the verdict.
 * @param analysis may be NULL
 * @return "known-incident", "driver", "hardware", "os", "application", "requested", "recovered", "undetermined", "unreadable"; NULL when there
 *         is no judgement; borrowed for ever
 */
const char *dt_verdict(const struct dt_analysis *analysis);

/**
 * One value of the record as text.
 * @param analysis of a dt_analyse function or dt_read_record()
 * @param path of the field, as in the record's JSON: "fault.module", "bugcheck.parameters.1", "registers.r8", "matches.0.signature"
 * @param[out] out the text, for dt_free(); NULL when the value is null
 * @return DT_RESULT_ARGUMENT: there is no such field, or it is an object or a list; DT_RESULT_LIMIT, DT_RESULT_MEMORY
 */
DT_API_MUST_USE enum dt_result dt_value(const struct dt_analysis *analysis, const char *path, char **out);

/**
 * How many items a list of the record has.
 * @param analysis of a dt_analyse function or dt_read_record()
 * @param path of a list: "stack", "verdict.next_steps"
 * @return their number; 0 when the value is null, is no list, or is not there
 */
size_t dt_count(const struct dt_analysis *analysis, const char *path);

/**
 * Writes the record.
 * @param analysis of a dt_analyse function or dt_read_record()
 * @param format "text", "json", "jsonl", "markdown", "ticket", "ecs", "ocsf" or "cef"
 * @param flags bits of enum dt_print_flags, 0 for none
 * @param[out] out the text, UTF-8 with a NUL behind, for dt_free()
 * @param[out] size its bytes without the NUL; may be NULL
 * @return DT_RESULT_ARGUMENT: no such format, a bit that is not known; DT_RESULT_LIMIT: larger than 32 MiB, or than the memory there is; DT_RESULT_MEMORY
 */
DT_API_MUST_USE enum dt_result dt_print(const struct dt_analysis *analysis, const char *format, unsigned flags, char **out, size_t *size);

/**
 * Gives an analysis back.
 * @param analysis may be NULL
 */
void dt_analysis_free(struct dt_analysis *analysis);

/**
 * Gives text of dt_value() or dt_print() back.
 * @param text may be NULL
 */
void dt_free(char *text);

#ifdef __cplusplus
}
#endif

#endif
