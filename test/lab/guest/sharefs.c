// SPDX-License-Identifier: MIT
/*
 * A file system in user space, as small as one can be: sharefs DIRECTORY mounts it there and answers for one directory with
 * one file in it. Whoever stops it (SIGSTOP) makes everybody wait who asks it something.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NODE 2

static const char file_name[] = "minutes.txt", file_text[] = "Nobody came.\n";
static int device;

/* The biggest request that is allowed: a page of header and 128 KiB of data. */
static _Alignas(8) char request[4096 + 128 * 1024];

static void answer(const struct fuse_in_header *to, int error, const void *body, size_t length)
{
	char out[512];
	struct fuse_out_header *head = (struct fuse_out_header *)out;

	if (error)
		length = 0;
	head->len = sizeof(*head) + length;
	head->error = -error;
	head->unique = to->unique;
	memcpy(head + 1, body, length);
	(void)!write(device, out, head->len);
}

static struct fuse_attr attributes(__u64 node)
{
	struct fuse_attr attr = { .ino = node, .nlink = 1, .blksize = 4096 };

	attr.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
	attr.size = node == FUSE_ROOT_ID ? 0 : strlen(file_text);
	return attr;
}

static void serve(const struct fuse_in_header *head, const char *body)
{
	struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = 128 * 1024, .flags = FUSE_PARALLEL_DIROPS };
	struct fuse_entry_out entry = { .nodeid = FILE_NODE, .attr = attributes(FILE_NODE) };
	struct fuse_attr_out attr = { .attr = attributes(head->nodeid) };
	struct fuse_open_out opened = { .fh = 1 };

	switch (head->opcode) {
	case FUSE_INIT:
		return answer(head, 0, &init, sizeof(init));
	case FUSE_LOOKUP:
		return answer(head, strcmp(body, file_name) ? ENOENT : 0, &entry, sizeof(entry));
	case FUSE_GETATTR:
		return answer(head, 0, &attr, sizeof(attr));
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return answer(head, 0, &opened, sizeof(opened));
	case FUSE_READDIR:
		return answer(head, 0, NULL, 0);
	case FUSE_READ:
		return answer(head, 0, file_text, strlen(file_text));
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		return answer(head, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		return answer(head, ENOSYS, NULL, 0);
	}
}

int main(int count, char **arguments)
{
	char options[64];
	device = open("/dev/fuse", O_RDWR);
	if (count != 2 || device < 0)
		return 1;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (mount("sharefs", arguments[1], "fuse", MS_NOSUID | MS_NODEV, options))
		return 1;
	for (;;) {
		ssize_t length = read(device, request, sizeof(request));

		if (length >= (ssize_t)sizeof(struct fuse_in_header))
			serve((struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
		else if (length >= 0 || (errno != EINTR && errno != ENOENT))
			return 0;
	}
}
