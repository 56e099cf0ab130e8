/**
 * C's base types and their spellings. gcc writes "long unsigned int" into type information, clang "unsigned long",
 * people and this program's output `unsigned long`.
 */
import type { FloatType, IntType } from './type.ts';

/** [how C text has it, how gcc does, size, signed]. */
const INTEGERS: readonly (readonly [string, string, number, boolean])[] = [
  ['char', 'char', 1, true],
  ['signed char', 'signed char', 1, true],
  ['unsigned char', 'unsigned char', 1, false],
  ['short', 'short int', 2, true],
  ['unsigned short', 'short unsigned int', 2, false],
  ['int', 'int', 4, true],
  ['unsigned int', 'unsigned int', 4, false],
  ['long', 'long int', 8, true],
  ['unsigned long', 'long unsigned int', 8, false],
  ['long long', 'long long int', 8, true],
  ['unsigned long long', 'long long unsigned int', 8, false],
  ['__int128', '__int128', 16, true],
  ['unsigned __int128', '__int128 unsigned', 16, false],
  ['_Bool', '_Bool', 1, false],
];
const FLOATS: readonly (readonly [string, number])[] = [
  ['float', 4],
  ['double', 8],
  ['long double', 16],
];

const SPELLINGS: ReadonlyMap<string, string> = new Map(INTEGERS.map(([spelling, gcc]) => [gcc, spelling]));

/** The C spelling of a base type's recorded name. */
export function spellBase(name: string): string {
  return SPELLINGS.get(name) ?? name;
}

export interface BaseType {
  /** The names that type information may have for it. */
  readonly names: readonly string[];
  /** The type itself, for a table that has none of the names. */
  readonly type: IntType | FloatType;
}

/** The base type that C words in any order name: `long unsigned`, `short int`. Undefined for a mix that is none. */
export function baseTypeOf(words: readonly string[]): BaseType | undefined {
  const spelling = canonical(words);
  const integer = INTEGERS.find(([own]) => own === spelling);
  if (integer !== undefined) {
    const [own, gcc, size, signed] = integer;
    return { names: [gcc, own], type: { kind: 'int', name: gcc, size, signed, bool: own === '_Bool' } };
  }
  const float = FLOATS.find(([own]) => own === spelling);
  return float && { names: [float[0]], type: { kind: 'float', name: float[0], size: float[1] } };
}

function canonical(words: readonly string[]): string {
  const count = (word: string) => words.filter((own) => own === word).length;
  const known = words
    .map((word) => ALIASES.get(word) ?? word)
    .join(' ')
    .split(' ');
  if (known.length !== words.length) return canonical(known);
  const signs = count('unsigned') + count('signed');
  const longs = count('long');
  const rest = words.filter((word) => !['unsigned', 'signed', 'long', 'int', 'short'].includes(word));
  if (signs > 1 || longs > 2 || count('int') > 1 || count('short') > 1 || rest.length > 1) return '';
  const unsigned = count('unsigned') === 1;
  if (rest.length === 1) {
    const mixed = count('int') + count('short') > 0 || (longs > 0 && (rest[0] !== 'double' || longs > 1));
    if (mixed || (signs > 0 && rest[0] !== 'char' && rest[0] !== '__int128')) return '';
    const sign = unsigned ? 'unsigned ' : count('signed') === 1 && rest[0] === 'char' ? 'signed ' : '';
    return `${longs === 1 ? 'long ' : ''}${sign}${rest[0]}`;
  }
  if (count('short') === 1) return longs > 0 ? '' : `${unsigned ? 'unsigned ' : ''}short`;
  const width = longs === 0 ? 'int' : longs === 1 ? 'long' : 'long long';
  return `${unsigned ? 'unsigned ' : ''}${width}`;
}

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['__int128_t', '__int128'],
  ['__uint128_t', 'unsigned __int128'],
  ['__signed__', 'signed'],
]);
