// The lock file of field numbers: a field keeps its number as long as the file is kept, whatever its schema's order is.
//
//   { "shop.v1.StockFindInput": { "sku": { "number": 1, "type": "string" } } }

/** One field, as its number was given. */
export interface LockedField {
  readonly number: number;
  /** As the .proto file writes it: `repeated string`. */
  readonly type: string;
  /** It is not in the schema any more; its number stays taken. */
  readonly removed?: true;
}

/** By message and field. */
export type FieldLock = Readonly<Record<string, Readonly<Record<string, LockedField>>>>;

/** A field of a message as its schema has it now. */
export interface WantedField {
  readonly name: string;
  readonly type: string;
}

/** Gives numbers, and keeps those that were given. */
export class FieldNumbers {
  readonly #lock: FieldLock;
  readonly #next: Record<string, Record<string, LockedField>> = {};
  /** What must not be: a field that has changed its type. */
  readonly problems: string[] = [];

  constructor(lock: FieldLock) {
    this.#lock = lock;
  }

  /** The lock with all fields that were numbered. Messages that are gone keep theirs. */
  get lock(): FieldLock {
    const all = { ...this.#lock, ...this.#next };
    return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The fields of a message with their numbers, removed ones too, in the order of the numbers. */
  number(message: string, fields: readonly WantedField[]): readonly (readonly [name: string, field: LockedField])[] {
    const known = this.#lock[message] ?? {};
    const next: Record<string, LockedField> = {};
    let last = Math.max(0, ...Object.values(known).map(({ number }) => number));
    for (const [name, { number, type }] of Object.entries(known)) next[name] = { number, type, removed: true };
    for (const { name, type } of fields) {
      const locked = known[name];
      if (locked !== undefined && locked.type !== type) {
        this.problems.push(
          `${message}: the field ${name} was ${locked.type} and is ${type}: clients that know the former read nonsense; ` +
            "give it another name",
        );
      }
      next[name] = { number: locked?.number ?? numberAfter(last), type };
      if (locked === undefined) last = numberAfter(last);
    }
    this.#next[message] = next;
    return Object.entries(next).sort(([, a], [, b]) => a.number - b.number);
  }
}

/** The numbers 19,000 to 19,999 are protobuf's own. */
function numberAfter(last: number): number {
  return last + 1 === 19_000 ? 20_000 : last + 1;
}

/** Throws Error for a text that is no lock file. */
export function readLock(text: string): FieldLock {
  const lock: unknown = JSON.parse(text);
  if (isLock(lock)) return lock;
  throw new Error("it is not a lock file of field numbers");
}

function isLock(value: unknown): value is FieldLock {
  return (
    isRecord(value) && Object.values(value).every((fields) => isRecord(fields) && Object.values(fields).every(isField))
  );
}

function isField(value: unknown): value is LockedField {
  return isRecord(value) && Number.isSafeInteger(value["number"]) && typeof value["type"] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
