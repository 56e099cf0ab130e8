/**
 * The words that may stay: those which every kernel of this build has, and those of kdbg itself; and the words that
 * may not, although they may be among them: what the kernel says a process or a machine is called.
 */

export interface Vocabulary {
  /** Names of the kernel as they are: symbols, types, members, modules, kernel threads. */
  readonly names: ReadonlySet<string>;
  /** The words that those are made of and those of kdbg's own texts, in lower case. */
  readonly words: ReadonlySet<string>;
  /** Names that a typed line means even where a process is called the same: commands, symbols, types. */
  readonly typed: ReadonlySet<string>;
  /** True for a part of a symbol's name with an underscore in it: `sym -q mutex_lock_slow`. */
  readonly isPartOfSymbol: (word: string) => boolean;
  /** Words of names that the kernel gives to processes and machines. */
  readonly secrets: ReadonlySet<string>;
}

/** A name has more than this many words only when it is no name. */
const PARTS_MAX = 64;

/** The words that a name or a text is made of, in lower case: letters only, two and more. */
export function partsOf(text: string): readonly string[] {
  return (text.toLowerCase().match(/[a-z]{2,}/g) ?? []).slice(0, PARTS_MAX);
}

/** Numbers, with or without a unit; addresses, which are the same on no other machine; registers and flags. */
const NUMBER =
  /^(?:\d+(?:ns|us|ms|s|[kKMGT]i?B?|[a-z])?|0[xX][0-9a-fA-F]{1,16}|(?=.*\d)[0-9a-fA-F]{1,16}|[fF]{2,16}|(?:[0-9a-fA-F]{8}){1,2}|[A-Za-z]\d{1,3})$/;

export function isNumber(word: string): boolean {
  return NUMBER.test(word);
}

/** Words as short as this are everywhere. */
const SHORT = 2;

/** True for a word that says nothing of the machine: a number, or a word of the kernel or of kdbg, or several. */
export function isCommon({ names, words }: Vocabulary, word: string): boolean {
  if (word.length <= SHORT || isNumber(word) || names.has(word)) return true;
  const parts = word.toLowerCase().split('_');
  return parts.every((part) => {
    const plain = part.replace(/^\d+|\d+$/g, '');
    return plain.length === 0 || isNumber(part) || words.has(plain);
  });
}
