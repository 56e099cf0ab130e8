/** Changes of tracefs and files that flow, written down as they are made and as they come. */
import {
  type ControlSource,
  type ControlStep,
  commandName,
  type FileFailure,
  type FileStream,
  type StreamSource,
} from '../../core/memory/backend.ts';
import type { RecordingWriter } from './writer.ts';

type Current = () => RecordingWriter | undefined;

/** A control source that is recorded. */
export interface RecordedControlSource extends ControlSource {
  /** What was last said to restore: a recording that starts in mid-session begins with it. */
  said(): readonly ControlStep[];
}

export function recordControl(inner: ControlSource, current: Current): RecordedControlSource {
  let said: readonly ControlStep[] = [];
  const { restores } = inner;
  return {
    apply(steps) {
      const failure = inner.apply(steps);
      current()?.control(steps, failure);
      return failure;
    },
    restore(steps) {
      inner.restore(steps);
      said = steps;
      current()?.restore(steps);
    },
    said: () => said,
    ...(restores && { restores: () => restores.call(inner) }),
  };
}

export function recordStreams(inner: StreamSource, current: Current): StreamSource {
  const run = inner.run?.bind(inner);
  return {
    open(path) {
      return written(path, inner.open(path), current);
    },
    ...(run && {
      run(command) {
        return written(commandName(command), run(command), current);
      },
    }),
  };
}

function written(path: string, stream: FileStream | FileFailure, current: Current): FileStream | FileFailure {
  current()?.stream(path, 'reason' in stream ? { failure: stream } : { bytes: new Uint8Array() });
  return 'reason' in stream ? stream : recordStream(path, stream, current);
}

function recordStream(path: string, inner: FileStream, current: Current): FileStream {
  // A recording that starts while it flows has no beginning of it.
  const writer = current();
  const open = (): RecordingWriter | undefined => (current() === writer ? writer : undefined);
  let isIdle = false;
  let isEnded = false;
  const ended = (): string | undefined => {
    const why = inner.ended;
    if (why !== undefined && !isEnded) open()?.stream(path, { ended: why });
    isEnded = why !== undefined;
    return why;
  };
  return {
    take() {
      const bytes = inner.take();
      if (bytes.length > 0) {
        isIdle = false;
        open()?.stream(path, { bytes });
      }
      return bytes;
    },
    wait(milliseconds) {
      const came = inner.wait(milliseconds);
      // That nothing came for a while is an answer as well: who waits shows what it has.
      if (!came && !isIdle) open()?.stream(path, { idle: true });
      isIdle ||= !came;
      return came;
    },
    get ended() {
      return ended();
    },
    finish() {
      const bytes = inner.finish();
      if (bytes.length > 0) open()?.stream(path, { bytes });
      return bytes;
    },
    close: () => inner.close(),
  };
}
