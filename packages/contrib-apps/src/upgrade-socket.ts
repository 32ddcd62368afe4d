// The socket of an upgrade, as `http.Server` emits it: the app writes its answer's head to it, and then speaks whatever
// was agreed on.
//
//   head ── 101 ────────> tunnel      reads and writes are those of the client's connection, or of its stream in HTTP/2
//     └──── any other ──> answer      what is written is content

import type { Duplex } from "node:stream";
import type { Request as HemiRequest, Response as HemiResponse } from "@hemi/internal";
import { contentLengthOf } from "./app-fields.ts";
import { NodeSocket, type SocketOwner } from "./node-socket.ts";
import { WrittenChunks } from "./written-chunks.ts";
import { readWrittenHead, type WrittenHead } from "./written-head.ts";

type Written = (error?: Error | null) => void;

export class UpgradeSocket extends NodeSocket {
  readonly #req: HemiRequest;
  readonly #resp: HemiResponse;
  /** What was written, until it is a head. */
  #head = Buffer.alloc(0);
  #state: "head" | "tunnel" | "answer" = "head";
  #tunnel: Duplex | undefined;
  /** Of an answer: how many bytes of content are to come; `undefined` where that is not known. */
  #left: number | undefined;
  /** Of an answer that is written in chunks. */
  #chunks: WrittenChunks | undefined;

  constructor(req: HemiRequest, resp: HemiResponse, owner: SocketOwner) {
    super(req, owner);
    this.allowHalfOpen = true;
    this.#req = req;
    this.#resp = resp;
  }

  override _read(): void {
    this.#tunnel?.resume();
  }

  override _write(chunk: string | Buffer, encoding: BufferEncoding, written: Written): void {
    this.#take(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk, written);
  }

  override _writev(chunks: { chunk: string | Buffer; encoding: BufferEncoding }[], written: Written): void {
    const pieces = chunks.map(({ chunk, encoding }) =>
      typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk,
    );
    this.#take(Buffer.concat(pieces), written);
  }

  override _final(done: Written): void {
    if (this.#state === "head") return done(new Error("the app ended the socket of an upgrade without a response"));
    if (this.#tunnel !== undefined) this.#tunnel.end(done);
    else this.#attempt(done, () => this.#endAnswer());
  }

  override _destroy(error: Error | null, done: Written): void {
    this.#tunnel?.destroy();
    super._destroy(error, done);
  }

  #take(piece: Buffer, written: Written): void {
    if (this.#tunnel !== undefined) return this.#pass(this.#tunnel, piece, written);
    this.#attempt(written, () => {
      if (this.#state === "answer") return this.#sendContent(piece);
      this.#head = Buffer.concat([this.#head, piece]);
      const head = readWrittenHead(this.#head);
      if (head === undefined) return;
      this.#head = Buffer.alloc(0);
      if (head.status !== 101) return this.#answer(head);
      this.#switch(head);
      if (head.rest.length > 0) this.#tunnel?.write(head.rest);
    });
  }

  #switch({ fields }: WrittenHead): void {
    const protocol = fields.find(([name]) => name === "upgrade")?.[1].toLowerCase();
    if (protocol === undefined) throw new Error("the app wrote a 101 without the field upgrade");
    for (const [name, value] of fields) {
      // The answer to a key that the client of HTTP/2 has not sent: see `keyFor` in node-upgrade.ts.
      if (name === "sec-websocket-accept" && this.#req.version !== "1.1") continue;
      if (!framing.has(name)) this.#resp.addHeader(name, value);
    }
    // An app knows nothing of drains: its tunnels may go on until the deadline.
    const tunnel = this.#resp.tunnel(protocol, noop);
    this.#state = "tunnel";
    this.#tunnel = tunnel;
    tunnel.on("data", (piece: Buffer) => {
      this.refreshTimeout();
      if (!this.push(piece)) tunnel.pause();
    });
    tunnel.on("end", () => this.push(null));
    tunnel.on("error", noop);
    tunnel.on("close", () => this.destroy());
    tunnel.resume();
  }

  #answer({ status, reason, fields, rest }: WrittenHead): void | Promise<void> {
    this.#state = "answer";
    const resp = this.#resp;
    resp.status = status;
    if (reason !== "") resp.reason = reason;
    for (const [name, value] of fields) {
      if (name === "upgrade") resp.upgrade = value;
      else if (!framing.has(name)) resp.addHeader(name, value);
    }
    if (fields.some(([name]) => name === "transfer-encoding")) this.#chunks = new WrittenChunks();
    else this.#left = contentLengthOf(fields.find(([name]) => name === "content-length")?.[1]);
    if (this.#left !== undefined) resp.contentSize = this.#left;
    return this.#sendContent(rest);
  }

  /** Ends the answer behind the last byte that was announced: a `ServerResponse` leaves the socket open. */
  #sendContent(written: Buffer): void | Promise<void> {
    const piece = this.#chunks === undefined ? written : this.#chunks.take(written);
    const taken = piece.length > 0 ? this.#resp.echo(piece) : undefined;
    if (this.#left !== undefined) this.#left -= piece.length;
    if (this.#left === 0 || this.#chunks?.isOver === true) this.#endAnswer();
    return taken;
  }

  #endAnswer(): void {
    if (this.#resp.isDone) return;
    this.#resp.end();
    this.push(null);
  }

  #pass(tunnel: Duplex, piece: Buffer, written: Written): void {
    this.refreshTimeout();
    if (tunnel.write(piece) || tunnel.destroyed) written();
    else tunnel.once("drain", written);
  }

  /** What goes wrong ends the socket, and stands in the log. */
  #attempt(done: Written, run: () => void | Promise<void>): void {
    try {
      const taken = run();
      if (taken === undefined) done();
      else
        taken.then(
          () => done(),
          (error: unknown) => done(asError(error)),
        );
    } catch (error) {
      done(asError(error));
    }
  }
}

/** Fields that the engine writes itself. */
const framing = new Set(["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"]);

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function noop(): void {}
