/**
 * `kdbg ssh DESTINATION`: configuration, the way there hop by hop, and a shell at its end.
 */
import { CancelledError, OpenError, UsageError } from '../../core/errors.ts';
import type { ByteChannel } from '../remote/channel.ts';
import type { Ask } from '../remote/question.ts';
import { ShellChannel } from './channel.ts';
import { readConfiguration } from './configuration.ts';
import { type Destination, parseDestination } from './destination.ts';
import { type Hop, openHop } from './hop.ts';
import { execute, forward } from './hop-channels.ts';
import { loadSsh2, type Ssh2 } from './library.ts';
import { NO_SSH_OPTIONS, type SshOptions } from './options.ts';
import { openProxyCommand } from './proxy-command.ts';
import type { SshSettings } from './settings.ts';
import { expandPath, pathTokens } from './tokens.ts';
import { openTcp, type Transport } from './transport.ts';

/** A chain of more hosts is a configuration that names itself. */
const HOPS_MAX = 8;
interface Journey {
  readonly ssh2: Promise<Ssh2>;
  readonly ask: Ask;
  readonly tell: (notice: string) => void;
  readonly signal: AbortSignal;
  /** Those that are open, the nearest first: closed from the far end. */
  readonly hops: Hop[];
}

/**
 * Connects as ssh would and runs a command there: a line for whatever shell the user logs in with. `tell` is given what
 * the user should know and need not answer, one line each. Throws UsageError, OpenError, CancelledError; then nothing
 * stays open.
 */
export async function connectSsh(
  destination: string,
  options: SshOptions,
  command: string,
  ask: Ask,
  signal: AbortSignal,
  tell: (notice: string) => void = () => undefined,
): Promise<ByteChannel> {
  const place = parseDestination(destination);
  // Loaded while the configuration is asked for and the first connection is made.
  const ssh2 = loadSsh2();
  ssh2.catch(() => undefined);
  const journey: Journey = { ssh2, ask: untilLeft(ask), tell, signal, hops: [] };
  const closeAll = (): void => {
    for (const hop of journey.hops.toReversed()) hop.close();
  };
  try {
    const hop = await openWay(journey, place, options, 0);
    const stream = await execute(hop, command);
    if (signal.aborted) throw new CancelledError();
    return new ShellChannel(`ssh ${place.host}`, stream, hop, closeAll);
  } catch (error) {
    closeAll();
    throw error;
  }
}

/** Opens all hosts on the way, then this one. */
async function openWay(journey: Journey, place: Destination, options: SshOptions, depth: number): Promise<Hop> {
  const { ssh2, ask, tell, signal } = journey;
  if (depth > HOPS_MAX)
    throw new OpenError(`the way to ${place.host} has more than ${HOPS_MAX} hosts`, 'does a ProxyJump lead back?');
  const { settings, notices } = await readConfiguration(place, options, signal);
  for (const notice of notices) tell(notice);
  const transport = await openTransport(journey, settings, options, depth);
  const given = options.identityFiles.map((path) => givenPath(path, settings));
  const hop = await openHop(await ssh2, transport, { settings, given, ask, tell, signal });
  journey.hops.push(hop);
  return hop;
}

async function openTransport(
  journey: Journey,
  settings: SshSettings,
  options: SshOptions,
  depth: number,
): Promise<Transport> {
  const { proxyJump, proxyCommand, host, port } = settings;
  const jump = proxyJump.at(-1);
  if (jump !== undefined && !isItself(jumpDestination(jump), settings)) {
    // As ssh does it: the last jump host is a destination of its own, reached through those before it. It takes the
    // configuration, and none of the target's other options.
    const before = proxyJump.slice(0, -1).join(',');
    const jumpOptions = { ...NO_SSH_OPTIONS, configFile: options.configFile, jump: before === '' ? undefined : before };
    const hop = await openWay(journey, jumpDestination(jump), jumpOptions, depth + 1);
    const stream = await forward(hop, host, port);
    return { stream, explain: () => '', close: () => stream.destroy() };
  }
  if (proxyCommand !== undefined) {
    if (settings.proxyUseFdpass) {
      throw new OpenError(
        `the way to ${settings.alias} has ProxyUseFdpass, which kdbg cannot do`,
        `kdbg shell -- ssh ${settings.alias} sh lets ssh connect`,
      );
    }
    return openProxyCommand(settings, proxyCommand);
  }
  return openTcp(settings, journey.signal);
}

/** `Host *` with a ProxyJump names the jump host's own way as well; there it is left out. */
function isItself(jump: Destination, settings: SshSettings): boolean {
  const { host, port = settings.port, user = settings.user } = jump;
  return host === settings.alias && port === settings.port && user === settings.user;
}

function jumpDestination(jump: string): Destination {
  try {
    return parseDestination(jump);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new OpenError(`the jump host is wrong: ${error.message}`);
  }
}

/** -i as the configuration gives it back, with its `~` and tokens replaced. */
function givenPath(path: string, settings: SshSettings): string {
  return expandPath(path, pathTokens(settings), process.env);
}

/** A question that was left is the last: what follows would only be left again. */
function untilLeft(ask: Ask): Ask {
  let isLeft = false;
  return async (question) => {
    if (isLeft) return undefined;
    const answer = await ask(question);
    isLeft ||= answer === undefined;
    return answer;
  };
}
