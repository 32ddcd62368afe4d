// What is answered from the configuration.
//
//  name and type ──> records; for another type: none, with the SOA of the name   (RFC 2308 2.2)
//               └──> CNAME ──> its target, `maxAliases` steps at most, or a name server is asked for it
//  other name ─────> `*` of the closest name that is known (RFC 4592)
//               └──> in one of `zones`: no such name.   Elsewhere: not ours

import { flags, headerSize, internet, rcodes, types } from "../message/codes.ts";
import type { Answer } from "../message/answer.ts";
import { lowered, parentOf, wireName } from "../message/names.ts";
import { questionOf, type Query } from "../message/query.ts";
import { recordData, type RecordType } from "./record-data.ts";

/** Records as the configuration has them. */
export interface ConfiguredRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly values: readonly string[];
  /** In milliseconds. */
  readonly ttl: number;
}

/** The records of one name and type. */
interface RecordSet {
  readonly type: number;
  /** In seconds. */
  readonly ttl: number;
  readonly data: readonly Buffer[];
}

/** What static records say to a query. */
export interface StaticAnswer {
  readonly answer: Answer;
  /** The name in `lowered` form that a name server is to be asked for; its answers follow ours. */
  readonly follow: string | undefined;
}

export class StaticRecords {
  readonly #names = new Map<string, RecordSet[]>();
  readonly #zones: ReadonlySet<string>;

  /** Both are as `faultsOf` has found them fine; others are left out. */
  constructor(records: readonly ConfiguredRecord[], zones: readonly string[]) {
    this.#zones = new Set(zones.flatMap((zone) => wireName(zone) ?? []));
    for (const { name, type, values, ttl } of records) {
      const wire = wireName(name);
      if (wire === undefined) continue;
      const data = values.map((value) => recordData(type, value)).filter((each) => typeof each !== "string");
      const sets = this.#names.get(wire) ?? [];
      sets.push({ type: types[type], ttl: Math.floor(ttl / 1000), data });
      this.#names.set(wire, sets);
    }
  }

  /** `undefined`: it is to be answered from elsewhere. */
  find(query: Query): StaticAnswer | undefined {
    if (this.#names.size + this.#zones.size === 0) return undefined;
    const records: Buffer[] = [];
    let { name } = query;
    for (let steps = 0; steps <= maxAliases; steps++) {
      // The first owner is the question itself, with the letters of the client.
      const owner = steps === 0 ? Buffer.from([0xc0, headerSize]) : Buffer.from(name, "latin1");
      const sets = this.#setsOf(name);
      if (sets === undefined) {
        const zone = this.#zoneOf(name);
        if (zone !== undefined)
          return { answer: reply(query, records, soaOf(zone), rcodes.noSuchName), follow: undefined };
        return steps === 0 ? undefined : { answer: reply(query, records), follow: name };
      }
      const found = sets.filter(({ type }) => type === query.type);
      if (found.length > 0) {
        records.push(...found.flatMap((set) => recordsOf(owner, set)));
        return { answer: reply(query, records), follow: undefined };
      }
      const alias = sets.find(({ type }) => type === types.CNAME);
      const [target] = alias?.data ?? [];
      if (alias === undefined || target === undefined) {
        return { answer: reply(query, records, soaOf(this.#zoneOf(name) ?? name)), follow: undefined };
      }
      records.push(...recordsOf(owner, alias));
      name = lowered(target, 0, target.length);
    }
    return undefined;
  }

  #setsOf(name: string): readonly RecordSet[] | undefined {
    const exact = this.#names.get(name);
    if (exact !== undefined) return exact;
    for (let parent = parentOf(name); parent !== undefined; parent = parentOf(parent)) {
      const wildcard = this.#names.get(`\u0001*${parent}`);
      if (wildcard !== undefined) return wildcard;
      // A name in between is closer.
      if (this.#names.has(parent)) return undefined;
    }
    return undefined;
  }

  #zoneOf(name: string): string | undefined {
    for (let zone: string | undefined = name; zone !== undefined; zone = parentOf(zone)) {
      if (this.#zones.has(zone)) return zone;
    }
    return undefined;
  }
}

/** What is wrong with records, for `hemi check`: one message for each fault. */
export function faultsOf(records: readonly ConfiguredRecord[], zones: readonly string[]): readonly string[] {
  const faults: string[] = [];
  const notName = (text: string): void => void faults.push(`"${text}" is no domain name`);
  for (const zone of zones) if (wireName(zone) === undefined) notName(zone);
  const typesOf = new Map<string, Set<RecordType>>();
  const aliases = new Map<string, string>();
  for (const { name, type, values } of records) {
    const wire = wireName(name);
    if (wire === undefined) {
      notName(name);
      continue;
    }
    for (const value of values) {
      const fault = recordData(type, value);
      if (typeof fault === "string") faults.push(`the ${type} record of ${name} ${fault}, not "${value}"`);
    }
    const known = typesOf.get(wire) ?? new Set();
    if (known.has(type)) faults.push(`${name} has two lists of ${type} records: join them`);
    typesOf.set(wire, known.add(type));
    if (type !== "CNAME") continue;
    if (values.length > 1) faults.push(`${name} has several CNAME records: it can have one`);
    aliases.set(wire, wireName(values[0] ?? "") ?? "");
  }
  for (const [wire, known] of typesOf) {
    if (known.has("CNAME") && known.size > 1)
      faults.push(`${textOf(records, wire)} has a CNAME record and others beside it`);
    if (aliases.has(wire) && isEndless(aliases, wire)) {
      faults.push(`the CNAME records from ${textOf(records, wire)} on are a loop, or more than ${maxAliases}`);
    }
  }
  return faults;
}

function textOf(records: readonly ConfiguredRecord[], wire: string): string {
  return records.find(({ name }) => wireName(name) === wire)?.name ?? "";
}

function isEndless(aliases: ReadonlyMap<string, string>, start: string): boolean {
  let name: string | undefined = start;
  for (let steps = 0; steps <= maxAliases; steps++) {
    name = aliases.get(name);
    if (name === undefined) return false;
  }
  return true;
}

function recordsOf(owner: Buffer, { type, ttl, data }: RecordSet): readonly Buffer[] {
  return data.map((each) => record(owner, type, ttl, each));
}

function record(owner: Buffer, type: number, ttl: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(internet, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, fixed, data]);
}

/** Says how long others may remember that something does not exist. */
function soaOf(zone: string): Buffer {
  const owner = Buffer.from(zone, "latin1");
  const numbers = Buffer.alloc(20);
  for (const [i, number] of [1, 3600, 600, 86_400, negativeTtl].entries()) numbers.writeUInt32BE(number, i * 4);
  const responsible = Buffer.from("\u000ahostmaster", "latin1");
  return record(owner, types.SOA, negativeTtl, Buffer.concat([owner, responsible, owner, numbers]));
}

/** What is answered to a question for everything, whose true answer would be long (RFC 8482 4.2). */
export function minimalAny(query: Query): Answer {
  const why = Buffer.from("\u0007RFC8482\0", "latin1");
  return reply(query, [record(Buffer.from([0xc0, headerSize]), types.HINFO, 3600, why)]);
}

function reply(query: Query, records: readonly Buffer[], soa?: Buffer, rcode: number = rcodes.noError): Answer {
  const header = Buffer.alloc(headerSize);
  header.writeUInt16BE(flags.response | flags.authoritative | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt16BE(soa === undefined ? 0 : 1, 8);
  const message = Buffer.concat([header, questionOf(query), ...records, ...(soa === undefined ? [] : [soa])]);
  return { message, questionEnd: query.questionEnd, rcode, ttlOffsets: [], ttl: 0, isTruncated: false };
}

/** Not a prop: a chain of more is a mistake. */
const maxAliases = 8;
/** In seconds. Not a prop: a reload may add what does not exist now. */
const negativeTtl = 300;
