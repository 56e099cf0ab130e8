// SPDX-License-Identifier: MIT
/*
 * A 32-bit program from the days of 32-bit kernels: it runs a program for DOS in the processor's virtual 8086 mode, by the
 * system call vm86. A 64-bit kernel refuses that with ENOSYS, so it complains to the kernel log, once, and tries again every
 * second for as long as it lives. It has no library: Debian's 64-bit compilers come without 32-bit ones.
 */

enum { SYS_read = 3, SYS_write = 4, SYS_open = 5, SYS_close = 6, SYS_nanosleep = 162, SYS_vm86 = 166 };
enum { O_WRONLY = 1, VM86_ENTER = 1 };

/* The door of 32-bit programs since the first Linux: number in eax, arguments in ebx, ecx, edx. */
static int call(int number, const void *a, const void *b, int c)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

/* The message of strerror(3), as far as it is needed here. */
static const char *message(int error)
{
	return error == -38 ? "Function not implemented" : error == -1 ? "Operation not permitted" : "error";
}

static char *append(char *end, const char *text)
{
	while (*text)
		*end++ = *text++;
	return end;
}

static void complain(int error)
{
	char line[128];
	char *end = append(line, "dosrun: cannot start TILL.EXE: ");
	int log = call(SYS_open, "/dev/kmsg", (void *)O_WRONLY, 0);

	end = append(append(end, message(error)), "\n");
	call(SYS_write, (void *)log, line, end - line);
	call(SYS_close, (void *)log, 0, 0);
}

/* What vm86plus_struct needs at most: registers, flags and the bitmaps of interrupts. */
static unsigned char virtual_machine[256];
static char program[4096];

void _start(void)
{
	const struct { int seconds, nanoseconds; } pause = { 1, 0 };

	for (int attempt = 0;; attempt++) {
		int file = call(SYS_open, "/opt/till/TILL.EXE", 0, 0);
		int error;

		call(SYS_read, (void *)file, program, sizeof(program));
		call(SYS_close, (void *)file, 0, 0);
		error = call(SYS_vm86, (void *)VM86_ENTER, virtual_machine, 0);
		if (error < 0 && attempt == 0)
			complain(error);
		call(SYS_nanosleep, &pause, 0, 0);
	}
}
