/**
 * A request as it goes out: lines of plain words that a POSIX shell can read, each short enough for any of them and
 * with an answer of bounded length. A request that is larger becomes several lines, sent at once.
 */
import { BackendError } from '../../../core/errors.ts';
import type { CommandRequest, ControlStep } from '../../../core/memory/backend.ts';
import { encodeText } from '../../../core/memory/text.ts';

/** One line without its id, and what its answer may be at most. */
export interface WireRequest {
  /** "r 4096 512": the operation and its words. */
  readonly line: string;
  readonly itemsMax: number;
  readonly bytesMax: number;
}

const LINE_MAX = 16 * 1024;
/** Of one answer; the bytes of one request for a file can be more. */
const ANSWER_MAX = 4 * 1024 * 1024;
/** An item's header, or an error in its place. */
const ITEM_MAX = 300;
/** All that one answer can bring, whatever was asked for. */
const BYTES_MAX = 256 * 1024 * 1024;

/** Bytes that are no plain characters are written \0ooo, which printf's %b of a shell turns back. */
export function encodeWord(text: string): string {
  let word = '';
  for (const byte of encodeText(text)) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x5c;
    word += isPlain ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, '0')}`;
  }
  return word;
}

/** What is asked for in a list, as few lines as hold it. `bytes` is the most that comes for an entry. */
export function wireList(
  start: string,
  entries: readonly { readonly words: string; readonly bytes: number }[],
  answerMax = ANSWER_MAX,
): readonly WireRequest[] {
  const requests: { line: string; itemsMax: number; bytesMax: number }[] = [];
  for (const { words, bytes } of entries) {
    let last = requests.at(-1);
    const isFull =
      last !== undefined &&
      (last.line.length + words.length >= LINE_MAX || last.bytesMax + bytes + ITEM_MAX > answerMax);
    if (last === undefined || isFull) {
      last = { line: start, itemsMax: 0, bytesMax: 0 };
      requests.push(last);
    }
    last.line += ` ${words}`;
    last.itemsMax++;
    last.bytesMax += bytes + ITEM_MAX;
  }
  return requests.map((request) => ({ ...request, bytesMax: Math.min(request.bytesMax, BYTES_MAX) }));
}

/** "e CREDIT COUNT FILE... =WORD...": an empty word is a word. Throws BackendError where a line has no room for it. */
export function runLine(credit: number, { words, pidFiles }: CommandRequest): string {
  const all = [...pidFiles, ...words.map((word) => `=${word}`)].map(encodeWord);
  const line = `e ${credit} ${pidFiles.length} ${all.join(' ')}`;
  if (line.length <= LINE_MAX) return line;
  throw new BackendError(`the command is too long: ${line.length} characters, and ${LINE_MAX} can be sent`);
}

/** What is answered by one item or a few. */
export function wireRequest(line: string, itemsMax = 1, bytesMax = ITEM_MAX): WireRequest {
  return { line, itemsMax, bytesMax: Math.min(bytesMax + ITEM_MAX * itemsMax, BYTES_MAX) };
}

/** Steps as words: "w PATH =TEXT", "a PATH =TEXT", "m PATH", "d PATH". */
export function encodeSteps(steps: readonly ControlStep[]): string {
  return steps
    .map((step) => {
      const path = encodeWord(step.path);
      if (step.kind === 'mkdir') return `m ${path}`;
      if (step.kind === 'rmdir') return `d ${path}`;
      return `${step.kind === 'append' ? 'a' : 'w'} ${path} =${encodeWord(step.text)}`;
    })
    .join(' ');
}
