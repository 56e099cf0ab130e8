/**
 * What must hold in memory if the types of the seed table are right on this kernel: cheap looks at well-known globals,
 * as data. Whoever has memory runs them; a check of a symbol that the kernel lacks is not run.
 */

export type GlobalCheck = { readonly symbol: string } & (
  | {
      /** A struct list_head whose neighbours point back at it: head.next->prev and head.prev->next are the head. */
      readonly kind: 'list';
    }
  | {
      /** A char array at this member path begins with this text. */
      readonly kind: 'text';
      readonly member: string;
      readonly begins: string;
    }
  | {
      /** An integer, or the integer at this member path, is within [low, high]. */
      readonly kind: 'range';
      readonly member?: string;
      readonly low: bigint;
      readonly high: bigint;
    }
  | {
      /** A pointer, or the pointer at this member path, is to this symbol. */
      readonly kind: 'points-to';
      readonly member?: string;
      readonly target: string;
    }
  | {
      /** A pointer holds a kernel address. */
      readonly kind: 'pointer';
    }
);

const LISTS = [
  ...['modules', 'btf_modules', 'slab_caches', 'super_blocks', 'workqueues', 'net_namespace_list', 'task_groups'],
  ...['cgroup_roots', 'ftrace_trace_arrays', 'ftrace_events', 'pci_root_buses', 'tty_drivers', 'pernet_list'],
];
const POINTERS = [
  ...['prb', 'saved_command_line', 'file_systems', 'dentry_hashtable', 'inode_hashtable', 'mount_hashtable'],
  ...['task_struct_cachep', 'mm_cachep', 'dentry_cache', 'vmap_nodes', 'mem_section', 'class_kset', 'system_wq'],
];

export const GLOBAL_CHECKS: readonly GlobalCheck[] = [
  { symbol: 'init_task', kind: 'text', member: 'comm', begins: 'swapper' },
  { symbol: 'init_task', kind: 'range', member: 'pid', low: 0n, high: 0n },
  { symbol: 'init_task', kind: 'points-to', member: 'real_parent', target: 'init_task' },
  { symbol: 'init_task', kind: 'points-to', member: 'nsproxy', target: 'init_nsproxy' },
  { symbol: 'init_uts_ns', kind: 'text', member: 'name.sysname', begins: 'Linux' },
  { symbol: 'linux_banner', kind: 'text', member: '', begins: 'Linux version ' },
  { symbol: 'init_pid_ns', kind: 'range', member: 'level', low: 0n, high: 0n },
  { symbol: 'nr_cpu_ids', kind: 'range', low: 1n, high: 8192n },
  { symbol: 'nr_node_ids', kind: 'range', low: 1n, high: 1024n },
  { symbol: 'nr_threads', kind: 'range', low: 1n, high: 4_194_304n },
  { symbol: 'tainted_mask', kind: 'range', low: 0n, high: 0xff_ffffn },
  { symbol: 'max_pfn', kind: 'range', low: 1n, high: 1n << 45n },
  { symbol: 'system_state', kind: 'range', low: 0n, high: 8n },
  ...LISTS.map((symbol) => ({ symbol, kind: 'list' }) as const),
  ...POINTERS.map((symbol) => ({ symbol, kind: 'pointer' }) as const),
];
