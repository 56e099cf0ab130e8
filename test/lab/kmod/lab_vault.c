// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * A store that keeps a journal, with the mistake that makes a file undeletable: an append locks the file's inode and then
 * the journal, a commit locks the journal and then the inode. Writing "vault" to /proc/kdbg_lab lets the two meet, and the
 * writer does not come back: it is the one who appends. Whoever then deletes the file waits for its inode too.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/namei.h>

#include "lab.h"

#define VAULT_SEGMENT "/var/spool/vault/segment.7"

/* kdbg names the journal's lock by this structure, as the variable is called like it. */
struct vault {
	struct mutex journal;
	struct inode *segment;
	struct completion has_inode;
	struct completion has_journal;
};

struct vault vault;

static lab_frame void vault_journal_add(struct vault *of)
{
	mutex_lock(&of->journal);
	mutex_unlock(&of->journal);
	barrier();
}

static lab_frame void vault_append(struct vault *to)
{
	inode_lock(to->segment);
	complete(&to->has_inode);
	vault_journal_add(to);
	inode_unlock(to->segment);
}

static lab_frame void vault_write_segment(struct vault *of)
{
	inode_lock(of->segment);
	inode_unlock(of->segment);
	barrier();
}

static lab_frame int vault_commit(void *data)
{
	struct vault *of = data;

	mutex_lock(&of->journal);
	complete(&of->has_journal);
	wait_for_completion(&of->has_inode);
	vault_write_segment(of);
	mutex_unlock(&of->journal);
	return 0;
}

/* Does not return when all goes as planned. */
int lab_vault_append(void)
{
	struct task_struct *commit;
	struct path path;
	int error;

	if (vault.segment)
		return -EBUSY;
	error = kern_path(VAULT_SEGMENT, LOOKUP_FOLLOW, &path);
	if (error)
		return error;
	mutex_init(&vault.journal);
	init_completion(&vault.has_inode);
	init_completion(&vault.has_journal);
	vault.segment = d_inode(path.dentry);
	commit = kthread_run(vault_commit, &vault, "vault_commit");
	if (IS_ERR(commit))
		return PTR_ERR(commit);
	wait_for_completion(&vault.has_journal);
	vault_append(&vault);
	return -EDEADLK;
}
