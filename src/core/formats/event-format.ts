/**
 * The `format` file of an event (kernel/trace/trace_events.c, f_show()): its fields with their C types and places, and
 * how the kernel prints them.
 */
export interface EventField {
  /** The C type without the name: "unsigned long", "__data_loc char[]", "char[16]". */
  readonly type: string;
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly isSigned: boolean;
  /** Elements of an array; undefined for one value; 0 where it goes on to the end of the record. */
  readonly count: number | undefined;
  /** The bytes are elsewhere in the record: a word of length and place, absolute or from its own end. */
  readonly location: 'here' | 'data' | 'relative';
}

export interface EventFormat {
  readonly system: string;
  readonly name: string;
  readonly id: number;
  /** What every event begins with: common_type, common_flags, common_preempt_count, common_pid. */
  readonly common: readonly EventField[];
  readonly fields: readonly EventField[];
  /** The text of `print fmt:`, a C string and its arguments. */
  readonly print: string;
}

const FIELD =
  /^\tfield:(?:special )?(?<declaration>[^;]{1,512});\s*offset:(?<offset>\d{1,6});\s*size:(?<size>\d{1,6});(?:\s*signed:(?<signed>[01]);)?/;
const FIELDS_MAX = 512;
const TEXT_MAX = 256 * 1024;

/** Undefined for what is no format of an event. */
export function parseEventFormat(system: string, text: string): EventFormat | undefined {
  if (text.length > TEXT_MAX) return undefined;
  const name = /^name: (\S+)/m.exec(text)?.[1];
  const id = /^ID: (\d{1,5})$/m.exec(text)?.[1];
  if (name === undefined || id === undefined) return undefined;
  const all = text
    .split('\n')
    .flatMap((line) => parseField(line) ?? [])
    .slice(0, FIELDS_MAX);
  const isCommon = (field: EventField): boolean => field.name.startsWith('common_');
  return {
    system,
    name,
    id: Number(id),
    common: all.filter(isCommon),
    fields: all.filter((field) => !isCommon(field)),
    print: /^print fmt: ([\s\S]*)$/m.exec(text)?.[1]?.trim() ?? '',
  };
}

function parseField(line: string): EventField | undefined {
  const groups = FIELD.exec(line)?.groups;
  if (groups === undefined) return undefined;
  const declaration = (groups['declaration'] as string).trim();
  const match = /^(?<type>.*?[\s*])(?<name>\w+)(?<array>\[.*\])?$/.exec(declaration);
  if (match?.groups === undefined) return undefined;
  const type = (match.groups['type'] as string).trim();
  const array = match.groups['array'];
  const size = Number(groups['size']);
  return {
    type: array === undefined ? type : `${type}${array}`,
    name: match.groups['name'] as string,
    offset: Number(groups['offset']),
    size,
    isSigned: groups['signed'] === '1',
    count: countOf(type, array, size),
    location: type.includes('__rel_loc') ? 'relative' : type.includes('__data_loc') ? 'data' : 'here',
  };
}

/** The brackets may hold a name of the kernel's ("TASK_COMM_LEN"): then bytes are counted. */
function countOf(type: string, array: string | undefined, size: number): number | undefined {
  // `__data_loc char[] name` has its brackets before the name.
  if (array === undefined) return type.endsWith('[]') ? 0 : undefined;
  if (array === '[]' || size === 0) return 0;
  const count = /^\[(\d{1,6})\]$/.exec(array)?.[1];
  if (count !== undefined && Number(count) > 0) return Number(count);
  return Math.max(1, Math.floor(size / elementSize(type)));
}

/** Bytes of one value of a type, as far as its name tells. */
export function elementSize(type: string): number {
  if (/\*/.test(type)) return 8;
  if (/\b(?:char|u8|s8|__u8|__s8|bool|uint8_t|int8_t|unsigned char)\b/.test(type)) return 1;
  if (/\b(?:short|u16|s16|__u16|__s16|__be16|__le16|uint16_t|int16_t)\b/.test(type)) return 2;
  if (/\blong\b|\b(?:u64|s64|__u64|__s64|size_t|dma_addr_t|sector_t|loff_t|uint64_t|int64_t)\b/.test(type)) return 8;
  return 4;
}
