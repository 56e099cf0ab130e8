/**
 * The checks of a lesson's steps as text: `pid 131 | symbol lab_a`. A bar separates several; a backslash before it makes
 * it a character of the text.
 */
import { UsageError } from '../errors.ts';
import { type Check, LESSON_LIMITS } from './lesson.ts';

const NUMBER = String.raw`-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?)`;
const RANGE = new RegExp(String.raw`^(${NUMBER})(?:\.\.(${NUMBER}))?$`);

/** How each kind reads what it expects; undefined for what it cannot be. */
const KINDS: Readonly<Record<string, { readonly wants: string; readonly read: (text: string) => Check | undefined }>> =
  {
    pid: {
      wants: 'a PID',
      read: (text) => (/^\d{1,9}$/.test(text) ? { kind: 'pid', pid: Number(text) } : undefined),
    },
    address: {
      wants: 'an address or an expression',
      read: (text) => (text === '' ? undefined : { kind: 'address', expression: text }),
    },
    symbol: {
      wants: "a symbol's name",
      read: (text) => (/^[A-Za-z_.$][\w.$]*$/.test(text) ? { kind: 'symbol', name: text } : undefined),
    },
    number: { wants: 'a number, or two with .. between', read: readNumber },
    text: { wants: 'words', read: (text) => (text === '' ? undefined : { kind: 'text', text }) },
    choice: {
      wants: 'the letter of an option',
      read: (text) => (/^[a-z]$/.test(text) ? { kind: 'choice', letter: text } : undefined),
    },
    ran: { wants: 'the name of a command, perhaps with "shows TEXT"', read: readRan },
    shows: {
      wants: 'a text that a command prints',
      read: (text) => (text === '' ? undefined : { kind: 'ran', command: undefined, shows: text }),
    },
  };

/** The kinds of checks, for messages and completion. */
export const CHECK_KINDS: readonly string[] = Object.keys(KINDS);

/** The checks of a field's text. Throws UsageError. */
export function parseChecks(text: string): readonly Check[] {
  const parts = text.split(/(?<!\\)\|/);
  if (parts.length > LESSON_LIMITS.ofAField) throw new UsageError(`more than ${LESSON_LIMITS.ofAField} checks`);
  return parts.map((part) => parseCheck(part.replaceAll('\\|', '|').trim()));
}

function parseCheck(text: string): Check {
  const [, name = '', expected = ''] = /^(\S*)\s*(.*)$/s.exec(text) ?? [];
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined) throw new UsageError(`"${name}" is no kind of check: ${CHECK_KINDS.join(', ')}`);
  const check = kind.read(expected);
  if (check === undefined) throw new UsageError(`the check "${name}" wants ${kind.wants}, not "${expected}"`);
  return check;
}

function readNumber(text: string): Check | undefined {
  const [, first, last = first] = RANGE.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const [from, to] = [numberOf(first), numberOf(last)];
  return from <= to ? { kind: 'number', from, to } : undefined;
}

/** Number() takes no sign before 0x. */
function numberOf(text: string): number {
  return text.startsWith('-') ? -Number(text.slice(1)) : Number(text);
}

function readRan(text: string): Check | undefined {
  const [, command, shows] = /^(\S+)(?:\s+shows\s+(\S.*))?$/.exec(text) ?? [];
  return command === undefined ? undefined : { kind: 'ran', command, shows };
}
