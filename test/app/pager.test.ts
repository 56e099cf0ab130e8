/** Which pager is started. */
import { expect, test } from 'vitest';
import { pagerCommand } from '../../src/app/pager.ts';

test.each([
  [{ TERM: 'xterm', PAGER: 'most' }, 'most'],
  [{ TERM: 'xterm', PAGER: 'most', KDBG_PAGER: 'less -S' }, 'less -S'],
  [{ TERM: 'xterm', PAGER: '' }, undefined],
  [{ TERM: 'xterm', PAGER: 'cat' }, undefined],
  [{ TERM: 'xterm', PATH: '' }, undefined],
  [{ TERM: 'dumb', PAGER: 'most', PATH: process.env['PATH'] }, undefined],
  [{ TERM: 'dumb', PATH: process.env['PATH'] }, undefined],
  [{ TERM: 'dumb', KDBG_PAGER: 'more' }, 'more'],
  [{ PAGER: 'most' }, undefined],
])('%j', (env, command) => expect(pagerCommand(env)).toBe(command));
