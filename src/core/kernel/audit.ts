/**
 * Audit messages that wait for the audit daemon: three queues of sk_buffs, each with one netlink message (struct
 * nlmsghdr, 16 bytes: u32 length, u16 type, ...; then the text).
 */
import { DataError, FaultError, type KdbgError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import { decodeCString } from '../memory/text.ts';
import { walkChain } from './chain.ts';
import type { Kernel } from './kernel.ts';
import { defineStruct, int, pointer } from './struct.ts';

const SkBuff = defineStruct('sk_buff', { length: int('len'), data: pointer('data') });

/** Messages that failed once, that are new, and that are kept while there is no daemon. */
const QUEUES = ['audit_retry_queue', 'audit_queue', 'audit_hold_queue'] as const;
/** The backlog's limit is a sysctl; its default is 64. */
const MESSAGES_MAX = 1 << 20;
const NETLINK_HEADER = 16;
/** MAX_AUDIT_MESSAGE_LENGTH is 8970. */
const LENGTH_MAX = 64 * 1024;

export interface AuditMessage {
  readonly queue: (typeof QUEUES)[number];
  /** AUDIT_SYSCALL 1300, AUDIT_PATH 1302, ... */
  readonly type: number;
  readonly text: string;
}

/** Undefined for a kernel without audit. Messages that cannot be read are left out with a notice. */
export function auditBacklog(kernel: Kernel): readonly AuditMessage[] | undefined {
  const heads = QUEUES.flatMap((queue) => {
    const head = kernel.addressOf(queue);
    return head === undefined ? [] : [{ queue, head }];
  });
  if (heads.length === 0) return undefined;
  const options = { limit: MESSAGES_MAX, damaged: (error: KdbgError) => kernel.notice(error.message) };
  const buffers = heads.flatMap(({ queue, head }) => {
    // The head's two pointers lie as those of a sk_buff, first in the structure.
    const chain = {
      place: `${queue} at ${formatAddress(head)}`,
      from: { head },
      nextOffset: 0,
      backOffset: 8,
      end: head,
    };
    return [...walkChain(kernel, chain, options)].map((address) => ({ queue, address }));
  });
  const struct = kernel.struct(SkBuff);
  struct.prefetch(buffers.map(({ address }) => address));
  return buffers.flatMap(({ queue, address }) => {
    try {
      return [{ queue, ...readMessage(kernel, struct.at(address).data, struct.at(address).length) }];
    } catch (error) {
      if (!(error instanceof DataError || error instanceof FaultError)) throw error;
      kernel.notice(`a message of ${queue} is left out: ${error.message}`);
      return [];
    }
  });
}

function readMessage(kernel: Kernel, data: bigint, length: number): { readonly type: number; readonly text: string } {
  if (length < NETLINK_HEADER || length > LENGTH_MAX) throw new DataError(`its length is ${length}: impossible`);
  const bytes = kernel.memory.read(data, length, 'audit message');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { type: view.getUint16(4, true), text: decodeCString(bytes, NETLINK_HEADER).trimEnd() };
}
