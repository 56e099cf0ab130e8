/**
 * The command line of kdbg itself, parsed by commander: targets are its subcommands, and the common options stand
 * before or after them.
 */
import { Command, CommanderError, Option } from 'commander';
import type { BackendSpec } from '../backends/open.ts';
import type { RemoteOptions, RemoteSpec } from '../backends/remote/io-messages.ts';
import type { ReaderKind } from '../backends/remote/reader.ts';
import { parsePort } from '../backends/ssh/destination.ts';

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
  /** The lesson of the recording is what the session is for. */
  readonly lesson: boolean;
}

/** `kdbg train`: the lessons are listed; with a name, the one that is to begin. */
export interface Training {
  readonly train: { readonly lesson: string | undefined; readonly json: boolean };
  /** What is asked for, once the lesson's recording is found. */
  readonly on: (recording: string) => Invocation;
}

/** The parse ended the program: help or version was printed, or the usage was wrong. */
export interface Ended {
  readonly status: number;
}

export function parseCommandLine(argv: readonly string[], version: string): Invocation | Training | Ended {
  let chosen: Invocation | Training | undefined;
  const program = withCommon(new Command('kdbg'))
    .description('a debugger shell for the Linux kernel')
    .version(`kdbg ${version}`, '-V, --version')
    .enablePositionalOptions()
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
  withRemote(
    withCommon(program.command('ssh'), { i: 'a key' })
      .description('a live host over SSH; nothing is installed there')
      .argument('<destination>', '[USER@]HOST[:PORT], or a host of ~/.ssh/config')
      .addOption(new Option('-i <file>', 'log in with this key (may be given again)').argParser(gather))
      .option('-J <jumps>', 'go through these hosts, [USER@]HOST[:PORT][,...]')
      .option('-F <file>', 'use this configuration in the place of ~/.ssh/config')
      .option('-l <user>', 'log in as this user')
      .option('-p <port>', 'connect to this port')
      .addOption(new Option('-o <setting>', "a setting of ssh's, KEY=VALUE (may be given again)").argParser(gather)),
  ).action((destination: string, _options, command: Command) => choose(sshTarget(destination, command), command));
  withRemote(
    withCommon(program.command('shell'))
      .description('a live host behind any command that gives a shell on it: kubectl exec -i, docker exec -i, ssh')
      .argument('<command...>', 'the command and its arguments, behind --')
      .passThroughOptions(),
  ).action((words: readonly string[], _options, command: Command) => {
    choose({ kind: 'shell', command: words, ...remoteOptions(command) }, command);
  });
  withCommon(program.command('replay'))
    .description('a recorded session')
    .argument('<recording>', 'a file made with --record or "record start"')
    .action((path: string, _options, command: Command) => choose({ kind: 'replay', path }, command));
  withCommon(program.command('train'))
    .description('the lessons that recordings carry; with a name, begins or goes on with one')
    .argument('[lesson]', 'a name from the list, or a recording that has a lesson beside it')
    .action((lesson: string | undefined, _options, command: Command) => {
      const on = (path: string): Invocation => ({ ...invocation({ kind: 'replay', path }, command), lesson: true });
      chosen = { train: { lesson, json: on('').json }, on };
    });
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return { status: error.exitCode === 0 ? 0 : 2 };
  }
  return chosen ?? { status: 2 };
}

/** `i`: what else than a file of commands `-i` is here; that file is then given before the target. */
function withCommon(command: Command, { i }: { readonly i?: string } = {}): Command {
  command.addOption(new Option('-c <commands>', 'run these commands and exit (may be given again)').argParser(gather));
  if (i === undefined) command.option('-i <file>', 'run the commands of this file first');
  return command
    .option('--json', 'print one line of JSON for each command')
    .option('--record <file>', 'record the session')
    .option('--record-user', 'let the recording hold user memory and environments as well')
    .option('--no-tui', 'use the line prompt')
    .option('--no-rc', 'do not read ~/.config/kdbg/rc');
}

function withRemote(command: Command): Command {
  return command
    .option('--sudo', 'become root there with sudo')
    .addOption(new Option('--reader <language>', 'what reads the kernel there').choices(['perl', 'python3', 'sh']))
    .option('--no-cache', "do not keep this kernel's types, symbols and unwind tables in ~/.cache/kdbg");
}

function remoteOptions(command: Command): RemoteOptions {
  const { sudo, reader, cache } = command.opts<{ sudo?: boolean; reader?: ReaderKind; cache?: boolean }>();
  return { sudo: sudo === true, reader, cache: cache !== false };
}

function sshTarget(destination: string, command: Command): RemoteSpec {
  const { i, J, F, l, p, o } = command.opts<SshFlags>();
  const port = p === undefined ? undefined : parsePort(p);
  if (p !== undefined && port === undefined) command.error(`error: "${p}" is no port`, { exitCode: 2 });
  const ssh = { identityFiles: i ?? [], jump: J, configFile: F, user: l, port, settings: o ?? [] };
  return { kind: 'ssh', destination, ssh, ...remoteOptions(command) };
}

interface SshFlags {
  readonly i?: readonly string[];
  readonly J?: string;
  readonly F?: string;
  readonly l?: string;
  readonly p?: string;
  readonly o?: readonly string[];
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
    input: backend.kind === 'ssh' ? outer['i'] : value('i'),
    json: value<boolean>('json') === true,
    record: value('record'),
    recordUser: value<boolean>('recordUser') === true,
    rc: own['rc'] !== false && outer['rc'] !== false,
    tui: own['tui'] !== false && outer['tui'] !== false,
    lesson: false,
  };
}
