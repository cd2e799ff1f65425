// SPDX-License-Identifier: MIT
/* What a child of clbd gives up. */
#include "clbd/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

int clbd_privilege_find(const char *name, struct clbd_privilege *privilege)
{
	const struct passwd *user;

	privilege->change = !geteuid();
	if (!privilege->change)
		return 0;
	user = getpwnam(name ? name : "nobody");
	if (!user)
		return -ENOENT;
	if (!user->pw_uid)
		return -EPERM;
	privilege->user = user->pw_uid;
	privilege->group = user->pw_gid;
	return 0;
}

static int change_user(const struct clbd_privilege *privilege)
{
	unsigned long capability;

	if (!privilege->change)
		return 0;
	for (capability = 0; capability < 64; capability++) {
		if (prctl(PR_CAPBSET_DROP, capability) && errno != EINVAL)
			return -errno;
	}
	/* Without root's number, the kernel takes all capabilities away. */
	if (setgroups(0, NULL) ||
	    setresgid(privilege->group, privilege->group, privilege->group) ||
	    setresuid(privilege->user, privilege->user, privilege->user))
		return -errno;
	return 0;
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* What one that was not started by root has, like to bind low ports, too. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[2] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    syscall(SYS_capset, &header, none))
		return -errno;
	return 0;
}

/* What every child needs: memory, time, its files, and its end. */
static const int calls[] = {
	SYS_brk, SYS_clock_gettime, SYS_clock_nanosleep, SYS_close,
	SYS_epoll_ctl, SYS_epoll_pwait, SYS_exit, SYS_exit_group, SYS_fstat,
	SYS_futex, SYS_getpid, SYS_getrandom, SYS_gettid, SYS_gettimeofday,
	SYS_lseek, SYS_madvise, SYS_mremap, SYS_munmap,
	SYS_ppoll, SYS_pread64, SYS_read, SYS_recvmsg, SYS_restart_syscall,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_sched_yield, SYS_sendmsg, SYS_write, SYS_writev,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_poll
	SYS_poll,
#endif
};

/* What has to do with the network beside. */
static const int network_calls[] = {
	SYS_accept4, SYS_connect, SYS_epoll_create1, SYS_getsockname,
	SYS_getsockopt, SYS_pipe2, SYS_recvfrom, SYS_sendto, SYS_setsockopt, SYS_shutdown,
	SYS_splice,
};

struct program {
	struct sock_filter code[2 * (COUNT(calls) + COUNT(network_calls)) + 40];
	unsigned short size;
};

static void add(struct program *program, uint16_t code, uint8_t yes, uint8_t no,
		uint32_t value)
{
	program->code[program->size++] = (struct sock_filter)
		BPF_JUMP(code, value, yes, no);
}

static void load(struct program *program, size_t offset)
{
	add(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}

static void verdict(struct program *program, uint32_t value)
{
	add(program, BPF_RET | BPF_K, 0, 0, value);
}

static void allow(struct program *program, int call)
{
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call);
	verdict(program, SECCOMP_RET_ALLOW);
}

/* Low half of an argument; numbers that count here have no high one. */
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

/* Memory that can be run may not be made. */
static void allow_memory(struct program *program, int call)
{
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, call);
	load(program, ARGUMENT(2));
	add(program, BPF_JMP | BPF_JSET | BPF_K, 1, 0, PROT_EXEC);
	verdict(program, SECCOMP_RET_ALLOW);
	verdict(program, SECCOMP_RET_KILL_PROCESS);
}

static void allow_socket(struct program *program)
{
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 5, SYS_socket);
	load(program, ARGUMENT(0));
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AF_INET);
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, AF_INET6);
	verdict(program, SECCOMP_RET_ALLOW);
	verdict(program, SECCOMP_RET_KILL_PROCESS);
}

/* Of what fcntl() can do, to size a pipe alone. */
static void allow_pipe_size(struct program *program)
{
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_fcntl);
	load(program, ARGUMENT(1));
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, F_SETPIPE_SZ);
	verdict(program, SECCOMP_RET_ALLOW);
	verdict(program, SECCOMP_RET_KILL_PROCESS);
}

/* To end itself, as abort() does; no other process of its user. */
static void allow_own_end(struct program *program)
{
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_tgkill);
	load(program, ARGUMENT(0));
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, getpid());
	verdict(program, SECCOMP_RET_ALLOW);
	verdict(program, SECCOMP_RET_KILL_PROCESS);
}

/* stdio asks for the size of a buffer by it, and can do without. */
static void refuse_names(struct program *program)
{
	add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_newfstatat);
	verdict(program, SECCOMP_RET_ERRNO | EACCES);
}

static int filter_calls(bool network)
{
	struct program program = { .size = 0 };
	struct sock_fprog filter = { .filter = program.code };
	size_t i;

	load(&program, offsetof(struct seccomp_data, arch));
	add(&program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCHITECTURE);
	verdict(&program, SECCOMP_RET_KILL_PROCESS);
	load(&program, offsetof(struct seccomp_data, nr));
	for (i = 0; network && i < COUNT(network_calls); i++)
		allow(&program, network_calls[i]);
	for (i = 0; i < COUNT(calls); i++)
		allow(&program, calls[i]);
	if (network) {
		allow_socket(&program);
		allow_pipe_size(&program);
	}
	refuse_names(&program);
	allow_own_end(&program);
	allow_memory(&program, SYS_mmap);
	allow_memory(&program, SYS_mprotect);
	verdict(&program, SECCOMP_RET_KILL_PROCESS);
	filter.len = program.size;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) ? -errno : 0;
}

int clbd_privilege_drop(const struct clbd_privilege *privilege, bool network)
{
	int err = change_user(privilege);

	if (!err)
		err = drop_capabilities();
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
#ifdef __SANITIZE_ADDRESS__
	/* It looks for leaks by system calls of its own. */
	(void)network;
	(void)filter_calls;
	return 0;
#else
	return filter_calls(network);
#endif
}
