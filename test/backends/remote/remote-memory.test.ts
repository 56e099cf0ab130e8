/** Reads of memory behind a link: what goes out together, what faults alone, what was sent for ahead. */
import { describe, expect, it } from 'vitest';
import type { ReadRequest } from '../../../src/core/memory/backend.ts';
import { Fault } from '../../../src/core/memory/fault.ts';
import { FakeMemory } from '../../support/fake-kernel.ts';
import { FakeLink, fakeRemote } from '../../support/fake-link.ts';

const BASE = 0xffff_8880_0100_0000n;
const PAGE = 4096;

function pages(count: number) {
  const fake = new FakeMemory();
  for (let i = 0; i < count; i++) fake.write(BASE + BigInt(i * PAGE), new Uint8Array(PAGE).fill(i + 1));
  const link = new FakeLink(fake);
  const { backend } = fakeRemote(link);
  const { memory } = backend;
  if (memory === undefined) throw new Error('the test has no memory');
  link.requests.length = 0;
  const trips = (work: () => void): number => {
    const before = backend.counters.roundTrips;
    work();
    return backend.counters.roundTrips - before;
  };
  return { fake, link, memory, trips };
}

const page = (i: number, length = PAGE): ReadRequest => ({
  space: 'virtual',
  address: BASE + BigInt(i * PAGE),
  length,
  what: `page ${i}`,
});
const first = (answer: Uint8Array | Fault | undefined): number | string | undefined =>
  answer instanceof Fault ? `${answer.what}: ${answer.reason}` : answer?.[0];

describe('memory behind a link', () => {
  it('joins neighbours, in whatever order and however often they are asked for', () => {
    const { link, memory, trips } = pages(10);
    const asked = [7, 2, 3, 3, 1, 9, 0].map((i) => page(i));
    let answers: readonly (Uint8Array | Fault)[] = [];
    expect(
      trips(() => {
        answers = memory.read(asked);
      }),
    ).toBe(1);
    expect(answers.map(first)).toEqual([8, 3, 4, 4, 2, 10, 1]);
    expect(answers.every((answer) => answer instanceof Uint8Array && answer.length === PAGE)).toBe(true);
    expect(link.requests).toHaveLength(1);
    const [request] = link.requests;
    expect(request?.op === 'read' && request.ranges.map(({ length }) => length / PAGE)).toEqual([4, 1, 1]);
  });

  it('reads the others when one of a run cannot be read', () => {
    const { fake, memory, trips } = pages(5);
    fake.fault(BASE + BigInt(2 * PAGE));
    let answers: readonly (Uint8Array | Fault)[] = [];
    expect(
      trips(() => {
        answers = memory.read([0, 1, 2, 3].map((i) => page(i)));
      }),
    ).toBe(2);
    expect(answers.map(first)).toEqual([1, 2, 'page 2: unmapped', 4]);
  });

  it('asks for much in pieces that follow each other without waiting', () => {
    const { link, memory, trips } = pages(1200);
    expect(trips(() => expect(memory.read([page(0, 1200 * PAGE)]).map(first)).toEqual([1]))).toBe(1);
    const apart = Array.from({ length: 600 }, (_, i) => page(2 * i));
    expect(trips(() => expect(memory.read(apart)).toHaveLength(600))).toBe(1);
    expect(link.requests.length).toBe(1 + 3);
  });

  it('takes what was sent for ahead, once', () => {
    const { memory, trips } = pages(4);
    expect(trips(() => memory.prefetch?.([page(1), { space: 'virtual', address: BASE + 8200n, length: 100 }]))).toBe(0);
    // Another answer comes after it: it has come by then.
    expect(trips(() => memory.read([page(0)]))).toBe(1);
    expect(trips(() => expect(memory.read([page(1), page(2)]).map(first)).toEqual([2, 3]))).toBe(0);
    expect(trips(() => expect(memory.read([page(1)]).map(first)).toEqual([2]))).toBe(1);
  });

  it('forgets what was sent for when a new command begins', () => {
    const { fake, memory } = pages(2);
    memory.prefetch?.([page(1)]);
    memory.read([page(0)]);
    memory.forget?.();
    fake.write(BASE + BigInt(PAGE), new Uint8Array(PAGE).fill(77));
    expect(memory.read([page(1)]).map(first)).toEqual([77]);
  });

  it('says so when the far side answers with another length', () => {
    const { link, memory } = pages(2);
    link.onRequest = () => {
      link.mangle = (answer) => (Array.isArray(answer) ? answer.map(() => new Uint8Array(3)) : answer);
    };
    expect(memory.read([page(0)])[0]).toMatchObject({ reason: 'io', detail: 'an answer of another length' });
    link.onRequest = () => {
      link.mangle = () => [];
    };
    expect(memory.read([page(0)])[0]).toMatchObject({ reason: 'io' });
  });
});
