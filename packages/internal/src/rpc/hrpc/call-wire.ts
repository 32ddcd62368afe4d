// A call of hrpc as the rules of a webapp see it: a POST to the path of the procedure, with its metadata as fields, and
// without content.
//
//   CALL ──> CallWire ──> webapp, rules, checkers ──┬─> none takes it: the call begins, and has the wire until its end
//                                                   └─> an answer of theirs: the call ends with the code of its status

import type { Deadline } from "@hemi/common";
import { codeOfHttpStatus, Metadata, RpcError, type CalledStream } from "@hemi/common/rpc";
import type { CodecServer } from "../../http/codec-server.ts";
import type { EndReason } from "../../http/end-reason.ts";
import { ExchanError } from "../../http/exchan-error.ts";
import type { RequestHead, ResponseHead } from "../../http/exchan.ts";
import { ListedFields } from "../../http/fields.ts";
import type { Peer } from "../../net/peer.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import { goneAnswer, InnerWire } from "../../web/wires/inner-wire.ts";
import { hrpcContentType } from "../call-span.ts";
import { Identity } from "../identity.ts";
import { CallExchan, metadataOf, type OpenCall } from "./call-exchan.ts";
import type { HrpcOrigin } from "./hrpc-origin.ts";

/** The connection that the call has come by. */
export interface CallConn extends HrpcOrigin {
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
}

/** Gives a call to the rules of a webapp. */
export function serveBehindRules(stream: CalledStream, conn: CallConn, server: CallServer): void {
  // Rules, and those whom they ask, could take another path for more than a path.
  if (/^\/[\x21-\x7e]*$/.test(stream.head.path)) server.serve(new CallWire(stream, conn, server));
  else stream.finish({ error: new RpcError("unimplemented", "the path is malformed"), trailers: new Metadata() });
}

type CallServer = Pick<CodecServer, "settings" | "monotonic" | "makeDeadline" | "serve">;

export class CallWire extends InnerWire implements OpenCall {
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  readonly stream: CalledStream;
  readonly #conn: CallConn;
  readonly #server: CallServer;
  /** On the monotonic clock; Infinity: the client has set none. */
  readonly #deadline: number;
  /** Set until the call begins: from then on, it has limits of its own. */
  readonly #limit: Deadline;
  #hasBegun = false;
  /** Of an answer that was given in its place. */
  #answer: ResponseHead | undefined;

  constructor(stream: CalledStream, conn: CallConn, server: CallServer) {
    super(headOf(stream, conn.tls));
    this.stream = stream;
    this.peer = conn.peer;
    this.tls = conn.tls;
    this.#conn = conn;
    this.#server = server;
    this.#deadline = server.monotonic() + stream.head.timeout;
    this.#limit = server.makeDeadline(() => this.#tooLate());
    this.limitHandling(undefined);
    stream.onCancel = () => this.end("aborted", goneAnswer());
  }

  get timeLeft(): number {
    return this.#deadline - this.#server.monotonic();
  }

  /** No rule has taken it: the procedure answers from here on. */
  begin(req: Request, resp: Response): HrpcOrigin {
    this.#hasBegun = true;
    this.#limit.clear();
    const { peer, tls, caller } = this.#conn;
    return { peer, caller, identity: new Identity(req, tls), exchan: new CallExchan(this, req, resp) };
  }

  get standsFor(): this {
    return this;
  }

  /** The messages are the procedure's. */
  readContent(): undefined {
    return undefined;
  }

  override limitHandling(timeout = this.#server.settings.handleTimeout): void {
    if (!this.#hasBegun) this.#limit.set(Math.min(timeout, this.timeLeft));
  }

  protected headCame(head: ResponseHead): void {
    this.#answer = head;
  }

  /** A page for browsers, if it comes from a checker. */
  protected contentCame(): boolean {
    return true;
  }

  protected room(): Promise<void> {
    return Promise.resolve();
  }

  protected completed(): void {
    const answer = this.#answer;
    if (this.#hasBegun || answer === undefined) return;
    this.#fail(refusalOf(answer), metadataOf(answer.fieldList));
  }

  abort(): void {
    if (!this.#hasBegun) this.#fail(new RpcError("unavailable"), new Metadata());
    this.end("aborted", goneAnswer());
  }

  #tooLate(): void {
    this.#fail(new RpcError("deadline_exceeded", "the call has not begun in time"), new Metadata());
    this.end("handleTimeout", new ExchanError("HEMI_TIMEOUT", "the call has not begun in time"));
  }

  #fail(error: RpcError, trailers: Metadata): void {
    this.stream.finish({ error, trailers });
  }

  protected override end(reason: EndReason, failure?: ExchanError): void {
    this.#limit.clear();
    super.end(reason, failure);
  }
}

/** What its client is told of a call that a rule has answered. */
function refusalOf({ status }: ResponseHead): RpcError {
  // Nothing but a procedure can answer a call.
  const code = status < 400 ? "unimplemented" : codeOfHttpStatus(status);
  return new RpcError(code, `the call was answered with the HTTP status ${status}`);
}

function headOf({ head: { path, metadata } }: CalledStream, tls: TlsFacts | undefined): RequestHead {
  const list = [...metadata.list, "content-type", hrpcContentType];
  return {
    version: "2",
    method: "POST",
    scheme: tls === undefined ? "http" : "https",
    authority: tls?.serverName ?? "",
    target: path,
    pathNeedsCare: true,
    fields: new ListedFields(list),
    contentSize: 0,
    upgrades: [],
  };
}
