// dnsHandlet: DNS over HTTPS (RFC 8484).

import {
  backendKind,
  answerOtherMethod,
  defineHandlet,
  type Explanation,
  HTTPError,
  type HandletPart,
  prop,
  type PropsOf,
  type Request,
  type Response,
  type Context,
} from "@hemi/internal";
import { rcodes } from "../message/codes.ts";
import { readQuery } from "../message/query.ts";
import { headOnly } from "../message/reply.ts";
import { dnsAnswerer, type Reply } from "../resolver/answerer.ts";

const props = {
  /** The resolver that answers: a `dnsBackend`, by its name. */
  toBackend: prop.reference(backendKind, { offering: dnsAnswerer, required: true, inherited: true, reload: "live" }),
};

/**
 * Answers queries of DNS over HTTPS: GET with `?dns=` in base64url, and POST with content of the type
 * `application/dns-message`. A rule says for which path, usually `/dns-query`. Other methods get 405, malformed queries
 * 400, other content 415.
 */
export const dnsHandlet = defineHandlet({
  sign: "dnsHandlet",
  props,
  create: (context): HandletPart => new DnsHandlet(context),
});

class DnsHandlet implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    if (req.method === "POST") return this.#handlePost(req, resp);
    if (req.method !== "GET" && req.method !== "HEAD") {
      answerOtherMethod(req, resp, ["GET", "HEAD", "POST"]);
      return true;
    }
    const text = req.query("dns") ?? "";
    if (!/^[\w-]{16,87380}$/.test(text)) throw new HTTPError(400, "the parameter dns is no query in base64url");
    return this.#answer(Buffer.from(text, "base64url"), resp);
  }

  explain({ method }: Request): Explanation {
    const { path } = this.#context.props.toBackend;
    if (method === "GET" || method === "HEAD" || method === "POST") return { takes: "yes", text: `answers by ${path}` };
    return { takes: "yes", status: method === "OPTIONS" ? 204 : 405, text: `${method} is not for queries` };
  }

  async #handlePost(req: Request, resp: Response): Promise<boolean> {
    if (req.header("content-type")?.toLowerCase() !== mediaType) {
      throw new HTTPError(415, `the content of the request is not ${mediaType}`);
    }
    const content = await req.content.bytes();
    return await this.#answer(Buffer.from(content.buffer, content.byteOffset, content.byteLength), resp);
  }

  #answer(message: Buffer, resp: Response): boolean | Promise<boolean> {
    const read = message.length > maxMessage ? undefined : readQuery(message);
    if (read === undefined) throw new HTTPError(400, "it is no query of DNS");
    if ("reply" in read) return send(resp, { message: read.reply, lifetime: 0 });
    const { query, refusal } = read;
    if (refusal !== undefined) return send(resp, { message: headOnly(query, refusal), lifetime: 0 });
    const reply = this.#context.props.toBackend.current.answer(query, maxMessage);
    return reply instanceof Promise ? reply.then((later) => send(resp, later)) : send(resp, reply);
  }
}

function send(resp: Response, { message, lifetime }: Reply): true {
  resp.status = 200;
  resp.setHeader("content-type", mediaType);
  // A failure must not be kept (RFC 8484 5.1).
  const mayKeep = lifetime > 0 && (message.readUInt16BE(2) & 0xf) !== rcodes.serverFailure;
  resp.setHeader("cache-control", mayKeep ? `max-age=${lifetime}` : "no-store");
  resp.send(message);
  return true;
}

const mediaType = "application/dns-message";
const maxMessage = 65_535;
