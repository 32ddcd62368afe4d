// Caches the parts of log lines that depend on the request head: clients often send the same head again, or the same
// fields with another target.

import { FieldLines } from "../../http/field-lines.ts";
import { flat } from "../../log/lines/flat.ts";
import type { LineWriter } from "../../log/lines/line-writer.ts";
import type { Request } from "../request/request.ts";

/** The parts of a line that depend on the connection, the method, the authority and the fields only. */
export interface HeadTexts {
  /** What stands before the target, and behind the result of the request. */
  readonly before: string;
  readonly behind: string;
}

export class HeadMemo {
  readonly #make: (req: Request) => HeadTexts;

  /** `make` must return the same for the same connection, method, scheme, authority and fields. */
  constructor(make: (req: Request) => HeadTexts) {
    this.#make = make;
  }

  /** Adds the parts of the head to a line, around the target and what became of the request. */
  addTo(line: LineWriter, req: Request, target: string, result: string): void {
    const { headers } = req;
    // Of a connection of HTTP/1, which keeps the fields of its last request.
    if (headers instanceof FieldLines) return this.#loggedOf(req, headers).addTo(line, target, result);
    const { before, behind } = this.#make(req);
    addParts(line, before, target, result, behind);
  }

  #loggedOf(req: Request, fields: FieldLines): LoggedHead {
    const { logged } = fields;
    if (logged instanceof LoggedHead && logged.isOf(req, this)) return logged;
    const made = new LoggedHead(req, this, this.#make(req));
    if (made.size <= maxRemembered) fields.logged = made;
    return made;
  }
}

/** Kept with the fields of a request. */
class LoggedHead {
  readonly #memo: HeadMemo;
  readonly #srcHost: string;
  readonly #srcPort: number;
  readonly #method: string;
  readonly #scheme: string;
  readonly #authority: string;
  readonly #before: string;
  readonly #behind: string;
  /** Of the last line. */
  #target = "";
  #result = "";
  /** All parts of the last line, once two had the same ones. */
  #whole: string | undefined;

  constructor({ srcHost, srcPort, method, scheme, authority }: Request, memo: HeadMemo, { before, behind }: HeadTexts) {
    this.#memo = memo;
    this.#srcHost = srcHost;
    this.#srcPort = srcPort;
    this.#method = method;
    this.#scheme = scheme;
    this.#authority = authority;
    this.#before = flat(before);
    this.#behind = flat(behind);
  }

  get size(): number {
    return this.#before.length + this.#behind.length;
  }

  /** After a reload, a proxy that names the client may no longer be trusted. */
  isOf(req: Request, memo: HeadMemo): boolean {
    return (
      this.#memo === memo &&
      this.#srcHost === req.srcHost &&
      this.#srcPort === req.srcPort &&
      this.#method === req.method &&
      this.#scheme === req.scheme &&
      this.#authority === req.authority
    );
  }

  addTo(line: LineWriter, target: string, result: string): void {
    if (target === this.#target && result === this.#result) {
      line.add((this.#whole ??= flat(this.#before + target + result + this.#behind)));
      return;
    }
    this.#whole = undefined;
    const isKept = this.size + target.length + result.length <= maxRemembered;
    this.#target = isKept ? target : "";
    this.#result = isKept ? result : "";
    addParts(line, this.#before, target, result, this.#behind);
  }
}

function addParts(line: LineWriter, before: string, target: string, result: string, behind: string): void {
  line.add(before);
  line.add(target);
  line.add(result);
  line.add(behind);
}

/** In characters, for each open connection. */
const maxRemembered = 1024;
