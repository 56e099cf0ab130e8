/**
 * What a symbol's name says: many kernel symbols are not what a person means by a function or a variable, and several
 * can share one address.
 *
 * - `__pfx_foo` marks the padding in front of foo, where call depth tracking and CFI put code (9f2899fe36a6 "objtool:
 *   Add option to generate prefix symbols", v6.2); under clang's kCFI the preamble is `__cfi_foo`. They double the
 *   table.
 * - `foo.cold`, `foo.isra.0`, `foo.part.0`, `foo.constprop.0`, `foo.llvm.123` are the compiler's pieces of foo.
 * - `_stext`, `_etext`, `__init_begin` ... come from the linker script and mark the edges of sections.
 */

/** True for `__pfx_` and `__cfi_` twins. */
export function isPrefixTwin(name: string): boolean {
  return name.startsWith('__pfx_') || name.startsWith('__cfi_');
}

const COMPILER_PIECE = /\.(?:cold|isra|part|constprop|llvm|lto_priv|warm)(?:\.|$)/;

/** True for a piece of a function that the compiler split off or cloned. */
export function isCompilerPiece(name: string): boolean {
  return name.includes('.') && COMPILER_PIECE.test(name);
}

const SECTION_STARTS = new Set(['_text', '_stext', '_sinittext', '_sdata', '__init_begin', '__bss_start']);
const SECTION_ENDS = new Set(['_etext', '_einittext', '_edata', '_end', '__init_end', '__bss_stop', '__per_cpu_end']);

/** True for the mark of a section's end: nothing of the section follows, so no address past it is in it. */
export function isSectionEnd(name: string): boolean {
  return SECTION_ENDS.has(name);
}

/**
 * Which of several names at one address to show: the lowest. Real names, then the compiler's pieces, then twins, then
 * the linker script's marks. Equal ranks keep the order of kallsyms, which is the kernel's own choice in its stack
 * traces: global or static makes no difference there, and so none here.
 */
export function aliasRank(name: string): number {
  if (SECTION_ENDS.has(name)) return 4;
  if (SECTION_STARTS.has(name)) return 3;
  if (isPrefixTwin(name)) return 2;
  return isCompilerPiece(name) ? 1 : 0;
}
