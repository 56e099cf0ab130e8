/** Answers as they come from another thread: a fault that was sent is an object like a Fault, and is made one again. */

import type { ChaseResult, FollowResult } from '../../core/memory/backend.ts';
import { Fault } from '../../core/memory/fault.ts';
import type { ReaderAnswers, ReaderRequest } from './reader.ts';

export function revived(op: ReaderRequest['op'], answer: ReaderAnswers[ReaderRequest['op']]): typeof answer {
  if (op === 'read') return (answer as ReaderAnswers['read']).map(bytesOrFault);
  if (op === 'chase') {
    const { pointers, fault } = answer as ChaseResult;
    return { pointers, ...(fault === undefined ? {} : { fault: faultOf(fault) }) };
  }
  if (op !== 'follow') return answer;
  const { nodes, stopped, fault } = answer as FollowResult;
  return {
    nodes: nodes.map(({ address, bytes }) => ({ address, bytes: bytes.map(bytesOrFault) })),
    stopped,
    ...(fault === undefined ? {} : { fault: faultOf(fault) }),
  };
}

function bytesOrFault(value: Uint8Array | Fault): Uint8Array | Fault {
  return value instanceof Uint8Array ? value : faultOf(value);
}

function faultOf(value: Fault): Fault {
  return new Fault(value, value.reason, value.detail);
}
