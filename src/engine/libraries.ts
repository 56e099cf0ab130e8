/**
 * Libraries that core uses but does not load: each is loaded when a command first needs it, because a session that
 * never disassembles should not pay for the disassembler.
 */
import { createRequire } from 'node:module';
import { createDisassembler, type Disassembler } from '../core/arch/x86_64/disassemble.ts';

const load = createRequire(import.meta.url);

let disassembler: Disassembler | undefined;

/** The x86-64 disassembler (iced-x86: 27 ms and a WebAssembly module on first use). */
export function loadDisassembler(): Disassembler {
  disassembler ??= createDisassembler(load('iced-x86') as typeof import('iced-x86'));
  return disassembler;
}

/** The fuzzy matcher. An ES module: Node 20.19 loads one with require(). */
export function loadFuzzysort(): typeof import('fuzzysort') {
  const module = load('fuzzysort') as { default?: typeof import('fuzzysort') } & typeof import('fuzzysort');
  return module.default ?? module;
}
