// forwardAuth: asks a backend whether a request may go on.
//
//   request ── its head, as a GET ──> backend ──> 2xx: chosen fields of the answer go into the request,
//                                         │       and the next handlet has it
//                                         ├────> anything else: that is the client's answer
//                                         └────> failed: 502, 503, 504; nobody is let through by a failure

import { Buffer } from "node:buffer";
import {
  webBackend,
  type NodeResponseHead,
  type ResponseHandler,
  type BackendRequest,
  type WebExchange,
} from "../../http/web-backend.ts";
import type { BackendFailure } from "../../backend/failure.ts";
import type { Context } from "../../stage/context.ts";
import { backendKind } from "../../backend/kind.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { ExchanError } from "../../http/exchan-error.ts";
import { conditionNames, connectionFields, FieldNames } from "../../http/field-names.ts";
import { noFields } from "../../http/fields.ts";
import { HTTPError } from "../http-error.ts";
import { defineHandlet, type HandletPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { allFields, checkDeletedFields, whyNoField } from "./field-edits.ts";
import { underscoreProps } from "./passed-requests.ts";
import { claimFields, ForwardedFields } from "./forwarded.ts";

const fieldName = { expression: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, takes: "the name of a field" };

const props = {
  /** The backend that is asked. */
  toBackend: prop.reference(backendKind, { offering: webBackend, required: true }),
  /** What it is asked for, by GET: a path, with or without a query. */
  authURI: prop.string({
    default: "/",
    pattern: { expression: /^\/[\x21-\x22\x24-\x7e]*$/, takes: "a path that begins with /" },
    reload: "live",
  }),
  /** The host that it is asked for. Default: the one that the client asks for. */
  hostname: prop.string({
    pattern: { expression: /^[\w.:[\]-]+$/, takes: "a hostname, with or without a port" },
    reload: "live",
  }),
  /**
   * Fields of the answer that the request has from then on, for the handlets behind this one, such as `x-user`. What
   * the client sends in them is dropped, whether the answer has them or not.
   */
  copyHeaders: prop.list(prop.string({ pattern: fieldName }), { default: [] }),
  /**
   * Fields of the request, by names, that the backend does not get, such as `cookie`; `("*")`: none of those that the
   * client has sent. Those that tell it of the request stay.
   */
  delRequestHeaders: prop.strings({ default: [] }),
  /**
   * Peers, such as a balancer before this server, whose `forwarded` and `x-forwarded-*` fields say who the client is,
   * and which host and scheme it asks for. The backend is told what they say.
   */
  trustForwarded: prop.addresses({ default: [], inherited: true }),
  /** Of an answer that goes to the client, in bytes; with more, the client gets 502. */
  maxAnswerSize: prop.size({ default: "64K", reload: "live" }),
  ...underscoreProps,
};

/**
 * Asks a backend whether a request may go on: it gets the head, with `x-forwarded-method`, `-uri`, `-host`, `-proto`
 * and `-for` in which it is told what is asked for, and by whom. With 2xx the next handlet has the request; any other
 * answer is the client's. 502, 503, 504: the backend fails.
 */
export const forwardAuth = defineHandlet({
  sign: "forwardAuth",
  props,
  check(context) {
    checkDeletedFields(context, "delRequestHeaders");
    for (const name of context.props.copyHeaders) {
      const reason = name.toLowerCase() === "host" ? "the field host is the client's" : whyNoField(name);
      if (reason !== undefined) context.report({ prop: "copyHeaders", message: reason });
    }
  },
  create: (context): HandletPart => new ForwardAuth(context),
});

class ForwardAuth implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #forwarded: ForwardedFields;
  readonly #dropped: FieldNames;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    this.#forwarded = new ForwardedFields({ form: "x", trusted: context.props.trustForwarded });
    this.#dropped = new FieldNames([...dropped, ...context.props.delRequestHeaders.map((name) => name.toLowerCase())], {
      hasUnplain: !context.props.underscoresInHeaders,
    });
  }

  async handle(req: Request, resp: Response): Promise<boolean> {
    const { props } = this.#context;
    if (this.#forwarded.isLoop(req)) throw new HTTPError(508, "the request has been here before: see its field via");
    const added: string[] = [];
    this.#forwarded.addTo(added, req);
    added.push("x-forwarded-method", req.method, "x-forwarded-uri", req.originalURI);
    const request: BackendRequest = {
      method: "GET",
      scheme: req.scheme,
      authority: props.hostname ?? req.authority,
      target: props.authURI,
      received: props.delRequestHeaders.includes(allFields) ? noFields : req.headers,
      dropped: this.#dropped,
      added,
      contentSize: 0,
    };
    const wish = { key: req.srcHost, stickTo: "", tried: [], from: req.sender };
    const { head, content } = await new Promise<Verdict>((resolve, reject) => {
      const verdict = new VerdictTaker(props.maxAnswerSize, resolve, reject);
      const exchange = props.toBackend.current.exchange(request, wish, verdict);
      verdict.exchange = exchange;
      req.onAbort(() => {
        exchange.cancel();
        reject(new ExchanError("HEMI_PEER_GONE", "the exchan was over before it was decided about"));
      });
    });
    if (head.status < 300) {
      for (const name of props.copyHeaders) req.replaceHeader(name, head.fields.getAll(name));
      return false;
    }
    resp.status = head.status;
    resp.setTrustedFields(head.fieldList(droppedOfAnswer));
    resp.send(content);
    return true;
  }
}

interface Verdict {
  readonly head: NodeResponseHead;
  readonly content: Uint8Array | undefined;
}

/** Takes an answer as a whole; of one that lets the request go on, the head. */
class VerdictTaker implements ResponseHandler {
  exchange: WebExchange | undefined;
  readonly #maxSize: number;
  readonly #resolve: (verdict: Verdict) => void;
  readonly #reject: (error: Error) => void;
  #head: NodeResponseHead | undefined;
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  constructor(maxSize: number, resolve: (verdict: Verdict) => void, reject: (error: Error) => void) {
    this.#maxSize = maxSize;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  interim(): void {
    // The client is told nothing before it is decided.
  }

  answered(head: NodeResponseHead, whole: Uint8Array | undefined): void {
    this.#head = head;
    if (head.status < 300) {
      this.#resolve({ head, content: undefined });
      this.exchange?.cancel();
    } else if (whole !== undefined) {
      this.content(whole);
      this.ended();
    }
  }

  content(piece: Uint8Array): boolean {
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size > this.#maxSize) {
      this.#reject(new HTTPError(502, `the answer of the backend has more than ${this.#maxSize} bytes`));
      this.exchange?.cancel();
    }
    return true;
  }

  ended(): void {
    if (this.#head !== undefined) this.#resolve({ head: this.#head, content: Buffer.concat(this.#pieces) });
  }

  failed({ status, message }: BackendFailure): void {
    this.#reject(new HTTPError(status, message));
  }
}

/** Fields of the client's head that speak of its content, of what it has already, or of the way here. */
const dropped: readonly string[] = [
  ...connectionFields,
  ...claimFields,
  "x-forwarded-method",
  "x-forwarded-uri",
  "host",
  "via",
  "expect",
  "proxy-authorization",
  "proxy",
  "content-type",
  "content-encoding",
  ...conditionNames,
];

const droppedOfAnswer = new FieldNames([...connectionFields, "proxy-authenticate"]);
