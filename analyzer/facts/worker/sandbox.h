/*
 * sandbox.h - what the worker gives up before it reads the first hostile byte.
 */
#ifndef DT_WORKER_SANDBOX_H
#define DT_WORKER_SANDBOX_H

#include <stdint.h>

#include "core/base/status.h"

/* Applies what the kernel has: RLIMIT_DATA and RLIMIT_NOFILE, Landlock with no access to any file, and a seccomp
 * allow-list (memory, read and write of open descriptors, time, exit). What is not allowed gives EPERM; what no
 * parser has any reason for (exec, fork, sockets, ptrace) kills the process.
 * Gives the mechanisms in force: bits DT_SANDBOX_… of core/protocol. */
uint32_t dt_sandbox_enter(uint64_t memory_limit);

/* Allows the process this much further processor time, seconds; past it the kernel ends it with SIGXCPU. */
void dt_sandbox_cpu(uint32_t seconds);

#endif
