/**
 * What a wait is about, by the functions further out: a completion that ends an RCU grace period, a wait queue of a
 * journal, a daemon in user space that has to answer.
 */
import type { TaskStack } from '../stack.ts';
import type { LockKind } from './lock.ts';
import { baseName } from './wait-function.ts';

export interface WaitMeaning {
  /** The kind that the wait is of, where this changes it. */
  readonly kind: LockKind | undefined;
  /** In words: `an RCU grace period`. */
  readonly what: string;
  readonly within: string;
  readonly frame: number;
}

/** Functions by name, innermost first; the kinds `rcu` and `work` take the place of the completion that they wait for. */
const MEANINGS: readonly (readonly [RegExp, string, LockKind?])[] = [
  [
    /^(?:__)?wait_rcu_gp$|^synchronize_(?:rcu|srcu|sched)\w*$|^__synchronize_srcu$|^synchronize_net$/,
    'an RCU grace period',
    'rcu',
  ],
  [/^(?:_)?rcu_barrier\w*$|^srcu_barrier$/, 'all RCU callbacks (rcu_barrier)', 'rcu'],
  [
    /^(?:__)?flush_work$|^(?:__)?cancel_work_sync$|^(?:__)?cancel_(?:delayed_)?work_sync$/,
    'a work item to end',
    'work',
  ],
  [/^(?:__)?flush_workqueue$|^drain_workqueue$/, 'all work of a workqueue', 'work'],
  [/^jbd2_log_wait_commit$|^jbd2_complete_transaction$/, 'a jbd2 commit'],
  [/^wait_transaction_locked$|^wait_transaction_switching$|^add_transaction_credits$/, 'a jbd2 transaction to end'],
  [/^do_get_write_access$|^jbd2_journal_get_write_access$/, 'a jbd2 buffer that is being written'],
  [/^request_wait_answer$|^fuse_(?:simple|__)?\w*request\w*$|^fuse_get_req$/, 'user space: a FUSE server'],
  [/^handle_userfault$/, 'user space: a userfaultfd'],
  [/^rpc_wait_bit_killable$|^__rpc_execute$|^nfs\d?_\w+$|^rpc_\w+$/, 'an NFS server'],
  [/^(?:smb2|cifs|SMB2)_\w+$|^wait_for_response$|^compound_send_recv$/, 'an SMB server'],
  [/^ceph_\w+$/, 'a Ceph server'],
  [/^balance_dirty_pages\w*$/, 'the disk: dirty pages are over their limit'],
  [/^(?:__)?blk_mq_get_tag$|^blk_mq_get_request$/, 'the disk: all its tags are in use'],
  [/^rq_qos_wait$|^wbt_wait$|^blk_throtl\w*$/, 'the disk: its queue is throttled'],
  [/^submit_bio_wait$|^blk_execute_rq$|^blk_wait_io$|^__blkdev_\w+$|^blkdev_\w+$/, 'a block device'],
  [/^xlog_\w+$|^xfs_log_force\w*$/, 'the log of an XFS'],
  [/^xfs_buf_(?:lock|iowait|submit\w*)$/, 'a buffer of an XFS'],
  [/^btrfs_(?:wait_\w+|commit_transaction|start_ordered_extent)$/, 'a btrfs'],
  [/^wait_for_vfork_done$/, 'its vfork child to run a program or to end'],
  [/^kthread_stop$/, 'a kernel thread to end'],
  [/^(?:do_)?coredump\w*$|^coredump_wait$/, 'a core dump'],
  [/^try_to_free_pages$|^shrink_\w+$|^throttle_direct_reclaim$/, 'memory to be reclaimed'],
  [/^mem_cgroup_oom_synchronize$/, 'memory of its cgroup'],
  [/^__refrigerator$/, 'to be thawed'],
  [/^virt(?:io|queue)_\w+$|^scsi_\w+$|^nvme_\w+$|^ata_\w+$|^mmc_\w+$|^usb_\w+$/, 'a device'],
  [/^io_schedule\w*$|^bit_wait_io\w*$/, 'I/O'],
];

/** How far out of the waiting function a frame still says what the wait is about. */
const REACH = 8;

/** The innermost of such functions, up to some frames out of the one at `from`. */
export function waitMeaning(stack: TaskStack, from: number): WaitMeaning | undefined {
  let io: WaitMeaning | undefined;
  for (let frame = 0; frame < Math.min(stack.frames.length, from + REACH); frame++) {
    const { symbol, exception } = stack.frames[frame] as TaskStack['frames'][number];
    // What was interrupted by a page fault does not say why the fault waits.
    if (exception !== undefined) break;
    const name = baseName(symbol?.name);
    const row = name === undefined ? undefined : MEANINGS.find(([pattern]) => pattern.test(name));
    if (row === undefined || name === undefined) continue;
    const meaning = { kind: row[2], what: row[1], within: name, frame };
    // That it is I/O is the least that can be said: what I/O may be further out.
    if (row[1] !== 'I/O') return meaning;
    io ??= meaning;
  }
  return io;
}
