/** Every command, in the order in which help lists them. A test checks that this is the folder. */
import type { Command } from '../src/core/command/define.ts';
import alias from './alias.ts';
import ascii from './ascii.ts';
import blocked from './blocked.ts';
import bt from './bt.ts';
import btop from './btop.ts';
import deadlock from './deadlock.ts';
import dis from './dis.ts';
import evalCommand from './eval.ts';
import exit from './exit.ts';
import foreach from './foreach.ts';
import held from './held.ts';
import help from './help.ts';
import history from './history.ts';
import kmsg from './kmsg.ts';
import lesson from './lesson.ts';
import list from './list.ts';
import locks from './locks.ts';
import log from './log.ts';
import mod from './mod.ts';
import oom from './oom.ts';
import p from './p.ts';
import ps from './ps.ts';
import ptob from './ptob.ts';
import rd from './rd.ts';
import record from './record.ts';
import repeat from './repeat.ts';
import replay from './replay.ts';
import report from './report.ts';
import search from './search.ts';
import set from './set.ts';
import stacks from './stacks.ts';
import star from './star.ts';
import status from './status.ts';
import struct from './struct.ts';
import sym from './sym.ts';
import sys from './sys.ts';
import task from './task.ts';
import trace from './trace.ts';
import tree from './tree.ts';
import union from './union.ts';
import vdso from './vdso.ts';
import waiters from './waiters.ts';
import walk from './walk.ts';
import whatis from './whatis.ts';

export const commands: readonly Command[] = [
  ps,
  bt,
  task,
  foreach,
  stacks,
  locks,
  waiters,
  blocked,
  deadlock,
  held,
  walk,
  struct,
  union,
  star,
  p,
  whatis,
  list,
  tree,
  rd,
  search,
  status,
  sys,
  log,
  kmsg,
  report,
  oom,
  trace,
  mod,
  sym,
  dis,
  vdso,
  evalCommand,
  ascii,
  btop,
  ptob,
  help,
  set,
  alias,
  history,
  repeat,
  record,
  replay,
  lesson,
  exit,
];
