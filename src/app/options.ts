/**
 * The command line of kdbg itself, parsed by commander: targets are its subcommands, and the common options stand
 * before or after them.
 */
import { Command, CommanderError, Option } from 'commander';
import type { BackendSpec } from '../backends/open.ts';

/** What the user asked for. */
export interface Invocation {
  readonly backend: BackendSpec;
  /** `-c` texts, in order; undefined without any. */
  readonly commands: readonly string[];
  /** `-i FILE`: commands to run first. */
  readonly input: string | undefined;
  readonly json: boolean;
  readonly record: string | undefined;
  readonly recordUser: boolean;
  readonly rc: boolean;
  /** The screen where there is a terminal for it, not the line prompt. */
  readonly tui: boolean;
}

/** The parse ended the program: help or version was printed, or the usage was wrong. */
export interface Ended {
  readonly status: number;
}

export function parseCommandLine(argv: readonly string[], version: string): Invocation | Ended {
  let chosen: Invocation | undefined;
  const program = withCommon(new Command('kdbg'))
    .description('a debugger shell for the Linux kernel')
    .version(`kdbg ${version}`, '-V, --version')
    .enablePositionalOptions(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'kdbg: ')) })
    .showHelpAfterError('kdbg --help lists targets and options')
    .allowExcessArguments(false);
  const choose = (backend: BackendSpec, command: Command): void => {
    chosen = invocation(backend, command);
  };
  program.argument('[target]', 'see the commands below; local unless given');
  program.action((target: string | undefined, _options, command: Command) => {
    if (target !== undefined) command.error(`error: there is no target "${target}"`, { exitCode: 2 });
    choose({ kind: 'local' }, command);
  });
  withCommon(program.command('local'))
    .description("this machine's kernel: /proc, /sys and, as root, /proc/kcore (the default)")
    .action((_options, command: Command) => choose({ kind: 'local' }, command));
  withCommon(program.command('replay'))
    .description('a recorded session')
    .argument('<recording>', 'a file made with --record or "record start"')
    .action((path: string, _options, command: Command) => choose({ kind: 'replay', path }, command));
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { status: error.exitCode === 0 ? 0 : 2 };
  }
  return chosen ?? { status: 2 };
}

function withCommon(command: Command): Command {
  return command
    .addOption(new Option('-c <commands>', 'run these commands and exit (may be given again)').argParser(gather))
    .option('-i <file>', 'run the commands of this file first')
    .option('--json', 'print one line of JSON for each command')
    .option('--record <file>', 'record the session')
    .option('--record-user', 'let the recording hold user memory and environments as well')
    .option('--no-tui', 'use the line prompt')
    .option('--no-rc', 'do not read ~/.config/kdbg/rc');
}

function gather(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

function invocation(backend: BackendSpec, command: Command): Invocation {
  const own = command.opts();
  const outer = command.parent?.opts() ?? {};
  const value = <T>(name: string): T | undefined => (own[name] ?? outer[name]) as T | undefined;
  return {
    backend,
    commands: [
      ...((outer['c'] as readonly string[] | undefined) ?? []),
      ...((own['c'] as readonly string[] | undefined) ?? []),
    ],
    input: value('i'),
    json: value<boolean>('json') === true,
    record: value('record'),
    recordUser: value<boolean>('recordUser') === true,
    rc: own['rc'] !== false && outer['rc'] !== false,
    tui: own['tui'] !== false && outer['tui'] !== false,
  };
}
