/**
 * Redacting a recording: it is played for the names that it holds, written anew without them, and played and looked
 * through once more. The file gets its name only when that found nothing wrong.
 *
 * What the commands print is not taken over: it is printed by the redacted kernel. So the output cannot tell what the
 * memory does not, and fits it.
 */
import { accessSync, constants, existsSync, linkSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { type MemoryLayout, MemoryText } from '../backends/recording/redact/memory-text.ts';
import { Pseudonyms } from '../backends/recording/redact/pseudonyms.ts';
import { gather, type Rewriting, rewrite } from '../backends/recording/redact/rewrite.ts';
import { type Scan, scan } from '../backends/recording/redact/scan.ts';
import { partsOf, type Vocabulary } from '../backends/recording/redact/vocabulary.ts';
import { Redactor } from '../backends/recording/redact/words.ts';
import { openRecording } from '../backends/recording/replay.ts';
import { verify } from '../backends/recording/verify.ts';
import type { Redaction, RedactProgress } from '../core/command/recorded-session.ts';
import { DataError, UsageError } from '../core/errors.ts';
import { hasLesson } from './lesson-disk.ts';
import { layoutOf, NamesSeen, vocabularyOf } from './redact-model.ts';
import { type Played, type Playing, play } from './redact-play.ts';
import { expandHome, reasonOf } from './text-file.ts';

/** What is replaced and how: tests put something worse in its place. */
export type MakeMemoryText = (layout: MemoryLayout, redactor: Redactor) => MemoryText;

/** Playing it, reading it, writing it, and so once more, and looking through it. */
const STEPS = 7;

/** What was found out of a recording before anything of it is replaced. */
interface Known {
  readonly played: ReadonlyMap<number, Played>;
  readonly seen: NamesSeen;
  readonly userPages: ReadonlySet<string>;
  readonly vocabulary: Vocabulary;
  readonly layout: MemoryLayout;
  /** That the recording is damaged, or was not ended. */
  readonly notices: readonly string[];
}

/**
 * Writes `source` without what it tells of its machine and its users to `target`, a new file. Throws UsageError where
 * there is one, OpenError, and DataError with what is wrong where the result does not pass: then there is no file.
 */
export function redact(
  source: string,
  target: string,
  progress: RedactProgress,
  makeMemory: MakeMemoryText = (layout, redactor) => new MemoryText(layout, redactor),
): Redaction {
  const path = expandHome(target);
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw new UsageError(`cannot write ${target}: it exists; choose another name`);
  }
  checkFolder(path, target);
  const step = (done: number): void => progress.step(done, STEPS);
  step(0);
  const known = find(source, progress);
  step(1);
  const pseudonyms = new Pseudonyms((word) => isMeaningful(known.vocabulary, word));
  const redactor = new Redactor(known.vocabulary, pseudonyms);
  const replaced = new Map<string, { places: number; readonly words: Set<string> }>();
  const how: Rewriting = {
    redactor,
    memory: makeMemory(known.layout, redactor),
    userPages: known.userPages,
    outputs: undefined,
    count: () => undefined,
    check: () => progress.check(),
  };
  for (const secret of known.vocabulary.secrets) pseudonyms.of(secret);
  gather(source, how);
  step(2);
  pseudonyms.begin();
  const draft = `${path}.${process.pid}.draft`;
  const fresh = `${path}.${process.pid}.new`;
  try {
    rewrite(source, draft, how);
    step(3);
    // Played as it will be when it is examined: what a command tells of its own reads is the same then.
    const printed = play(draft, looking(new NamesSeen(), progress), () => undefined).played;
    const leftOut = compare(known.played, printed);
    const kept = [...printed].filter(([epoch]) => !leftOut.has(epoch));
    const outputs = new Map(kept.map(([epoch, { lines }]) => [epoch, lines]));
    const count: Rewriting['count'] = (kind, word) => {
      const of = replaced.get(kind) ?? { places: 0, words: new Set<string>() };
      replaced.set(kind, of);
      of.places++;
      of.words.add(word);
    };
    step(4);
    rewrite(source, fresh, { ...how, outputs, count });
    step(5);
    const verified = examine(fresh, known, redactor, outputs, progress);
    put(fresh, path, target);
    return {
      path: target,
      bytes: statSync(path).size,
      replaced: [...replaced].map(([kind, { places, words }]) => ({ kind, places, different: words.size })),
      verified,
      notices: [...known.notices, ...noticesOf(source, leftOut)],
    };
  } finally {
    for (const file of [draft, fresh]) remove(file);
  }
}

/** Told before the work, and by the name that was given: what is written at first has another. */
function checkFolder(path: string, target: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) throw new UsageError(`cannot write ${target}: there is no directory ${folder}`);
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new UsageError(`cannot write ${target}: ${folder}: ${reasonOf(error)}`);
  }
}

function find(source: string, progress: RedactProgress): Known {
  const seen = new NamesSeen();
  const userPages = new Set<string>();
  const playing: Playing = {
    ...looking(seen, progress),
    seeUser({ space, address, length }) {
      for (let page = address >> 12n; page << 12n < address + BigInt(length); page++) {
        userPages.add(`${space} ${page.toString(16)}`);
      }
    },
  };
  const recording = openRecording(source);
  const { notices } = recording;
  const { name } = recording.header.target;
  recording.close();
  // Everybody's name is nobody's.
  const host = /^ssh:(?:root@)?(.*)$/.exec(name)?.[1];
  if (host !== undefined) seen.add(host);
  const { played, result } = play(source, playing, (kernel) => {
    const layout = layoutOf(kernel, seen);
    return { layout, vocabulary: vocabularyOf(kernel, progress.commands, seen) };
  });
  return { played, seen, userPages, notices, ...result };
}

function looking(seen: NamesSeen, progress: RedactProgress): Playing {
  return { isCancelled: cancelled(progress), see: (kernel) => seen.see(kernel) };
}

function cancelled(progress: RedactProgress): () => boolean {
  return () => {
    progress.check();
    return false;
  };
}

/** A pseudonym must not be a word of the kernel's. */
function isMeaningful({ names, words, secrets }: Vocabulary, word: string): boolean {
  return names.has(word) || secrets.has(word) || partsOf(word).some((part) => part.length > 2 && words.has(part));
}

/**
 * The same commands must find the same: as many lines, the same outcome, the same addresses. Returns by their epoch
 * those whose output is left out: they show what belongs to processes, or find something else with their words
 * replaced, such as a part of a name.
 */
function compare(before: ReadonlyMap<number, Played>, now: ReadonlyMap<number, Played>): ReadonlyMap<number, Played> {
  const differences: string[] = [];
  const leftOut = new Map<number, Played>();
  for (const [epoch, played] of before) {
    const again = now.get(epoch);
    if (played.asksUser) {
      leftOut.set(epoch, again ?? played);
      continue;
    }
    const why = again === undefined ? 'it was not run' : difference(played, again);
    if (why === undefined) continue;
    if (again !== undefined && again.line !== played.line) leftOut.set(epoch, again);
    else differences.push(`"${played.line}": ${why}`);
  }
  if (differences.length === 0) return leftOut;
  const more = differences.length > 3 ? `; and ${differences.length - 3} more` : '';
  throw new DataError(
    `the redacted recording does not replay as this one does, and was not kept: ${differences.slice(0, 3).join('; ')}${more}`,
  );
}

function difference(one: Played, other: Played): string | undefined {
  if (one.status !== other.status) return `status ${one.status} became ${other.status}`;
  if (one.lines.length !== other.lines.length) return `${one.lines.length} lines became ${other.lines.length}`;
  const addresses = ({ lines }: Played) => (lines.join('\n').match(/\bffff[0-9a-f]{12}\b/g) ?? []).sort().join(' ');
  return addresses(one) === addresses(other) ? undefined : 'its addresses changed';
}

/** Looks at the finished file, and says what it looked at. Throws DataError with what is wrong. */
function examine(
  path: string,
  known: Known,
  redactor: Redactor,
  outputs: ReadonlyMap<number, readonly string[]>,
  progress: RedactProgress,
): readonly string[] {
  const whole = verify(path);
  if (!whole.ok) throw new DataError(`the redacted recording was not kept: ${whole.problems.join('; ')}`);
  const forbidden = new Set([...redactor.pseudonyms.words()].filter((word) => redactor.isFound(word)));
  const seen = new NamesSeen();
  const again = play(path, looking(seen, progress), () => undefined).played;
  for (const [epoch, { line, lines }] of again) {
    if (outputs.has(epoch) && lines.join('\n') !== outputs.get(epoch)?.join('\n')) {
      throw new DataError(`the redacted recording was not kept: "${line}" prints something else than it holds`);
    }
  }
  progress.step(STEPS - 1, STEPS);
  const looked: Scan = scan(path, {
    forbidden,
    isIssued: (word) => redactor.pseudonyms.isIssued(word),
    vocabulary: known.vocabulary,
    layout: known.layout,
    check: () => progress.check(),
  });
  const named = [...seen.secrets].filter((name) => known.seen.secrets.has(name) && /[A-Za-z]/.test(name));
  const findings = [...named.map((name) => `a task or the machine is called "${name}"`), ...looked.findings];
  if (findings.length > 0) {
    throw new DataError(`the redacted recording still tells something, and was not kept: ${findings.join('; ')}`);
  }
  return [
    `${plural(looked.pages, 'page')} of memory (${looked.imagePages} of them the kernel's own text and constants) and ${plural(looked.texts, 'text')}: none of ${plural(forbidden.size, 'word')}, no text but replacements and words of the kernel`,
    `${plural(known.seen.secrets.size, 'name')} of tasks and machines: none is left`,
    `${plural(outputs.size, 'command')} run again: as many lines, the same outcome, the same addresses`,
  ];
}

function put(fresh: string, path: string, shown: string): void {
  try {
    try {
      // A link is made only where there is no file: a rename would replace one that came meanwhile.
      linkSync(fresh, path);
    } catch (error) {
      // Some file systems have no links.
      if (statSync(path, { throwIfNoEntry: false }) !== undefined) throw error;
      renameSync(fresh, path);
    }
  } catch (error) {
    throw new UsageError(`cannot write ${shown}: ${reasonOf(error)}`);
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was not made.
  }
}

function noticesOf(source: string, leftOut: ReadonlyMap<number, Played>): readonly string[] {
  const notices = [...leftOut.values()].map(
    ({ line, asksUser }) =>
      `what "${line}" printed is left out: ${asksUser ? 'it is of processes' : 'with its words replaced it finds something else'}`,
  );
  if (hasLesson(source)) {
    notices.push(
      'its lesson is not redacted and stays behind: addresses, PIDs and symbols in it hold for the new file, names do not',
    );
  }
  return notices;
}
