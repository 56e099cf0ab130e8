// SPDX-License-Identifier: MIT
/*
 * The lab's way into a guest: a TCP server that runs shell commands, many times faster than ssh under emulation.
 *
 * One connection is one command. The server greets with "kdbg-lab\n". The client sends a line of three decimal numbers,
 * "SECONDS COMMAND-LENGTH STDIN-LENGTH\n", then the command and its standard input. The server answers with frames: one
 * byte of kind, four bytes of big-endian length, the payload. Kinds: 'o' standard output, 'e' standard error, and last one
 * 'x', the exit status in decimal (128 + N for signal N, 124 when the seconds ran out).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT 2
#define COMMAND_MAX (1 << 20)

static int connection;

static void send_all(const void *bytes, size_t length)
{
	while (length) {
		ssize_t sent = send(connection, bytes, length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			_exit(1);
		bytes = (const char *)bytes + sent;
		length -= sent;
	}
}

static void send_frame(char kind, const void *bytes, uint32_t length)
{
	char header[5] = { kind, length >> 24, length >> 16, length >> 8, length };

	send_all(header, sizeof(header));
	send_all(bytes, length);
}

static size_t receive_some(void *bytes, size_t length)
{
	ssize_t got;

	do
		got = recv(connection, bytes, length, 0);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		_exit(1);
	return got;
}

static void receive_all(char *bytes, size_t length)
{
	while (length) {
		size_t got = receive_some(bytes, length);

		bytes += got;
		length -= got;
	}
}

/* Sends what a pipe has; false at its end. */
static int forward(int from, char kind)
{
	static char buffer[65536];
	ssize_t got = read(from, buffer, sizeof(buffer));

	if (got > 0)
		send_frame(kind, buffer, got);
	return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec / 1e9;
}

static void serve(void)
{
	static char block[65536];
	char line[64] = "", *command;
	unsigned long seconds, command_length, stdin_length;
	int out[2], err[2], input, status = 0, expired = 0;
	size_t length = 0;
	double deadline;
	sigset_t mask;
	pid_t child;

	send_all("kdbg-lab\n", 9);
	do
		receive_all(line + length, 1);
	while (line[length++] != '\n' && length < sizeof(line) - 1);
	if (sscanf(line, "%lu %lu %lu", &seconds, &command_length, &stdin_length) != 3 || command_length > COMMAND_MAX)
		_exit(1);
	command = calloc(1, command_length + 1);
	receive_all(command, command_length);
	input = memfd_create("stdin", MFD_CLOEXEC);
	while (stdin_length) {
		size_t got = receive_some(block, stdin_length < sizeof(block) ? stdin_length : sizeof(block));

		if (write(input, block, got) != (ssize_t)got)
			_exit(1);
		stdin_length -= got;
	}
	lseek(input, 0, SEEK_SET);

	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) || pipe2(err, O_CLOEXEC | O_NONBLOCK))
		_exit(1);
	child = fork();
	if (!child) {
		sigprocmask(SIG_UNBLOCK, &mask, NULL);
		signal(SIGPIPE, SIG_DFL);
		setsid();
		fcntl(out[1], F_SETFL, 0);
		fcntl(err[1], F_SETFL, 0);
		dup2(input, 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);

	struct pollfd polls[4] = {
		{ .fd = out[0], .events = POLLIN },
		{ .fd = err[0], .events = POLLIN },
		{ .fd = signalfd(-1, &mask, SFD_CLOEXEC), .events = POLLIN },
		{ .fd = connection, .events = POLLRDHUP },
	};
	deadline = now() + seconds;
	while (waitpid(child, &status, WNOHANG) == 0) {
		double left = deadline - now();
		struct signalfd_siginfo info;

		if (left <= 0 || polls[3].revents) {
			expired = 1;
			kill(-child, SIGKILL);
			waitpid(child, &status, 0);
			break;
		}
		poll(polls, 4, left > 1 ? 1000 : (int)(left * 1000) + 1);
		if (polls[0].revents && !forward(out[0], 'o'))
			polls[0].fd = -1;
		if (polls[1].revents && !forward(err[0], 'e'))
			polls[1].fd = -1;
		if (polls[2].revents && read(polls[2].fd, &info, sizeof(info)) < 0)
			_exit(1);
	}
	/* What is left in the pipes, without waiting for a background process that still holds them open. */
	for (int i = 0; i < 2; i++) {
		struct pollfd left = { .fd = i ? err[0] : out[0], .events = POLLIN };

		while (poll(&left, 1, 0) > 0 && forward(left.fd, i ? 'e' : 'o') && (left.revents & POLLIN))
			;
	}
	snprintf(line, sizeof(line), "%d",
		 expired ? 124 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	send_frame('x', line, strlen(line));
	shutdown(connection, SHUT_WR);
	recv(connection, block, 1, 0);
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN); /* The servers of single connections leave no zombies in the guest's task list. */
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 64)) {
		perror("lab agent");
		return 1;
	}
	for (;;) {
		connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (connection < 0)
			continue;
		if (!fork()) {
			close(listener);
			serve();
			_exit(0);
		}
		close(connection);
	}
}
