// httpsChecker: sends clients that came by http to https, and tells browsers to stay there.

import {
  type Context,
  defineHandlet,
  type Explanation,
  type HandletPart,
  prop,
  type PropsOf,
  type Request,
  type Response,
} from "@hemi/internal";
import { changeFinalHead } from "./final-head.ts";
import { letsThrough, refuse } from "./refuse.ts";

const props = {
  /** Where https is served, as clients see it. */
  port: prop.integer({ default: 443, min: 1, max: 65535, reload: "live" }),
  /**
   * How long a browser shall use nothing but https for this hostname: `strict-transport-security` on every answer over
   * https. It cannot be taken back before, except by `0s`, which makes browsers forget it. Default: the field is not
   * sent.
   */
  maxAge: prop.duration({ max: "24855d", reload: "live" }),
  /** The same for all names below the hostname. */
  includeSubDomains: prop.bool({ default: false, reload: "live" }),
  /**
   * Asks browsers' makers to ship the hostname in their lists; that takes a year of `maxAge` and `includeSubDomains`.
   */
  preload: prop.bool({ default: false, reload: "live" }),
};

/**
 * Redirects requests over http with 308, which keeps method and content, to the same URI over https. Those over https
 * are left to the next handlet or rule, and their answers, errors too, get the field of RFC 6797. HTTP/1.0 without a
 * host, which cannot be told where to go, gets 403. A proxy before the server that ends TLS must be in `trustForwarded`
 * of the server, and say by which scheme its clients come.
 */
export const httpsChecker = defineHandlet({
  sign: "httpsChecker",
  props,
  check(context) {
    const { maxAge, includeSubDomains, preload } = context.props;
    for (const prop of ["includeSubDomains", "preload"] as const) {
      if (context.props[prop] && maxAge === undefined) context.report({ prop, message: `.${prop} needs .maxAge` });
    }
    if (preload && maxAge !== undefined && (maxAge < year || !includeSubDomains)) {
      context.report({ prop: "preload", message: ".preload needs .maxAge = 365d or more, and .includeSubDomains" });
    }
  },
  create: (context): HandletPart => new HttpsChecker(context),
});

const year = 365 * 24 * 60 * 60 * 1000;

class HttpsChecker implements HandletPart {
  readonly #context: Context<PropsOf<typeof props>>;
  /** The value of `strict-transport-security`. */
  #policy: string | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    this.#policy = policyOf(context.props);
  }

  update(): void {
    this.#policy = policyOf(this.#context.props);
  }

  handle(req: Request, resp: Response): boolean {
    if (req.scheme === "https") {
      const policy = this.#policy;
      if (policy !== undefined) {
        changeFinalHead(resp, this, this.#context.path, () => resp.setHeader("strict-transport-security", policy));
      }
      return false;
    }
    if (req.hostname === "") return refuse(resp, 403);
    resp.redirect(this.#secureURL(req), 308);
    return true;
  }

  explain(req: Request): Explanation {
    if (req.scheme === "https") return letsThrough;
    if (req.hostname === "") return { takes: "yes", status: 403, text: "there is no host to send it to" };
    return { takes: "yes", status: 308, text: `redirects to ${this.#secureURL(req)}` };
  }

  #secureURL({ hostname, uri }: Request): string {
    const { port } = this.#context.props;
    return `https://${hostname}${port === 443 ? "" : `:${port}`}${uri}`;
  }
}

function policyOf({ maxAge, includeSubDomains, preload }: PropsOf<typeof props>): string | undefined {
  if (maxAge === undefined) return undefined;
  const seconds = Math.floor(maxAge / 1000);
  return `max-age=${seconds}${includeSubDomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`;
}
