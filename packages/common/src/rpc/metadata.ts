// Metadata of a call: what a client sends beside the messages, and a server before (headers) and after them (trailers).

import { fromBase64, toBase64 } from "./base64.ts";
import { RpcError } from "./rpc-error.ts";

/**
 * Names and values. Names are case-insensitive. Values are printable ASCII; a name that ends in `-bin` has bytes as its
 * value. A name may have several values.
 */
export class Metadata implements Iterable<readonly [name: string, value: string]> {
  /** Lower-case names and encoded values in turn. */
  readonly #list: string[];

  /** Without `entries`: empty. Throws TypeError like `set`. */
  constructor(entries: Readonly<Record<string, string | Uint8Array>> = {}) {
    this.#list = [];
    for (const [name, value] of Object.entries(entries)) this.append(name, value);
  }

  /** What was received: names in lower case, and values as they came. Names of the protocols are left out. */
  static received(list: Iterable<readonly [string, string]>): Metadata {
    const metadata = new Metadata();
    for (const [name, value] of list) if (!isReserved(name)) metadata.#list.push(name, value);
    return metadata;
  }

  /** Whether there is nothing in it. */
  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  /** Encoded names and values in turn, as they go out. */
  get list(): readonly string[] {
    return this.#list;
  }

  /** The first value of a name, as text. */
  get(name: string): string | undefined {
    const at = this.#find(name.toLowerCase(), 0);
    return at < 0 ? undefined : this.#list[at + 1];
  }

  /** All values of a name, as texts. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase();
    const values: string[] = [];
    for (let at = this.#find(wanted, 0); at >= 0; at = this.#find(wanted, at + 2))
      values.push(this.#list[at + 1] ?? "");
    return values;
  }

  /**
   * The values of a name that ends in `-bin`, in order. Throws RpcError `invalid_argument` if one is not base64, which
   * a procedure can let pass to its client.
   */
  getBinary(name: string): Uint8Array[] {
    // Several values may come in one field, joined by commas.
    return this.getAll(name).flatMap((value) =>
      value.split(",").map((text) => {
        const bytes = fromBase64(text.trim());
        if (bytes === undefined) throw new RpcError("invalid_argument", `the metadata ${name} is not base64`);
        return bytes;
      }),
    );
  }

  /** Whether there is a value of this name. */
  has(name: string): boolean {
    return this.#find(name.toLowerCase(), 0) >= 0;
  }

  /** Replaces all values of a name. Throws TypeError for a name or value that metadata cannot have. */
  set(name: string, value: string | Uint8Array): void {
    this.delete(name);
    this.append(name, value);
  }

  /** Adds a value. Throws TypeError for a name or value that metadata cannot have. */
  append(name: string, value: string | Uint8Array): void {
    const lower = name.toLowerCase();
    if (!/^[0-9a-z_.-]+$/.test(lower)) throw new TypeError(`metadata cannot have the name ${JSON.stringify(name)}`);
    if (isReserved(lower)) throw new TypeError(`the metadata ${lower} is the protocol's own`);
    const isBinary = lower.endsWith("-bin");
    if (isBinary !== (typeof value !== "string")) {
      throw new TypeError(
        `the metadata ${lower} takes ${isBinary ? "bytes" : "a text: end its name in -bin for bytes"}`,
      );
    }
    const text = typeof value === "string" ? value : toBase64(value);
    if (!/^[\x20-\x7e]*$/.test(text)) throw new TypeError(`the metadata ${lower} takes printable ASCII only`);
    this.#list.push(lower, text);
  }

  /** Adds all values of other metadata, encoded as they are. */
  addAll(other: Metadata): void {
    this.#list.push(...other.#list);
  }

  /** Removes all values of a name. */
  delete(name: string): void {
    const unwanted = name.toLowerCase();
    for (let at = this.#find(unwanted, 0); at >= 0; at = this.#find(unwanted, at)) this.#list.splice(at, 2);
  }

  *[Symbol.iterator](): Iterator<readonly [string, string]> {
    for (let i = 0; i < this.#list.length; i += 2) yield [this.#list[i] ?? "", this.#list[i + 1] ?? ""];
  }

  #find(wanted: string, from: number): number {
    for (let i = from; i < this.#list.length; i += 2) if (this.#list[i] === wanted) return i;
    return -1;
  }
}

/** Names of the protocols, and those that frame an HTTP message: a value of a user's could change their meaning. */
function isReserved(name: string): boolean {
  return reserved.has(name) || /^(?::|grpc-|connect-|content-|trailer-)/.test(name);
}

const reserved: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "connection",
  "date",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
