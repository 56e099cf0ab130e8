/**
 * Text without what it tells: which of its words are replaced depends on what the text is.
 *
 * Texts are bytes, one character each (Latin-1): a word has letters, digits, underscores and whatever is not ASCII.
 */
import type { Pseudonyms } from './pseudonyms.ts';
import { isCommon, type Vocabulary } from './vocabulary.ts';

/**
 * - `every`: file names, strings in memory. Every word of it goes.
 * - `unknown`: the log, files of /proc, notes. What the kernel or kdbg has no word for goes; file names whole.
 * - `typed`: a command line. As `unknown`, but what the command line means stays.
 * - `found`: remarks of kdbg, names in tracefs. Only what was replaced elsewhere goes.
 * - `named`: paths of /proc and /sys. Only what processes and machines are called goes.
 */
export type Rule = 'every' | 'unknown' | 'typed' | 'found' | 'named';

/** What is replaced, by what it is: for the report. */
export type TextCount = (kind: 'words' | 'numbers' | 'paths', word: string) => void;

/** A word that was found elsewhere is looked for from this length on: shorter ones are in numbers by chance. */
export const FOUND_MIN = 4;

const UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const MAC = '[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}';
const IPV6 = '(?:[0-9a-fA-F]{1,4}:){5,7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}';
/** IPv4 addresses, and all numbers that look like them. */
const IPV4 = '(?<![\\d.])\\d+(?:\\.\\d+){3,}';
const DIGEST = '(?=[a-f]*\\d)[0-9a-f]{17,}';
/** Numbers that tell which machine or network it is; never a part of a longer word. */
const NUMBERS = `(?<![\\w:.-])(?:${UUID}|${MAC}|${IPV6}|${DIGEST})(?![\\w:]|[.-]\\w)|${IPV4}`;
/** A path from the root, of which a text may have the end cut off; the kernel's own file systems are told apart. */
const PATH = '(?<![\\w./<\\x80-\\xff])(?:/[\\w.+@~%:=,\\-\\x80-\\xff]+)+';
const KERNEL_PATH = /^\/(?:proc|sys)(?:\/|$)/;
const WORD = '[A-Za-z0-9_\\x80-\\xff]+';
const TOKENS = new RegExp(`(${NUMBERS})|(${PATH})|(${WORD})`, 'g');
const WORDS = new RegExp(`(${NUMBERS})|(${WORD})`, 'g');

export class Redactor {
  readonly vocabulary: Vocabulary;
  readonly pseudonyms: Pseudonyms;

  constructor(vocabulary: Vocabulary, pseudonyms: Pseudonyms) {
    this.vocabulary = vocabulary;
    this.pseudonyms = pseudonyms;
  }

  /** The text with its words replaced: as long as before. */
  text(text: string, rule: Rule, count: TextCount): string {
    const replaced = (word: string): string => {
      if (this.#stays(word, rule)) return word;
      count('words', word);
      return this.pseudonyms.of(word);
    };
    const number = (digits: string): string => {
      count('numbers', digits);
      return digits.replace(/[0-9a-fA-F]+/g, (part) => this.pseudonyms.of(part, /[a-fA-F]/.test(digits)));
    };
    if (rule === 'every' || rule === 'found' || rule === 'named') {
      return text.replace(WORDS, (_, digits: string | undefined, word: string | undefined) =>
        digits === undefined ? replaced(word as string) : number(digits),
      );
    }
    return text.replace(TOKENS, (_, digits: string | undefined, path: string | undefined, word: string | undefined) => {
      if (digits !== undefined) return number(digits);
      if (path === undefined) return replaced(word as string);
      if (KERNEL_PATH.test(path)) return this.text(path, 'named', count);
      // A typed line may have a regular expression between slashes.
      if (rule === 'typed' && !path.includes('/', 1)) return path.replace(WORDS, (part) => replaced(part));
      count('paths', path);
      return this.text(path, 'every', () => undefined);
    });
  }

  /** The same for text of the journal, which is Unicode. */
  unicode(text: string, rule: Rule, count: TextCount): string {
    return Buffer.from(this.text(Buffer.from(text).toString('latin1'), rule, count), 'latin1').toString('utf8');
  }

  /** True for a word that no text may have, whatever else it means. */
  isFound(word: string): boolean {
    if (this.vocabulary.secrets.has(word)) return word.length >= FOUND_MIN;
    return word.length >= FOUND_MIN && this.pseudonyms.has(word) && !isCommon(this.vocabulary, word);
  }

  #stays(word: string, rule: Rule): boolean {
    const { typed, secrets, isPartOfSymbol } = this.vocabulary;
    switch (rule) {
      case 'every':
        return false;
      case 'found':
        return !this.isFound(word) || typed.has(word);
      case 'named':
        return !secrets.has(word) || word.length < FOUND_MIN || isCommon(this.vocabulary, word);
      case 'typed':
        return typed.has(word) || (!secrets.has(word) && (isCommon(this.vocabulary, word) || isPartOfSymbol(word)));
      case 'unknown':
        return !secrets.has(word) && isCommon(this.vocabulary, word);
    }
  }
}
