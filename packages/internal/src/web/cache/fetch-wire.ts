// The wire of a fetch: the request that the cache makes of what stands behind it. It has no client, and goes on when
// those leave that wait for it.

import { ExchanError } from "../../http/exchan-error.ts";
import type { ExchanWire, Lineage, RequestHead, ResponseHead } from "../../http/exchan.ts";
import { conditionNames, ownRequestFields } from "../../http/field-names.ts";
import { ListedFields, type Fields } from "../../http/fields.ts";
import type { Request } from "../request/request.ts";
import { InnerWire } from "../wires/inner-wire.ts";

/** Hears the response of a fetch. Nothing follows `ended` and `broken`. */
export interface FetchListener {
  headCame(status: number, fieldList: readonly string[], size: number | undefined): void;
  /** False: await `room()` before the next piece. */
  contentCame(piece: Uint8Array): boolean;
  room(): Promise<void>;
  ended(): void;
  /** The response is incomplete, or there is none. */
  broken(error: ExchanError): void;
}

/** What differs from the client's request, and how long it may take. */
export interface FetchTerms {
  /** Default: GET. */
  readonly method?: "GET" | "HEAD";
  readonly fields: readonly string[];
  readonly hidden: ReadonlySet<string>;
  readonly timeout: number;
}

export class FetchWire extends InnerWire {
  readonly peer: ExchanWire["peer"];
  readonly tls: ExchanWire["tls"];
  readonly lineage: Lineage;
  readonly #listener: FetchListener;
  readonly #timeout: number;
  #deadline: NodeJS.Timeout | undefined;

  /**
   * `fields` are sent instead of the client's own conditions: those of a validation, names and values alternating.
   * `hidden`: fields of the client that are not sent. `timeout` in milliseconds: until the head, and between two
   * pieces.
   */
  constructor(req: Request, terms: FetchTerms, listener: FetchListener) {
    super(headOf(req, terms));
    this.peer = req.peer;
    this.tls = req.tls;
    this.lineage = { depth: req.depth, tally: { count: 0 } };
    this.#listener = listener;
    this.#timeout = terms.timeout;
    this.onEnd(() => clearTimeout(this.#deadline));
    this.#limit();
  }

  readContent(): undefined {
    // GET and HEAD have none.
  }

  protected headCame({ status, fieldList }: ResponseHead, size: number | undefined): void {
    this.#deadline?.refresh();
    this.#listener.headCame(status, [...fieldList], size);
  }

  protected contentCame(piece: Uint8Array): boolean {
    this.#deadline?.refresh();
    const hasRoom = this.#listener.contentCame(piece);
    // A slow client is not the fault of the backend.
    if (!hasRoom) clearTimeout(this.#deadline);
    return hasRoom;
  }

  protected async room(): Promise<void> {
    await this.#listener.room();
    if (!this.isOver) this.#limit();
  }

  protected completed(): void {
    this.#listener.ended();
  }

  abort(): void {
    this.#breakOff(new ExchanError("HEMI_PEER_GONE", "the response was broken off"));
  }

  #limit(): void {
    clearTimeout(this.#deadline);
    const error = new ExchanError("HEMI_TIMEOUT", `nothing came within fetchTimeout, ${this.#timeout} ms`);
    this.#deadline = setTimeout(() => this.#breakOff(error), this.#timeout);
  }

  #breakOff(error: ExchanError): void {
    if (this.isOver) return;
    this.end(error.code === "HEMI_TIMEOUT" ? "handleTimeout" : "aborted", error);
    this.#listener.broken(error);
  }
}

function headOf(
  { version, scheme, authority, originalURI, headers }: Request,
  { method = "GET", fields, hidden }: FetchTerms,
): RequestHead {
  return {
    version,
    method,
    scheme,
    authority,
    target: originalURI,
    pathNeedsCare: true,
    fields: new ListedFields([...shareable(headers, hidden), ...fields]),
    contentSize: 0,
    upgrades: [],
  };
}

/** The content of the cache must not depend on what the first client has, or wants a part of. */
function* shareable(fields: Fields, hidden: ReadonlySet<string>): Generator<string, void, void> {
  for (const [name, value] of fields) {
    if (leftOut.has(name) || isIn(hidden, name) || name.startsWith("content-")) continue;
    yield name;
    yield value;
  }
}

/** CGI, and what came of it, takes `x_host` for `x-host`. */
function isIn(names: ReadonlySet<string>, name: string): boolean {
  return names.has(name) || (name.includes("_") && names.has(name.replaceAll("_", "-")));
}

const leftOut: ReadonlySet<string> = new Set([...ownRequestFields, ...conditionNames]);
