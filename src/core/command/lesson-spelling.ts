/**
 * What somebody may mean who answers with more than the answer: with what stands around it in what a command printed.
 */
import type { Check } from '../formats/lesson.ts';

/** A kernel address as commands print it. */
const ADDRESS = /\b(?:0x)?[0-9a-f]{16}\b/gi;

/** Each reading takes the essential part of an answer; undefined where the answer has no such part. */
type Reading = (answer: string) => string | undefined;

const part =
  (pattern: RegExp): Reading =>
  (answer) =>
    pattern.exec(answer)?.[1];

/** 136 (lab_ab); lab_ab (136); lab_ab, 136 */
const BESIDE_NAME: readonly Reading[] = [
  part(/^(\d+)\s*\(.*\)$/),
  part(/^.*\((\d+)\)$/),
  part(/^[A-Za-z_][^,]*,\s*(\d+)$/),
];

/** lab_root.mutex_a [kdbg_lab] */
const BEFORE_MODULE = part(/^(.*\S)\s*\[\w+\]$/);

const READINGS: Readonly<Partial<Record<Check['kind'], readonly Reading[]>>> = {
  pid: [
    // PID: 136, pid=136
    part(/^pid\s*[:=]?\s*(\S+)$/i),
    ...BESIDE_NAME,
    // [lab_ab], "rm"
    part(/^\[(.+)\]$/),
    part(/^["'`](.+)["'`]$/),
  ],
  address: [
    BEFORE_MODULE,
    // mutex ffffffffc0658280  lab_root.mutex_a [kdbg_lab]
    part(/^[a-z_]+\s+((?:0x)?[0-9a-f]{16})\b/i),
    // (struct dentry *) 0xffff8df8815e0b40
    onlyAddress,
  ],
  // #3 [ffffd1f4c042be98] __mutex_lock.constprop.0 at ffffffff9941343d
  symbol: [part(/^(?:#\d+\s+)?\[[0-9a-f]{16}\]\s+(\S+)/i), part(/^(\S+) at [0-9a-f]{16}\b/i)],
  text: [BEFORE_MODULE],
  // {256}
  number: [part(/^\{(.*)\}$/), ...BESIDE_NAME],
};

/** An answer as it was typed, then what else it may mean, the likeliest first. */
export function spellingsOf(kind: Check['kind'], answer: string): readonly string[] {
  // counter = 0x3,
  const value = /^[$\w.]+\s*=\s*(?!=)(.*?),?$/.exec(answer)?.[1];
  const answers = value === undefined || value === '' ? [answer] : [answer, value];
  const readings = READINGS[kind] ?? [];
  return answers.flatMap((each) => [each, ...readings.flatMap((read) => read(each) ?? [])]);
}

function onlyAddress(answer: string): string | undefined {
  const found = new Set(answer.match(ADDRESS)?.map((each) => each.toLowerCase().replace(/^0x/, '')));
  return found.size === 1 ? [...found][0] : undefined;
}
