/**
 * The kernel's dynamic events: probes of this session and of everybody else, in one list for the whole kernel. Those of
 * kdbg are in a group that is named as the instance that records them, `kdbg_0123abcd` as `kdbg-0123abcd`: so nobody
 * else's are ever touched, and those that a killed session has left are recognised.
 */
import type { ControlStep } from '../memory/backend.ts';
import type { Tracefs } from './tracefs.ts';

/** A line of dynamic_events: `r256:kdbg_0123abcd/vfs_read vfs_read ret=$retval:s64`. */
export interface DynamicEvent {
  /** What stands before the colon: `p`, `r256`, `f`, `t`, `e`, `s`. */
  readonly type: string;
  readonly group: string;
  readonly name: string;
  readonly place: string;
}

const LIST_MAX = 4 * 1024 * 1024;

/** The group of the probes that an instance of kdbg records. */
export function probeGroup(instance: string): string {
  return instance.replace('-', '_');
}

/** The instance that records the probes of a group; the group itself where it is none of kdbg's. */
export function probeInstance(group: string): string {
  return group.replace(/^kdbg_/, 'kdbg-');
}

/** All of them, in the order in which the kernel counts their hits. */
export function dynamicEvents(fs: Tracefs): readonly DynamicEvent[] {
  const text = fs.text(`${fs.root}/dynamic_events`, LIST_MAX) ?? '';
  return text.split('\n').flatMap((line) => {
    const match = /^([a-z]\d*):([^/\s]+)\/(\S+) ?(\S*)/.exec(line);
    if (match === null) return [];
    const [, type = '', group = '', name = '', place = ''] = match;
    return [{ type, group, name, place }];
  });
}

/** What takes the events of a group from the instance that records them, and then away. */
export function probeRemovalSteps(
  fs: Tracefs,
  instance: string,
  names: readonly string[],
): { readonly before: readonly ControlStep[]; readonly after: readonly ControlStep[] } {
  const group = probeGroup(instance);
  if (names.length === 0) return { before: [], after: [] };
  return {
    // An event that an instance has enabled cannot be removed (EBUSY), and one whose instance is in use is not yet gone.
    before: [{ kind: 'write', path: `${fs.directory(instance)}/events/${group}/enable`, text: '0' }],
    after: names.map((name) => ({ kind: 'append', path: `${fs.root}/dynamic_events`, text: `-:${group}/${name}` })),
  };
}

/** The names of an instance's probes that the kernel still has. */
export function leftProbes(fs: Tracefs, instance: string): readonly string[] {
  const group = probeGroup(instance);
  return dynamicEvents(fs).flatMap((event) => (event.group === group ? [event.name] : []));
}
