/** trace.dat of version 6: everything in a fixed order, nothing compressed (trace-cmd.dat.v6(5)). */
import { DataError } from '../errors.ts';
import type { DatBuffer, DatFormat, TraceDat } from './trace-dat.ts';
import { DatCursor } from './trace-dat-bytes.ts';
import {
  BUFFERS_MAX,
  CPUS_MAX,
  chosenClock,
  DatOptionList,
  OPTION,
  pagesOf,
  readFormats,
  readHeaderPage,
  readSystems,
} from './trace-dat-options.ts';

/** From after the page size on. */
export function readDatV6(cursor: DatCursor, pageSize: number): TraceDat {
  const headerPage = readHeaderPage(cursor);
  const formats: DatFormat[] = [];
  readFormats(cursor, 'ftrace', formats);
  readSystems(cursor, formats);
  const kallsyms = cursor.take(cursor.u32());
  const printk = cursor.text(cursor.u32());
  const cmdlines = cursor.text(cursor.u64());
  const cpus = cursor.u32();
  if (cpus > CPUS_MAX) throw new DataError(`it says that it has ${cpus} CPUs`);
  const list = new DatOptionList();
  const instances: { readonly at: number; readonly name: string }[] = [];
  let kind = sectionName(cursor);
  if (kind === 'options') {
    for (let id = cursor.u16(); id !== OPTION.done; id = cursor.u16()) {
      const data = cursor.take(cursor.u32());
      if (id !== OPTION.buffer) list.add(id, data);
      else if (instances.length < BUFFERS_MAX) {
        const option = new DatCursor(data, cursor.isLittle);
        instances.push({ at: option.u64(), name: option.string() });
      }
    }
    kind = sectionName(cursor);
  }
  const options = list.done();
  const clock = chosenClock(options.clock);
  const read = (from: DatCursor, name: string, instance: string | undefined): DatBuffer => {
    if (name === 'latency') {
      return { instance, clock, pageSize, cpus: [], text: from.text(from.bytes.length - from.at) };
    }
    if (name !== 'flyrecord') throw new DataError(`it has a part "${name}" in the place of a trace`);
    const places = Array.from({ length: cpus }, (_, cpu) => ({ cpu, at: from.u64(), size: from.u64() }));
    return {
      instance,
      clock,
      pageSize,
      text: undefined,
      cpus: places.flatMap(({ cpu, at, size }) => {
        if (size === 0) return [];
        const bytes = new DatCursor(from.bytes, from.isLittle, at).take(size);
        return [{ cpu, pages: () => pagesOf(bytes, pageSize) }];
      }),
    };
  };
  const buffers = [read(cursor, kind, undefined)];
  for (const { at, name } of instances) {
    // The shared buffer is an option as well, without a name.
    if (name === '') continue;
    const from = new DatCursor(cursor.bytes, cursor.isLittle, at);
    buffers.push(read(from, sectionName(from), name));
  }
  return {
    version: 6,
    isLittle: cursor.isLittle,
    compression: 'none',
    pageSize,
    headerPage,
    formats,
    kallsyms,
    printk,
    cmdlines,
    buffers,
    options,
  };
}

/** Ten bytes: a name, filled up with blanks, and a NUL. */
function sectionName(cursor: DatCursor): string {
  return cursor.text(10).trim();
}
