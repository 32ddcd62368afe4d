// The fields that a proxy adds to those of a request: what it tells of the client, then those of its configuration.
//
// A client that asks again sends the same fields, most often, and then the same ones are added to them.

import { FieldLines } from "../../http/field-lines.ts";
import type { Request } from "../request/request.ts";
import type { FieldEdits } from "./field-edits.ts";
import type { ForwardedFields } from "./forwarded.ts";

export class AddedFields {
  readonly #forwarded: ForwardedFields;
  readonly #edits: FieldEdits;

  constructor(forwarded: ForwardedFields, edits: FieldEdits) {
    this.#forwarded = forwarded;
    this.#edits = edits;
  }

  /**
   * Names in lower case and values in turn: the very list of the last request that had the same fields, where it is
   * the same. Throws HTTPError 400 as `FieldEdits` does.
   */
  for(req: Request): readonly string[] {
    const { headers } = req;
    if (!this.#edits.isConstant || !(headers instanceof FieldLines)) return this.#listFor(req);
    const { added } = headers;
    if (added instanceof KeptList && added.isFor(req, this)) return added.list;
    const list = this.#listFor(req);
    headers.added = new KeptList(req, this, list);
    return list;
  }

  #listFor(req: Request): string[] {
    const list: string[] = [];
    this.#forwarded.addTo(list, req);
    this.#edits.addTo(list, req);
    return list;
  }
}

/** What was added to some fields, and all that it depends on beside them. */
class KeptList {
  readonly list: readonly string[];
  readonly #by: AddedFields;
  readonly #version: string;
  readonly #scheme: string;
  readonly #authority: string;
  readonly #sender: string;
  readonly #srcHost: string;

  constructor(req: Request, by: AddedFields, list: readonly string[]) {
    this.list = list;
    this.#by = by;
    this.#version = req.version;
    this.#scheme = req.scheme;
    this.#authority = req.authority;
    this.#sender = req.sender.address;
    this.#srcHost = req.srcHost;
  }

  isFor(req: Request, by: AddedFields): boolean {
    return (
      this.#by === by &&
      this.#authority === req.authority &&
      this.#srcHost === req.srcHost &&
      this.#sender === req.sender.address &&
      this.#scheme === req.scheme &&
      this.#version === req.version
    );
  }
}
