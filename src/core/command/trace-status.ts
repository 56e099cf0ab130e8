/** What is traced on a machine, and by whom: kdbg's own trace, what it left, and what others do. */
import { leftInstances, ownTrace } from '../kernel/trace-own.ts';
import { readTraceState, type TraceState } from '../kernel/trace-state.ts';
import { type Tracefs, tracefs } from '../kernel/tracefs.ts';
import { type Item, notice, row } from '../output/item.ts';
import { span } from '../output/line.ts';
import type { Scope } from './scope.ts';

const LABEL_WIDTH = 16;
const SHOWN_MAX = 5;

export function* traceStatus({ kernel }: Scope): Iterable<Item> {
  const fs = tracefs(kernel);
  const own = ownTrace(kernel);
  const left = leftInstances(kernel);
  yield* buffer(readTraceState(fs, undefined), 'shared buffer');
  for (const instance of fs.instances()) {
    const whose =
      instance === own?.instance ? 'own trace' : left.includes(instance) ? 'left behind' : `instance ${instance}`;
    yield* buffer(readTraceState(fs, instance), whose);
  }
  yield* probes(fs);
  if (own === undefined) yield notice('kdbg traces nothing and has changed nothing here');
  yield* leftNotice(left);
}

/** Offers the removal of what other sessions have left. */
export function* leftNotice(left: readonly string[]): Iterable<Item> {
  if (left.length > 0) yield notice(leftText(left));
}

export function leftText(left: readonly string[]): string {
  return `"trace clean" removes what earlier sessions of kdbg have left: ${left.join(', ')}`;
}

function* buffer(state: TraceState, whose: string): Iterable<Item> {
  const { tracer, isOn, filters, events, clock, bufferKib } = state;
  const isBusy = tracer !== 'nop' || events.length > 0;
  const parts = [
    isBusy ? (isOn ? tracer : `${tracer}, recording is off`) : 'nothing is traced',
    ...(events.length === 0 ? [] : [`${events.length} events: ${shown(events)}`]),
    ...[...filters].map(([file, entries]) => `${file}: ${shown(entries)}`),
    `clock ${clock ?? '?'}`,
    `${bufferKib ?? '?'} KiB a CPU`,
  ];
  const data = {
    instance: state.instance ?? null,
    whose,
    tracer,
    on: isOn,
    events,
    filters: Object.fromEntries([...filters].map(([file, entries]) => [file, entries])),
    clock: clock ?? null,
    bufferKib: bufferKib ?? null,
  };
  yield row(data, () => [
    [span(whose.padEnd(LABEL_WIDTH), undefined, 'header'), `  ${parts[0]}`],
    ...parts.slice(1).map((part) => `${' '.repeat(LABEL_WIDTH)}  ${part}`),
  ]);
}

/** Probes and hooks of functions: whoever made them. */
function* probes(fs: Tracefs): Iterable<Item> {
  const [dynamic, enabled] = fs.texts([`${fs.root}/dynamic_events`, `${fs.root}/enabled_functions`]);
  for (const [label, text] of [
    ['probes', dynamic],
    ['hooked functions', enabled],
  ] as const) {
    const all = text === undefined || text === '' ? [] : text.split('\n');
    // A hooked function's line goes on with how often and from where.
    const entries = label === 'probes' ? all : all.map((line) => line.replace(/\s.*$/, ''));
    if (entries.length === 0) continue;
    yield row({ what: label, count: entries.length, entries: entries.slice(0, SHOWN_MAX) }, () => [
      [span(label.padEnd(LABEL_WIDTH), undefined, 'header'), `  ${entries.length}: ${shown(entries)}`],
    ]);
  }
}

function shown(entries: readonly string[]): string {
  const more = entries.length - SHOWN_MAX;
  return `${entries.slice(0, SHOWN_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
