/**
 * What a host that is logged in to is asked for: a command, or a tunnel to another host.
 */
import type { ClientChannel } from 'ssh2';
import { OpenError } from '../../core/errors.ts';
import type { Hop } from './hop.ts';
import { serverText } from './server-text.ts';

const WORD_MAX = 300;

/** Runs a command with no terminal. Throws OpenError when the server refuses. */
export function execute(hop: Hop, command: string): Promise<ClientChannel> {
  const { alias } = hop.settings;
  return new Promise((resolve, reject) => {
    const refused = (error: Error): void =>
      reject(
        new OpenError(
          `${alias} does not run commands: ${serverText(error.message, WORD_MAX)}`,
          'the account may be for file transfer or forwarding only',
        ),
      );
    hop.onLost((why) => reject(ended(hop, why)));
    try {
      hop.client.exec(command, (error, stream) => (error === undefined ? resolve(stream) : refused(error)));
    } catch {
      reject(ended(hop));
    }
  });
}

/** A tunnel through this host to another. Throws OpenError when the server refuses. */
export function forward(hop: Hop, host: string, port: number): Promise<ClientChannel> {
  const { alias } = hop.settings;
  return new Promise((resolve, reject) => {
    const refused = (error: Error): void =>
      reject(
        new OpenError(`${alias} does not connect to ${host} port ${port}: ${serverText(error.message, WORD_MAX)}`),
      );
    hop.onLost((why) => reject(ended(hop, why)));
    try {
      hop.client.forwardOut('127.0.0.1', 0, host, port, (error, stream) =>
        error === undefined ? resolve(stream) : refused(error),
      );
    } catch {
      reject(ended(hop));
    }
  });
}

/** ssh2 throws where the connection is not there any more. */
function ended(hop: Hop, why = 'the server closed it'): OpenError {
  return new OpenError(`the connection to ${hop.settings.alias} ended: ${why}`);
}
