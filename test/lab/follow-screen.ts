/** kdbg's screen on a guest, over ssh, with a function of the guest traced and the trace pane following it. */
import type { PseudoTerminal } from '../support/pseudo-terminal.ts';
import { type Client, sshPortOf } from './client.ts';
import type { Guest } from './guest.ts';

/** Each read of /dev/zero calls it, and makes an entry of one line; nobody else reads that file. */
export const TRACED = 'read_zero';
/** A buffer that holds all of it, however slowly it is read. */
const START = `trace start function -f ${TRACED} -b 32768`;
const KEYS = { trace: '\x1b3', prompt: '\x1b0' } as const;

export interface FollowingScreen {
  readonly terminal: PseudoTerminal;
  /** Waits until a row of the screen shows it; gives what matched. */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
}

/** The keys go to the prompt when it returns, and the pane follows. */
export async function openFollowing(client: Client, guest: Guest): Promise<FollowingScreen> {
  const terminal = client.screen(client.ssh(sshPortOf(guest)), { columns: 200, rows: 60 });
  const shows = async (pattern: RegExp): Promise<RegExpExecArray> => {
    const rows = await terminal.until((shown) => shown.some((row) => pattern.test(row)));
    return rows.map((row) => pattern.exec(row)).find((match) => match !== null) as RegExpExecArray;
  };
  await shows(/^kdbg>/);
  // The pane has read what there is, which is nothing, before the trace begins that it follows by itself.
  terminal.type(KEYS.trace);
  await shows(/no trace is on/);
  terminal.type(KEYS.prompt);
  terminal.type(`${START}\r`);
  await shows(/^tracing function;/);
  await shows(/ 3 trace .* live /);
  // Only entries, without remarks.
  terminal.type(`${KEYS.trace}&${TRACED}\r`);
  await shows(/ 3 trace .* only "/);
  terminal.type(KEYS.prompt);
  return { terminal, shows };
}

/** The title of the pane when it has so many entries. */
export const titleOf = (entries: number): RegExp => new RegExp(` 3 trace .* live .* ${entries}(?: of \\d+)? `);
