// SPDX-License-Identifier: MIT
/*
 * Puts user-space tasks into known states and leaves them there: prints a line "user comm=... pid=... state=..." for each,
 * and ends when all have got there. The comm of each is u_ and the state's name, but for one with a name to trip parsers.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char victim[] = "/tmp/lab-victim";
static int silent[2]; /* a pipe that nobody writes to */
static unsigned int *pi_word; /* a futex with priority inheritance, shared by two processes */

static void in_pipe(void)
{
	char byte;

	(void)!read(silent[0], &byte, 1);
}

static void in_poll(void)
{
	struct pollfd one = { .fd = silent[0], .events = POLLIN };

	poll(&one, 1, -1);
}

static void in_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(0);

	epoll_ctl(set, EPOLL_CTL_ADD, silent[0], &event);
	epoll_wait(set, &event, 1, -1);
}

static void in_sleep(void)
{
	for (;;)
		sleep(100000);
}

static void in_signal(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigsuspend(&none);
}

static void *futex_thread(void *number)
{
	static int word;
	char name[16];

	snprintf(name, sizeof(name), "u_thread%ld", (long)number);
	prctl(PR_SET_NAME, name);
	for (;;)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return NULL;
}

static void in_threads(void)
{
	pthread_t thread;

	for (long i = 0; i < 4; i++)
		pthread_create(&thread, NULL, futex_thread, (void *)i);
	pause();
}

/* A PI futex that nobody waits for is taken in user space: its word is the owner's thread ID. */
static void has_pi(void)
{
	*pi_word = syscall(SYS_gettid);
	pause();
}

static void behind_pi(void)
{
	syscall(SYS_futex, pi_word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
}

static void with_zombie(void)
{
	if (!fork()) {
		prctl(PR_SET_NAME, "u_zombie");
		_exit(7);
	}
	pause();
}

static void stopped(void)
{
	raise(SIGSTOP);
}

static void with_traced(void)
{
	if (!fork()) {
		prctl(PR_SET_NAME, "u_traced");
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	pause();
}

/* The parent of a vfork sleeps uninterruptibly until the child has its own memory. */
static void in_vfork(void)
{
	if (!vfork()) {
		for (;;)
			pause();
	}
}

/* A page that no handler fills: who touches it sleeps in its page fault. */
static char *missing_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int handler = syscall(SYS_userfaultfd, 0);
	char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register range = {
		.range = { (unsigned long)page, 4096 },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (ioctl(handler, UFFDIO_API, &api) || ioctl(handler, UFFDIO_REGISTER, &range)) {
		perror("userfaultfd");
		_exit(1);
	}
	return page;
}

static void in_fault(void)
{
	*(volatile char *)missing_page() = 1;
}

/* Faults inside write(2), in kernel mode, with the file's lock held; the two below queue behind it. */
static void in_write(void)
{
	int file = open(victim, O_RDWR | O_CREAT, 0644);

	(void)!write(file, missing_page(), 4096);
}

static void behind_write(void)
{
	int file = open(victim, O_RDWR | O_CREAT, 0644);

	(void)!write(file, "x", 1);
}

static void behind_truncate(void)
{
	int file = open(victim, O_RDWR | O_CREAT, 0644);

	(void)!ftruncate(file, 0);
}

static const struct {
	const char *comm;
	void (*enter)(void);
	char state;
} states[] = {
	{ "u_pipe", in_pipe, 'S' },
	{ "u_poll", in_poll, 'S' },
	{ "u_epoll", in_epoll, 'S' },
	{ "u_sleep", in_sleep, 'S' },
	{ "u_signal", in_signal, 'S' },
	{ "u_threads", in_threads, 'S' },
	{ "u_pi_owner", has_pi, 'S' },
	{ "u_pi_waiter", behind_pi, 'S' },
	{ "u_parent", with_zombie, 'S' },
	{ "u_stopped", stopped, 'T' },
	{ "u_tracer", with_traced, 'S' },
	{ "u_vfork", in_vfork, 'D' },
	{ "u_fault", in_fault, 'S' },
	{ "u_write", in_write, 'S' },
	{ "u_behind1", behind_write, 'D' },
	{ "u_behind2", behind_truncate, 'D' },
	{ ") R 1 (a b\n\x1b%", in_pipe, 'S' },
};

/* The state letter in /proc/PID/stat: what follows the last parenthesis. */
static char state_of(pid_t pid)
{
	char path[64], text[512], *end;
	ssize_t length;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = open(path, O_RDONLY);
	length = read(file, text, sizeof(text) - 1);
	close(file);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : 0;
}

/* A task on its way to its place sleeps too, so it must be seen there several times, and with its name. */
static int settle(pid_t pid, char state)
{
	int seen = 0;

	for (int tries = 0; tries < 2000; tries++) {
		seen = state_of(pid) == state ? seen + 1 : 0;
		if (seen == 20)
			return 1;
		usleep(5000);
	}
	return 0;
}

int main(void)
{
	pi_word = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pipe(silent) || pi_word == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		pid_t pid = fork();

		if (!pid) {
			int nothing = open("/dev/null", O_RDWR);

			for (int fd = 0; fd < 3; fd++)
				dup2(nothing, fd);
			setsid();
			prctl(PR_SET_NAME, states[i].comm);
			states[i].enter();
			_exit(0);
		}
		if (!settle(pid, states[i].state)) {
			fprintf(stderr, "%s is in state %c, not %c\n", states[i].comm, state_of(pid), states[i].state);
			return 1;
		}
		if (states[i].comm[0] == 'u')
			printf("user comm=%s pid=%d state=%c\n", states[i].comm, pid, states[i].state);
	}
	return 0;
}
