/**
 * A probe's hits, read from what the kernel prints of its events:
 *
 *     vfs_read: (vfs_read+0x4/0x370) name="passwd" count=65536
 *     vfs_read__return: (ksys_read+0x6f/0xf0 <- vfs_read) ret=2811
 *
 * A string may hold anything, what looks like the next field too. The fields are known, so the text is split from both
 * ends: only between two strings can a hostile one move the border, and no text costs more than a few passes over it.
 */
import type { TraceEntry, TraceFunction } from '../formats/trace-entry.ts';
import { parseFunction } from '../formats/trace-line.ts';
import type { ProbeArgument } from './probe-argument.ts';
import type { Probe, ProbeEvent } from './probe-plan.ts';

/** As the kernel printed it; undefined is a string in memory that could not be read. */
export type ProbeText = string | readonly string[] | undefined;

export interface ProbeValue {
  readonly argument: ProbeArgument;
  readonly text: ProbeText;
}

/** What one event says. */
export interface ProbeEventHit {
  readonly probe: Probe;
  readonly event: ProbeEvent;
  readonly entry: TraceEntry;
  /** Where it hit; of a return, where it returned to. */
  readonly at: TraceFunction | undefined;
  readonly values: readonly ProbeValue[];
}

const STRING = /^(?:u?string|symstr)$/;

/** Probes by the names of their events. */
export type ProbeEvents = ReadonlyMap<string, { readonly probe: Probe; readonly event: ProbeEvent }>;

export function probeEvents(probes: readonly Probe[]): ProbeEvents {
  return new Map(probes.flatMap((probe) => probe.events.map((event) => [event.name, { probe, event }] as const)));
}

/** The hit that an entry is; undefined for an entry of no probe, or whose text is not as its fields. */
export function probeEventHit(entry: TraceEntry, events: ProbeEvents): ProbeEventHit | undefined {
  const known = entry.kind === 'event' ? events.get(entry.name) : undefined;
  if (entry.kind !== 'event' || known === undefined) return undefined;
  const { probe, event } = known;
  const [whole, place = ''] = /^\(([^()]*)\)/.exec(entry.text) ?? [];
  const texts = whole === undefined ? undefined : fieldTexts(entry.text.slice(whole.length), event.arguments);
  if (texts === undefined) return undefined;
  const values = event.arguments.map((argument, i) => ({ argument, text: texts[i] }));
  return { probe, event, entry, at: parseFunction(place.split(' <- ')[0] ?? '')?.function, values };
}

/** The text of each field of ` name="passwd" count=65536`; undefined where they are not these fields. */
export function fieldTexts(text: string, fields: readonly ProbeArgument[]): readonly ProbeText[] | undefined {
  const texts: ProbeText[] = [];
  let rest = text;
  for (const [i, { name, kernelType }] of fields.entries()) {
    const key = ` ${name}=`;
    if (!rest.startsWith(key)) return undefined;
    rest = rest.slice(key.length);
    const next = fields[i + 1];
    const end = next === undefined ? rest.length : endOfField(rest, ` ${next.name}=`, fields.slice(i + 1), kernelType);
    if (end < 0) return undefined;
    const value = fieldValue(rest.slice(0, end), kernelType);
    if (value === null) return undefined;
    texts.push(value);
    rest = rest.slice(end);
  }
  return rest === '' ? texts : undefined;
}

/** Where a field's text ends: a string before no other string ends at the last place where the next field could begin. */
function endOfField(text: string, next: string, after: readonly ProbeArgument[], kernelType: string): number {
  if (!STRING.test(kernelType)) return text.indexOf(next);
  if (text.startsWith(`(fault)${next}`)) return '(fault)'.length;
  const isLastString = !after.some((each) => STRING.test(each.kernelType));
  const end = isLastString ? text.lastIndexOf(`"${next}`) : text.indexOf(`"${next}`, 1);
  return end < 0 ? -1 : end + 1;
}

/** Null for a text that is no value of this type. */
function fieldValue(text: string, kernelType: string): ProbeText | null {
  if (STRING.test(kernelType)) {
    if (text === '(fault)') return undefined;
    return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : null;
  }
  if (kernelType.endsWith(']')) return /^\{.*\}$/s.test(text) ? text.slice(1, -1).split(',') : null;
  if (/^(?:symbol|char)$/.test(kernelType)) return text;
  return /^(?:-?\d{1,20}|0x[0-9a-f]{1,16})$/.test(text) ? text : null;
}
