/**
 * Turns iced's AT&T text into that of objdump (binutils 2.40), which crash and the kernel's own listings use. With the
 * formatter's options below 97.8 % of a kernel's instructions come out the same, with the corrections all but a few in a
 * million: prefixes that change nothing and are shown (`data16 cs nopw`), size suffixes (`callq *` is `call *`), shifts
 * by one, the three-operand imul, the operands of in, out, monitor and mwait, a few names.
 */
import type * as Iced from 'iced-x86';

/** Where the first operand begins: mnemonics are padded to six characters and a space. */
const OPERAND_COLUMN = 7;

/** A formatter with everything that can be set once; the rest depends on the instruction (disassemble.ts). */
export function createFormatter(
  iced: Pick<typeof Iced, 'Formatter' | 'FormatterSyntax'>,
  syntax: 'att' | 'intel',
): Iced.Formatter {
  const formatter = new iced.Formatter(syntax === 'att' ? iced.FormatterSyntax.Gas : iced.FormatterSyntax.Intel);
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.uppercaseHex = false;
  formatter.smallHexNumbersInDecimal = false;
  formatter.signedImmediateOperands = false;
  formatter.signedMemoryDisplacements = true;
  formatter.branchLeadingZeros = false;
  formatter.displacementLeadingZeros = false;
  formatter.leadingZeros = false;
  formatter.addLeadingZeroToHexNumbers = false;
  formatter.ripRelativeAddresses = true;
  formatter.spaceAfterOperandSeparator = false;
  formatter.showBranchSize = false;
  formatter.usePseudoOps = true;
  formatter.firstOperandCharIndex = OPERAND_COLUMN;
  return formatter;
}

/** Prefix bytes before the opcode, REX not among them. */
const LEGACY_PREFIXES = new Set([0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0xf0]);

/** iced's text as objdump writes it; `bytes` are the instruction's. */
export function objdumpText(text: string, bytes: Uint8Array): string {
  const corrected = text.includes(' ') ? withOperands(text, bytes) : withoutOperands(text);
  if (!LEGACY_PREFIXES.has(bytes[0] as number)) return corrected;
  const prefixes = unusedPrefixes(corrected, bytes);
  return prefixes === '' ? corrected : `${prefixes}${corrected.replace(/ +/, ' ')}`;
}

/** Operands that objdump shows and iced leaves out. */
function withoutOperands(mnemonic: string): string {
  if (mnemonic === 'monitor') return 'monitor %rax,%ecx,%edx';
  if (mnemonic === 'mwait') return 'mwait  %eax,%ecx';
  if (mnemonic === 'lretl') return 'lret';
  return mnemonic;
}

const SUFFIXED = /^(call|jmp|push|pop)q +|^(ljmp|lcall|lret)l +/;
const SHIFT_BY_ONE = /^((?:sh|sa|ro|rc)[lr][bwlq]? +)\$0x1,/;
const MULTIPLY = /^imul +\$[^,]+,(%\w+)$/;
const REPEAT_WHILE = /^rep(n?)e (?=[cs])|^rep (?=ret)/;
const DEBUG_REGISTER = /%dr(\d)/;
const PORT = /^(?:in|out|(?:rep )?(?:ins|outs)[bwl]) /;

function withOperands(text: string, bytes: Uint8Array): string {
  switch (text[0]) {
    case 'c':
    case 'j':
    case 'p':
    case 'l': {
      const match = SUFFIXED.exec(text);
      if (match === null) return text;
      return (match[1] ?? match[2] ?? '').padEnd(OPERAND_COLUMN) + text.slice(match[0].length);
    }
    case 's':
    case 'r':
      if (isShiftByOne(bytes)) return text.replace(SHIFT_BY_ONE, '$1');
      if (PORT.test(text)) return text.replace('%dx', '(%dx)');
      return text.replace(REPEAT_WHILE, 'rep$1z ');
    case 'm':
      return text.replace(DEBUG_REGISTER, '%db$1');
    case 'i':
    case 'o': {
      if (PORT.test(text)) return text.replace('%dx', '(%dx)');
      const match = MULTIPLY.exec(text);
      return match === null ? text : `${text},${match[1]}`;
    }
    default:
      return text;
  }
}

/** Opcodes D0 and D1 have the count in them; C0 and C1 with a count of 1 keep it in the text. */
function isShiftByOne(bytes: Uint8Array): boolean {
  let at = 0;
  while (LEGACY_PREFIXES.has(bytes[at] as number)) at++;
  if (((bytes[at] as number) & 0xf0) === 0x40) at++;
  return bytes[at] === 0xd0 || bytes[at] === 0xd1;
}

/** `data16 cs ` and the like, for prefixes without an effect: all operand sizes but the last, and segments of no use. */
function unusedPrefixes(text: string, bytes: Uint8Array): string {
  let names = '';
  let sizes = 0;
  let at = 0;
  for (; LEGACY_PREFIXES.has(bytes[at] as number); at++) {
    if (bytes[at] === 0x66 && ++sizes > 1) names = `data16 ${names}`;
    if (bytes[at] === 0x2e && !/%cs:|,pn/.test(text)) names += 'cs ';
    if (bytes[at] === 0x3e && !/%ds:|,pt|notrack/.test(text)) names += 'ds ';
  }
  return names;
}
