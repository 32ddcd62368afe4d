// A request that another request makes: GET of another URI in the same webapp, without a socket. It ends with its
// parent.
//
//  parent ── subrequest("/menu") ──> dispatcher ──> webapp, rules, revisers, handlets
//     ^                                                         │ head, pieces
//     └──── status, headers, content <── SubrequestWire <───────┘   at most 256 KiB ahead of the reader

import { quietly } from "@hemi/common";
import { HemiError } from "../../errors/hemi-error.ts";
import type { ExchanServer, ExchanWire, Lineage, RequestHead, ResponseHead } from "../../http/exchan.ts";
import { conditionNames, ownRequestFields } from "../../http/field-names.ts";
import { type Fields, ListedFields } from "../../http/fields.ts";
import { encodeLocation } from "../response/location.ts";
import { goneAnswer, InnerWire } from "./inner-wire.ts";

/** The options of a subrequest. */
export interface SubrequestOptions {
  /** Maximum nesting of subrequests. Default: 5. */
  readonly maxDepth?: number;
  /** Maximum number of subrequests of a client's request, including nested ones. Default: 100. */
  readonly maxCount?: number;
  /** Maximum size of the response content, in bytes; more: HEMI_CONTENT_TOO_LARGE. Default: 1 MiB. */
  readonly maxSize?: number;
  /**
   * Whether the response is meant for the client: the client's conditions, ranges and codings are then passed on for
   * GET. Default: false.
   */
  readonly isForClient?: boolean;
  /** What is answered in the place of this path and query of the client. Default: it asks for itself. */
  readonly originalURI?: string;
}

/** The response to a subrequest. */
export interface Subresponse {
  /** The status code, such as 200. */
  readonly status: number;
  /** The size of the content in bytes; `undefined` if unknown. */
  readonly size: number | undefined;
  /** The fields of its head. */
  readonly headers: Fields;
  /**
   * Read once; the sender is paused while it is not read. Throws HEMI_CONTENT_TOO_LARGE, and HEMI_PEER_GONE if the
   * response is aborted or the parent request has ended.
   */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * See `req.subrequest`. `request` is the parent on its wire. Rejects with HEMI_USAGE for an
 * invalid path, and for too many or too deeply nested subrequests.
 */
export async function sendSubrequest(
  parent: ExchanWire,
  request: { readonly trace: object | undefined; readonly encodedPath: string },
  server: ExchanServer,
  target: string,
  { maxDepth = 5, maxCount = 100, maxSize = 1024 * 1024, isForClient = false, originalURI }: SubrequestOptions = {},
): Promise<Subresponse> {
  const { depth, tally } = (parent.lineage ??= { depth: 0, tally: { count: 0 } });
  if (depth >= maxDepth)
    throw new HemiError(
      "HEMI_USAGE",
      `${target} would be a subrequest at the depth ${depth + 1}: ${maxDepth} is allowed`,
    );
  if (tally.count >= maxCount)
    throw new HemiError("HEMI_USAGE", `${target} would be the subrequest ${tally.count + 1}: ${maxCount} are allowed`);
  const head = headOf(parent.head, resolveTarget(request.encodedPath, target), isForClient);
  tally.count++;
  return new Promise((resolve, reject) => {
    const wire = new SubrequestWire(
      parent,
      head,
      { depth: depth + 1, tally, originalURI, trace: request.trace, parent: request },
      { maxSize, resolve, reject },
    );
    parent.onEnd(() => wire.abort());
    server.serve(wire);
  });
}

/** The maximum unread content in bytes: more pauses the sender. */
const maxAhead = 256 * 1024;

interface Asker {
  readonly maxSize: number;
  readonly resolve: (response: Subresponse) => void;
  readonly reject: (error: Error) => void;
}

class SubrequestWire extends InnerWire {
  readonly lineage: Lineage;
  readonly #parent: ExchanWire;
  readonly #asker: Asker;
  readonly #pieces: Uint8Array[] = [];
  #ahead = 0;
  /** Why the content ended early. */
  #failure: HemiError | undefined;
  /** Waiting readers and senders. */
  #wakeReader: (() => void) | undefined;
  #room = Promise.withResolvers<void>();

  constructor(parent: ExchanWire, head: RequestHead, lineage: Lineage, asker: Asker) {
    super(head);
    this.#parent = parent;
    this.lineage = lineage;
    this.#asker = asker;
  }

  get peer(): ExchanWire["peer"] {
    return this.#parent.peer;
  }

  get tls(): ExchanWire["tls"] {
    return this.#parent.tls;
  }

  readContent(): undefined {
    // It has none.
  }

  protected headCame({ status, fieldList }: ResponseHead, size: number | undefined): void {
    this.#asker.resolve({ status, size, headers: new ListedFields([...fieldList]), content: this.#content() });
  }

  protected contentCame(piece: Uint8Array, given: number): boolean {
    const { maxSize } = this.#asker;
    if (given > maxSize) {
      this.#breakOff(new HemiError("HEMI_CONTENT_TOO_LARGE", `${this.head.target} has more than ${maxSize} bytes`));
      return false;
    }
    this.#pieces.push(piece);
    this.#ahead += piece.length;
    this.#wakeReader?.();
    return this.#ahead <= maxAhead;
  }

  protected room(): Promise<void> {
    return this.#ahead <= maxAhead ? Promise.resolve() : this.#room.promise;
  }

  protected completed(): void {
    this.#wakeReader?.();
  }

  abort(): void {
    this.#breakOff(new HemiError("HEMI_PEER_GONE", `the answer with ${this.head.target} was broken off`));
  }

  #breakOff(failure: HemiError): void {
    if (this.isOver) return;
    this.#failure = failure;
    // Unread content is useless without the rest.
    this.#pieces.length = 0;
    this.#asker.reject(failure);
    void quietly(this.#room.promise);
    this.#room.reject(goneAnswer());
    this.#wakeReader?.();
    this.end("aborted", goneAnswer());
  }

  async *#content(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          this.#took(piece);
          yield piece;
        } else if (this.#failure !== undefined) throw this.#failure;
        else if (this.isOver) return;
        else await new Promise<void>((resolve) => (this.#wakeReader = resolve));
      }
    } finally {
      // A reader that stops early needs no more content.
      this.abort();
    }
  }

  #took(piece: Uint8Array): void {
    this.#ahead -= piece.length;
    if (this.#ahead > maxAhead) return;
    this.#room.resolve();
    this.#room = Promise.withResolvers<void>();
  }
}

/** A path with a query, absolute or relative to that of the parent. */
function resolveTarget(basePath: string, target: string): string {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) {
    throw new HemiError(
      "HEMI_USAGE",
      `a subrequest is for a path of the same webapp, not for ${JSON.stringify(target)}`,
    );
  }
  const path = target.startsWith("/") ? target : basePath.slice(0, basePath.lastIndexOf("/") + 1) + target;
  return encodeLocation(path.replace(/#.*$/s, ""));
}

function headOf(parent: RequestHead, target: string, isForClient: boolean): RequestHead {
  const list: string[] = [];
  const passesTerms = isForClient && (parent.method === "GET" || parent.method === "HEAD");
  for (const [name, value] of parent.fields) {
    const isLeftOut = leftOut.has(name) || name.startsWith("content-") || (terms.has(name) && !passesTerms);
    if (!isLeftOut) list.push(name, value);
  }
  return {
    version: "1.1",
    method: "GET",
    scheme: parent.scheme,
    targetScheme: parent.targetScheme,
    authority: parent.authority,
    target,
    pathNeedsCare: true,
    fields: new ListedFields(list),
    contentSize: 0,
    upgrades: [],
  };
}

/** The client's fields about the wanted response: conditions, ranges and codings. */
const terms: ReadonlySet<string> = new Set([...conditionNames, "accept-encoding"]);

/** What a subrequest does not inherit of its parent, besides `content-…`. */
const leftOut: ReadonlySet<string> = new Set(ownRequestFields);
